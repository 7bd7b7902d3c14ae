"""What has been played, checked and indexed: the ground on which each format decides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from windtunnel.errors import UsageError
from windtunnel.tournaments.formats.plan import Plan, Played

History = Sequence[Sequence[Played]]


class Meeting(msgspec.Struct, frozen=True):
    """One entrant's part in one round."""

    round: int
    """From 0."""
    seat: int
    points: float
    others: tuple[str, ...]
    """Nobody, for a bye."""
    best_other: float
    forfeited: bool
    """Somebody at the table did not play."""

    @property
    def bye(self) -> bool:
        return not self.others

    @property
    def contested(self) -> bool:
        return bool(self.others) and not self.forfeited

    @property
    def outcome(self) -> float:
        """1 for a win, 0.5 for a draw, 0 for a loss, whatever the shares."""
        if math.isclose(self.points, self.best_other, abs_tol=1e-9):
            return 0.5
        return 1.0 if self.points > self.best_other else 0.0


class Past:
    """A history by entrant. Who withdrew is known by the round after which they were gone."""

    def __init__(self, plan: Plan, history: History) -> None:
        self.plan = plan
        self.rounds = len(history)
        self.meetings: dict[str, list[Meeting]] = {entrant: [] for entrant in plan.entrants}
        self.gone: dict[str, int] = {}
        self._history = history
        for number, results in enumerate(history):
            self._take(number, results)

    def _take(self, number: int, results: Sequence[Played]) -> None:
        where = f"round {number + 1}"
        seen: set[str] = set()
        for played in results:
            self._refuse_nonsense(where, played, seen)
            for seat, entrant in enumerate(played.pairing.entrants):
                self.meetings[entrant].append(_meeting(number, seat, played))
            for entrant in played.withdrawn:
                self.gone.setdefault(entrant, number)

    def _refuse_nonsense(self, where: str, played: Played, seen: set[str]) -> None:
        entrants = played.pairing.entrants
        if len(played.points) != len(entrants) and len(entrants) > 1:
            raise UsageError(
                f"{len(entrants)} entrants, but {len(played.points)} points",
                where=where,
                remedy="give one number for each seat, in the order of the pairing",
            )
        if not all(math.isfinite(points) for points in played.points):
            raise UsageError(
                "points must be finite numbers", where=where, remedy="score a meeting that broke as a forfeit"
            )
        for entrant in (*entrants, *played.forfeits, *played.withdrawn):
            if entrant not in self.meetings:
                raise UsageError(
                    f"{entrant!r} is no entrant", where=where, remedy="use the names of the plan's entrants"
                )
        for entrant in entrants:
            if entrant in seen:
                raise UsageError(
                    f"{entrant!r} stands twice in one round",
                    where=where,
                    remedy="give each pairing of a round once, as next_round named it",
                )
            seen.add(entrant)

    def active(self, before: int | None = None) -> tuple[str, ...]:
        """Who is still there when a round begins (by default the next one), in seeding order."""
        before = self.rounds if before is None else before
        return tuple(e for e in self.plan.entrants if self.gone.get(e, before) >= before)

    def results(self, number: int) -> Iterator[Played]:
        yield from self._history[number]

    def contested(self, entrant: str) -> Iterator[Meeting]:
        return (meeting for meeting in self.meetings[entrant] if meeting.contested)

    def byes(self, entrant: str) -> int:
        return sum(meeting.bye for meeting in self.meetings[entrant])

    def balance(self, entrant: str) -> int:
        """First seats less second seats, in meetings of two that were played."""
        return sum(1 if meeting.seat == 0 else -1 for meeting in self.contested(entrant))

    def seat_counts(self, entrant: str) -> list[int]:
        counts = [0] * self.plan.seats
        for meeting in self.meetings[entrant]:
            if not meeting.bye:
                counts[meeting.seat] += 1
        return counts

    def seated(self, one: str, other: str) -> tuple[str, str]:
        """Two entrants in the order of seats that evens out the past; where it is even, by seeding."""
        if self.balance(one) != self.balance(other):
            return (one, other) if self.balance(one) < self.balance(other) else (other, one)
        last = {entrant: self._last_seat(entrant) for entrant in (one, other)}
        if last[one] != last[other]:
            return (one, other) if last[one] > last[other] else (other, one)
        place = self.plan.entrants.index
        return (one, other) if place(one) < place(other) else (other, one)

    def _last_seat(self, entrant: str) -> int:
        return next((m.seat for m in reversed(self.meetings[entrant]) if m.contested), 0)


def _meeting(number: int, seat: int, played: Played) -> Meeting:
    entrants, points = played.pairing.entrants, played.points
    if len(entrants) == 2:  # by far the most common, and a runner asks after each of many rounds
        other = 1 - seat
        return Meeting(number, seat, points[seat], (entrants[other],), points[other], bool(played.forfeits))
    others = tuple(entrant for other, entrant in enumerate(entrants) if other != seat)
    if not others:
        return Meeting(number, seat, 0.0, (), 0.0, forfeited=False)
    best = max(points[other] for other in range(len(entrants)) if other != seat)
    return Meeting(number, seat, points[seat], others, best, forfeited=bool(played.forfeits))
