"""One match: what another process did to it meanwhile, and what its disk does, are no fault of who plays."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bench.connect import Board, Rules, world
from windtunnel.config import Workspace
from windtunnel.errors import LeaseHeld, StorageError
from windtunnel.journal import SqliteStore
from windtunnel.journal.draft import Draft
from windtunnel.journal.gathering import Gathering
from windtunnel.journal.verify import verify
from windtunnel.models.hub import Hub
from windtunnel.tournaments import hand as hand_module
from windtunnel.tournaments.hand import Hand, Reply
from windtunnel.tournaments.model import Measure, Outcome, Scoring
from windtunnel.tournaments.playing import Order, play_match

SEATS = [{"id": seat, "role": "player", "policy": "scripted"} for seat in "ab"]


def order(run_id: str = "cup.1") -> Order:
    scenario = {"world": "connect", "agents": SEATS, "turns": 42, "seed": 5}
    return Order("here", run_id, "connect", scenario, {"a": "one", "b": "other"}, Scoring())


def test_a_match_that_was_brought_in_meanwhile_is_taken_as_it_stands(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cup.sqlite", create=True)

    class Late(Gathering):
        """A process whose tournament was killed plays on, and is faster."""

        async def publish(self, draft: Draft) -> None:
            await play_match(store, world, order())
            await super().publish(draft)

    outcome = asyncio.run(play_match(store, world, order(), gathering=Late(store)))
    assert outcome.ending == "played"
    assert outcome == asyncio.run(play_match(store, world, order()))
    assert [row.run_id for row in store.runs()] == ["cup.1"]
    assert verify(store, "cup.1").complete


def test_a_match_that_nobody_was_asked_for_and_is_there_is_taken_as_it_stands(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cup.sqlite", create=True)
    before = asyncio.run(play_match(store, world, order()))
    assert asyncio.run(play_match(store, world, structs.replace(order(), fresh=True))) == before
    assert len(store.runs()) == 1


def test_what_played_a_match_is_gone_with_it(tmp_path: Path) -> None:
    """Nothing of it points at itself: in a process that plays thousands nobody has to look for that."""
    store = SqliteStore(tmp_path / "cup.sqlite", create=True)

    async def play(*numbers: int) -> None:
        for number in numbers:
            await play_match(store, world, order(f"cup.{number}"))

    asyncio.run(play(1, 2))
    gc.collect()
    gc.disable()
    try:
        asyncio.run(play(*range(3, 13)))
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 10 * 40


@pytest.mark.parametrize("error", [StorageError("the disk is full"), LeaseHeld("another plays it")])
def test_what_is_no_fault_of_a_match_is_said_to_be_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    said: list[Reply] = []

    async def plays(_self: Hand, _order: Order, _hub: Hub, **_terms: Any) -> Any:
        raise error

    monkeypatch.setattr(Hand, "_play", plays)
    asyncio.run(Hand(Workspace(tmp_path), said.append, lambda _who: None).take(order(), Hub(environ={})))
    assert [reply.began for reply in said] == [True, False]
    assert said[1].not_now
    assert str(error) in str(said[1].error)


def test_a_match_says_when_only_the_disk_is_waited_for(tmp_path: Path) -> None:
    store, seen = SqliteStore(tmp_path / "cup.sqlite", create=True), []

    class Disk(Gathering):
        async def publish(self, draft: Draft) -> None:
            seen.append(f"turn {draft.run('cup.1').turn} goes to the disk")
            await super().publish(draft)

    async def played() -> None:
        seen.append("played")

    outcome = asyncio.run(play_match(store, world, order(), gathering=Disk(store), played=played))
    assert seen == ["played", f"turn {outcome.turns} goes to the disk"]


def test_metrics_of_an_outcome_stand_in_the_order_in_which_the_world_tells_them(tmp_path: Path) -> None:
    """An outcome is history: in the order of a set it would differ from process to process."""
    names = [f"measure {number}" for number in range(8)]
    many = structs.replace(world, engine=Measured(names))
    scoring = Scoring(metrics=tuple(Measure(name) for name in reversed(names)))
    given = structs.replace(order(), scoring=scoring)
    store = SqliteStore(tmp_path / "cup.sqlite", create=True)
    outcome = asyncio.run(play_match(store, many, given))
    assert [list(seat.metrics) for seat in outcome.seats.values()] == [names, names]


class Measured(Rules):
    def __init__(self, names: list[str]) -> None:
        self._names = names

    def score(self, state: Board) -> dict[str, Any]:
        return {seat: {name: float(at) for at, name in enumerate(self._names)} for seat in state.seats}


@pytest.mark.parametrize("told", [True, False])
def test_who_waits_for_the_disk_keeps_nobody_from_playing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """With room for one: the second plays while the first waits, and not before."""
    said: list[Reply] = []
    together: list[bool] = []

    async def plays(_self: Hand, order: Order, _hub: Hub, *, played: Any) -> Any:
        if told:
            await played()
        async with asyncio.timeout(0.3):  # the disk
            while sum(reply.began for reply in said) < 2:  # noqa: ASYNC110 - what is looked at is a list
                await asyncio.sleep(0.001)
        together.append(True)
        return Outcome(order.run_id, "played", {}, 1)

    monkeypatch.setattr(hand_module, "AT_ONCE", 1)
    monkeypatch.setattr(Hand, "_play", plays)

    async def both() -> None:
        hand = Hand(Workspace(tmp_path), said.append, lambda _who: None)
        hub = Hub(environ={})
        await asyncio.gather(hand.take(order("cup.1"), hub), hand.take(order("cup.2"), hub))

    asyncio.run(both())
    assert together == ([True, True] if told else [True])  # else the first gave up, and the second saw two
