"""Strategies: named, versioned ways to play a role.

`model.py` says what one is, `reading.py` reads it, `registry.py` keeps its versions, `seats.py` seats it.
"""

from __future__ import annotations

from windtunnel.strategies.folders import export, read_origin
from windtunnel.strategies.lineage import Line, lineage
from windtunnel.strategies.model import (
    Boolean,
    Bounds,
    Choice,
    Integer,
    Number,
    Strategy,
    content_hash,
    with_parameters,
)
from windtunnel.strategies.reading import check_strategy, read_strategy
from windtunnel.strategies.registry import OPERATORS, Registered, Registry
from windtunnel.strategies.seats import players, seat, seated
from windtunnel.strategies.tables import Move
from windtunnel.strategies.versions import Changed, Diff, Version, bump_between, compared, strategy_of

__all__ = [
    "OPERATORS",
    "Boolean",
    "Bounds",
    "Changed",
    "Choice",
    "Diff",
    "Integer",
    "Line",
    "Move",
    "Number",
    "Registered",
    "Registry",
    "Strategy",
    "Version",
    "bump_between",
    "check_strategy",
    "compared",
    "content_hash",
    "export",
    "lineage",
    "players",
    "read_origin",
    "read_strategy",
    "seat",
    "seated",
    "strategy_of",
    "with_parameters",
]
