"""Limits of a run: seconds, memory, a process of its own; told in its journal, kept by whoever plays it."""

from __future__ import annotations

import time

import pytest

from tests.control.yard import Yard, until
from windtunnel.config.runs import Runs
from windtunnel.control.history import halted
from windtunnel.control.limits import Limits, effective, read_limits
from windtunnel.errors import UsageError


def test_what_nobody_said_comes_from_the_workspace():
    defaults = Runs(seconds=60.0, memory_mb=500)
    assert effective(None, defaults) == Limits(seconds=60.0, memory_mb=500)
    assert effective(Limits(seconds=5.0, isolate=True), defaults) == Limits(5.0, 500, isolate=True)


@pytest.mark.parametrize(
    "bad", [{"seconds": 0}, {"seconds": "nan"}, {"memory_mb": 0.5}, {"memory": 5}, {"spend": -1}, "much"]
)
def test_limits_that_make_no_sense_are_refused(bad):
    with pytest.raises(UsageError, match="limits"):
        read_limits(bad)


@pytest.mark.slow
def test_a_run_past_its_seconds_pauses_and_goes_on_when_it_gets_more(yard):
    limits = Limits(seconds=0.5)
    run = yard.create(turns=60, busy=0.03, limits=limits)
    with yard.managed():
        yard.put(run, limits=limits)
        assert yard.settled(run) == ["paused"]
        paused = yard.row(run)
        assert "its limit is 0.5" in paused.reason
        why = halted(yard.found(run))
        assert why is not None
        assert (why["code"], "resume" in why["remedy"]) == ("time_limit", True)
        yard.put(yard.found(run))  # with nothing said, the limit of its journal still holds
        assert yard.settled(run) == ["paused"]
        assert yard.row(run).turn - paused.turn <= 1
        yard.put(yard.found(run), limits=Limits(seconds=60.0))
        assert yard.settled(run) == ["completed"]
    assert yard.row(run).head_hash == yard.head(turns=60, busy=0.03)
    assert yard.operations(run, "limits") == [{"seconds": 0.5}, {"seconds": 60.0}]
    assert yard.sound(run)


@pytest.mark.slow
def test_seconds_are_counted_over_the_deaths_of_workers(yard, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    at = list(range(20, 400, 20))
    limits = Limits(seconds=4.0)
    run = yard.create("dies_once", 400, busy=0.06, at=at, marks=str(marks), name="m", limits=limits)
    began = time.monotonic()
    with yard.managed():
        yard.put(run, limits=limits)
        assert yard.settled(run) == ["paused"]
    assert 0 < len(list(marks.iterdir())) < len(at)
    assert time.monotonic() - began < 50


@pytest.mark.slow
def test_a_turn_that_does_not_end_in_time_is_killed_and_its_run_fails(yard):
    limits = Limits(seconds=0.5)
    bad, good = yard.create("spins", at=2, limits=limits), yard.create(turns=20)
    with yard.managed():
        yard.queue.put([yard.ticket(bad, limits=limits), yard.ticket(good)])
        assert yard.settled(bad, good) == ["failed", "completed"]
    (why,) = yard.operations(bad, "failed")
    assert (why["code"], why["cause"]) == ("time_limit", "time")
    assert yard.sound(bad)


@pytest.mark.slow
def test_a_turn_that_waits_past_its_time_is_cut_short_without_harm_to_others(yard):
    limits = Limits(seconds=0.5)
    bad, good = yard.create("stalls", at=2, limits=limits), yard.create(turns=150, busy=0.02)
    with yard.managed():
        yard.queue.put([yard.ticket(bad, limits=limits), yard.ticket(good)])
        assert yard.settled(bad, good) == ["failed", "completed"]
    assert yard.operations(good, "resumed") == []
    assert yard.operations(bad, "failed")[0]["code"] == "time_limit"


@pytest.mark.slow
def test_a_run_that_takes_too_much_memory_fails_with_the_figure(yard):
    limits = Limits(memory_mb=300)
    bad, good = yard.create("hoards", 100, mb=40, limits=limits), yard.create(turns=30)
    with yard.managed():
        yard.queue.put([yard.ticket(bad, limits=limits), yard.ticket(good)])
        assert yard.settled(bad, good) == ["failed", "completed"]
    (why,) = yard.operations(bad, "failed")
    assert (why["code"], why["cause"], why["deaths"]) == ("memory_limit", "memory", 1)
    assert "its limit is 300 MB" in yard.row(bad).reason
    assert yard.row(bad).turn > 0
    assert yard.sound(bad)


@pytest.mark.slow
def test_a_single_allocation_far_over_the_limit_fails_the_run_by_itself(yard):
    limits = Limits(memory_mb=300)
    bad = yard.create("hoards", 100, mb=4000, limits=limits)
    with yard.managed():
        yard.put(bad, limits=limits)
        assert yard.settled(bad) == ["failed"]
    assert "MemoryError" in yard.row(bad).reason


@pytest.mark.slow
def test_a_run_that_wants_a_process_of_its_own_gets_one(yard):
    alone = yard.create(turns=60, busy=0.02)
    others = [yard.create(turns=60, busy=0.02) for _ in range(2)]
    with yard.managed():
        yard.queue.put([yard.ticket(alone, limits=Limits(isolate=True)), *map(yard.ticket, others)])
        worker = until(lambda: yard.player_of(alone))
        assert worker.run_id == alone.row.run_id
        until(lambda: yard.player_of(others[0]))
        assert [play.run_id for play in worker.playing] in ([], [alone.row.run_id])
        assert yard.player_of(others[0]).pid != worker.pid
        assert set(yard.settled(alone, *others)) == {"completed"}


@pytest.mark.slow
def test_a_workspace_may_give_every_run_a_process_of_its_own(tmp_path):
    yard = Yard(tmp_path / "ws", "isolate = true")
    runs = [yard.create(turns=10) for _ in range(2)]
    with yard.managed():
        yard.put(*runs)
        assert set(yard.settled(*runs)) == {"completed"}
    pids = {body["pid"] for run in runs for body in yard.operations(run, "started")}
    assert len(pids) == 2
