from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tournaments.field import ARENA, workspace_at
from windtunnel.config import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """With the world of dice."""
    monkeypatch.syspath_prepend(str(ARENA))
    yield workspace_at(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "dice"]:
        del sys.modules[name]
