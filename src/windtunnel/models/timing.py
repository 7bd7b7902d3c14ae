"""The gateway's only clock. A run hands in its own, tests one that they move by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def tick(self) -> float:
        """Seconds that only go forward."""

    async def sleep(self, seconds: float) -> None: ...


class MachineClock:
    def tick(self) -> float:
        return time.perf_counter()  # ambient: how long a call took and a breaker rests; never in history

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
