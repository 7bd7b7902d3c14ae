"""A world of its own for every process of tests, a workspace of its own for every test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from windtunnel.cli import main

BROKEN = """\
world: lake
turns: 9
agents:
  - {id: ana}
events:
  - {turn: 5, kind: spill, body: {}}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        (line,) = self.err.splitlines()
        (word,) = (about := json.loads(line))
        assert word == "error"
        return about["error"]


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario file of a world made by `new world`, which nobody installed."""
    home = tmp_path_factory.mktemp("worlds")
    assert main(["new", "world", "lake", "--in", str(home), "--json"]) == 0
    scenarios = home / "lake" / "lake" / "scenarios"
    (scenarios / "broken.yaml").write_text(BROKEN)
    return scenarios / "first.yaml"


WALL = """
from windtunnel.errors import ScenarioError


def revise(self, state, scenario):
    if scenario.parameters.capacity != 1000:
        raise ScenarioError("the lake is dug: its capacity is 1000", where="parameters.capacity")
    return state


Rules.revise = revise
"""


@pytest.fixture(scope="session")
def walled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same world, but a parameter that counts at the start is refused to forks."""
    home = tmp_path_factory.mktemp("walled")
    assert main(["new", "world", "walled", "--in", str(home), "--json"]) == 0
    module = home / "walled" / "walled" / "world.py"
    module.write_text(module.read_text() + WALL)
    return module.parent / "scenarios" / "first.yaml"


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "workspace"
    home.mkdir()
    (home / "windtunnel.toml").write_text("")  # so that no folder above is taken for one
    monkeypatch.chdir(home)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    return home


@pytest.fixture
def wt(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command line in this process."""

    def say(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return say


@pytest.fixture
def played(wt: Callable[..., Said], lake: Path) -> Any:
    """A finished run of twelve turns, as `run --json` tells it."""
    return wt("run", lake, "--turns", 12, "--json").data


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **more}


def command(*words: object, **more: str) -> Said:
    """The real command, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel", *map(str, words)],
        capture_output=True, text=True, timeout=120, env=environment(**more), check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)
