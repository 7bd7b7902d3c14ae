"""Formats: who meets whom, who is over whom, and when it is over.

Pure functions of a plan and what was played so far; nothing is kept between calls. A runner holds both as
JSON, asks after each round, and gets the same answer for the same history, today and in a replay.
"""

from __future__ import annotations

from typing import Any

from windtunnel.tournaments.formats import (
    circle,
    drawing,
    elimination,
    gauntlet,
    ladder,
    standings,
    swiss,
    tables,
)
from windtunnel.tournaments.formats.checking import TIE_BREAKS, check, published_order
from windtunnel.tournaments.formats.past import History, Past
from windtunnel.tournaments.formats.plan import ELIMINATIONS, Format, Line, Pairing, Plan, Played


def next_round(plan: Plan, history: History) -> tuple[Pairing, ...] | None:
    """The pairings to be held next, byes last; None when the tournament is over."""
    plan = check(plan)
    past = Past(plan, history)
    if plan.format in ELIMINATIONS:
        return elimination.Walk(plan, past).following()
    if plan.format == "round-robin":
        return circle.next_round(plan, past)
    if plan.format == "swiss":
        return swiss.next_round(plan, past)
    if plan.format == "free-for-all":
        return tables.next_round(plan, past)
    if plan.format == "gauntlet":
        return gauntlet.next_round(plan, past)
    return ladder.next_round(plan, past)


def scheduled(plan: Plan) -> tuple[tuple[Pairing, ...], ...]:
    """All rounds, where no result says who meets whom; none where one does. Nobody is to withdraw."""
    plan = check(plan)
    return circle.scheduled(plan) if plan.format == "round-robin" else ()


def rest(plan: Plan, history: History) -> int | None:
    """How many meetings are still to come; None for a ladder without a last round."""
    plan = check(plan)
    past = Past(plan, history)
    if plan.format in ELIMINATIONS:
        return elimination.rest(plan, past)
    if plan.format == "round-robin":
        return circle.rest(plan, past)
    if plan.format == "swiss":
        return swiss.rest(plan, past)
    if plan.format == "free-for-all":
        return tables.rest(plan, past)
    if plan.format == "gauntlet":
        return gauntlet.rest(plan, past)
    return ladder.rest(plan, past)


def table(plan: Plan, history: History) -> tuple[Line, ...]:
    """Everyone's line, the best first; those who are equal in all that ranks share a rank."""
    plan = check(plan)
    return standings.table(plan, Past(plan, history))


def bracket(plan: Plan, history: History) -> dict[str, Any]:
    """An elimination's tree with what was played in it."""
    plan = check(plan)
    return drawing.bracket(plan, Past(plan, history))


def crosstable(plan: Plan, history: History) -> dict[str, Any]:
    """Who met whom with what result, by entrant and round."""
    plan = check(plan)
    return drawing.crosstable(plan, Past(plan, history))


__all__ = [
    "ELIMINATIONS",
    "TIE_BREAKS",
    "Format",
    "History",
    "Line",
    "Pairing",
    "Plan",
    "Played",
    "bracket",
    "check",
    "crosstable",
    "next_round",
    "published_order",
    "rest",
    "scheduled",
    "table",
]
