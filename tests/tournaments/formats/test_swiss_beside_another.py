"""Our Swiss rounds beside those of caissify-pairings, a program that shares no code with what pairs here.

Both are given each round of the same random tournaments. They follow different editions of FIDE's C.04.3:
py4swiss the one in force until January 2026, the other the one after it. So not every round is the same,
and what may differ is said here exactly:

- Who meets whom is the same, but for three kinds of rounds, told apart by what they look like and not proved
  to have that cause. In an odd field the newer edition gives the bye to the lowest score that can have it,
  the older one does not look at it: then their bye has less points than ours. In the last round FIDE lets
  leaders pass two of even in seats and we do not: then theirs has somebody beyond two. What is left is
  unexplained (in the few that were looked at, late downfloaters); it is counted and stays below two rounds in
  a hundred.
- Who sits first is the same, but where two have had the same seats all along. There the higher ranked gets
  what they prefer, and ranks go by score first (A.2); the other program looks at the pairing numbers alone.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from random import Random

import pytest

from tests.tournaments.formats.opponents import Pairs, Standing, standings, theirs
from tests.tournaments.formats.playing import History, Player, names
from windtunnel.tournaments.formats import Plan, check, next_round


@pytest.mark.slow
def test_thirty_random_tournaments_are_paired_alike() -> None:
    counted = compared(range(30))
    assert counted["same"] > 0.9 * counted["rounds"]
    assert counted["unexplained"] <= 0.02 * counted["rounds"] + 1


@pytest.mark.soak
def test_a_thousand_random_tournaments_are_paired_alike() -> None:
    counted = compared(range(1000))
    print(dict(counted))
    assert counted["same"] > 0.94 * counted["rounds"]
    assert counted["unexplained"] <= 0.02 * counted["rounds"]


def compared(seeds: range) -> Counter[str]:
    counted: Counter[str] = Counter()
    for seed in seeds:
        random = Random(seed)
        field = random.randint(3, 20)
        most = min(9, (field + 1) // 2)
        rounds = random.randint(min(most, math.ceil(math.log2(field))), most)
        plan = check(Plan(format="swiss", entrants=names(field), rounds=rounds, seed=seed))
        player, history = Player(seed), History()
        while (pairings := next_round(plan, history)) is not None:
            counted["rounds"] += 1
            counted[_compared(plan, history, {pairing.entrants for pairing in pairings})] += 1
            history.append([player.play(pairing) for pairing in pairings])
        assert len(history) == rounds
    return counted


def _compared(plan: Plan, history: History, ours: Pairs) -> str:
    standing = standings(plan, history)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = theirs(plan, history)
    _check_legal(standing, ours)
    if {frozenset(pair) for pair in ours} == {frozenset(pair) for pair in other}:
        for first, second in ours - other:
            _check_first_seat(standing, first, second)
        return "same"
    if _bye_score(standing, ours) > _bye_score(standing, other):
        return "bye of the newer edition"
    if len(history) + 1 == plan.rounds and not _within_two(standing, other):
        return "leaders beyond two"
    return "unexplained"


def _check_legal(standing: dict[str, Standing], pairs: Pairs) -> None:
    assert sorted(name for pair in pairs for name in pair) == sorted(standing)
    assert [len(pair) for pair in pairs].count(1) == len(standing) % 2
    assert _within_two(standing, pairs)
    for pair in pairs:
        if len(pair) == 1:
            assert standing[pair[0]].byes == 0
        else:
            assert pair[1] not in standing[pair[0]].met


def _within_two(standing: dict[str, Standing], pairs: Pairs) -> bool:
    return all(
        standing[pair[0]].balance < 2 and standing[pair[1]].balance > -2 for pair in pairs if len(pair) == 2
    )


def _bye_score(standing: dict[str, Standing], pairs: Pairs) -> float:
    return next((standing[pair[0]].score for pair in pairs if len(pair) == 1), 0.0)


def _check_first_seat(standing: dict[str, Standing], first: str, second: str) -> None:
    """The seats differ from the other program's: allowed only where it ranks by number against the scores."""
    one, other = standing[first], standing[second]
    shared = min(len(one.seats), len(other.seats))
    assert one.seats[len(one.seats) - shared :] == other.seats[len(other.seats) - shared :]
    above, below = (one, other) if one.score > other.score else (other, one)
    assert above.score > below.score
    assert above.number > below.number
    if above.seats and above.balance == below.balance:
        prefers_first = above.balance < 0 or (above.balance == 0 and above.seats[-1] == "black")
        assert (above is one) == prefers_first
