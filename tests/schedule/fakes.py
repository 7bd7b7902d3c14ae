"""A clock that only tests move, and schedulers that look at it."""

from __future__ import annotations

import asyncio
import heapq
import platform
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from windtunnel.control.schedule import Wanted
from windtunnel.control.schedule.table import Schedules
from windtunnel.journal import Owner

NOON = 1_790_000_000 // 86_400 * 86_400 + 43_200  # noon of a day, UTC
VERBS: dict[str, Any] = {"run": None, "health": None}


def owner(pid: int, host: str = "") -> Owner:
    """A process that is none; on this machine, unless another is named."""
    return Owner(host or platform.node(), "boot", pid, "1")


class Clock:
    """`wall` may be set to anything; `tick` only goes forward. Whoever sleeps is woken by `go`, in order."""

    def __init__(self, wall: float = NOON) -> None:
        self.moment, self._shift = 0.0, wall
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def wall(self) -> float:
        return self._shift + self.moment

    def tick(self) -> float:
        return self.moment

    def jump(self, seconds: float) -> None:
        """The wall clock is set; no time passes."""
        self._shift += seconds

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.moment + max(0.0, seconds), next(self._numbers), woken))
        await woken

    async def go(self, seconds: float) -> None:
        """Let time pass."""
        end = self.moment + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.moment, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                await settle()
        self.moment = end


async def settle() -> None:
    """Let everybody go on who can: nothing here waits for threads or for real time."""
    for _ in range(60):
        await asyncio.sleep(0)


async def inline(work: Callable[..., Any], *values: Any) -> Any:
    """In place of a thread, so that nothing depends on how fast threads are."""
    return work(*values)


def add(
    schedules: Schedules,
    when: str = "hourly",
    name: str = "one",
    verbs: Mapping[str, Any] = VERBS,
    **more: Any,
) -> Any:
    return schedules.add(Wanted(name, when, **more), verbs)
