"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio

from windtunnel.run.clock import Clock


class HandClock(Clock):
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)
