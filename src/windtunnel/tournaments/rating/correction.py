"""Whether a candidate is better than what it would replace, when many were tried.

Each candidate comes with its gains over the incumbent, one for each held-out block. The gate is one-sided: a
candidate passes where the interval of its mean gain leaves 0 out, at a level that Holm (or Bonferroni) makes
stricter by the number tried. On pure noise any candidate passes with a chance of at most alpha, all together.

Gains with known bounds are tested by bets (`betting.py`), which holds for every spread and any number of
blocks. Without bounds no test can do that: rare disasters may be missing from what was seen. Then it is
Student's t, plain and with Hall's correction for skewness, whichever speaks less for the candidate, and never
a smaller chance than the signs alone could give, 2⁻ⁿ.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.betting import log_capital, lower_bound
from windtunnel.tournaments.rating.student import above, exceeded_by

ALPHA = 0.05
NEVER = 1.0

Method = Literal["holm", "bonferroni"]


class Trial(Struct, frozen=True):
    """`low` is where the interval of the gain begins (it has no other end), none where too few blocks were
    seen.

    `chance` is that of so much gain by luck, `corrected` the same for so many tried.
    """

    candidate: str
    blocks: int
    gain: float
    low: float | None
    chance: float
    corrected: float
    promoted: bool


def promote(
    gains: Mapping[str, Sequence[float]],
    *,
    tried: int | None = None,
    alpha: float = ALPHA,
    method: Method = "holm",
    bounds: tuple[float, float] | None = None,
) -> tuple[Trial, ...]:
    """Judge each candidate by its gains on held-out blocks, in the order given.

    `tried` counts all candidates that had a chance to be here, also those that were dropped on the way.
    """
    count = len(gains) if tried is None else tried
    if count < len(gains) or not 0.0 < alpha < 1.0:
        raise UsageError(
            f"{len(gains)} candidates of {count} tried, alpha {alpha:g}",
            where="promotion",
            remedy="count every candidate that was tried, and take an alpha between 0 and 1",
        )
    chances = {name: _chance(name, seen, bounds) for name, seen in gains.items()}
    found: dict[str, Trial] = {}
    left, corrected, passing = count, 0.0, True
    for name in sorted(chances, key=lambda one: chances[one]):
        corrected = max(corrected, min(1.0, left * chances[name]))
        passing = passing and corrected <= alpha
        seen = gains[name]
        mean = math.fsum(seen) / len(seen) if seen else 0.0
        low = _low(seen, alpha / left, bounds)
        found[name] = Trial(name, len(seen), mean, low, chances[name], corrected, passing)
        if method == "holm" and passing:
            left -= 1
        elif method == "bonferroni":
            passing = True
    return tuple(found[name] for name in gains)


def _chance(name: str, seen: Sequence[float], bounds: tuple[float, float] | None) -> float:
    """Of a mean gain like this if the true one is not above 0."""
    if not all(math.isfinite(gain) for gain in seen):
        raise UsageError("a gain is not a number", where=f"gains of {name!r}")
    if not seen:
        return NEVER
    if bounds is None:
        return _by_spread(seen)
    low, high = _checked(name, seen, bounds)
    return min(NEVER, math.exp(-log_capital(_shares(seen, low, high), -low / (high - low))))


def _low(seen: Sequence[float], chance: float, bounds: tuple[float, float] | None) -> float | None:
    """Where a one-sided interval begins that misses the true mean with this chance."""
    if bounds is not None:
        low, high = bounds
        if not seen:
            return low
        return low + (high - low) * lower_bound(_shares(seen, low, high), -math.log(chance))
    if len(seen) < 2 or 0.5 ** len(seen) > chance:
        return None
    mean, deviation, skew = _moments(seen)
    t = exceeded_by(chance, len(seen) - 1)
    return mean - deviation * max(_straight(t, skew, len(seen)), _straight(t, 0.0, len(seen)))


def _by_spread(seen: Sequence[float]) -> float:
    mean, deviation, skew = _moments(seen)
    least = 0.5 ** len(seen)
    if len(seen) < 2 or deviation == 0.0:
        return least if mean > 0 and len(seen) > 1 else NEVER
    distance = mean / deviation
    t = min(_skewed(distance, skew, len(seen)), _skewed(distance, 0.0, len(seen)))
    return max(least, above(t, len(seen) - 1))


def _moments(seen: Sequence[float]) -> tuple[float, float, float]:
    """Mean, standard deviation, skewness; reckoned in shares of the largest gain, for squares of what is
    tiny are 0 and of what is huge no number."""
    count = len(seen)
    largest = max(map(abs, seen), default=0.0) or 1.0
    shares = [gain / largest for gain in seen]
    mean = math.fsum(shares) / count
    squares = math.fsum((share - mean) ** 2 for share in shares)
    deviation = math.sqrt(squares / max(count - 1, 1))
    if deviation <= 1e-12 * abs(mean):
        return mean * largest, 0.0, 0.0
    cubes = math.fsum((share - mean) ** 3 for share in shares)
    return mean * largest, deviation * largest, cubes / count / (squares / count) ** 1.5


def _skewed(distance: float, skew: float, count: int) -> float:
    """Hall's transformation: a mean over its deviation, as a t that is free of skewness."""
    bent = distance + skew * distance**2 / 3.0 + skew**2 * distance**3 / 27.0
    return math.sqrt(count) * (bent + skew / (6.0 * count))


def _straight(t: float, skew: float, count: int) -> float:
    """The same backwards."""
    if abs(skew) < 1e-6:
        return t / math.sqrt(count)
    return 3.0 / skew * (math.cbrt(1.0 + skew * (t / math.sqrt(count) - skew / (6.0 * count))) - 1.0)


def _checked(name: str, seen: Sequence[float], bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if not low < 0.0 < high or min(seen) < low or max(seen) > high:
        raise UsageError(
            f"gains from {min(seen):g} to {max(seen):g} do not lie in [{low:g}, {high:g}]",
            where=f"gains of {name!r}",
            remedy="give bounds on both sides of 0 that hold all gains, or none",
        )
    return low, high


def _shares(seen: Sequence[float], low: float, high: float) -> Counter[float]:
    return Counter((gain - low) / (high - low) for gain in seen)
