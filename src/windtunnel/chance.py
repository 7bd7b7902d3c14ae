"""Keyed streams of chance: the only luck there is in a run.

A stream is named, not consumed: `Chance(seed, "turn 3", "alice", "deck")` yields the same draws however
many other streams were opened before it, so adding an agent or running in parallel shifts nobody's luck.
Draws are made from raw bits by the arithmetic below; no library's distributions are used, since those
change between versions. Scalars come from SHA-256 in counter mode, arrays from the raw output of Philox
(a counter-based generator whose bits NumPy promises not to change).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from threading import Lock
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel.hashing import digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

_TO_UNIT = 2.0**-53
_words = struct.Struct("<4Q").unpack  # the 64-bit words of a SHA-256


_PLAIN = frozenset({str, int, float, bool, bytes, NoneType})


def _plain(part: Any) -> object:
    """A part of a key in a form whose text never changes; what has none cannot name a stream."""
    if type(part) in _PLAIN:
        return part
    if isinstance(part, tuple):
        return tuple(_plain(inner) for inner in part)
    if hasattr(part, "dtype") and not part.shape:
        return _plain(part.item())
    for kind in (str, int, float):  # an enum, a subclass
        if isinstance(part, kind):
            return kind(part)
    raise TypeError(f"a stream of chance is named by text and numbers, not by a {type(part).__name__}")


class Chance:
    __slots__ = ("_arrays", "_block", "_counter", "_key")

    def __init__(self, *key: object) -> None:
        if not _PLAIN.issuperset(map(type, key)):
            key = tuple(_plain(part) for part in key)
        self._key = digest(ascii(key).encode())
        self._counter = 0
        self._block: list[int] = []
        self._arrays = 0

    def bits(self) -> int:
        """The next 64 raw bits."""
        if not self._block:
            drawn = digest(self._key + self._counter.to_bytes(8, "little"))
            self._counter += 1
            self._block = list(_words(drawn))
        return self._block.pop()

    def random(self) -> float:
        """A float in [0, 1)."""
        return (self.bits() >> 11) * _TO_UNIT

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def below(self, bound: int) -> int:
        """An integer in [0, bound), without bias."""
        if not 0 < bound <= 1 << 64:
            raise ValueError(f"bound must lie between 1 and 2**64, not {bound}")
        limit = (1 << 64) - (1 << 64) % bound
        while (word := self.bits()) >= limit:
            pass
        return word % bound

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())

    def choice(self, options: Sequence[T]) -> T:
        if not options:
            raise ValueError("choice from nothing")
        return options[self.below(len(options))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result

    def words(self, n: int) -> NDArray[np.uint64]:
        """The next n raw 64-bit words, as an array."""
        key = [int.from_bytes(self._key[i : i + 8], "little") for i in (0, 8, 16)]
        self._arrays += 1
        return _philox(key[:2], [0, 0, self._arrays, key[2]], n)

    def randoms(self, n: int) -> NDArray[np.float64]:
        """n floats in [0, 1)."""
        import numpy as np

        return (self.words(n) >> 11).astype(np.float64) * _TO_UNIT

    def integers(self, bound: int, n: int) -> NDArray[np.int64]:
        """n integers in [0, bound); bound below 2**32 (the bias is below bound / 2**32)."""
        import numpy as np

        if not 0 < bound < 1 << 32:
            raise ValueError(f"bound must lie between 1 and 2**32 - 1, not {bound}")
        drawn = self.words((n + 1) // 2).view(np.uint32)[:n].astype(np.uint64)
        drawn *= np.uint64(bound)
        drawn >>= np.uint64(32)
        return drawn.view(np.int64)

    def normals(self, n: int) -> NDArray[np.float64]:
        import numpy as np

        half = (n + 1) // 2
        radius = np.sqrt(-2.0 * np.log1p(-self.randoms(half)))
        angle = 2.0 * np.pi * self.randoms(half)
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]

    def permutation(self, n: int) -> NDArray[np.int64]:
        import numpy as np

        return np.argsort(self.words(n), kind="stable")


_generator: Any = None
_generator_lock = Lock()


def _philox(key: list[int], counter: list[int], n: int) -> NDArray[np.uint64]:
    """Raw Philox words. One generator is kept and re-keyed, since making one costs ten times as much."""
    global _generator  # noqa: PLW0603 - made once, under the lock
    import numpy as np  # late: worlds without arrays do not pay for NumPy

    with _generator_lock:
        if _generator is None:
            _generator = np.random.Philox(key=0)  # ambient: re-keyed below before every use
        _generator.state = {
            "bit_generator": "Philox",
            "state": {"counter": counter, "key": key},
            "buffer": (0, 0, 0, 0),
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        words: NDArray[np.uint64] = _generator.random_raw(n)
    return words
