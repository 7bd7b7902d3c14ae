"""Curves as inline SVG: scaled, thinned, with axes whose numbers stay readable at any width.

The SVG is stretched to its box and its strokes are not; the numbers beside it are HTML. A long series is
thinned to the least and the greatest value of each stretch of turns, so that no spike is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from windtunnel.export.markup import attribute, number, text

MAX_POINTS = 2000
MAX_LINES = 8  # as many as the palette tells apart
TICKS = 4


class Curve(Struct):
    """One line: what it is called, its points, and its place in the palette."""

    label: str
    turns: Sequence[int]
    values: Sequence[float]
    colour: int = 0


class Chart(Struct):
    id: str
    title: str
    curves: list[Curve]
    note: str = ""


def thinned(
    turns: Sequence[int], values: Sequence[float], most: int = MAX_POINTS
) -> tuple[list[int], list[float]]:
    """At most `most` points, the first, the last and every extreme among them."""
    count = len(turns)
    if count <= most:
        return list(turns), list(values)
    buckets = max(1, (most - 2) // 2)
    kept = {0, count - 1}
    for bucket in range(buckets):
        start, end = bucket * count // buckets, (bucket + 1) * count // buckets
        stretch = range(start, end)
        kept.add(min(stretch, key=values.__getitem__))
        kept.add(max(stretch, key=values.__getitem__))
    places = sorted(kept)
    return [turns[place] for place in places], [values[place] for place in places]


def ticks(low: float, high: float, wanted: int = TICKS) -> list[float]:
    """Round numbers that cover low to high."""
    if not high > low:
        high, low = low + (abs(low) * 0.1 or 1.0), low - (abs(low) * 0.1 or 1.0)
    rough = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(place * step, 12) if abs(step) > 1e-9 else place * step for place in range(first, last + 1)]


def chart_markup(chart: Chart) -> str:
    """A chart that is whole without a script: lines, axes, legend with the last value of each line."""
    values = [value for curve in chart.curves for value in curve.values]
    turns = [turn for curve in chart.curves for turn in curve.turns]
    scale = ticks(min(values), max(values))
    low, high, first, last = scale[0], scale[-1], min(turns), max(turns)
    width = max(last - first, 1)

    def across(turn: float) -> float:
        return round((turn - first) / width * 1000, 1)

    def up(value: float) -> float:
        return round((1 - (value - low) / (high - low)) * 1000, 1)

    grid = "".join(f'<path class="grid" d="M0 {up(tick):g}H1000"/>' for tick in scale)
    if low < 0 < high:
        grid += f'<path class="zero" d="M0 {up(0):g}H1000"/>'
    paths = "".join(_path(curve, across, up) for curve in chart.curves)
    side = "".join(f'<span style="top:{up(tick) / 10:g}%">{number(tick)}</span>' for tick in scale)
    foot = "".join(
        f'<span style="left:{across(mark) / 10:g}%">{"turn " if mark == first else ""}{mark:,}</span>'
        for mark in _turn_marks(first, last)
    )
    box = f'data-low="{low!r}" data-high="{high!r}" data-first="{first}" data-last="{last}"'
    note = f'<p class="note">{text(chart.note)}</p>' if chart.note else ""
    return (
        f'<figure class="chart" id="{attribute(chart.id)}" {box}><figcaption><h3>{text(chart.title)}</h3>'
        f"</figcaption>{_legend(chart)}"
        f'<div class="frame"><div class="side" aria-hidden="true">{side}</div><div class="plot">'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        f'aria-label="{attribute(_spoken(chart))}">{grid}{paths}</svg></div>'
        f'<div class="foot" aria-hidden="true">{foot}</div></div>{note}</figure>'
    )


def _turn_marks(first: int, last: int) -> list[int]:
    """The first turn, and round numbers that keep away from it."""
    room = (last - first) * 0.12
    return [
        first,
        *(int(mark) for mark in ticks(first, last, 5) if first + room <= mark <= last and mark == int(mark)),
    ]


def _path(curve: Curve, across: Callable[[float], float], up: Callable[[float], float]) -> str:
    points = [
        f"{across(turn):g} {up(value):g}" for turn, value in zip(curve.turns, curve.values, strict=True)
    ]
    if len(points) == 1:  # one turn: a short dash that can be seen
        left, _, height = points[0].partition(" ")
        points = [f"{float(left) - 8:g} {height}", f"{float(left) + 8:g} {height}"]
    return f'<path class="line c{curve.colour}" d="M{"L".join(points)}"/>'


def _legend(chart: Chart) -> str:
    if len(chart.curves) == 1:
        curve = chart.curves[0]
        return f'<p class="legend"><span class="item"><b>{number(curve.values[-1])}</b> at the end</span></p>'
    items = "".join(
        f'<span class="item"><svg class="key" viewBox="0 0 24 8" aria-hidden="true">'
        f'<path class="line c{curve.colour}" d="M1 4H23"/></svg>'
        f"{text(curve.label)} <b>{number(curve.values[-1])}</b></span>"
        for curve in chart.curves
    )
    return f'<p class="legend">{items}</p>'


def _spoken(chart: Chart) -> str:
    parts = [
        f"{curve.label}: from {number(curve.values[0])} in turn {curve.turns[0]} "
        f"to {number(curve.values[-1])} in turn {curve.turns[-1]}"
        for curve in chart.curves
    ]
    return f"{chart.title}. " + "; ".join(parts)
