"""Workers and their manager, as real processes, and what happens when they are killed."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.control.yard import Yard, until
from windtunnel.control import Found
from windtunnel.control.crew import WorkerInfo
from windtunnel.control.limits import Limits
from windtunnel.control.queue import Ticket
from windtunnel.journal import Status
from windtunnel.journal.lease import lives

pytestmark = pytest.mark.slow


def test_runs_are_played_to_their_ends_as_if_by_hand(yard):
    runs = [yard.create(seed=seed, turns=8) for seed in range(7)]
    with yard.managed():
        yard.put(*runs)
        assert set(yard.settled(*runs)) == {"completed"}
    assert all(yard.sound(run) for run in runs)
    assert heads(yard, runs) == [yard.head(seed=n, turns=8) for n in range(7)]
    assert yard.operations(runs[0], "submitted") == [{}]


def test_runs_that_compute_are_spread_over_the_workers(yard):
    runs = [yard.create(seed=seed, turns=300, busy=0.01) for seed in range(4)]
    with yard.managed():
        yard.put(*runs)
        until(lambda: len([one for one in yard.workers() if one.playing]) == 2)
        assert set(yard.settled(*runs)) == {"completed"}


def test_a_killed_worker_costs_no_committed_turn_and_no_run(yard):
    runs = [yard.create(seed=seed, turns=60, busy=0.02) for seed in range(3)]
    with yard.managed():
        yard.put(*runs)
        killed = storm(yard, runs, kills=3)
        assert set(yard.settled(*runs)) == {"completed"}
    assert killed == 3
    assert heads(yard, runs) == [yard.head(seed=n, turns=60, busy=0.02) for n in range(3)]
    assert all(yard.sound(run) for run in runs)


def heads(yard: Yard, runs: list[Found]) -> list[bytes]:
    return [yard.row(run).head_hash for run in runs]


def storm(yard: Yard, runs: list[Found], kills: int, seconds: float = 120.0) -> int:
    """Kill a worker whenever the runs have come on since the last time; how often."""
    done, since, end = 0, [0] * len(runs), time.monotonic() + seconds
    while done < kills and time.monotonic() < end:
        rows = [yard.row(run) for run in runs]
        assert all(row.turn >= turn for row, turn in zip(rows, since, strict=True)), (
            "a committed turn is lost"
        )
        if all(row.status is Status.COMPLETED for row in rows):
            break
        on = [run for run, row, turn in zip(runs, rows, since, strict=True) if row.turn > turn]
        worker = next((found for run in on if (found := yard.player_of(run))), None)
        if worker is not None:
            os.kill(worker.pid, signal.SIGKILL)
            done += 1
            since = [row.turn for row in rows]
        time.sleep(0.05)
    return done


@pytest.mark.soak
def test_fifty_killed_workers_cost_no_committed_turn_and_no_run(yard):
    runs = [yard.create(seed=seed, turns=1500, busy=0.005) for seed in range(5)]
    with yard.managed():
        yard.put(*runs)
        killed = storm(yard, runs, kills=50, seconds=250.0)
        assert set(yard.settled(*runs, seconds=280.0)) == {"completed"}
    assert killed == 50
    assert heads(yard, runs) == [yard.head(seed=n, turns=1500, busy=0.005) for n in range(5)]


def test_a_worker_that_stands_still_is_replaced(tmp_path):
    yard = Yard(tmp_path / "ws", "hung_seconds = 3")
    run = yard.create(turns=100, busy=0.02)
    with yard.managed():
        yard.put(run)
        worker = until(lambda: yard.row(run).turn > 5 and yard.player_of(run))
        os.kill(worker.pid, signal.SIGSTOP)
        assert yard.settled(run) == ["completed"]
        assert not lives(worker.owner)
    assert yard.row(run).head_hash == yard.head(turns=100, busy=0.02)


def test_a_run_that_ends_three_workers_has_failed_and_its_neighbours_have_not(yard):
    neighbours = [yard.create(seed=seed, turns=150, busy=0.01) for seed in range(2)]
    bad = yard.create("dies", turns=9, at=4)
    with yard.managed():
        yard.put(neighbours[0], bad, neighbours[1])
        assert yard.settled(*neighbours, bad) == ["completed", "completed", "failed"]
    (why,) = yard.operations(bad, "failed")
    assert (why["code"], why["deaths"], why["exit"]) == ("process_died", 3, -9)
    assert "3 times after turn 0" in yard.row(bad).reason
    assert yard.row(bad).turn == 0  # what was played before it died was not committed yet
    assert yard.sound(bad)
    assert heads(yard, neighbours) == [yard.head(seed=n, turns=150, busy=0.01) for n in range(2)]


def test_deaths_between_which_a_run_comes_on_are_not_held_against_it(yard, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    at = [10, 20, 30, 40]
    run = yard.create("dies_once", turns=50, at=at, marks=str(marks), name="often", busy=0.03)
    with yard.managed():
        yard.put(run)
        assert yard.settled(run) == ["completed"]
    assert len(list(marks.iterdir())) == len(at)
    assert len(yard.operations(run, "crashed")) == len(at)


def test_what_a_world_prints_lands_in_the_log_with_its_run(yard):
    run = yard.create("prints", turns=3, much=300_000)
    with yard.managed():
        yard.put(run)
        assert yard.settled(run) == ["completed"]
        until(lambda: yard.row(run).status is Status.COMPLETED)
    logs = yard.workspace.runs.parent / "logs"
    text = "".join(log.read_text() for log in logs.glob("worker*.jsonl"))
    lines = [json.loads(line) for line in text.splitlines()]
    said = [line for line in lines if line["event"] == "printed"]
    assert {line["run_id"] for line in said} == {run.row.run_id}
    assert "line one 0" in [line["text"] for line in said]
    assert {line["stream"] for line in said} == {"stdout", "stderr"}
    assert max(len(line["text"]) for line in said) <= 4000
    assert "below Python" in "".join(file.read_text() for file in logs.glob("worker*.out"))


def test_a_worker_that_is_asked_to_end_hands_its_run_back(yard):
    run = yard.create(turns=150, busy=0.02)
    with yard.managed():
        yard.put(run)
        worker = until(lambda: yard.row(run).turn > 5 and yard.player_of(run))
        os.kill(worker.pid, signal.SIGTERM)
        until(lambda: not lives(worker.owner))
        assert yard.settled(run) == ["completed"]
    assert [body["turn"] > 5 for body in yard.operations(run, "queued")] == [True]
    assert len(yard.operations(run, "started")) == len(yard.operations(run, "resumed")) == 1
    assert yard.operations(run, "crashed") == []
    assert yard.row(run).head_hash == yard.head(turns=150, busy=0.02)
    assert yard.sound(run)


def test_a_world_that_ends_the_process_politely_fails_its_own_run_only(yard):
    bad, good = yard.create("leaves"), yard.create(turns=50, busy=0.01)
    with yard.managed():
        yard.put(bad, good)
        assert yard.settled(bad, good) == ["failed", "completed"]
    assert yard.operations(good, "resumed") == []
    assert "SystemExit" in yard.row(bad).reason


def test_workers_outlive_a_killed_server_and_the_next_one_adopts_them(yard):
    run = yard.create(turns=250, busy=0.02)
    with yard.server() as server:
        yard.put(run)
        worker = until(lambda: yard.row(run).turn > 5 and yard.player_of(run))
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        before = yard.row(run).turn
        until(lambda: yard.row(run).turn > before)
    with yard.managed() as manager:
        until(lambda: manager.leads)
        assert [one.name for one in manager.workers()] == [worker.name]
        os.kill(worker.pid, signal.SIGKILL)
        assert yard.settled(run) == ["completed"]
    assert yard.row(run).head_hash == yard.head(turns=250, busy=0.02)


def test_an_idle_worker_without_a_server_ends_by_itself(yard):
    run = yard.create()
    with yard.server() as server:
        yard.put(run)
        yard.settled(run)
        assert yard.workers()
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        until(lambda: not yard.workers(), 30)


def test_one_of_two_managers_leads(yard):
    with yard.managed() as first:
        until(lambda: first.leads)
        with yard.server() as second:
            run = yard.create()
            yard.put(run)
            assert yard.settled(run) == ["completed"]
            assert second.poll() is None
            assert first.leads
            assert {one.name.split("-")[2] for one in first.workers()} == {str(os.getpid())}


def in_turn_two(yard: Yard) -> WorkerInfo | None:
    return next((one for one in yard.workers() if any(play.turn == 1 for play in one.playing)), None)


def test_a_cancelled_run_ends_even_if_its_turn_waits_for_ever(yard):
    run = yard.create("stalls", at=2)
    with yard.managed():
        yard.put(run)
        worker = until(lambda: in_turn_two(yard))
        yard.control.cancel(run.address, sender="eve")
        assert yard.settled(run) == ["cancelled"]
        assert lives(worker.owner)
    assert yard.operations(run, "cancelled")[-1]["sender"] == "eve"
    assert yard.sound(run)


def test_a_cancelled_run_ends_even_if_it_holds_its_process(yard):
    run = yard.create("spins", at=2)
    with yard.managed():
        yard.put(run)
        worker = until(lambda: in_turn_two(yard))
        yard.control.cancel(run.address, sender="eve")
        assert yard.settled(run) == ["cancelled"]
        assert not lives(worker.owner)
    assert yard.sound(run)


def test_a_turn_that_never_ends_ends_its_worker_and_fails_at_the_third_time(yard):
    bad, good = yard.create("spins", at=2), yard.create(turns=30)
    with yard.managed():
        yard.put(bad, good)
        assert yard.settled(bad, good) == ["failed", "completed"]
    (why,) = yard.operations(bad, "failed")
    assert (why["cause"], why["deaths"]) == ("stuck", 3)
    assert any("spins" in line for line in why["stack"]), why["stack"]


def test_a_world_that_cannot_be_loaded_fails_what_waits_for_it(tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("import os\nos._exit(5)\nworld = None\n")
    yard = Yard(tmp_path / "ws", worlds=f'[[worlds]]\nname = "broken"\npath = "{broken}"\n')
    run, other = yard.create(), yard.create()
    with yard.managed():
        yard.queue.put([Ticket(run.row.run_id, run.location, "broken")])
        yard.put(other)
        assert yard.settled(run, other) == ["failed", "completed"]
    assert "exit code 5" in yard.row(run).reason


def test_a_queue_that_is_lost_is_filled_again_from_the_journals(yard):
    limits = Limits(seconds=50.0)
    run = yard.create(limits=limits)
    by_hand = yard.control.create(yard.world, yard.scenario())
    with yard.managed():
        until(lambda: yard.row(run).status is Status.COMPLETED)
        assert yard.row(by_hand).status is Status.QUEUED
    (said,) = yard.operations(run, "limits")
    assert said == {"seconds": 50.0}
