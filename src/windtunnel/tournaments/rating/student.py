"""Student's t, since NumPy has no distribution functions."""

from __future__ import annotations

import math
from functools import cache

TINY = 1e-300
TERMS = 300
HALVINGS = 100


def above(t: float, freedom: float) -> float:
    """The chance that Student's t with so many degrees of freedom exceeds `t`."""
    half = 0.5 * _incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
    return half if t >= 0 else 1.0 - half


@cache
def exceeded_by(chance: float, freedom: float) -> float:
    """The t that is exceeded with this chance."""
    if chance > 0.5:
        return -exceeded_by(1.0 - chance, freedom)
    low, high = 0.0, 1.0
    while above(high, freedom) > chance:
        low, high = high, high * 2.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if above(middle, freedom) > chance else (low, middle)
    return (low + high) / 2.0


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return front / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d₁/(1 + d₂/(1 + …)), evaluated forwards by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for term in range(1, TERMS):
        m = term // 2
        if term % 2:
            part = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            part = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / (1.0 + part * d or TINY)
        c = 1.0 + part / c or TINY
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value
