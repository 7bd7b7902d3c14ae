"""Free-for-all: tables of several, at which everyone meets everyone as evenly as can be found.

Only full tables are held. Who has sat out least sits out next, so that nobody sits out twice more than
another while all are there. Tables and seats are improved from a draw by exchanges; the draw is keyed by
the seed and the round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from windtunnel.chance import Chance
from windtunnel.tournaments.formats import circle
from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import Pairing, Plan

_DRAWS = 320
"""By entrant: small fields are drawn more often, large ones are even enough and take longer."""
_LARGEST_EXACT = 8
"""Seats up to which the best seating is found; beyond, a good one."""

Meets = dict[str, dict[str, int]]


def enough_rounds(field: int, seats: int) -> int:
    """Rounds after which all have sat out equally, could have met everyone and could have had each seat."""
    seated = field // seats * seats
    fair = field // math.gcd(field, seated)
    to_meet_all = math.ceil((field - 1) * field / ((seats - 1) * seated))
    return fair * math.ceil(max(to_meet_all, seats) / fair)


def next_round(plan: Plan, past: Past) -> tuple[Pairing, ...] | None:
    active = past.active()
    if past.rounds >= (plan.rounds or 0) or len(active) < plan.seats:
        return None
    if plan.seats == 2 and not past.gone:
        return _by_the_circle(plan, past)
    chance = Chance(plan.seed, "tables", past.rounds)
    sitting, out = _who_sits(plan, past, chance.shuffled(active))
    meets = _meets(past, active)
    tables = min(
        (
            _improved(chance.shuffled(sitting), plan.seats, meets)
            for _ in range(max(6, _DRAWS // len(active)))
        ),
        key=lambda tables: sum(_heat(table, meets) for table in tables),
    )
    place = {entrant: i for i, entrant in enumerate(plan.entrants)}
    tables = sorted((sorted(table, key=place.__getitem__) for table in tables), key=lambda t: place[t[0]])
    held = [Pairing(_seating(table, past), f"table {i + 1}") for i, table in enumerate(tables)]
    return (*held, *(Pairing((entrant,)) for entrant in sorted(out, key=place.__getitem__)))


def rest(plan: Plan, past: Past) -> int:
    return max(0, (plan.rounds or 0) - past.rounds) * (len(past.active()) // plan.seats)


def _by_the_circle(plan: Plan, past: Past) -> tuple[Pairing, ...]:
    """Tables of two are paired exactly."""
    rounds = circle.schedule(len(plan.entrants), double=True)
    pairs = rounds[past.rounds % len(rounds)]
    field = range(len(plan.entrants))
    held = [Pairing(tuple(plan.entrants[place] for place in pair if place in field)) for pair in pairs]
    return tuple(sorted(held, key=lambda pairing: pairing.bye))


def _who_sits(plan: Plan, past: Past, drawn: Sequence[str]) -> tuple[list[str], list[str]]:
    outside = len(drawn) % plan.seats
    by_byes = sorted(drawn, key=past.byes)
    return by_byes[outside:], by_byes[:outside]


def _meets(past: Past, active: Sequence[str]) -> Meets:
    meets = {entrant: dict.fromkeys(past.plan.entrants, 0) for entrant in active}
    for entrant in active:
        for meeting in past.meetings[entrant]:
            for other in meeting.others:
                meets[entrant][other] += 1
    return meets


def _heat(table: Sequence[str], meets: Meets) -> int:
    """What it adds to the sum of squares of meetings: least where everyone meets everyone evenly."""
    return sum(2 * meets[one][other] + 1 for one, other in combinations(table, 2))


def _improved(drawn: list[str], seats: int, meets: Meets) -> list[list[str]]:
    """Tables cut from a draw, with pairs exchanged between tables as long as that evens things out."""
    tables = [drawn[i : i + seats] for i in range(0, len(drawn), seats)]
    better = True
    while better:
        better = False
        for one, other in combinations(tables, 2):
            better |= _exchanged(one, other, meets)
    return tables


def _exchanged(one: list[str], other: list[str], meets: Meets) -> bool:
    found = False
    for i in range(len(one)):
        for j in range(len(other)):
            a, b = one[i], other[j]
            of_a, of_b = meets[a], meets[b]
            now = sum(of_a[c] for c in one if c != a) + sum(of_b[c] for c in other if c != b)
            then = sum(of_b[c] for c in one if c != a) + sum(of_a[c] for c in other if c != b)
            if then < now:
                one[i], other[j] = b, a
                found = True
    return found


def _seating(table: Sequence[str], past: Past) -> tuple[str, ...]:
    """Who sits where: each as far as can be where they have sat least, lately least of all."""
    size = len(table)
    cost = [_seat_costs(past, entrant) for entrant in table]
    if size <= _LARGEST_EXACT:
        best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
        for seat in range(size):
            step: dict[int, tuple[float, tuple[int, ...]]] = {}
            for taken, (spent, order) in best.items():
                for i in range(size):
                    if taken >> i & 1:
                        continue
                    option = (spent + cost[i][seat], (*order, i))
                    step[taken | 1 << i] = min(step.get(taken | 1 << i, option), option)
            best = step
        return tuple(table[i] for i in best[(1 << size) - 1][1])
    seated = list(range(size))
    better = True
    while better:
        better = False
        for s, t in combinations(range(size), 2):
            i, j = seated[s], seated[t]
            if cost[i][t] + cost[j][s] < cost[i][s] + cost[j][t]:
                seated[s], seated[t] = j, i
                better = True
    return tuple(table[i] for i in seated)


def _seat_costs(past: Past, entrant: str) -> list[int]:
    """Squares make the most used seat dear; the last one is a little dearer than its equals."""
    counts = past.seat_counts(entrant)
    last = next((meeting.seat for meeting in reversed(past.meetings[entrant]) if not meeting.bye), None)
    return [8 * (2 * count + 1) + (seat == last) for seat, count in enumerate(counts)]
