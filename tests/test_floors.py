"""Imports only go down: the floors of the house, checked by import-linter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_import_respects_the_floors() -> None:
    code = (
        "import sys; from importlinter.cli import lint_imports_command as c; sys.argv=['x','--no-cache']; c()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_ambient_decides_in_the_rooms_that_must_replay() -> None:
    done = subprocess.run(
        [sys.executable, "tools/lint_ambient.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
