"""What `[retention]` of windtunnel.toml may say: which runs are let go in time.

All conditions of a rule must hold, as with `windtunnel prune`. Only runs that came to an end, or crashed, can
be named at all: what is played, waits or is paused never goes. A world with a rule of its own is ruled by
that alone.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from windtunnel.errors import UsageError

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
BYTES = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9}
BYTES |= {"t": 10**12, "tb": 10**12}

Ended = Literal["completed", "failed", "cancelled", "crashed"]


class Rule(Struct, frozen=True):
    older_than: str | None = None
    keep_last: Annotated[int, Meta(ge=0)] | None = None
    status: tuple[Ended, ...] = ()
    max_bytes: str | None = None

    @property
    def says_nothing(self) -> bool:
        return (
            self.older_than is None and self.keep_last is None and not self.status and self.max_bytes is None
        )


class Retention(Rule, frozen=True):
    worlds: dict[str, Rule] = {}


def seconds_of(text: str, where: str) -> float:
    """An age such as 30d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip().lower())
    if found is None or found[2] not in UNITS:
        raise UsageError(f"{text!r} is no age", where=where, remedy="a number and a unit: 30d, 12h, 90min")
    return float(found[1]) * UNITS[found[2]]


def bytes_of(text: str, where: str) -> int:
    """A size such as 2GB."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in BYTES:
        raise UsageError(f"{text!r} is no size", where=where, remedy="a number and a unit: 500MB, 2GB")
    return int(float(found[1]) * BYTES[found[2]])
