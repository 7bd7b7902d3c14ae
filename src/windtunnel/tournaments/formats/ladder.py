"""A ladder: neighbours meet, round after round, until somebody ends it.

Places go by an Elo rating computed from the ladder's own meetings, in their order. It is there to find
neighbours, and no substitute for a rating with its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import Pairing, Plan

START = 1500.0
_STEP = 32.0
_MEMORY = 4
"""Rounds for which a rematch is avoided, the last ones most."""


def next_round(plan: Plan, past: Past) -> tuple[Pairing, ...] | None:
    if plan.rounds is not None and past.rounds >= plan.rounds:
        return None
    order = places(plan, past)
    if len(order) < 2:
        return None
    alone: list[Pairing] = []
    if len(order) % 2:
        resting = min(reversed(order), key=past.byes)
        order.remove(resting)
        alone = [Pairing((resting,))]
    pairs = _neighbours(order, _last_met(past, order), past.rounds)
    return (*(Pairing(past.seated(one, other)) for one, other in pairs), *alone)


def ratings(plan: Plan, past: Past) -> dict[str, float]:
    rating = dict.fromkeys(plan.entrants, START)
    for number in range(past.rounds):
        before = dict(rating)
        for played in past.results(number):
            if len(played.points) != 2 or played.forfeits:
                continue
            one, other = played.pairing.entrants
            total = sum(played.points)
            share = played.points[0] / total if total > 0 else 0.5
            moved = _STEP * (share - 1 / (1 + 10 ** ((before[other] - before[one]) / 400)))
            rating[one] += moved
            rating[other] -= moved
    return {entrant: round(value, 6) for entrant, value in rating.items()}


def places(plan: Plan, past: Past) -> list[str]:
    """Who is still there, from the top; the better seed above where ratings are equal."""
    rating = ratings(plan, past)
    return sorted(past.active(), key=lambda entrant: -rating[entrant])


def _last_met(past: Past, order: Sequence[str]) -> dict[tuple[str, str], int]:
    return {(entrant, m.others[0]): m.round for entrant in order for m in past.meetings[entrant] if not m.bye}


def _neighbours(order: list[str], met: dict[tuple[str, str], int], now: int) -> list[tuple[str, str]]:
    place = {entrant: i for i, entrant in enumerate(order)}

    def strain(one: str, other: str) -> int:
        """Steps of the ladder between two, squared; an early rematch costs as if it were many steps."""
        ago = now - met.get((one, other), now - _MEMORY - 1)
        again = max(0, _MEMORY + 1 - ago)
        return (place[one] - place[other]) ** 2 + 9 * again**2

    left, pairs = list(order), []
    while left:
        top = left.pop(0)
        partner = min(left, key=lambda other: strain(top, other))
        left.remove(partner)
        pairs.append((top, partner))
    return _rejoined(pairs, strain)


def _rejoined(pairs: list[tuple[str, str]], strain: Callable[[str, str], int]) -> list[tuple[str, str]]:
    """Partners exchanged as long as that lessens the strain: the last need not take what nobody took."""
    better = True
    while better:
        better = False
        for i, j in combinations(range(len(pairs)), 2):
            (a, b), (c, d) = pairs[i], pairs[j]
            now = strain(a, b) + strain(c, d)
            for one, other in (((a, c), (b, d)), ((a, d), (b, c))):
                if strain(*one) + strain(*other) < now:
                    pairs[i], pairs[j] = one, other
                    better = True
                    break
    return pairs


def rest(plan: Plan, past: Past) -> int | None:
    if plan.rounds is None:
        return None
    return max(0, plan.rounds - past.rounds) * (len(past.active()) // 2)
