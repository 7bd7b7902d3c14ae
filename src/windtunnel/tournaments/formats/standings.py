"""The table: who stands where, and by what."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import groupby

import msgspec

from windtunnel.tournaments.formats import circle, elimination, gauntlet, ladder, swiss
from windtunnel.tournaments.formats.checking import published_order
from windtunnel.tournaments.formats.past import Meeting, Past
from windtunnel.tournaments.formats.plan import Line, Plan

_EXACT = 9
"""Digits after the point that are compared: shares add up to sums that differ in the last bit."""


class _Tally(msgspec.Struct):
    """What counts for one entrant."""

    points: float
    meetings: list[Meeting]


def table(plan: Plan, past: Past) -> tuple[Line, ...]:
    tallies = _tallies(plan, past)
    order = published_order(plan)
    values: dict[str, dict[str, float]] = {entrant: {} for entrant in plan.entrants}
    groups = [list(plan.entrants)]
    if plan.pool:  # its members met fewer: their points are not of one table with the challengers'
        groups = [list(gauntlet.challengers(plan)), list(plan.pool)]
    for name in order:
        # A direct encounter is one among those who are equal so far.
        measured = _measured(name, plan, past, tallies, groups)
        for entrant in plan.entrants:
            values[entrant][name] = measured[entrant]
        groups = [part for group in groups for part in _parted(group, measured)]
    lines, rank = [], 1
    for group in groups:
        lines += [_line(rank, entrant, plan, past, tallies[entrant], values[entrant]) for entrant in group]
        rank += len(group)
    return tuple(lines)


def _tallies(plan: Plan, past: Past) -> dict[str, _Tally]:
    met = {e: [m for m in past.meetings[e] if not m.bye] for e in plan.entrants}
    if plan.format == "swiss":
        points = swiss.scores(plan, past)
        return {e: _Tally(round(points[e], _EXACT), met[e]) for e in plan.entrants}
    won = dict.fromkeys(plan.entrants, 0)
    if plan.format == "round-robin" and past.gone:
        void, won = circle.annulled(plan, past), circle.walkovers(plan, past)
        met = {e: [m for m in met[e] if e not in void and m.others[0] not in void] for e in met}
    return {e: _Tally(round(sum(m.points for m in met[e]) + won[e], _EXACT), met[e]) for e in plan.entrants}


def _parted(group: list[str], measured: dict[str, float]) -> Iterable[list[str]]:
    """The equals of a group, from the best; within each the seeding stays."""
    ordered = sorted(group, key=lambda entrant: -measured[entrant])
    return (list(equals) for _, equals in groupby(ordered, key=measured.__getitem__))


def _line(rank: int, entrant: str, plan: Plan, past: Past, tally: _Tally, values: dict[str, float]) -> Line:
    outcomes = [meeting.outcome for meeting in tally.meetings]
    counts = past.seat_counts(entrant)
    return Line(
        rank=rank,
        entrant=entrant,
        points=tally.points,
        played=len(outcomes),
        wins=outcomes.count(1.0),
        draws=outcomes.count(0.5),
        losses=outcomes.count(0.0),
        byes=past.byes(entrant),
        balance=max(counts) - min(counts) if plan.format == "free-for-all" else past.balance(entrant),
        tie_breaks={name: value for name, value in values.items() if name != "points"},
        withdrawn=entrant in past.gone,
    )


# ------------------------------------------------------------ measures


def _measured(
    name: str, plan: Plan, past: Past, tallies: dict[str, _Tally], groups: list[list[str]]
) -> dict[str, float]:
    if name == "points":
        return {entrant: tally.points for entrant, tally in tallies.items()}
    if name == "reached":
        return elimination.reached(elimination.Walk(plan, past))
    if name == "elo":
        return ladder.ratings(plan, past)
    if name == "direct":
        return {entrant: value for group in groups for entrant, value in _direct(group, tallies).items()}
    measure: dict[str, Callable[[str], float]] = {
        "wins": lambda entrant: sum(m.outcome == 1.0 for m in tallies[entrant].meetings),
        "buchholz": lambda entrant: sum(_opposition(entrant, plan, past, tallies)),
        "buchholz-cut-1": lambda entrant: sum(sorted(_opposition(entrant, plan, past, tallies))[1:]),
        "sonneborn-berger": lambda entrant: _sonneborn_berger(entrant, plan, tallies),
    }
    return {entrant: round(float(measure[name](entrant)), _EXACT) for entrant in plan.entrants}


def _direct(group: list[str], tallies: dict[str, _Tally]) -> dict[str, float]:
    """Points among the equals themselves, where all of them have met."""
    inside = {e: [m for m in tallies[e].meetings if m.others[0] in group] for e in group}
    if any(len({m.others[0] for m in meetings}) < len(group) - 1 for meetings in inside.values()):
        return dict.fromkeys(group, 0.0)
    return {e: round(math.fsum(m.points for m in meetings), _EXACT) for e, meetings in inside.items()}


def _real(plan: Plan, tally: _Tally) -> list[Meeting]:
    """Meetings rated by their opponent. In a round-robin all opponents are given, forfeits or not."""
    return [m for m in tally.meetings if m.contested or plan.format == "round-robin"]


def _opposition(entrant: str, plan: Plan, past: Past, tallies: dict[str, _Tally]) -> list[float]:
    """The points of everyone met; in Swiss, one's own points for each round without a meeting."""
    met = [tallies[m.others[0]].points for m in _real(plan, tallies[entrant])]
    if plan.format == "swiss":
        met += [tallies[entrant].points] * (past.rounds - len(met))
    return met


def _sonneborn_berger(entrant: str, plan: Plan, tallies: dict[str, _Tally]) -> float:
    real = _real(plan, tallies[entrant])
    value = sum(m.points * tallies[m.others[0]].points for m in real)
    if plan.format == "swiss":
        unplayed = tallies[entrant].points - sum(m.points for m in real)
        value += unplayed * tallies[entrant].points
    return value
