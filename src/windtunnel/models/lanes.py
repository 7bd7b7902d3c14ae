"""How many calls a deployment gets at a time: as many as it bears, shared fairly among runs.

The width starts at what the settings say, grows while all of it is used (by one a call until the first 429,
then by one a width's worth of calls) and shrinks by three tenths on a 429. Answers to calls that were under
way before it shrank do not shrink it again. Who waits stands in the queue of its own run; runs take turns,
and within a run the higher priority goes first, then who came first.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import OrderedDict
from itertools import count

from windtunnel.models.timing import Clock

SHRINK = 0.7

_Waiter = tuple[int, int, "asyncio.Future[None]"]


class Lane:
    def __init__(self, width: int, most: int, clock: Clock) -> None:
        self._width, self._most, self._clock = float(min(width, most)), most, clock
        self._busy = 0
        self._bold = True  # no 429 was seen yet
        self._epoch = 0
        self._queues: OrderedDict[str, list[_Waiter]] = OrderedDict()
        self._order = count()
        self._rests_until = 0.0

    @property
    def width(self) -> int:
        return int(self._width)

    @property
    def busy(self) -> int:
        return self._busy

    @property
    def waiting(self) -> int:
        return sum(not waiter[2].done() for queue in self._queues.values() for waiter in queue)

    @property
    def rests(self) -> float:
        """Seconds for which the deployment asked to be left alone."""
        return max(0.0, self._rests_until - self._clock.tick())

    async def enter(self, run: str = "", priority: int = 0) -> int:
        """Wait for a place; what comes back goes to `leave`."""
        if self._busy < self.width and not self._queues:
            self._busy += 1
            return self._epoch
        place = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queues.setdefault(run, []), (-priority, next(self._order), place))
        self._call()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # called and cancelled in one breath: hand it on
                self._busy -= 1
            place.cancel()
            self._call()
            raise
        return self._epoch

    def leave(self, entered: int, *, busy: bool = False, rest: float = 0.0) -> None:
        """`busy`: it was answered with 429, and asked for a pause of `rest` seconds."""
        saturated = self._busy >= self.width
        self._busy -= 1
        if busy:
            if rest > 0:
                self._rests_until = max(self._rests_until, self._clock.tick() + rest)
            if entered == self._epoch:
                self._width, self._bold = max(1.0, self._width * SHRINK), False
                self._epoch += 1
        elif saturated:
            self._width = min(float(self._most), self._width + (1.0 if self._bold else 1.0 / self._width))
        self._call()

    def _call(self) -> None:
        """Let in who is next: one of each run in turn."""
        while self._queues and self._busy < self.width:
            run, queue = self._queues.popitem(last=False)
            place = None
            while queue and (place is None or place.done()):
                place = heapq.heappop(queue)[2]
            if queue:
                self._queues[run] = queue  # at the end: the others come first
            if place is not None and not place.done():
                self._busy += 1
                place.set_result(None)
