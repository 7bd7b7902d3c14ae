"""Tables of several: everyone plays as often, meets everyone as evenly, and takes each seat."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tournaments.formats.playing import History, Player, byes, meetings, names, played_out, won
from windtunnel.tournaments.formats import Pairing, Plan, Played, check, next_round, rest, table


def planned(field: int, seats: int, seed: int = 0, rounds: int | None = None) -> Plan:
    return check(Plan(format="free-for-all", entrants=names(field), seats=seats, seed=seed, rounds=rounds))


def shared_tables(plan: Plan, history: History) -> list[int]:
    met = Counter(frozenset(pair) for table in meetings(history) for pair in combinations(table, 2))
    return [met[frozenset(pair)] for pair in combinations(plan.entrants, 2)]


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 20), st.data())
@pytest.mark.slow
def test_everyone_plays_as_often_at_full_tables(field: int, data: st.DataObject) -> None:
    plan = planned(field, data.draw(st.integers(2, min(field, 8))), data.draw(st.integers(0, 99)))
    history = played_out(plan, Player(1))
    assert len(history) == plan.rounds
    assert {len(table) for table in meetings(history)} == {plan.seats}
    assert len({line.played for line in table(plan, history)}) == 1
    for number in range(len(history)):
        sat_out = Counter(byes(history[: number + 1]))
        often = [sat_out[entrant] for entrant in plan.entrants]
        assert max(often) - min(often) <= 1
    assert max(line.balance for line in table(plan, history)) <= 2


@pytest.mark.parametrize(
    ("field", "seats", "least", "most"),
    [(9, 3, 1, 1), (5, 3, 1, 3), (16, 4, 0, 2), (8, 4, 1, 3), (11, 4, 1, 4)],
)
def test_everyone_meets_everyone_as_evenly_as_known(field: int, seats: int, least: int, most: int) -> None:
    for seed in range(3):
        plan = planned(field, seats, seed)
        shared = shared_tables(plan, played_out(plan, Player(seed)))
        assert least <= min(shared)
        assert max(shared) <= most


@pytest.mark.parametrize("field", [4, 6, 9, 16])
def test_tables_of_two_are_a_round_robin(field: int) -> None:
    plan = planned(field, 2)
    history = played_out(plan, Player(1))
    assert set(shared_tables(plan, history)) == {1}
    assert max(line.balance for line in table(plan, history)) <= 1


def test_at_one_table_everyone_sits_everywhere() -> None:
    history = played_out(planned(5, 5), Player(1))
    assert all(len(set(column)) == 5 for column in zip(*meetings(history), strict=True))


def test_a_table_is_won_by_whoever_has_most() -> None:
    plan = planned(4, 4, rounds=2)
    four = Pairing(("e1", "e2", "e3", "e4"))
    history = [[Played(four, (0.2, 1.0, 0.2, 0.0))], [Played(four, (0.5, 0.5, 0.1, 0.0))]]
    lines = {line.entrant: line for line in table(plan, history)}
    assert [(lines[e].wins, lines[e].draws, lines[e].losses) for e in plan.entrants] == [
        (0, 1, 1), (1, 1, 0), (0, 0, 2), (0, 0, 2),
    ]  # fmt: skip
    assert [lines[e].rank for e in ("e2", "e1", "e3", "e4")] == [1, 2, 3, 4]


def test_it_goes_on_while_a_table_is_full() -> None:
    plan = planned(6, 3)
    leaving = Played(won("e1", "e2", "e3").pairing, (1.0, 0.0, 0.0), withdrawn=("e2", "e3"))
    history = [[leaving, won("e4", "e5", "e6")]]
    pairings = next_round(plan, history)
    assert pairings is not None
    assert [len(pairing.entrants) for pairing in pairings] == [3, 1]
    assert rest(plan, history) == 2
    over = [[Played(leaving.pairing, leaving.points, withdrawn=("e2", "e3", "e4", "e5"))]]
    assert next_round(plan, over) is None
    assert rest(plan, over) == 0
