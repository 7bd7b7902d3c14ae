"""From the metrics of a match to a score a seat, and from scores to points.

The default is 0.6 of the return and 0.4 of a Sharpe-like term, on one scale: the return as it is, and twice
the probability that the true Sharpe ratio is above nothing, less one, so that both are about -1 to 1. Added
up raw, a Sharpe ratio of 3 would drown every return.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from windtunnel.tournaments.model import Measure, Scoring, Seated

WEALTH = "wealth"
Moments = tuple[float, float, float, float]  # mean, deviation, skewness, kurtosis
Series = Mapping[str, Sequence[float]]  # metric -> its values, a period each


def seated(entrant: str, series: Series, scoring: Scoring, *, refused: int = 0) -> Seated:
    """One seat's match, without its points."""
    wealth = series.get(WEALTH, ())
    roi, returns = roi_of(wealth), returns_of(wealth)
    moments = _moments(returns)
    sharpe, sure = _sharpe(moments), _sure(moments, len(returns))
    if scoring.metrics:
        score = sum(_weighed(series, measure) for measure in scoring.metrics)
    elif roi is not None:
        score = scoring.roi * roi + scoring.sharpe * (2 * sure - 1)
    else:  # it began with nothing: there is no return on that, only what it has in the end
        score = wealth[-1] if wealth else 0.0
    finals = {name: values[-1] for name, values in series.items() if values}
    return Seated(entrant, score, roi=roi, sharpe=sharpe, sure=sure, metrics=finals, refused=refused)


def _weighed(series: Series, measure: Measure) -> float:
    values = series.get(measure.metric)
    if not values:
        return 0.0
    value = {
        "final": lambda: values[-1],
        "mean": lambda: math.fsum(values) / len(values),
        "sum": lambda: math.fsum(values),
        "least": lambda: min(values),
        "most": lambda: max(values),
    }[measure.of]()
    return measure.weight * (value if measure.better == "higher" else -value)


def in_words(scoring: Scoring) -> str:
    """What a match is won by."""
    if not scoring.metrics:
        return (
            f"the usual score ({scoring.roi:g} return on wealth, {scoring.sharpe:g} how sure that return is)"
        )
    return ", ".join(
        f"{one.metric} ({one.of}{', lower is better' if one.better == 'lower' else ''})"
        + (f" × {one.weight:g}" if one.weight != 1 else "")
        for one in scoring.metrics
    )


def roi_of(wealth: Sequence[float]) -> float | None:
    """What was gained over what was there; None where there was nothing to begin with."""
    if not wealth or wealth[0] <= 0:
        return None
    return wealth[-1] / wealth[0] - 1.0


def returns_of(wealth: Sequence[float]) -> list[float]:
    """Period by period, as far as there was anything to gain from."""
    found = []
    for before, after in pairwise(wealth):
        if before <= 0:
            break
        found.append(after / before - 1.0)
    return found


def sharpe_of(wealth: Sequence[float]) -> float:
    """Mean over deviation of the returns a period; 0 with fewer than two of them, or where none differs."""
    return _sharpe(_moments(returns_of(wealth)))


def _sharpe(moments: Moments | None) -> float:
    return moments[0] / moments[1] if moments else 0.0


def sure_of(wealth: Sequence[float]) -> float:
    """The probabilistic Sharpe ratio: how probable a true one above 0 is, given length, skew and tails."""
    returns = returns_of(wealth)
    return _sure(_moments(returns), len(returns))


def _sure(moments: Moments | None, count: int) -> float:
    if not moments:
        return 0.5
    mean, deviation, skew, kurtosis = moments
    return probabilistic_sharpe(mean / deviation, count, skew, kurtosis)


def probabilistic_sharpe(sharpe: float, count: int, skew: float = 0.0, kurtosis: float = 3.0) -> float:
    """`sharpe` is that of one period, `kurtosis` is 3 for a normal."""
    spread = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if count < 2 or spread <= 0:
        return 0.5
    return _normal(sharpe * math.sqrt(count - 1) / math.sqrt(spread))


def _moments(returns: Sequence[float]) -> Moments | None:
    count = len(returns)
    if count < 2:
        return None
    mean = math.fsum(returns) / count
    centred = [value - mean for value in returns]
    squares = [value * value for value in centred]
    variance = math.fsum(squares) / (count - 1)
    # Equal returns differ in their last bits: that is no risk, and nothing to divide by.
    if variance <= (1e-12 * max(1.0, abs(mean))) ** 2:
        return None
    population = variance * (count - 1) / count
    cubes = [square * value for square, value in zip(squares, centred, strict=True)]
    skew = math.fsum(cubes) / count / population**1.5
    kurtosis = math.fsum([square * square for square in squares]) / count / population**2
    return mean, math.sqrt(variance), skew, kurtosis


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def literal_composite(roi: float, sharpe: float) -> float:
    """The weights on the raw terms, units mixed: shown beside the score, never ranked by."""
    return 0.6 * roi + 0.4 * sharpe


def points_of(scores: Sequence[float], draw: float = 0.0) -> tuple[float, ...]:
    """The share of its opponents that each beat, half for a draw: 1, 0.5 and 0 where two met."""
    others = len(scores) - 1
    if others < 1:
        return (1.0,) * len(scores)
    return tuple(
        sum(_beats(mine, theirs, draw) for at, theirs in enumerate(scores) if at != me) / others
        for me, mine in enumerate(scores)
    )


def _beats(mine: float, theirs: float, draw: float) -> float:
    if abs(mine - theirs) <= draw:
        return 0.5
    return float(mine > theirs)
