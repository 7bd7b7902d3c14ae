"""The moments by which simulated quarters are compared with recorded ones.

Both sides go through the same function, which knows nothing of where its columns come from. What is compared
is what the literature compares (growth, volatility, co-movement, Okun, Phillips), with words for a report.
Logarithms are natural; shares and rates are per cent; four quarters back is a year.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Series = NDArray[np.float64]
YEAR = 4  # quarters
DATA = Path(__file__).with_name("us_1959_2009.csv")


class Quarters(Struct, frozen=True):
    """Quarterly columns of one economy, from whatever source: levels in real terms, the level of prices,
    the short rate in per cent a year, unemployment in per cent."""

    gdp: Series
    consumption: Series
    investment: Series
    prices: Series
    rate: Series
    unemployment: Series

    def part(self, begin: int, end: int | None = None) -> Quarters:
        return Quarters(*(getattr(self, name)[begin:end] for name in self.__struct_fields__))


class Moment(Struct, frozen=True):
    name: str
    words: str
    of: Callable[[Quarters], float]
    unit: str = ""


def recorded(first: str, last: str) -> Quarters:
    """The United States from a quarter to another, both included, such as 1960Q1 to 1969Q4."""
    with DATA.open(newline="") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    places = {row["quarter"]: place for place, row in enumerate(rows)}
    chosen = rows[places[first] : places[last] + 1]
    return Quarters(*(np.array([float(row[name]) for row in chosen]) for name in Quarters.__struct_fields__))


def simulated(columns: Mapping[str, Iterable[float]]) -> Quarters:
    """A run's metrics of one nation, as the engine reports them: inflation in the quarter and unemployment as
    shares, the policy rate as a share a quarter."""
    found = {name: np.array(list(values), dtype=float) for name, values in columns.items()}
    return Quarters(
        found["gdp"],
        found["consumption"],
        found["investment"],
        np.asarray(np.cumprod(1.0 + found["inflation"]), np.float64),
        ((1.0 + found["rate"]) ** YEAR - 1.0) * 100.0,
        found["unemployment"] * 100.0,
    )


# --- what is measured ---------------------------------------------------------------------------------


def growth(level: Series, quarters: int = 1) -> Series:
    """Per cent over so many quarters."""
    logs: Series = np.log(level)
    return (logs[quarters:] - logs[:-quarters]) * 100.0


def correlation(x: Series, y: Series) -> float:
    if x.std() == 0.0 or y.std() == 0.0:
        return 0.0  # nothing moves with what does not move
    return float(np.corrcoef(x, y)[0, 1])


def slope(x: Series, y: Series) -> float:
    spread = float(np.square(x - x.mean()).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread else 0.0


def change(x: Series) -> Series:
    return x[YEAR:] - x[:-YEAR]


def _ratio(x: Series, y: Series) -> float:
    return float(x.std() / y.std()) if y.std() else 0.0


def _inflation(q: Quarters) -> Series:
    return growth(q.prices, YEAR)


MOMENTS: tuple[Moment, ...] = (
    Moment("growth", "growth of output", lambda q: float(growth(q.gdp).mean()) * YEAR, "% a year"),
    Moment("growth sd", "its volatility", lambda q: float(growth(q.gdp).std()), "% a quarter"),
    Moment(
        "growth persistence",
        "correlation of growth with last quarter's",
        lambda q: correlation(growth(q.gdp)[1:], growth(q.gdp)[:-1]),
    ),
    Moment(
        "consumption sd",
        "volatility of consumption, relative to output",
        lambda q: _ratio(growth(q.consumption), growth(q.gdp)),
    ),
    Moment(
        "investment sd",
        "volatility of investment, relative to output",
        lambda q: _ratio(growth(q.investment), growth(q.gdp)),
    ),
    Moment(
        "investment and output",
        "correlation of their growth",
        lambda q: correlation(growth(q.investment), growth(q.gdp)),
    ),
    Moment("inflation", "over four quarters", lambda q: float(_inflation(q).mean()), "% a year"),
    Moment("inflation sd", "its volatility", lambda q: float(_inflation(q).std()), "% a year"),
    Moment("unemployment", "share of the labour force", lambda q: float(q.unemployment.mean()), "%"),
    Moment("unemployment sd", "its volatility", lambda q: float(q.unemployment.std()), "%"),
    Moment(
        "Okun",
        "correlation of four-quarter growth with the change of unemployment",
        lambda q: correlation(growth(q.gdp, YEAR), change(q.unemployment)),
    ),
    Moment(
        "Okun slope",
        "points of unemployment for a point of growth",
        lambda q: slope(growth(q.gdp, YEAR), change(q.unemployment)),
    ),
    Moment(
        "Phillips",
        "correlation of unemployment with inflation",
        lambda q: correlation(q.unemployment[YEAR:], _inflation(q)),
    ),
    Moment(
        "Phillips, accelerationist",
        "correlation of unemployment with the change of inflation",
        lambda q: correlation(q.unemployment[2 * YEAR :], change(_inflation(q))),
    ),
    Moment("rate", "the short rate", lambda q: float(q.rate.mean()), "% a year"),
    Moment(
        "rate and inflation",
        "correlation of the short rate with inflation",
        lambda q: correlation(q.rate[YEAR:], _inflation(q)),
    ),
)


def moments(quarters: Quarters) -> dict[str, float]:
    return {moment.name: moment.of(quarters) for moment in MOMENTS}
