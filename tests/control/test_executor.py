"""The executor that goes through the queue: batches, stores that hold many runs, errors of their own."""

from __future__ import annotations

import asyncio

import pytest

from windtunnel.control import Found, Job
from windtunnel.control.carrying import ProcessDied, TookTooLong
from windtunnel.control.queueing import QueueExecutor
from windtunnel.errors import UsageError, WrongState

pytestmark = pytest.mark.slow


def jobs_of(yard, runs: list[Found]) -> list[Job]:
    return [Job(run.location, run.row.run_id, yard.world) for run in runs]


def test_a_batch_of_runs_of_one_store_comes_back_in_its_order(yard):
    store = yard.workspace.runs / "tournament.sqlite"
    runs = [yard.create(seed=seed, path=store) for seed in range(40)]
    executor = QueueExecutor(yard.workspace, yard.queue, seconds=60)
    with yard.managed():
        done = asyncio.run(executor.play(jobs_of(yard, runs)))
    assert [one.row.run_id for one in done] == [run.row.run_id for run in runs]
    assert {str(one.row.status) for one in done} == {"completed"}
    assert [one.error for one in done] == [None] * 40
    assert len({one.row.head_hash for one in done}) == 40
    assert all(yard.sound(run) for run in runs[::8])


def test_what_goes_wrong_with_one_is_told_in_its_own_result(yard):
    runs = [yard.create(), yard.create("dies", at=1), yard.create()]
    executor = QueueExecutor(yard.workspace, yard.queue, seconds=60)
    with yard.managed():
        done = asyncio.run(executor.play(jobs_of(yard, runs)))
    assert [str(one.row.status) for one in done] == ["completed", "failed", "completed"]
    assert isinstance(done[1].error, ProcessDied)
    assert done[0].error is done[2].error is None


def test_runs_that_do_not_end_are_waited_for_no_longer_than_said(yard):
    runs = [yard.create(turns=2000, busy=0.02)]
    executor = QueueExecutor(yard.workspace, yard.queue, seconds=1.0)
    with yard.managed():
        (done,) = asyncio.run(executor.play(jobs_of(yard, runs)))
    assert isinstance(done.error, TookTooLong)


def test_with_nobody_who_works_it_says_so(yard, monkeypatch):
    monkeypatch.setattr("windtunnel.control.queueing.ALONE_SECONDS", 1.5)
    executor = QueueExecutor(yard.workspace, yard.queue, seconds=30)
    with pytest.raises(WrongState, match="nobody works") as told:
        asyncio.run(executor.play(jobs_of(yard, [yard.create()])))
    assert told.value.remedy == "windtunnel serve"


def test_players_of_this_process_cannot_be_sent(yard):
    run = yard.create()
    job = Job(run.location, run.row.run_id, yard.world, players={"ann": object()})
    with pytest.raises(UsageError, match="another one"):
        asyncio.run(QueueExecutor(yard.workspace, yard.queue).play([job]))
    assert yard.queue.depth() == {}
