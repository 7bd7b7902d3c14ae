"""Who has children: Pareto fronts over several aims, tournaments among rivals, an archive of what is new."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from windtunnel.chance import Chance

Aims = tuple[float, ...]  # each the more the better; the first is the score
NEIGHBOURS = 5
ARCHIVED = 200  # vectors kept
APART = 0.05  # an archive takes what lies so far from all it has, as a share of the longest distance


def dominates(one: Aims, other: Aims) -> bool:
    """As good in every aim, and better in one."""
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


def fronts(aims: Mapping[str, Aims]) -> list[list[str]]:
    """Those whom nobody dominates; then those whom only these do; and so on."""
    left, found = dict(aims), []
    while left:
        front = [
            name for name, mine in left.items() if not any(dominates(other, mine) for other in left.values())
        ]
        found.append(front)
        for name in front:
            del left[name]
    return found


def crowding(front: Sequence[str], aims: Mapping[str, Aims]) -> dict[str, float]:
    """How much room each has in its front: the ends of every aim have all there is."""
    room = dict.fromkeys(front, 0.0)
    for aim in range(len(aims[front[0]])):
        line = sorted(front, key=lambda name: aims[name][aim])
        span = aims[line[-1]][aim] - aims[line[0]][aim]
        if span == 0.0:
            continue
        room[line[0]] = room[line[-1]] = math.inf
        for before, name, after in zip(line, line[1:], line[2:], strict=False):
            room[name] += (aims[after][aim] - aims[before][aim]) / span
    return room


def ranked(aims: Mapping[str, Aims]) -> list[str]:
    """Front by front; in each the highest score first, then who has most room."""
    order: list[str] = []
    for front in fronts(aims):
        room = crowding(front, aims)
        best = max(front, key=lambda name: aims[name][0])
        order += sorted(front, key=lambda name: (name != best, -room[name]))
    return order


def winner_of(order: Sequence[str], rivals: int, luck: Chance) -> str:
    """The one who stands first of some who are drawn."""
    return order[min(luck.below(len(order)) for _ in range(rivals))]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """From 0 to 1."""
    if not one:
        return 0.0
    return math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one))


def novelty(mine: Sequence[float], others: Sequence[Sequence[float]]) -> float:
    """How far it is to the nearest few."""
    nearest = sorted(distance(mine, other) for other in others)[:NEIGHBOURS]
    return math.fsum(nearest) / len(nearest) if nearest else 1.0


def archived(archive: list[list[float]], vectors: Sequence[list[float]]) -> list[list[float]]:
    """The archive with those that are unlike all in it; the oldest go where it is full."""
    kept = list(archive)
    for one in vectors:
        if all(distance(one, other) >= APART for other in kept):
            kept.append(one)
    return kept[-ARCHIVED:]
