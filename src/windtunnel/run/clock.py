"""The run's only clock. Tests hand in one of their own; nothing else in this room looks at the time."""

from __future__ import annotations

import asyncio
import time


class Clock:
    def wall(self) -> float:
        """Seconds since 1970: for people to read, never for decisions."""
        return time.time()  # ambient: the one clock, recorded in operations

    def tick(self) -> float:
        """Seconds that only go forward: how long something took."""
        return time.perf_counter()  # ambient: the one stopwatch, never in history

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
