"""Runs that stand in no queue, since whoever was to put them there was killed."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from windtunnel.control.index import open_index
from windtunnel.control.stranded import stranded
from windtunnel.journal import Status

HELD = {"rules": [{"do": "hold", "approvers": 2, "reason": "everything is"}]}


@pytest.fixture
def look(yard, monkeypatch):
    """Whom a server would queue now; seconds pass before it looks."""

    def looked(later: float = 60.0) -> list[str]:
        now = time.time() + later
        monkeypatch.setattr(type(yard.queue.database), "now", lambda _: now)
        index = open_index(yard.workspace)
        index.refresh()
        found = list(stranded(yard.workspace, index, yard.queue))
        index.close()
        assert all(one.seen is not None for one in found)
        return [one.run_id for one in found]

    return looked


def test_a_run_that_was_made_for_the_queue_is_found_and_no_other(yard, look):
    lost, queued = yard.create(), yard.create()
    by_hand = yard.control.create(yard.world, yard.scenario())
    yard.put(queued)
    assert by_hand.row.status is Status.QUEUED
    assert look() == [lost.row.run_id]


def test_whoever_is_about_to_queue_a_run_is_given_time(yard, look):
    yard.create()
    assert look(later=0.0) == []


def waiting(yard):
    import asyncio

    scenario = replace(yard.scenario(), approvals=HELD)
    found = yard.control.create(yard.world, scenario)
    (done,) = asyncio.run(yard.control.play([found]))
    assert done.row.status is Status.WAITING
    return found


def test_a_run_whose_last_vote_was_cast_is_found_when_nobody_took_it_up(yard, look):
    found = waiting(yard)
    run = found.row.run_id
    assert look() == []
    yard.control.vote(run, "", True, sender="ana")
    assert look() == []  # one of two
    yard.control.vote(run, "", True, sender="ben")
    assert look() == [run]


def test_a_run_that_waits_is_not_taken_up_twice_for_the_same_mail(yard, look):
    import asyncio

    found = waiting(yard)
    run = found.row.run_id
    yard.control.inject(run, "shock", None, sender="ana")
    assert look() == [run]
    asyncio.run(yard.control.play([yard.found(found)]))
    assert yard.row(found).status is Status.WAITING
    assert look() == []
