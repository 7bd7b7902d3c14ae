"""A wish to stop that comes between the making of a run and its first turn is a wish all the same; and so is
one that comes when whoever played it has just died."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from windtunnel.control import Control, verbs
from windtunnel.control.catalog import opened
from windtunnel.errors import LeaseHeld
from windtunnel.journal import Status


@pytest.fixture
def control(yard) -> Control:
    return Control(yard.workspace, lambda _: yard.world)


def played(control: Control, found):
    (done,) = asyncio.run(control.play([found]))
    assert done.error is None
    return done.row


def test_a_run_that_is_paused_before_its_first_turn_stays_so_until_it_is_resumed(yard, control):
    made = yard.create(turns=3)
    control.pause(made.row.run_id)
    row = played(control, made)
    assert (row.status, row.turn) == (Status.PAUSED, 0)
    row = played(control, control.find(made.row.run_id))
    assert (row.status, row.turn) == (Status.COMPLETED, 3)


def test_a_run_that_is_cancelled_before_its_first_turn_is_not_played(yard, control):
    made = yard.create(turns=3)
    control.cancel(made.row.run_id)
    row = played(control, made)
    assert (row.status, row.turn) == (Status.CANCELLED, 0)


def test_a_run_whose_process_died_is_paused_where_it_stands(yard, control):
    made = yard.create(turns=3)
    with opened(made) as store:
        store.set_status(made.row.run_id, Status.RUNNING, 1.0)
    assert control.find(made.row.run_id).row.status is Status.CRASHED
    assert control.pause(made.row.run_id).row.status is Status.PAUSED
    with opened(made) as store:
        assert [one.kind for one in store.operations(made.row.run_id)][-2:] == ["crashed", "paused"]
    row = played(control, control.find(made.row.run_id))
    assert (row.status, row.turn) == (Status.COMPLETED, 3)


@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_whoever_takes_it_up_in_that_moment_gets_the_wish_by_mail(yard, control, monkeypatch, wish):
    made = yard.create(turns=3)

    def taken(*_: Any) -> Any:
        raise LeaseHeld("another process plays it")

    monkeypatch.setattr(verbs, "move_run", taken)
    getattr(control, wish)(made.row.run_id)
    with opened(made) as store:
        assert [mail.kind for mail in store.mail(made.row.run_id)] == [wish]
