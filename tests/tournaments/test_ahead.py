"""Where no result says who meets whom, whoever has nothing to do begins the round that follows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest

from tests.tournaments.field import field, lines, play, skilled
from windtunnel.config import Workspace
from windtunnel.control.catalog import opened
from windtunnel.errors import WindtunnelError
from windtunnel.tournaments.draw import count_of, known_ahead, matches_of
from windtunnel.tournaments.formats import Played, next_round
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import Field, Outcome, Seated
from windtunnel.tournaments.playing import Order
from windtunnel.tournaments.rating.sequential import Rules
from windtunnel.tournaments.running import Table, begin_tournament, play_at
from windtunnel.tournaments.standings import standings


def rounds_of(made: Field) -> Iterator[tuple[int, list[Any]]]:
    """Each round as the tournament comes to it, all meetings being even."""
    history: list[tuple[Played, ...]] = []
    first = 1
    for number in count(1):
        pairings = next_round(made.plan, history)
        if pairings is None:
            return
        matches = matches_of(made, number, pairings, first)
        assert len(matches) == count_of(made, pairings)
        yield number, matches
        first += len(matches)
        history.append(tuple(Played(one, (0.5,) * len(one.entrants)) for one in pairings))


DOUBLE = {"kind": "round-robin", "double": True}


@pytest.mark.parametrize("terms", [{"seeds": 3}, {"seeds": [4, 9]}, {"seeds": 1, "format": DOUBLE}])
@pytest.mark.parametrize("entrants", [2, 4, 5])
def test_all_rounds_of_a_round_robin_are_known(workspace: Workspace, entrants: int, terms: Any) -> None:
    made = field(workspace, skilled(workspace.root, *range(entrants)), **terms)
    seen = dict(rounds_of(made))
    assert len(seen) >= entrants - 1
    assert {number: known_ahead(made, number) for number in seen} == seen
    assert known_ahead(made, len(seen) + 1) == []


@pytest.mark.parametrize("kind", ["swiss", "single-elimination", "ladder"])
def test_what_a_result_decides_is_not_known(workspace: Workspace, kind: str) -> None:
    made = field(workspace, skilled(workspace.root, 0, 1, 2, 3), format=kind)
    assert known_ahead(made, 1) == known_ahead(made, 2) == []


def test_what_a_duel_may_not_want_is_not_played_early(workspace: Workspace) -> None:
    made = field(workspace, skilled(workspace.root, 0, 1), seeds=4)
    assert known_ahead(made, 1)
    assert known_ahead(msgspec.structs.replace(made, stop=Rules()), 1) == []


class Heard:
    """Hands that tell what they were told to do next, and that every match is even."""

    def __init__(self, *, until: int = 1_000_000) -> None:
        self.next: list[list[Order]] = []
        self.asked: list[Order] = []
        self.after: list[int] = []  # how many were asked for when it was told what is next
        self.until = until

    async def play(self, order: Order) -> Outcome:
        self.asked.append(order)
        if len(self.asked) > self.until:
            raise KeyboardInterrupt
        seats = {seat: Seated(name, score=1.0) for seat, name in order.seats.items()}
        return Outcome(order.run_id, "played", seats, 4)

    def early(self, orders: Iterator[Order]) -> None:
        self.next.append(list(orders))
        self.after.append(len(self.asked))

    def stop(self, why: WindtunnelError) -> None:
        return None

    async def aclose(self) -> None:
        return None


def test_hands_are_told_of_the_round_that_follows_and_of_what_may_be_in_the_store(
    workspace: Workspace,
) -> None:
    made = field(workspace, skilled(workspace.root, 0, 1, 2, 3), seeds=2)
    found, cut, whole = begin_tournament(workspace, made), Heard(until=14), Heard()
    with opened(found) as store, pytest.raises(KeyboardInterrupt):
        asyncio.run(play_at(Table(workspace, store, found, cut, None)))
    (nothing, second), after = cut.next[:2], cut.after[:2]
    assert [order.run_id for order in second] == [f"{found.row.run_id}.{n}" for n in range(9, 17)]
    assert (nothing, after) == ([], [0, 7]), "not before the last of the round is asked for too"
    assert all(order.fresh for order in [*cut.asked, *second])
    with opened(found) as store:
        asyncio.run(play_at(Table(workspace, store, found, whole, None)))
    assert len(whole.next[-1]) == 0, "after the last there is none"
    assert not any(order.fresh for orders in (whole.asked, *whole.next) for order in orders)
    told = {order.run_id: order for orders in cut.next for order in orders}
    later = [order for order in [*cut.asked, *whole.asked] if order.run_id in told]
    assert len(later) >= 8
    for order in later:
        assert msgspec.structs.replace(order, fresh=True) == told[order.run_id]


def test_nothing_stands_in_the_store_that_was_not_asked_for(workspace: Workspace) -> None:
    """And it ends in the same table as one whose rounds wait for each other."""
    made = field(workspace, skilled(workspace.root, 0, 1, 2, 3), seeds=3)
    found, table, heard = play(workspace, made, processes=2)
    with opened(found, read_only=True) as store:
        there = {row.run_id for row in store.runs()}
    assert there == {found.row.run_id, *(outcome.run_id for _, outcome in heard)}
    assert len(heard) == 6 * 3 * 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalHands, "early", lambda _self, _orders: None)
        waiting, other, _ = play(workspace, made, processes=2)
    assert lines(table) == lines(other)
    assert standings(found).rounds == standings(waiting).rounds == 3
