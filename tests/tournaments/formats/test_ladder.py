"""A ladder never ends by itself; neighbours meet, and not the same ones all the time."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tournaments.formats.playing import History, Player, byes, names, played_out, won
from windtunnel.tournaments.formats import Pairing, Plan, Played, check, next_round, rest, table


def planned(field: int, rounds: int | None = None) -> Plan:
    return check(Plan(format="ladder", entrants=names(field), rounds=rounds))


def test_neighbours_meet_first() -> None:
    pairings = next_round(planned(6), [])
    assert pairings is not None
    assert [pairing.entrants for pairing in pairings] == [("e1", "e2"), ("e3", "e4"), ("e5", "e6")]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(0, 999))
def test_it_goes_on_and_byes_go_around(field: int, seed: int) -> None:
    plan = planned(field)
    history = played_out(plan, Player(seed), most=2 * field)
    assert len(history) == 2 * field
    assert next_round(plan, history) is not None
    assert rest(plan, history) is None
    often = Counter(byes(history))
    assert not field % 2 or set(often.values()) == {2}
    balance = [abs(line.balance) for line in table(plan, history)]
    assert max(balance) <= 3


@pytest.mark.parametrize("field", [6, 9, 16])
def test_nobody_meets_the_same_one_twice_running(field: int) -> None:
    for seed in range(4):
        last: dict[str, str] = {}
        for results in played_out(planned(field), Player(seed), most=15):
            for played in results:
                if not played.pairing.bye:
                    one, other = played.pairing.entrants
                    assert last.get(one) != other
                    last[one], last[other] = other, one


def test_the_strong_climb_and_meet_the_strong() -> None:
    plan = planned(12)
    strength = {entrant: i for i, entrant in enumerate(Random(3).sample(plan.entrants, 12))}
    history: History = []
    for _ in range(40):
        pairings = next_round(plan, history)
        assert pairings is not None
        history.append([won_by_strength(pairing, strength) for pairing in pairings])
    ranked = [strength[line.entrant] for line in table(plan, history)]
    assert sum(abs(strength_ - rank) for rank, strength_ in enumerate(ranked)) <= 12
    apart = [
        abs(strength[p.pairing.entrants[0]] - strength[p.pairing.entrants[1]])
        for results in history[20:]
        for p in results
    ]
    assert sum(apart) / len(apart) < 3.5, "at random it would be 4.3"


def won_by_strength(pairing: Pairing, strength: dict[str, int]) -> Played:
    one, other = pairing.entrants
    return Played(pairing, (1.0, 0.0) if strength[one] < strength[other] else (0.0, 1.0))


def test_an_upset_moves_as_elo_says() -> None:
    """Between equals half of 32 points change hands; a forfeit moves nobody."""
    plan = planned(2, rounds=3)
    lines = table(plan, [[won("e2", "e1")]])
    assert [(line.entrant, line.tie_breaks["elo"]) for line in lines] == [("e2", 1516.0), ("e1", 1484.0)]
    walked = [[Played(Pairing(("e2", "e1")), (1.0, 0.0), forfeits=("e1",))]]
    assert {line.tie_breaks["elo"] for line in table(plan, walked)} == {1500.0}
    assert rest(plan, walked) == 2
    assert next_round(plan, walked * 3) is None
