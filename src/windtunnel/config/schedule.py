"""What `[schedule]` of windtunnel.toml may say: how patient the scheduler is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(ge=1, le=366 * 86_400)]


class Scheduling(Struct, frozen=True):
    """After an error it tries again in `retry_seconds`; `errors` in a row disable. A firing may take
    `limit_seconds`, unless its schedule says otherwise. Times are meant in `zone` where none is named."""

    retry_seconds: Seconds = 300.0
    errors: Annotated[int, Meta(ge=1, le=1000)] = 5
    limit_seconds: Seconds = 21_600.0
    zone: Annotated[str, Meta(min_length=1)] = "UTC"
