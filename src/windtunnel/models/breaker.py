"""A deployment that keeps failing is left alone for a while; then one call finds out whether it is back.

closed: calls pass. open: none does, until the rest is over. half-open: one call is the probe; it closes the
breaker or lets the deployment rest twice as long, at most ten times the first rest.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from windtunnel.config.models import Breaker as Manners
from windtunnel.models.timing import Clock

LONGEST = 10  # rests at most so many times as long as at first
State = Literal["closed", "open", "half-open"]


class Breaker:
    def __init__(self, manners: Manners, clock: Clock) -> None:
        self._manners, self._clock = manners, clock
        self._failed: deque[float] = deque(maxlen=manners.failures)
        self._until: float | None = None
        self._rest = manners.rest
        self._probing = False

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "open" if self._clock.tick() < self._until else "half-open"

    @property
    def opens_in(self) -> float:
        """Seconds until a probe is let through."""
        return max(0.0, (self._until or 0.0) - self._clock.tick()) if self._until is not None else 0.0

    def admit(self) -> bool:
        """Whether a call may pass now. Who was let in says `succeeded`, `failed` or `left` afterwards."""
        if self._until is None:
            return True
        if self._probing or self._clock.tick() < self._until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        self._failed.clear()
        self._until, self._probing, self._rest = None, False, self._manners.rest

    def failed(self, *, at_once: bool = False) -> None:
        now = self._clock.tick()
        if self._until is not None:
            if self._probing:  # the probe failed; a call from before the opening tells nothing new
                self._probing = False
                self._rest = min(self._rest * 2, self._manners.rest * LONGEST)
                self._until = now + self._rest
            return
        self._failed.append(now)
        full = len(self._failed) == self._manners.failures
        if at_once or (full and now - self._failed[0] <= self._manners.window):
            self._failed.clear()
            self._until = now + self._rest

    def left(self) -> None:
        """The call ended without a word on the deployment's health: the next one may probe."""
        self._probing = False
