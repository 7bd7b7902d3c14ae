"""Everyone meets everyone, as often in the first seat as in the second."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tournaments.formats.playing import History, Player, byes, meetings, names, played_out, won
from windtunnel.tournaments.formats import Pairing, Plan, Played, check, next_round, rest, scheduled, table

FIELDS = st.integers(2, 40)


def planned(field: int, **options: Any) -> Plan:
    return check(Plan(format="round-robin", entrants=names(field), **options))


@settings(max_examples=8, deadline=None)
@example(field=40, double=False, seed=1)
@given(FIELDS, st.booleans(), st.integers(0, 999))
def test_everyone_meets_everyone_once_or_twice(field: int, double: bool, seed: int) -> None:
    plan = planned(field, double=double)
    history = played_out(plan, Player(seed))
    assert len(history) == plan.rounds
    met = Counter(frozenset(pair) for pair in meetings(history))
    assert len(met) == field * (field - 1) // 2
    assert set(met.values()) == {1 + double}
    assert set(Counter(meetings(history)).values()) == {1}, "the second leg swaps seats"
    if field % 2:
        assert Counter(byes(history)) == dict.fromkeys(plan.entrants, 1 + double)
    for line in table(plan, history):
        assert abs(line.balance) <= (field % 2 == 0 and not double)


@settings(max_examples=8, deadline=None)
@given(FIELDS, st.booleans(), st.integers(0, 999))
def test_all_rounds_are_known_from_the_beginning(field: int, double: bool, seed: int) -> None:
    plan = planned(field, double=double)
    history = played_out(plan, Player(seed, forfeits=0.3))
    assert scheduled(plan) == tuple(tuple(played.pairing for played in results) for results in history)


def test_the_circle_turns_as_in_the_published_tables_of_four() -> None:
    plan = planned(4)
    history: History = []
    for expected in (
        {("e1", "e4"), ("e2", "e3")},
        {("e4", "e3"), ("e1", "e2")},
        {("e2", "e4"), ("e3", "e1")},
    ):
        pairings = next_round(plan, history)
        assert pairings is not None
        assert {pairing.entrants for pairing in pairings} == expected
        history.append([won(*pairing.entrants) for pairing in pairings])


@pytest.mark.parametrize("field", [2, 3, 5, 8, 13, 16])
def test_another_implementation_draws_the_same_tables(field: int) -> None:
    from caissify_pairings import generate_pairings

    players = [
        {"id": i, "name": str(i), "score": 0, "rating": 0, "starting_number": i} for i in range(1, field + 1)
    ]
    plan = planned(field)
    history: History = []
    for number in range(plan.rounds or 0):
        theirs = generate_pairings(
            system="round_robin", players=players, previous_pairings=set(), round_number=number + 1,
            total_rounds=plan.rounds,
        )  # fmt: skip
        expected = {tuple(f"e{i}" for i in (p["white_id"], p["black_id"]) if i) for p in theirs}
        pairings = next_round(plan, history)
        assert pairings is not None
        assert {pairing.entrants for pairing in pairings} == expected
        history.append([won(*pairing.entrants) for pairing in pairings])


def test_points_come_first_then_the_meeting_of_the_equals() -> None:
    results = [
        won("e2", "e1"),
        won("e1", "e3"),
        won("e1", "e4"),
        won("e2", "e3"),
        won("e4", "e2"),
        won("e3", "e4"),
    ]
    lines = table(planned(4), [[played] for played in results])
    assert [(line.rank, line.entrant, line.points) for line in lines] == [
        (1, "e2", 2.0), (2, "e1", 2.0), (3, "e3", 1.0), (4, "e4", 1.0),
    ]  # fmt: skip
    assert lines[0].tie_breaks["direct"] == 1.0
    # e2 beat e1 (2 points) and e3 (1).
    assert lines[0].tie_breaks["sonneborn-berger"] == 3.0


def test_equals_in_everything_share_a_rank() -> None:
    ring = [won("e1", "e2"), won("e2", "e3"), won("e3", "e1")]
    assert [line.rank for line in table(planned(3), [[played] for played in ring])] == [1, 1, 1]


def played_round(plan: Plan, history: list[list[Played]], leaving: tuple[str, ...] = ()) -> None:
    pairings = next_round(plan, history)
    assert pairings is not None
    results = [won(*sorted(pairing.entrants)) for pairing in pairings]
    first = results[0]
    results[0] = Played(first.pairing, first.points, withdrawn=leaving)
    history.append(results)


def test_who_withdraws_before_half_of_the_meetings_counts_for_nobody() -> None:
    plan = planned(6)
    history: list[list[Played]] = []
    played_round(plan, history)
    played_round(plan, history, leaving=("e1",))
    assert rest(plan, history) == 6
    while next_round(plan, history) is not None:
        played_round(plan, history)
    lines = {line.entrant: line for line in table(plan, history)}
    assert (lines["e1"].points, lines["e1"].played, lines["e1"].withdrawn) == (0.0, 0, True)
    assert [lines[f"e{i}"].points for i in range(2, 7)] == [4.0, 3.0, 2.0, 1.0, 0.0]


def test_who_withdraws_later_loses_what_is_left() -> None:
    plan = planned(6)
    history: list[list[Played]] = []
    for _ in range(3):
        played_round(plan, history)
    beaten = {p.pairing.entrants[1] for results in history for p in results if p.pairing.entrants[0] == "e1"}
    played_round(plan, history, leaving=("e1",))
    met_last = next(p.pairing.entrants[1] for p in history[3] if "e1" in p.pairing.entrants)
    spared = set(plan.entrants) - beaten - {"e1", met_last}
    played_round(plan, history)
    assert next_round(plan, history) is None
    lines = {line.entrant: line for line in table(plan, history)}
    assert lines["e1"].points == 4.0
    (walked_over,) = spared
    assert lines[walked_over].points == 6 - int(walked_over[1]) + 1
    assert lines[walked_over].byes == 1


def test_a_round_in_which_nobody_meets_is_not_held() -> None:
    plan = planned(3)
    left = [[Played(Pairing(("e2", "e3")), (1.0, 0.0), withdrawn=("e2", "e3"))]]
    assert next_round(plan, left) is None
    assert rest(plan, left) == 0


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 20), st.integers(0, 999))
def test_with_withdrawals_it_ends_and_nobody_meets_twice(field: int, seed: int) -> None:
    plan = planned(field)
    history = played_out(plan, Player(seed, leaving=0.05))
    assert len(history) <= (plan.rounds or 0)
    assert max(Counter(frozenset(pair) for pair in meetings(history)).values(), default=1) == 1
