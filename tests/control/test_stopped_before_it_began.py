"""A wish to stop that comes between the making of a run and its first turn is a wish all the same."""

from __future__ import annotations

import asyncio

import pytest

from windtunnel.control import Control
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
