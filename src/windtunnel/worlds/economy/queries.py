"""Read-only questions a seat may ask about the world; a model is given them as tools. None tells more than
what the one who asks could know."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from msgspec import structs

from windtunnel.errors import UsageError
from windtunnel.world import Actor
from windtunnel.worlds.economy import ledger, observing
from windtunnel.worlds.economy.state import Nation, Record, State
from windtunnel.worlds.economy.statistics import published

FORECASTS = ("naive", "mean", "ar1")
FARTHEST = 12


def history(state: State, actor: Actor) -> list[Record]:
    """The statistics published of one's own nation, oldest first."""
    return published(_own(state, actor))


def matrix(state: State, actor: Actor) -> dict[str, object]:
    """Last quarter's transaction matrix of one's own nation, in money: rows of flows, columns of sectors.
    Every row and every column sums to zero."""
    return ledger.table(_own(state, actor))


def forecast(state: State, actor: Actor, what: str = "gdp", ahead: int = 4, rule: str = "ar1") -> list[float]:
    """A published figure of one's own nation, so many quarters ahead, by a simple rule: `naive` (it stays),
    `mean` (it goes back to its mean), `ar1` (as the last step persisted). Levels are forecast in growth."""
    known = Record.__struct_fields__[1:]
    if what not in known:
        raise UsageError(f"no figure {what!r}", remedy=f"it is one of: {', '.join(known)}")
    if rule not in FORECASTS:
        raise UsageError(f"no rule {rule!r}", remedy=f"it is one of: {', '.join(FORECASTS)}")
    if not 1 <= ahead <= FARTHEST:
        raise UsageError(f"forecasts reach 1 to {FARTHEST} quarters, not {ahead}")
    values = [float(getattr(record, what)) for record in published(_own(state, actor))]
    if what in ("gdp", "consumption", "investment", "wages") and all(value > 0 for value in values):
        steps = [b / a - 1.0 for a, b in pairwise(values)]
        level, told = values[-1] if values else 0.0, []
        for step in _ahead(steps, ahead, rule):
            level *= 1.0 + step
            told.append(level)
        return told
    return _ahead(values, ahead, rule)


def _ahead(values: list[float], ahead: int, rule: str) -> list[float]:
    if not values:
        return [0.0] * ahead
    mean = sum(values) / len(values)
    if rule == "naive" or len(values) < 3:
        return [values[-1]] * ahead
    if rule == "mean":
        return [mean] * ahead
    off = [value - mean for value in values]
    spread = sum(value * value for value in off[:-1])
    persistence = sum(a * b for a, b in pairwise(off)) / spread if spread else 0.0
    persistence = min(max(persistence, 0.0), 0.98)
    return [mean + off[-1] * persistence**step for step in range(1, ahead + 1)]


def partners(state: State, actor: Actor) -> dict[str, Any]:
    """Trade with each partner: tariffs, prices, exchange rates, what was sold and bought."""
    if actor.id not in state.nations:
        raise UsageError(f"{actor.id} is no government, and has no trade partners of its own")
    seen = observing.for_government(state, actor)
    return {name: structs.asdict(partner) for name, partner in seen.partners.items()}


def _own(state: State, actor: Actor) -> Nation:
    name = (
        actor.id if actor.id in state.nations else state.central.get(actor.id, state.crowds.get(actor.id, ""))
    )
    if name not in state.nations:
        raise UsageError(
            f"{actor.id} belongs to no nation", remedy=f"ask as one of: {', '.join(state.nations)}"
        )
    return state.nations[name]
