"""`fork`, `pause`, `cancel`, `inject`, `approvals`, `answer`, `replay`, `verify`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import command
from windtunnel.errors import LeaseLost
from windtunnel.journal import Batch, SqliteStore, Status
from windtunnel.journal.lease import this_process


def test_fork_tells_scripts_what_it_promised(wt, played):
    said = wt("fork", played["run_id"], "--at", 6, "--set", "growth=0.6", "--json")
    assert said.code == 0
    fork = said.data
    assert (fork["parent"], fork["at"], len(fork["runs"]), fork["controls"]) == (played["run_id"], "6", 1, [])
    (wealth,) = [row for row in fork["differences"] if (row["agent"], row["name"]) == ("ana", "wealth")]
    assert wealth["against"] == "parent"
    assert wealth["difference"]["mean"] == pytest.approx(wealth["branch"] - wealth["reference"])
    assert wealth["difference"]["low"] is None
    assert wt("show", fork["runs"][0], "--json").data["status"] == "completed"


def test_branches_are_paired_with_controls_and_tell_an_interval(wt, played):
    fork = wt("fork", played["run_id"], "--at", 6, "--set", "price=4", "--branches", 4, "--json").data
    assert (len(fork["runs"]), len(fork["controls"])) == (4, 4)
    (wealth,) = [row for row in fork["differences"] if (row["agent"], row["name"]) == ("ana", "wealth")]
    finals = {run: wt("show", run, "--json").data["metrics"]["ana"]["wealth"] for run in
              [*fork["runs"], *fork["controls"]]}  # fmt: skip
    apart = [finals[a] - finals[b] for a, b in zip(fork["runs"], fork["controls"], strict=True)]
    assert wealth["difference"]["mean"] == pytest.approx(sum(apart) / 4)
    assert 0 < wealth["difference"]["low"] < min(apart) + 1e9
    assert wealth["difference"]["low"] < wealth["difference"]["mean"] < wealth["difference"]["high"]


def test_branches_without_a_change_are_refused(wt, played):
    assert wt("fork", played["run_id"], "--at", 6, "--branches", 3, "--json").error["where"] == "--branches"


def test_a_fork_without_a_change_ends_where_its_parent_did(wt, played):
    fork = wt("fork", played["run_id"], "--at", 6, "--json").data["runs"][0]
    assert wt("show", fork, "--json").data["metrics"] == played["metrics"]


def test_a_fork_that_is_not_played_waits_for_resume(wt, played):
    fork = wt("fork", played["run_id"], "--at", 6, "--agent", "cy=modest", "--no-play", "--json").data[
        "runs"
    ][0]
    assert wt("show", fork, "--json").data["status"] == "queued"
    assert wt("resume", fork, "--json").data["turns"] == 12


def test_a_fork_can_inject_an_event(wt, played):
    fork = wt("fork", played["run_id"], "--at", 6, "--inject", 'spill={"part": 0.9}', "--json").data["runs"][
        0
    ]
    told = wt("show", fork, "--turn", 7).out
    assert "spill" in told
    assert wt("show", fork, "--json").data["metrics"]["world"]["fish"] < played["metrics"]["world"]["fish"]


def test_a_change_that_the_world_refuses_is_refused_before_anything_is_written(wt, walled):
    run = wt("run", walled, "--turns", 6, "--json").data["run_id"]
    before = wt("runs", "--json").out
    for more in ([], ["--branches", 3], ["--no-play"]):
        said = wt("fork", run, "--at", 3, "--set", "capacity=9", *more, "--json")
        assert said.code == 2
        assert said.out == ""
        assert said.error["code"] == "scenario"
        assert said.error["message"] == "the lake is dug: its capacity is 1000"
        assert said.error["where"] == "parameters.capacity"
    assert wt("runs", "--json").out == before
    assert wt("fork", run, "--at", 3, "--set", "growth=0.6", "--json").code == 0


def test_the_change_that_is_proposed_is_one_that_the_world_takes(wt, walled):
    said = wt("run", walled, "--turns", 4)
    (line,) = [line for line in said.out.splitlines() if "windtunnel fork" in line]
    assert "--set growth=" in line


def test_pause_and_cancel_move_a_run_that_nobody_plays(wt, lake):
    run = wt("run", lake, "--turns", 9, "--until", 3, "--json").data["run_id"]
    assert wt("cancel", run, "--json").data["status"] == "cancelled"
    said = wt("resume", run, "--json")
    assert (said.code, said.error["code"]) == (2, "wrong_state")
    assert "windtunnel fork" in said.error["remedy"]


def _held_elsewhere(store, run, **changes):
    """The run as a machine left it that went away while it played."""
    owner = [*this_process()._replace(**{"host": "far-away", "pid": 77, **changes})]
    with sqlite3.connect(store) as db:
        db.execute("UPDATE lease SET owner=? WHERE run_id=?", [json.dumps(owner), run])
        db.execute("UPDATE run SET status='running' WHERE run_id=?", [run])
    db.close()


def test_a_run_of_a_machine_that_is_gone_is_taken_over_by_force(wt, lake, played):
    about = wt("run", lake, "--turns", 12, "--until", 3, "--json").data
    run = about["run_id"]
    _held_elsewhere(about["store"], run)
    error = wt("resume", run, "--json").error
    assert error["code"] == "lease_held"
    assert f"if far-away is gone for good: windtunnel resume {run} --force" in error["remedy"]
    said = wt("resume", run, "--force")
    assert said.code == 0
    assert "taken over from process 77 on far-away" in said.err
    data = wt("show", run, "--json").data
    assert (data["status"], data["head"]) == ("completed", played["head"])
    (taken,) = [row for row in wt("show", run, "--operations", "--json").rows if row["kind"] == "taken_over"]
    assert (taken["body"]["host"], taken["body"]["pid"]) == ("far-away", 77)
    assert wt("verify", run, "--json").data["intact"]


def test_who_lost_a_run_writes_nothing_any_more(wt, lake):
    about = wt("run", lake, "--turns", 12, "--until", 3, "--json").data
    store = SqliteStore(Path(about["store"]))
    fence = store.acquire(about["run_id"], this_process()._replace(host="far-away"))
    assert wt("resume", about["run_id"], "--until", 5, "--force", "--json").code == 4
    with pytest.raises(LeaseLost):
        store.commit([Batch(about["run_id"], fence, status=Status.CANCELLED)])
    store.close()
    assert wt("show", about["run_id"], "--json").data["status"] == "paused"


def test_force_is_not_for_a_process_of_this_machine_that_lives(wt, lake):
    about = wt("run", lake, "--turns", 12, "--until", 3, "--json").data
    _held_elsewhere(about["store"], about["run_id"], **this_process()._asdict())
    said = wt("resume", about["run_id"], "--force", "--json")
    assert (said.code, said.error["where"]) == (2, "--force")
    assert "windtunnel pause" in said.error["remedy"]


def test_force_without_a_holder_is_a_plain_resume(wt, lake):
    run = wt("run", lake, "--turns", 6, "--until", 3, "--json").data["run_id"]
    said = wt("resume", run, "--force")
    assert (said.code, said.err) == (0, "")


def test_a_question_is_listed_answered_and_the_run_goes_on(wt, lake):
    run = wt("run", lake, "--turns", 1, "--agent", "ana=human", "--json").data["run_id"]
    (asked,) = wt("approvals", "list", run, "--json").rows
    assert (asked["actor"], asked["kind"]) == ("ana", "ask")
    assert "windtunnel answer" in wt("approvals").out
    assert wt("answer", run, asked["effect"], '{"type": "Catch", "amount": 7}', "--json").data["posted"]
    said = wt("resume", run, "--json")
    assert (said.code, said.data["status"]) == (0, "completed")
    assert said.data["metrics"]["ana"]["wealth"] == 14
    assert "answer: Catch(amount 7)" in wt("show", run, "--turn", 1).out
    assert wt("approvals", "--json").out == ""


def test_approve_without_a_run_says_what_to_type(wt):
    assert wt("approvals", "approve", "--json").error["remedy"].startswith("windtunnel approvals")


def test_replay_says_that_it_is_identical(wt, played):
    said = wt("replay", played["run_id"], "--json")
    assert said.code == 0
    assert said.data == {
        "run_id": played["run_id"], "identical": True, "turns": 12, "first_difference": None
    }  # fmt: skip
    assert played["head"] in wt("replay", played["run_id"]).out


def test_verify_says_intact_and_complete(wt, played):
    said = wt("verify", played["run_id"], "--json")
    assert said.code == 0
    promised = {key: said.data[key] for key in ("run_id", "intact", "complete", "entries", "first_problem")}
    assert promised == {
        "run_id": played["run_id"], "intact": True, "complete": True, "entries": 75, "first_problem": None
    }  # fmt: skip


def test_an_edit_by_plain_sqlite_is_caught(wt, played):
    with sqlite3.connect(played["store"]) as db:
        db.execute("UPDATE entry SET body = replace(body, 'Catch', 'catch') WHERE seq = 15")
    db.close()
    said = wt("verify", played["run_id"], "--json")
    assert (said.code, said.data["intact"]) == (1, False)
    assert "15" in str(said.data["first_problem"])
    assert "not intact" in wt("verify", played["run_id"]).out


@pytest.mark.slow
def test_a_world_that_changed_is_caught_by_replay(workspace):
    scenario = command("new", "world", "pond", "--json").data["scenario"]
    run = command("run", scenario, "--turns", 9, "--json").data["run_id"]
    rules = workspace / "pond" / "pond" / "world.py"
    rules.write_text(rules.read_text().replace("Catch(0.1 *", "Catch(0.11 *"))
    said = command("replay", run, "--json")
    assert (said.code, said.data["identical"]) == (1, False)
    assert set(said.data) == {"run_id", "identical", "turns", "first_difference"}
    different = said.data["first_difference"]
    assert (different["turn"], different["phase"]) == (1, "plan")
    told = command("replay", run)
    assert told.code == 1
    assert "different" in told.out
    assert "turn 1, plan" in told.out
