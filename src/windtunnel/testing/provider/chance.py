"""Chance for a provider: the same seed and the same request give the same draw, in whatever order they come.

Draws are keyed by what was asked (the idempotency key, else the body) and by its attempt, never by arrival:
a bench can compute what a run must have cost, and a storm hits the same calls again.
"""

from __future__ import annotations

from hashlib import blake2b
from math import exp
from statistics import NormalDist

from msgspec import Struct

_NORMAL = NormalDist()


def draw(seed: int, what: str, key: str, attempt: int) -> float:
    """Between 0 and 1, neither included."""
    digest = blake2b(f"{seed}\0{what}\0{key}\0{attempt}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") // 2048 + 0.5) / 2**53


class LongTail(Struct, frozen=True, forbid_unknown_fields=True):
    """Latencies as providers have them: log-normal about `median` seconds, none longer than `most`.

    With a spread of 0.6 one call in twenty takes 2.7 times the median, one in a hundred 4 times.
    """

    median: float
    spread: float = 0.6
    seed: int = 1
    most: float = 30.0

    def of(self, key: str, attempt: int = 1) -> float:
        at = _NORMAL.inv_cdf(draw(self.seed, "latency", key, attempt))
        return min(self.most, self.median * exp(self.spread * at))
