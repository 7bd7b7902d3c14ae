"""What the economy adds to a run's report: its moments beside those of the data it was fitted to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from windtunnel.world import Reported, Section
from windtunnel.worlds.economy.calibration import moments as m

FITTED = Path(m.__file__).with_name("us_1960s.json")
SCENARIO = "economy/us_1960s"
SHORTEST = 20  # quarters below which moments mean nothing


def calibration(run: Reported) -> Section | None:
    """Only for the scenario that was fitted: this run and the interval over seeds, beside the data."""
    if run.scenario != SCENARIO:
        return None
    known = json.loads(FITTED.read_text())
    nation, skip = known["nation"], known["skip"]
    title = f"Beside the data: {_years(known)}"
    if run.turns < skip + SHORTEST:
        said = f"Moments need {skip} turns to settle and {SHORTEST} more to be counted: here are {run.turns}."
        return Section(title, (said,))
    own = m.moments(m.simulated(run.series[nation]).part(skip))
    names = [moment.name for moment in m.MOMENTS]
    rows = tuple(_row(moment, known["moments"][moment.name], own[moment.name]) for moment in m.MOMENTS)
    outside = tuple(at for at, name in enumerate(names) if not inside(known["moments"][name]))
    return Section(title, _words(known, len(outside)), COLUMNS, rows, outside)


COLUMNS = ("moment", "what it is", "data", "this run", "mean over seeds", "90 % of seeds", "the data lie")


def inside(found: Mapping[str, float]) -> bool:
    """Whether the data's moment lies where the middle ninety per cent of seeds do."""
    return found["low"] <= found["data"] <= found["high"]


def _row(moment: m.Moment, found: Mapping[str, float], own: float) -> tuple[Any, ...]:
    words = f"{moment.words}, {moment.unit}" if moment.unit else moment.words
    between = f"{found['low']:.2f} to {found['high']:.2f}"
    figures = (f"{found['data']:.2f}", f"{own:.2f}", f"{found['mean']:.2f}", between)
    return (moment.name, words, *figures, "inside" if inside(found) else "outside")


def _years(known: Mapping[str, Any]) -> str:
    return f"United States, {known['first']} to {known['last']}"


def _words(known: Mapping[str, Any], outside: int) -> tuple[str, ...]:
    count, seeds, skip = len(known["moments"]), known["seeds"], known["skip"]
    first = f"The moments of {seeds} seeds beside those of the data: FRED and the Bureau of Labor"
    second = (
        f"{count - outside} of {count} of the data's moments lie inside the middle 90 % of the seeds; the"
    )
    return (
        f"{first} Statistics, in statsmodels' public-domain macrodata. The first {skip} turns are left out.",
        f"{second} {outside} marked ones do not, and the README of the world says why.",
    )
