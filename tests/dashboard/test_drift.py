"""The page and the server speak of the same things, and the page's own tests hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tools import dashboard_client

pytestmark = pytest.mark.slow
DASHBOARD = dashboard_client.ROOT / "dashboard"


@pytest.fixture(scope="module")
def generated() -> str:
    return dashboard_client.made()


def test_the_types_of_the_client_are_those_of_the_server(generated: str) -> None:
    written = dashboard_client.SCHEMA.read_text()
    assert written == generated, "the API has changed: python -m tools.dashboard_client"


def test_a_client_that_drifted_is_found(
    generated: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboard_client, "made", lambda: generated.replace("run_id", "run_name", 1))
    monkeypatch.setattr("sys.argv", ["dashboard_client", "--check"])
    assert dashboard_client.main() == 1
    assert "python -m tools.dashboard_client" in capsys.readouterr().err


def test_the_tests_of_the_page_hold() -> None:
    node = shutil.which("node")
    assert node, "no node on PATH: ./dev test brings one"
    vitest = DASHBOARD / "node_modules" / "vitest" / "vitest.mjs"
    assert vitest.exists(), "vitest is not installed: ./dev test installs it, or: cd dashboard && npm ci"
    ran = subprocess.run(
        [node, str(vitest), "run", "--reporter", "default"],
        cwd=DASHBOARD, env={**os.environ, "NO_COLOR": "1", "CI": "1"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-6000:]
    assert re.search(r"Tests +[1-9]\d* passed", said), said[-2000:]  # it found some
