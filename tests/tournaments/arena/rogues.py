"""Strategies of code that are not what they should be."""

from __future__ import annotations

import os
import time
from typing import Any

from dice.world import Throw  # type: ignore[import-not-found]  # it lies beside


def honest(seen: Any, context: Any) -> Throw:
    return Throw(context.chance().random() * 6)


def crashes(seen: Any, context: Any) -> Throw:
    raise KeyError("no such card")


def hangs(seen: Any, context: Any) -> Throw:
    while True:
        time.sleep(0.001)


def exits(seen: Any, context: Any) -> Throw:
    os._exit(7)


def bribes(seen: Any, context: Any) -> Throw:
    """It takes what it sees for the world itself."""
    seen.money[context.actor] = 1e9
    return Throw(0.0)


def burgles(seen: Any, context: Any) -> Throw:
    """It reaches for the state by a side door."""
    context._frame.state.money[context.actor] = 1e9
    return Throw(0.0)
