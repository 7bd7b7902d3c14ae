"""Gauntlets: each challenger meets each of a frozen pool, and nobody else meets.

Challengers and pool stand in two circles, one of which turns by a place each round; the larger circle says
how many rounds that takes. Seats alternate, so that nobody sits first much more often than second.
"""

from __future__ import annotations

from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import Pairing, Plan


def challengers(plan: Plan) -> tuple[str, ...]:
    frozen = set(plan.pool)
    return tuple(name for name in plan.entrants if name not in frozen)


def rounds(plan: Plan) -> int:
    return max(len(challengers(plan)), len(plan.pool))


def next_round(plan: Plan, past: Past) -> tuple[Pairing, ...] | None:
    """The first round of the schedule with meetings that were not held; withdrawals may leave one without."""
    for number in range(rounds(plan)):
        if pairings := _to_hold(plan, past, number):
            return pairings
    return None


def rest(plan: Plan, past: Past) -> int:
    return sum(len(_to_hold(plan, past, number)) for number in range(rounds(plan)))


def _to_hold(plan: Plan, past: Past, number: int) -> tuple[Pairing, ...]:
    present, circle = set(past.active()), rounds(plan)
    found = []
    for place, challenger in enumerate(challengers(plan)):
        at = (place + number) % circle
        if at >= len(plan.pool):
            continue
        member = plan.pool[at]
        held = any(member in meeting.others for meeting in past.meetings[challenger])
        if not held and {challenger, member} <= present:
            turned = (place + at) % 2
            found.append(Pairing((member, challenger) if turned else (challenger, member)))
    return tuple(found)
