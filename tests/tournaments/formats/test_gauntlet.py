"""Challengers meet each of a frozen pool once, and nobody else meets."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tournaments.formats.playing import names, won
from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import Plan, Played, check, crosstable, next_round, rest, table

SIZES = [(1, 1), (1, 5), (4, 1), (3, 3), (5, 2), (2, 7)]


def planned(challengers: int, pool: int) -> Plan:
    everybody = names(challengers + pool)
    return check(Plan(format="gauntlet", entrants=everybody, pool=everybody[challengers:]))


def held(plan: Plan, gone: str = "") -> list[tuple[Played, ...]]:
    """To the end: the better seed wins. `gone` leaves in the first round."""
    history: list[tuple[Played, ...]] = []
    while (pairings := next_round(plan, history)) is not None:
        results = [won(*sorted(pairing.entrants, key=lambda name: int(name[1:]))) for pairing in pairings]
        if gone and not history:
            results[0] = Played(results[0].pairing, results[0].points, withdrawn=(gone,))
        history.append(tuple(results))
    return history


@pytest.mark.parametrize(("challengers", "pool"), SIZES)
def test_each_challenger_meets_each_of_the_pool_once_and_nobody_else_meets(
    challengers: int, pool: int
) -> None:
    plan = planned(challengers, pool)
    history = held(plan)
    assert len(history) == plan.rounds == max(challengers, pool)
    met = Counter(frozenset(one.pairing.entrants) for results in history for one in results)
    front, frozen = plan.entrants[:challengers], plan.pool
    assert met == Counter(frozenset((one, other)) for one in front for other in frozen)
    assert rest(plan, []) == challengers * pool
    assert rest(plan, history) == 0


@pytest.mark.parametrize(("challengers", "pool"), SIZES)
def test_seats_alternate(challengers: int, pool: int) -> None:
    plan = planned(challengers, pool)
    seats = {name: [0, 0] for name in plan.entrants}
    history: list[tuple[Played, ...]] = []
    while (pairings := next_round(plan, history)) is not None:
        for pairing in pairings:
            for at, name in enumerate(pairing.entrants):
                seats[name][at] += 1
        history.append(tuple(won(*pairing.entrants) for pairing in pairings))
    assert all(abs(first - second) <= 1 for first, second in seats.values())


def test_places_are_for_challengers_and_the_pool_stands_below_them() -> None:
    plan = planned(2, 3)
    history: list[tuple[Played, ...]] = []
    while (pairings := next_round(plan, history)) is not None:
        history.append(tuple(won(*sorted(p.entrants, reverse=True)) for p in pairings))  # the pool wins all
    lines = table(plan, history)
    assert [(line.rank, line.entrant, line.points) for line in lines] == [
        (1, "e1", 0.0), (1, "e2", 0.0), (3, "e3", 2.0), (3, "e4", 2.0), (3, "e5", 2.0),
    ]  # fmt: skip
    assert {row["entrant"]: len(row["against"]) for row in crosstable(plan, history)["rows"]} == {
        "e1": 3, "e2": 3, "e3": 2, "e4": 2, "e5": 2,
    }  # fmt: skip


def test_who_withdrew_is_met_no_more_and_the_others_play_on() -> None:
    plan = planned(2, 3)
    history = held(plan, gone="e1")
    met = Counter(frozenset(one.pairing.entrants) for results in history for one in results)
    assert sum("e1" in pair for pair in met) == 1
    assert all(met[frozenset(("e2", member))] == 1 for member in plan.pool)
    assert next_round(plan, history) is None
    assert rest(plan, history) == 0


@pytest.mark.parametrize(
    ("pool", "said"), [((), "needs a pool"), (("e1", "e2"), "needs a pool"), (("x",), "is no entrant")]
)
def test_a_pool_that_cannot_be_is_refused(pool: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(Plan(format="gauntlet", entrants=names(2), pool=pool))
