"""What all types of the doors have in common: names, bounds, what is written to us and what is told."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

RUN_ID = r"^[0-9A-Za-z_-]{1,80}(\.[0-9]{1,9})?$"  # a match of a tournament ends in its number
KEY_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
SCHEDULE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

RunId = Annotated[
    str,
    Field(description="A run's id, or a unique beginning of it", pattern=RUN_ID, examples=["4k2v9h0a7c"]),
]
Turn = Annotated[
    int,
    Field(
        strict=True, ge=0, lt=1 << 62, description="A turn, counted from 1; 0 is the beginning", examples=[12]
    ),
]
Dollars = Annotated[float, Field(strict=True, ge=0, lt=1e9)]
Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Metrics = dict[str, dict[str, float]]


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    CANCELLED = "cancelled"


class Written(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Told(BaseModel):
    """What a client gets; more fields may come with later versions."""


def moment(seconds: float | None) -> datetime | None:
    """Cut to a microsecond, never rounded up: what is asked for since the time that was told includes it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(math.floor(seconds * 1e6) / 1e6, UTC)


class Page(Told):
    next: str | None = Field(default=None, description="`after` of the next page; null on the last")


# --- starting ---
