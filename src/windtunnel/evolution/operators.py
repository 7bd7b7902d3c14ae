"""How a child differs from its parents: numbers within their bounds, choices among their options.

Every draw comes from the stream of chance that is handed in, so the same parents and the same stream make the
same child on every machine: numbers are rounded to what a person would write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windtunnel.chance import Chance
from windtunnel.evolution.model import Mutation
from windtunnel.strategies.model import Boolean, Bounds, Choice, Integer

Values = Mapping[str, Any]
Schema = Mapping[str, Bounds]
BLEND = 0.25  # how far beyond its parents a child of two may lie, in what is between them
DIGITS = 4


def mutated(values: Values, schema: Schema, luck: Chance, how: Mutation) -> dict[str, Any]:
    """Some of the values changed, one of them at least."""
    movable = [name for name, bounds in schema.items() if not _fixed(bounds)]
    chosen = {name for name in movable if luck.happens(how.rate)}
    if movable and not chosen:
        chosen = {luck.choice(movable)}
    return {
        name: _moved(value, schema[name], luck, how.step) if name in chosen else value
        for name, value in values.items()
    }


def crossed(one: Values, other: Values, schema: Schema, luck: Chance) -> dict[str, Any]:
    """Numbers from between the parents or a little beyond, everything else from either."""
    return {name: _between(one[name], other[name], schema[name], luck) for name in one}


def vector(values: Values, schema: Schema) -> list[float]:
    """Where the values lie within their bounds, each from 0 to 1: for telling how far two are apart."""
    return [_placed(values[name], bounds) for name, bounds in schema.items()]


def _fixed(bounds: Bounds) -> bool:
    if isinstance(bounds, Boolean):
        return False
    if isinstance(bounds, Choice):
        return len(bounds.options) < 2
    return bounds.minimum == bounds.maximum


def _moved(value: Any, bounds: Bounds, luck: Chance, step: float) -> Any:
    if isinstance(bounds, Boolean):
        return not value
    if isinstance(bounds, Choice):
        return luck.choice([one for one in bounds.options if type(one) is not type(value) or one != value])
    low, high = bounds.minimum, bounds.maximum
    moved = _reflected(value + luck.normal(0.0, step * (high - low)), low, high)
    if isinstance(bounds, Integer):
        whole = min(bounds.maximum, max(bounds.minimum, round(moved)))
        if whole != value:
            return whole
        return value + 1 if value < high and (value == low or luck.happens(0.5)) else value - 1
    return _rounded(moved, low, high)


def _between(one: Any, other: Any, bounds: Bounds, luck: Chance) -> Any:
    if isinstance(bounds, (Boolean, Choice)):
        return one if luck.happens(0.5) else other
    if one == other:
        return one
    mixed = one + luck.uniform(-BLEND, 1 + BLEND) * (other - one)
    if isinstance(bounds, Integer):
        return min(bounds.maximum, max(bounds.minimum, round(mixed)))
    return _rounded(mixed, bounds.minimum, bounds.maximum)


def _reflected(value: float, low: float, high: float) -> float:
    """Back inside where it would leave: a bound must not gather all who run against it."""
    if value < low:
        value = 2 * low - value
    elif value > high:
        value = 2 * high - value
    return min(high, max(low, value))


def _rounded(value: float, low: float, high: float) -> float:
    """To so many digits of the span. The last bits of logarithms differ from machine to machine."""
    unit = float(f"{(high - low) * 10.0**-DIGITS:.0e}")
    return min(high, max(low, float(f"{round(value / unit) * unit:.10g}")))


def _placed(value: Any, bounds: Bounds) -> float:
    if isinstance(bounds, Boolean):
        return float(value)
    if isinstance(bounds, Choice):
        at = [type(option) is type(value) and option == value for option in bounds.options].index(True)
        return at / max(1, len(bounds.options) - 1)
    span = bounds.maximum - bounds.minimum
    return (value - bounds.minimum) / span if span else 0.0
