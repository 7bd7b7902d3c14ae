"""A world in a repository of its own: found by path, by settings, by entry point; and known to nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
THERE = ROOT / "examples" / "climate-world"
SCENARIO = THERE / "climate_world" / "scenarios" / "paris.yaml"


def windtunnel(*words: str, at: Path, path: str = "") -> Any:
    env = {**os.environ, "WINDTUNNEL_OFFLINE": "1"}
    env.pop("WINDTUNNEL_HOME", None)
    if path:
        env["PYTHONPATH"] = path
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel", *words, "--json"],
        cwd=at, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[0] if len(lines) == 1 else lines


@pytest.mark.slow
def test_its_own_tests_pass() -> None:
    env = {**os.environ, "PYTHONPATH": str(THERE)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "tests"],
        cwd=THERE, env=env, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_line_of_ours_names_it() -> None:
    for file in [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.yaml")]:
        text = file.read_text(encoding="utf-8").casefold()
        assert "climate" not in text, file


@pytest.mark.slow
def test_a_path_to_its_scenario_is_enough(tmp_path: Path) -> None:
    """As people do who downloaded the folder: run, fork, replay, verify."""
    run = windtunnel("run", str(SCENARIO), "--turns", "10", "--store", "paris.sqlite", at=tmp_path)
    assert (run["status"], run["turns"]) == ("completed", 10)
    fork = windtunnel("fork", "paris.sqlite", "--at", "3", "--agent", "china=free_rider", at=tmp_path)
    assert len(fork["runs"]) == 1
    assert windtunnel("replay", f"paris.sqlite:{run['run_id']}", at=tmp_path)["identical"]
    assert windtunnel("verify", f"paris.sqlite:{run['run_id']}", at=tmp_path)["intact"]


@pytest.mark.slow
def test_it_is_found_where_the_settings_name_it(tmp_path: Path) -> None:
    settings = f'[[worlds]]\nname = "climate"\npath = "{THERE}"\n'
    (tmp_path / "windtunnel.toml").write_text(settings)
    named = windtunnel("worlds", at=tmp_path)
    assert "climate" in [world["name"] for world in named]
    run = windtunnel("run", "climate/business_as_usual", "--turns", "4", at=tmp_path)
    assert run["status"] == "completed"
    assert windtunnel("replay", run["run_id"], at=tmp_path)["identical"]


@pytest.mark.slow
def test_it_is_found_once_it_is_installed(tmp_path: Path) -> None:
    """Built and unpacked as an installer does, into a folder of its own."""
    from zipfile import ZipFile

    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(THERE)).build(directory=str(tmp_path / "wheels"), versions=["standard"])
    installed = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(installed)
    home = tmp_path / "home"
    home.mkdir()
    scenarios = windtunnel("scenarios", "climate", at=home, path=str(installed))
    assert {one["name"] for one in scenarios} >= {"climate/paris", "climate/business_as_usual"}
    run = windtunnel("run", "climate/paris", "--turns", "4", at=home, path=str(installed))
    assert windtunnel("replay", run["run_id"], at=home, path=str(installed))["identical"]
