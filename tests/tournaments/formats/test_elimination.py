"""Brackets: who loses once, or twice, is out, and one is left."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tournaments.formats.playing import History, Player, byes, meetings, names, played_out, won
from windtunnel.errors import UsageError
from windtunnel.tournaments.formats import Pairing, Plan, Played, bracket, check, next_round, rest, table

FIELDS = st.integers(2, 40)


def planned(field: int, kind: str = "single", **options: Any) -> Plan:
    format_: Any = f"{kind}-elimination"
    return check(Plan(format=format_, entrants=names(field), **options))


def pairs(plan: Plan, history: History) -> list[tuple[str, ...]]:
    pairings = next_round(plan, history)
    assert pairings is not None
    return [pairing.entrants for pairing in pairings]


def losses(history: History) -> Counter[str]:
    """A draw is lost by the worse seed."""
    lost: Counter[str] = Counter()
    for results in history:
        for played in results:
            if not played.pairing.bye:
                ranked = sorted(
                    zip(played.points, played.pairing.entrants, strict=True),
                    key=lambda side: (-side[0], int(side[1][1:])),
                )
                lost[ranked[1][1]] += 1
    return lost


def favourites(plan: Plan) -> History:
    """The better seed always wins."""
    history: History = []
    while (pairings := next_round(plan, history)) is not None:
        history.append([won(*p.entrants) if p.bye else favoured(p) for p in pairings])
    return history


def favoured(pairing: Pairing, *, upset: bool = False) -> Played:
    seeds = [int(entrant[1:]) for entrant in pairing.entrants]
    return Played(pairing, (1.0, 0.0) if (seeds[0] < seeds[1]) is not upset else (0.0, 1.0))


def test_sixteen_are_seeded_as_everyone_knows() -> None:
    plan = planned(16)
    first = {frozenset(pair) for pair in pairs(plan, [])}
    assert first == {frozenset((f"e{i}", f"e{17 - i}")) for i in range(1, 9)}
    history = favourites(plan)
    later = [{frozenset(p.pairing.entrants) for p in results} for results in history[1:]]
    assert later == [
        {frozenset((f"e{i}", f"e{9 - i}")) for i in range(1, 5)},
        {frozenset(("e1", "e4")), frozenset(("e2", "e3"))},
        {frozenset(("e1", "e2"))},
    ]
    assert [p.pairing.label for results in history for p in results] == (
        ["round of 16"] * 8 + ["quarterfinal"] * 4 + ["semifinal"] * 2 + ["final"]
    )
    assert [line.rank for line in table(plan, history)] == [1, 2, 3, 3, *[5] * 4, *[9] * 8]


@settings(max_examples=20, deadline=None)
@example(field=2, seed=0, third=False)
@given(FIELDS, st.integers(0, 999), st.booleans())
def test_single_elimination_leaves_one_and_spares_the_best(field: int, seed: int, third: bool) -> None:
    plan = planned(field, third_place=third and field >= 4)
    history = played_out(plan, Player(seed))
    assert len(history) == plan.rounds == (field - 1).bit_length()
    assert len(meetings(history)) == field - 1 + plan.third_place
    best = (1 << len(history)) - field
    assert set(byes(history)) == set(plan.entrants[:best])
    lines = table(plan, history)
    assert [line.rank for line in lines].count(1) == 1
    assert losses(history)[lines[0].entrant] == 0
    assert lines[1].rank == 2
    if plan.third_place:
        assert [line.rank for line in lines[2:4]] == [3, 4]


def test_the_losers_of_the_semifinals_meet_beside_the_final() -> None:
    plan = planned(4, third_place=True)
    history = [[won("e4", "e1"), won("e3", "e2")]]
    pairings = next_round(plan, history)
    assert pairings is not None
    assert {(p.label, frozenset(p.entrants)) for p in pairings} == {
        ("third place", frozenset(("e1", "e2"))),
        ("final", frozenset(("e3", "e4"))),
    }
    history.append([favoured(pairing, upset=True) for pairing in pairings])
    assert [line.entrant for line in table(plan, history)] == ["e4", "e3", "e2", "e1"]


def test_with_equal_points_the_better_seed_goes_on() -> None:
    drawn = [Played(Pairing(("e2", "e1")), (0.5, 0.5))]
    assert table(planned(2), [drawn])[0].entrant == "e1"
    assert "better seed" in planned(2).description


@settings(max_examples=20, deadline=None)
@example(field=2, seed=0)
@example(field=3, seed=0)
@given(FIELDS, st.integers(0, 999))
def test_double_elimination_takes_two_losses(field: int, seed: int) -> None:
    plan = planned(field, "double")
    history = played_out(plan, Player(seed))
    lost = losses(history)
    lines = table(plan, history)
    champion = lines[0].entrant
    assert lost[champion] < 2
    assert all(lost[entrant] == 2 for entrant in plan.entrants if entrant != champion)
    assert len(meetings(history)) == 2 * (field - 1) + lost[champion]
    assert [line.rank for line in lines[:2]] == [1, 2]
    assert len(history) == (plan.rounds or 0) - (lost[champion] == 0)
    assert bracket(plan, history)["champion"] == champion


def test_a_grand_final_is_repeated_only_if_the_undefeated_lost_it() -> None:
    plan = planned(4, "double")
    history = favourites(plan)
    assert [p.pairing.label for p in history[-1]] == ["grand final"]
    pairings = next_round(plan, history[:-1])
    assert pairings is not None
    upset = [*history[:-1], [favoured(pairings[0], upset=True)]]
    again = next_round(plan, upset)
    assert again is not None
    assert [p.label for p in again] == ["grand final reset"]
    assert rest(plan, upset) == 1
    assert set(again[0].entrants) == set(pairings[0].entrants)
    assert table(plan, [*upset, [favoured(again[0])]])[0].entrant == "e1"
    assert table(plan, [*upset, [favoured(again[0], upset=True)]])[0].entrant == "e2"


@pytest.mark.parametrize("field", [8, 16, 32])
def test_nobody_meets_again_in_the_first_rounds_of_the_losers_bracket(field: int) -> None:
    plan = planned(field, "double")
    early = {f"losers round {number}" for number in (1, 2, *((3,) if field > 8 else ()))}
    for seed in range(8):
        met: set[frozenset[str]] = set()
        for results in played_out(plan, Player(seed)):
            for played in results:
                pair = frozenset(played.pairing.entrants)
                assert pair not in met or played.pairing.label not in early
                met.add(pair)


@pytest.mark.parametrize("kind", ["single", "double"])
@pytest.mark.parametrize("seed", range(12))
def test_whoever_leaves_loses_what_is_left_and_one_is_left_in_the_end(kind: str, seed: int) -> None:
    plan = planned(5 + seed, kind)
    history = played_out(plan, Player(seed, forfeits=0.1, leaving=0.1))
    lines = table(plan, history)
    assert [line.rank for line in lines].count(1) == 1
    assert next_round(plan, history) is None
    assert rest(plan, history) == 0
    if not all(line.withdrawn for line in lines):
        assert bracket(plan, history)["champion"] == lines[0].entrant


@pytest.mark.parametrize(("leaves", "champion"), [("e1", "e2"), ("e2", "e1")])
def test_who_meets_one_who_left_goes_on_without_a_meeting(leaves: str, champion: str) -> None:
    plan = planned(4)
    left = [[won("e1", "e4"), Played(Pairing(("e2", "e3")), (1.0, 0.0), withdrawn=(leaves,))]]
    assert next_round(plan, left) is None
    drawn = bracket(plan, left)
    assert drawn["champion"] == champion
    assert drawn["rounds"][-1]["matches"][0]["state"] == "walkover"


def test_a_bracket_says_who_comes_from_where() -> None:
    plan = planned(3)
    drawn = bracket(plan, [[won("e3", "e2")]])
    first, final = drawn["rounds"][0]["matches"], drawn["rounds"][1]["matches"][0]
    assert [match["state"] for match in first] == ["bye", "played"]
    assert [side["entrant"] for side in final["sides"]] == ["e1", "e3"]
    assert [side["from"] for side in final["sides"]] == [
        {"kind": "winner", "number": first[0]["id"]},
        {"kind": "winner", "number": first[1]["id"]},
    ]
    assert final["state"] == "ready"
    assert drawn["champion"] is None


@settings(max_examples=20, deadline=None)
@given(FIELDS, st.integers(0, 999))
def test_while_it_goes_on_nobody_out_stands_above_who_is_still_in(field: int, seed: int) -> None:
    plan = planned(field, "double")
    history = played_out(plan, Player(seed))
    for number in range(len(history)):
        lost = losses(history[:number])
        standing = [lost[line.entrant] > 1 for line in table(plan, history[:number])]
        assert standing == sorted(standing)


@pytest.mark.parametrize(
    ("results", "wrong"),
    [
        ([won("e1", "e4")], "no result of e2 v e3"),
        ([won("e1", "e2"), won("e3", "e4")], "no result of e1 v e4"),
        ([won("e1", "e4"), won("e2", "e3"), won("e5", "e6")], "e5 v e6 were not to meet"),
    ],
)
def test_results_of_other_meetings_are_refused(results: list[Played], wrong: str) -> None:
    plan = planned(4) if len(results) < 3 else planned(6)
    before = [] if len(results) < 3 else [[won("e4", "e5"), won("e3", "e6")]]
    with pytest.raises(UsageError, match=wrong):
        next_round(plan, [*before, results])
