"""`schedule`: add, look, switch, and fire without a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from windtunnel.control.schedule import Schedules, State
from windtunnel.journal.database import SqliteDatabase


@pytest.fixture
def schedules(workspace):
    database = SqliteDatabase(workspace / ".windtunnel" / "catalog.sqlite")
    yield Schedules(database)
    database.close()


def test_with_none_it_says_how_to_begin(wt):
    said = wt("schedule")
    assert "nothing is done by the clock" in said.out
    assert "windtunnel schedule add" in said.out
    assert wt("schedule", "list", "--json").rows == []


def test_one_that_is_added_tells_its_next_five_times(wt, lake):
    words = ("schedule", "add", "early", lake, "--cron", "0 3 * * 1-5", "--zone", "Europe/Berlin", "--later")
    said = wt(*words, "--seed", 7, "--set", "turns=4")
    assert said.code == 0
    assert said.out.count(" 03:00 CE") == 5
    shown = wt("schedule", "show", "early", "--json").data
    assert shown["arguments"] == {"scenario": str(lake.resolve()), "seed": 7, "set": ["turns=4"]}
    assert (shown["verb"], shown["time"], shown["zone"], len(shown["upcoming"])) == (
        "run", "0 3 * * 1-5", "Europe/Berlin", 5,
    )  # fmt: skip
    assert "early" in wt("schedule").out


def test_a_scenario_by_name_is_kept_by_name(wt):
    added = wt("schedule", "add", "n", "economy/growth", "--every", "6 hours", "--turns", 2, "--json").data
    assert added["arguments"] == {"scenario": "economy/growth", "turns": 2}


def test_it_is_switched_and_removed(wt):
    wt("schedule", "add", "tidy", "--verb", "prune", "--arg", "older_than=30d", "--every", "weekly")
    off = wt("schedule", "disable", "tidy", "--json").data
    assert (off["enabled"], off["upcoming"]) == (False, [])
    assert "windtunnel schedule enable tidy" in wt("schedule", "show", "tidy").out
    assert wt("schedule", "enable", "tidy", "--json").data["next_at"] is not None
    assert wt("schedule", "remove", "tidy").code == 0
    assert wt("schedule", "--json").rows == []


WRONG = [
    (["add"], "which one"),
    (["add", "x", "--every", "daily"], "which scenario"),
    (["add", "x", "economy/growth"], "when"),
    (["add", "x", "economy/growth", "--every", "daily", "--cron", "0 3 * * *"], "both given"),
    (["add", "x", "economy/growth", "--cron", "0 3 * *"], "five fields"),
    (["add", "x", "economy/growth", "--every", "soon"], "does not say when"),
    (["add", "x", "economy/nope", "--every", "daily"], "no scenario"),
    (["add", "x", "economy/growth", "--every", "daily", "--verb", "evolve"], "no verb 'evolve'"),
    (["add", "x", "economy/growth", "--every", "daily", "--arg", "sed=4"], "no argument 'sed'"),
    (["add", "x", "economy/growth", "--every", "daily", "--arg", "seed=-4"], "seed: must be at least 0"),
    (["add", "x", "economy/growth", "--every", "daily", "--arg", "seed"], "not KEY=VALUE"),
    (["add", "x", "economy/growth", "--every", "daily", "--set", "nope=4"], "nope"),
    (["add", "x", "economy/growth", "--every", "daily", "--budget", "1"], "nothing here asks a model"),
    (["add", "x", "economy/growth", "more", "--every", "daily"], "too much"),
    (["add", "x", "--verb", "prune", "--every", "daily"], "no rule"),
    (["add", "x", "--verb", "prune", "--every", "daily", "--arg", 'status=["odd"]'], "no status"),
    (["add", "x", "--verb", "prune", "--every", "daily", "--arg", "older_than=old"], "no length of time"),
    (["show"], "which one"),
    (["show", "x"], "no schedule 'x'"),
    (["run", "--for", "long"], "no length of time"),
    (["odd"], "not valid"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_is_wrong_is_said_with_a_remedy(wt, words, said):
    done = wt("schedule", *words, "--json")
    assert (done.code, done.out) == (2, "")
    assert said in done.error["message"]
    assert done.error["remedy"]
    assert wt("schedule", "--json").rows == []


@pytest.mark.slow
def test_what_is_due_is_played_without_a_server(wt, lake):
    wt("schedule", "add", "lake", lake, "--every", "daily", "--turns", 3)
    (fired,) = wt("schedule", "run", "--once", "--json").rows
    assert (fired["schedule"], fired["state"], fired["outcome"]["status"]) == ("lake", "done", "completed")
    (run,) = wt("runs", "--json").rows
    assert (run["run_id"], run["turns"]) == (fired["outcome"]["run_id"], 3)
    assert wt("schedule", "run", "--once", "--json").rows == []
    assert "completed" in wt("schedule", "show", "lake").out


FAILS = (
    "\n\ndef observe(self, state, actor):\n    raise ValueError('no water')\n\n\nRules.observe = observe\n"
)
HANGS = "\n\ndef observe(self, state, actor):\n    while True: pass\n\n\nRules.observe = observe\n"
DIES = "\n\ndef observe(self, state, actor):\n    import os; os._exit(7)\n\n\nRules.observe = observe\n"
SPOILT = [
    ("marsh", FAILS, "2min", "no water"),
    ("tarn", HANGS, "3s", "did not end within 3 seconds"),
    ("mere", DIES, "2min", "its process ended with 7"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "spoilt", "limit", "said"), SPOILT)
def test_a_world_that_fails_hangs_or_dies_is_one_firing_s_trouble(wt, tmp_path, name, spoilt, limit, said):
    assert wt("new", "world", name, "--in", tmp_path).code == 0
    package = tmp_path / name / name
    scenario = package / "scenarios" / "first.yaml"
    assert wt("schedule", "add", "bad", scenario, "--every", "daily", "--limit", limit).code == 0
    wt("schedule", "add", "good", "--verb", "prune", "--arg", "older_than=30d", "--every", "daily")
    (package / "world.py").write_text((package / "world.py").read_text() + spoilt)
    done = wt("schedule", "run", "--once", "--json")
    assert done.code == 3
    fired = {row["schedule"]: row for row in done.rows}
    assert said in fired["bad"]["reason"]
    assert fired["good"]["state"] == "done"
    shown = wt("schedule", "show", "bad", "--json").data
    assert (shown["errors"], shown["last_state"]) == (1, "failed")
    assert said in shown["last_error"]


@pytest.mark.slow
def test_health_is_looked_after(wt, workspace):
    wt("schedule", "add", "check", "--verb", "health", "--every", "hourly")
    (fired,) = wt("schedule", "run", "--once", "--json").rows
    assert (fired["state"], fired["outcome"]["models"]) == ("done", ["house"])
    (workspace / ".windtunnel" / "runs").mkdir(exist_ok=True)
    (workspace / ".windtunnel" / "runs" / "bad.sqlite").write_bytes(b"x" * 5000)
    with_due_again(workspace)
    (fired,) = wt("schedule", "run", "--once", "--json").rows
    assert fired["state"] == "failed"
    assert "store bad.sqlite" in fired["reason"]


def with_due_again(workspace: Path) -> None:
    database = SqliteDatabase(workspace / ".windtunnel" / "catalog.sqlite")
    database.rows("UPDATE schedule SET due=due-86400, planned=0")
    database.rows("UPDATE firing SET due=due-86400*2")
    database.close()


@pytest.mark.slow
def test_stopped_in_the_middle_of_a_run_it_goes_on_with_that_run(wt, lake, schedules):
    """Ctrl-C, and then a start anew: one run, one due time, nothing played twice."""
    wt("schedule", "add", "long", lake, "--every", "daily", "--turns", 1000000)
    words = [sys.executable, "-m", "windtunnel", "schedule", "run"]
    for attempt in (1, 2):
        with subprocess.Popen(
            words, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as one:  # fmt: skip
            wait_for(lambda attempt=attempt: plays(wt, schedules, attempt))
            os.kill(one.pid, signal.SIGINT)
            assert one.wait(60) == 130
        (run,) = wt("runs", "--json").rows
        assert run["status"] == "paused"
    assert [(one.attempt, one.state) for one in schedules.history("long")] == [
        (2, State.STOPPED), (1, State.STOPPED),
    ]  # fmt: skip
    assert schedules.find("long").errors == 0


def plays(wt, schedules: Schedules, attempt: int) -> bool:
    """Whether that attempt plays its run."""
    history = schedules.history("long")
    if not history or history[0].attempt != attempt or history[0].state is not State.BEGUN:
        return False
    return [run["status"] for run in wt("runs", "--json").rows] == ["running"]


def wait_for(what) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.1)
    pytest.fail("it did not come to that within a minute")
