"""The framework knows no domain: its own tests pass where `worlds/` is not there at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SUBSET = (
    "tests/run/test_contract_verdicts.py",
    "tests/run/test_contract_effects.py",
    "tests/run/test_contract_steering.py",
    "tests/toys/test_shop.py",
)


@pytest.mark.slow
def test_the_framework_is_whole_with_its_worlds_removed(tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(source / "windtunnel" / "worlds")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source), str(ROOT)])}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    where = subprocess.run(
        [sys.executable, "-c", "import windtunnel; print(windtunnel.__file__)"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert Path(where).is_relative_to(source), "the copy must be what is tested"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SUBSET],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
