"""Tournaments as a picture's data: brackets of eliminations, crosstables of the others. Plain JSON values."""

from __future__ import annotations

from typing import Any

from windtunnel.errors import UsageError
from windtunnel.tournaments.formats.elimination import Outcome, Walk
from windtunnel.tournaments.formats.past import Past
from windtunnel.tournaments.formats.plan import ELIMINATIONS, Plan
from windtunnel.tournaments.formats.tree import Match


def bracket(plan: Plan, past: Past) -> dict[str, Any]:
    """The whole tree, with who comes from which match, who went through, and what is still open."""
    if plan.format not in ELIMINATIONS:
        raise UsageError(
            f"{plan.format} has no bracket", where="format", remedy="ask for its crosstable or its table"
        )
    walk = Walk(plan, past)
    rounds: dict[tuple[str, int], dict[str, Any]] = {}
    for match, outcome in zip(walk.tree.matches, walk.outcomes, strict=True):
        column = rounds.setdefault(
            (match.bracket, match.round),
            {"bracket": match.bracket, "round": match.round, "label": match.label, "matches": []},
        )
        column["matches"].append(_match(match, outcome, walk))
    return {"format": plan.format, "rounds": list(rounds.values()), "champion": walk.champion}


def _match(match: Match, outcome: Outcome, walk: Walk) -> dict[str, Any]:
    points: dict[str, float] = {}
    if outcome.played is not None:
        points = dict(zip(outcome.played.pairing.entrants, outcome.played.points, strict=True))
    sides = []
    for source in match.sources:
        entrant = walk.entrant_from(source)
        sides.append(
            {
                "from": {"kind": source.kind, "number": source.number + (source.kind == "seed")},
                "entrant": entrant,
                "seed": None if entrant is None else walk.plan.entrants.index(entrant) + 1,
                "points": None if entrant is None else points.get(entrant),
                "through": entrant is not None and entrant == outcome.winner,
                "forfeit": outcome.played is not None and entrant in outcome.played.forfeits,
            }
        )
    return {
        "id": match.number,
        "label": match.label,
        "state": outcome.state,
        "round": None if outcome.round is None else outcome.round + 1,
        "sides": sides,
        "winner": outcome.winner,
    }


def crosstable(plan: Plan, past: Past) -> dict[str, Any]:
    """For each entrant, what happened round by round, and the sum against each of the others."""
    rows = []
    for entrant in plan.entrants:
        against: dict[str, dict[str, float]] = {}
        cells = []
        for meeting in past.meetings[entrant]:
            cells.append(
                {
                    "round": meeting.round + 1,
                    "seat": meeting.seat,
                    "others": list(meeting.others),
                    "points": None if meeting.bye else meeting.points,
                    "bye": meeting.bye,
                    "forfeit": meeting.forfeited,
                }
            )
            for other in meeting.others:
                sums = against.setdefault(other, {"meetings": 0, "points": 0.0})
                sums["meetings"] += 1
                sums["points"] += meeting.points
        rows.append(
            {"entrant": entrant, "withdrawn": entrant in past.gone, "cells": cells, "against": against}
        )
    return {"format": plan.format, "rounds": past.rounds, "rows": rows}
