"""Clocks that are handed in: one steps, so that groups fall at the same turns each time; one jumps."""

from __future__ import annotations

import asyncio
from random import Random

from windtunnel.run.clock import Clock

STEP = 0.011


class StepClock(Clock):
    """Each look at the stopwatch moves it by one step; the wall stands still: no machine is in it."""

    def __init__(self, step: float = STEP) -> None:
        self._step, self._ticks = step, 0

    def wall(self) -> float:
        return 1_000_000.0

    def tick(self) -> float:
        self._ticks += 1
        return self._ticks * self._step

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class JumpyClock(StepClock):
    """A machine whose clock is set forwards and backwards by days, and stands still in between."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)

    def wall(self) -> float:
        return 1_000_000.0 + self._random.choice((-1e6, -1.0, 0.0, 1e-6, 3600.0, 1e9))

    def tick(self) -> float:
        return max(0.0, super().tick() + self._random.choice((-50.0, 0.0, 0.0, 0.5, 50.0)))
