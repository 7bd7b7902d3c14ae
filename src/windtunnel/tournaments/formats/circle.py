"""Round-robins: everyone meets everyone, by the circle.

The last of an even field stays where it is, the others turn around it. With the field numbered from 1 to n,
two of the first n - 1 meet in the round in which the sum of their numbers has the right remainder. An odd
field is paired as if it had one more: who would meet that one has a bye. The rule for seats below leaves
everyone with as many first seats as second ones, or one more or less.
"""

from __future__ import annotations

from functools import lru_cache

from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import Pairing, Plan

Pair = tuple[int, int]
"""Two places in the seeding, from 0, in the order of seats; a bye is with the place after the last."""


@lru_cache(maxsize=64)
def schedule(field: int, double: bool) -> tuple[tuple[Pair, ...], ...]:
    """All rounds of a field."""
    even = field + field % 2
    once = tuple(tuple(_pairs(even, number)) for number in range(even - 1))
    if not double:
        return once
    return once + tuple(tuple((second, first) for first, second in pairs) for pairs in once)


def _pairs(even: int, number: int) -> list[Pair]:
    circle = even - 1
    pairs = []
    # The one who meets the last of the field is the one who would meet itself.
    alone = next(place for place in range(1, even) if (2 * place - number - 2) % circle == 0)
    pairs.append((alone, even) if alone <= even // 2 else (even, alone))
    for place in range(1, even):
        other = (number + 2 - place) % circle or circle
        if place < other:
            pairs.append((place, other) if (place + other) % 2 else (other, place))
    return [(first - 1, second - 1) for first, second in pairs]


class Progress:
    """Which rounds of the schedule are over. One in which withdrawals left nobody to meet is passed over."""

    def __init__(self, plan: Plan, past: Past) -> None:
        self.plan, self.past = plan, past
        self.rounds = schedule(len(plan.entrants), plan.double)
        self.held: list[int | None] = []
        """For each round of the schedule that is over: the round of the history, or None if passed over."""
        for number in range(past.rounds):
            if past.gone:
                self._pass_over(past.active(number))
            if len(self.held) < len(self.rounds):
                self.held.append(number)
        if past.gone:
            self._pass_over(past.active())

    def _pass_over(self, active: tuple[str, ...]) -> None:
        while len(self.held) < len(self.rounds) and not self._meetings(len(self.held), active):
            self.held.append(None)

    def _meetings(self, number: int, active: tuple[str, ...]) -> int:
        present = set(active)
        return sum(
            self.name(one) in present and self.name(other) in present for one, other in self.rounds[number]
        )

    def _pairings(self, number: int, active: tuple[str, ...]) -> list[Pairing]:
        present = set(active)
        found = []
        for pair in self.rounds[number]:
            here = tuple(name for place in pair if (name := self.name(place)) in present)
            if here:
                found.append(Pairing(here))
        return sorted(found, key=lambda pairing: pairing.bye)

    def name(self, place: int) -> str:
        return self.plan.entrants[place] if place < len(self.plan.entrants) else ""

    def following(self) -> tuple[Pairing, ...] | None:
        if len(self.held) >= len(self.rounds):
            return None
        return tuple(self._pairings(len(self.held), self.past.active()))

    def rest(self) -> int:
        active = self.past.active()
        return sum(self._meetings(number, active) for number in range(len(self.held), len(self.rounds)))


def next_round(plan: Plan, past: Past) -> tuple[Pairing, ...] | None:
    return Progress(plan, past).following()


def scheduled(plan: Plan) -> tuple[tuple[Pairing, ...], ...]:
    """All rounds, as long as nobody withdraws."""
    progress = Progress(plan, Past(plan, ()))
    return tuple(tuple(progress._pairings(number, plan.entrants)) for number in range(len(progress.rounds)))


def rest(plan: Plan, past: Past) -> int:
    return Progress(plan, past).rest()


def annulled(plan: Plan, past: Past) -> set[str]:
    """Who withdrew before half of their meetings: those meetings count for nobody."""
    scheduled = (len(plan.entrants) - 1) * (1 + plan.double)
    return {
        entrant
        for entrant in past.gone
        if 2 * sum(not meeting.bye for meeting in past.meetings[entrant]) < scheduled
    }


def walkovers(plan: Plan, past: Past) -> dict[str, int]:
    """How many meetings each entrant won because the other had withdrawn in the second half."""
    void = annulled(plan, past)
    won = dict.fromkeys(plan.entrants, 0)
    progress = Progress(plan, past)
    for number, held in enumerate(progress.held):
        present = set(past.active(held))
        for first, second in progress.rounds[number]:
            for place, other in ((first, second), (second, first)):
                name, absent = progress.name(place), progress.name(other)
                if name in present and absent and absent not in present and absent not in void:
                    won[name] += 1
    return won
