from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test stands in a workspace of its own."""
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
