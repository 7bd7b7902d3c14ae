"""`run` and `resume`: what they print, what they promise to scripts, and how they bear being stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said, command, environment
from windtunnel.config import Workspace
from windtunnel.control import all_runs

TURNS = 10_000  # seconds of play, so that there is a middle to be stopped in


def test_run_tells_scripts_what_it_promised(wt, lake):
    said = wt("run", lake, "--turns", 12, "--json")
    assert said.code == 0
    assert said.err == ""
    run = said.data
    assert run["status"] == "completed"
    assert run["turns"] == 12
    assert len(bytes.fromhex(run["head"])) == 32
    assert Path(run["store"]).name == f"{run['run_id']}.sqlite"
    assert Path(run["store"]).is_file()
    assert set(run["metrics"]) == {"ana", "bo", "cy", "world"}
    assert run["metrics"]["cy"]["wealth"] > run["metrics"]["ana"]["wealth"] > 0


def test_the_same_seed_gives_the_same_head_and_another_seed_another(wt, lake):
    heads = [wt("run", lake, "--turns", 12, "--seed", seed, "--json").data["head"] for seed in (3, 3, 4)]
    assert heads[0] == heads[1] != heads[2]


def test_run_closes_with_results_curves_the_file_and_what_to_type_next(wt, lake):
    said = wt("run", lake, "--turns", 12)
    assert said.code == 0
    run = wt("runs", "--json").data["run_id"]
    for piece in ("lake/first", "completed", "all turns played", "12 of 12 turns", "wealth", "fish", "█"):
        assert piece in said.out, piece
    assert f".windtunnel/runs/{run}.sqlite" in said.out
    for verb in ("show", "fork", "replay", "verify"):
        assert f"windtunnel {verb} {run}" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80


def test_the_fork_that_is_proposed_can_be_typed_as_it_stands(wt, lake):
    said = wt("run", lake, "--turns", 4)
    (line,) = [line for line in said.out.splitlines() if "windtunnel fork" in line]
    words = line[line.index("windtunnel fork") :].split()[1:]
    assert wt(*words, "--json").code == 0


def test_a_command_to_be_typed_is_never_broken_however_long(wt, lake, tmp_path):
    folder = tmp_path / "a folder with a name that is rather long".replace(" ", "-")
    folder.mkdir()
    said = wt("run", lake, "--turns", 4, "--store", folder / "lake.sqlite")
    (line,) = [line for line in said.out.splitlines() if "windtunnel fork" in line]
    assert len(line) > 80
    assert line.split()[-2:] == ["--set", "capacity=2000"]


def test_settings_agents_and_turns_are_taken_from_the_command_line(wt, lake):
    plain = wt("run", lake, "--turns", 6, "--json").data
    changed = wt(
        "run", lake, "--turns", 6, "--set", "price=4", "--agent", "cy=modest", "--model", "rule", "--json"
    ).data
    assert changed["metrics"]["ana"]["wealth"] > 1.9 * plain["metrics"]["ana"]["wealth"]
    assert changed["metrics"]["cy"] == changed["metrics"]["ana"]


@pytest.mark.parametrize(
    ("given", "remedy"), [("ana=greedi", "did you mean 'greedy'?"), ("an=greedy", "did you mean 'ana'?")]
)
def test_a_wrong_agent_is_blamed_on_the_option_that_was_typed(wt, lake, played, given, remedy):
    for words in (("run", lake), ("fork", played["run_id"], "--at", 3)):
        error = wt(*words, "--set", "price=3", "--agent", "cy=modest", "--agent", given, "--json").error
        assert (error["where"], error["remedy"]) == (f"--agent {given}", remedy)
    error = wt("run", lake, "--agent", "cy=modest", "--set", "agents.ana.policy=greedi", "--json").error
    assert error["where"] == "--set agents.ana.policy=greedi"


def test_until_pauses_and_resume_ends_in_the_same_head(wt, lake, played):
    paused = wt("run", lake, "--turns", 12, "--until", 5, "--json")
    assert (paused.code, paused.data["status"], paused.data["turns"]) == (4, "paused", 5)
    resumed = wt("resume", paused.data["run_id"][:8], "--json")
    assert (resumed.code, resumed.data["status"]) == (0, "completed")
    assert resumed.data["head"] == played["head"]
    assert set(resumed.data) >= {"run_id", "status", "store", "turns", "head", "metrics"}


def test_store_says_where_to_write(wt, lake, tmp_path):
    target = tmp_path / "elsewhere" / "mine.sqlite"
    assert wt("run", lake, "--turns", 2, "--store", target, "--json").data["store"] == str(target)
    assert wt("show", target, "--json").data["turns"] == 2


def test_a_world_that_raises_ends_with_3_and_says_where(wt, lake):
    said = wt("run", lake.parent / "broken.yaml", "--json")
    assert said.code == 3
    assert said.data["status"] == "failed"
    assert said.data["turns"] == 4
    assert said.error["code"] == "engine"
    assert "turn 5" in said.error["where"]
    told = wt("run", lake.parent / "broken.yaml")
    assert told.code == 3
    assert "KeyError" in told.err
    assert "Traceback" not in told.err + told.out


def test_debug_shows_the_traceback_of_a_world_that_raises(wt, lake):
    assert "Traceback" in wt("run", lake.parent / "broken.yaml", "--debug").err


def test_a_run_that_waits_ends_with_4_and_says_what_waits(wt, lake):
    said = wt("run", lake, "--turns", 1, "--agent", "ana=human")
    assert said.code == 4
    assert "windtunnel answer" in said.out


def test_a_budget_is_refused_with_a_reason(wt, lake):
    said = wt("run", lake, "--budget", "5", "--json")
    assert said.code == 2
    assert said.error["where"] == "--budget"


@pytest.mark.slow
def test_a_world_by_path_is_remembered_for_its_runs(lake, workspace):
    run = command("run", lake, "--turns", 3, "--until", 1, "--json").data["run_id"]
    assert command("resume", run, "--json").code == 0
    assert command("replay", run, "--json").data["identical"]


@pytest.mark.slow
def test_a_remembered_world_that_is_gone_is_named(workspace, tmp_path):
    command("new", "world", "pond", "--in", tmp_path)
    run = command(
        "run", tmp_path / "pond/pond/scenarios/first.yaml", "--turns", 2, "--until", 1, "--json"
    ).data
    (tmp_path / "pond").rename(tmp_path / "away")
    said = command("resume", run["run_id"], "--json")
    assert said.code == 2
    assert str(tmp_path / "pond") in said.error["message"]
    assert command("show", run["run_id"]).code == 0


# --- stopped from outside ---


def _started(lake: Path, workspace: Path, *more: str) -> subprocess.Popen[str]:
    """A long run, some way in."""
    words = [sys.executable, "-m", "windtunnel", "run", str(lake), "--turns", str(TURNS), *more]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=workspace
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if any(run.row.turn > 0 for run in all_runs(Workspace(workspace))):
            return process
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"the run did not start: {process.communicate()}")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, lake: Path) -> Any:
    return command(
        "run", lake, "--turns", TURNS, "--json", WINDTUNNEL_HOME=str(tmp_path_factory.mktemp("w"))
    ).data


def _ends_in_the_same_head(run: str, uninterrupted: Any) -> None:
    resumed = command("resume", run, "--json")
    assert resumed.code == 0
    assert resumed.data["head"] == uninterrupted["head"]


@pytest.mark.slow
def test_ctrl_c_pauses_at_a_turn_and_says_how_to_go_on(lake, workspace, uninterrupted):
    process = _started(lake, workspace)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    (run,) = command("runs", "--json").rows
    assert run["status"] == "paused"
    assert 0 < run["turns"] < TURNS
    assert f"windtunnel resume {run['run_id']}" in out
    assert "Ctrl-C again" in err
    assert "Traceback" not in err
    _ends_in_the_same_head(run["run_id"], uninterrupted)


@pytest.mark.slow
def test_kill_9_in_the_middle_is_resumed_to_the_same_head(lake, workspace, uninterrupted):
    process = _started(lake, workspace)
    process.kill()
    process.communicate(timeout=60)
    (run,) = command("runs", "--json").rows
    assert run["status"] == "crashed"
    assert 0 < run["turns"] < TURNS
    _ends_in_the_same_head(run["run_id"], uninterrupted)


@pytest.mark.slow
def test_pause_from_another_process_is_obeyed(wt, lake, workspace, uninterrupted):
    process = _started(lake, workspace, "--json")
    (run,) = wt("runs", "--json").rows
    assert wt("pause", run["run_id"], "--json").data["asked"] == "paused"
    out, err = process.communicate(timeout=60)
    said = Said(process.returncode, out, err)
    assert (said.code, said.data["status"]) == (4, "paused")
    _ends_in_the_same_head(run["run_id"], uninterrupted)
