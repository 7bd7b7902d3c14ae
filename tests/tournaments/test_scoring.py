"""From wealth to a score: returns, a Sharpe-like term on one scale with them, and points."""

from __future__ import annotations

import math
import random

import pytest

from windtunnel.tournaments.model import Measure, Scoring
from windtunnel.tournaments.scoring import (
    points_of,
    probabilistic_sharpe,
    roi_of,
    seated,
    sharpe_of,
    sure_of,
)


def test_an_annual_sharpe_ratio_of_one_is_sure_to_84_percent_after_a_year_of_days() -> None:
    assert probabilistic_sharpe(1 / math.sqrt(252), 253) == pytest.approx(0.841, abs=5e-4)


def test_no_variance_and_too_few_returns_are_no_sharpe_ratio() -> None:
    assert sharpe_of([100, 110, 121, 133.1]) == 0.0  # the same return each time
    assert sharpe_of([100, 110]) == 0.0
    assert sure_of([100, 110]) == 0.5


def test_long_tails_and_a_skew_to_the_left_make_a_ratio_less_sure() -> None:
    plain = probabilistic_sharpe(0.2, 60)
    assert probabilistic_sharpe(0.2, 60, skew=-2.0, kurtosis=9.0) < plain < probabilistic_sharpe(0.2, 200)


def test_the_score_of_one_seat_is_its_return_and_how_sure_that_is() -> None:
    wealth = [100.0, 104.0, 103.0, 109.0, 112.0]
    one = seated("dove", {"wealth": wealth}, Scoring())
    assert one.roi == pytest.approx(0.12)
    assert one.score == pytest.approx(0.6 * 0.12 + 0.4 * (2 * sure_of(wealth) - 1))
    assert one.metrics == {"wealth": 112.0}


def test_both_terms_stay_within_one_scale_where_the_raw_ones_do_not() -> None:
    luck = random.Random(4)
    wealth = [100.0]
    for _ in range(60):
        wealth.append(wealth[-1] * (1.01 + luck.gauss(0, 0.002)))
    one = seated("steady gains", {"wealth": wealth}, Scoring())
    assert one.sharpe is not None
    assert one.sharpe > 3
    assert one.score is not None
    assert one.score <= 0.6 * (one.roi or 0) + 0.4


def test_who_began_with_nothing_is_scored_by_what_it_has() -> None:
    one = seated("pauper", {"wealth": [0.0, 3.0, 7.0]}, Scoring())
    assert (one.roi, one.score) == (None, 7.0)


def test_any_metric_may_be_what_counts() -> None:
    series = {"wealth": [1.0, 2.0], "losses": [4.0, 2.0, 6.0]}
    for of, wanted in (("final", 6.0), ("mean", 4.0), ("sum", 12.0), ("least", 2.0), ("most", 6.0)):
        scoring = Scoring((Measure("losses", of, weight=2.0, better="lower"),))  # type: ignore[arg-type]
        assert seated("x", series, scoring).score == -2 * wanted


@pytest.mark.parametrize(
    ("scores", "draw", "points"),
    [
        ((3.0, 1.0), 0.0, (1.0, 0.0)),
        ((1.0, 1.0), 0.0, (0.5, 0.5)),
        ((1.0, 1.2), 0.3, (0.5, 0.5)),
        ((9.0, 5.0, 5.0, 1.0), 0.0, (1.0, 0.5, 0.5, 0.0)),
        ((2.0,), 0.0, (1.0,)),
    ],
)
def test_points_are_the_share_of_opponents_beaten(
    scores: tuple[float, ...], draw: float, points: tuple[float, ...]
) -> None:
    assert points_of(scores, draw) == pytest.approx(points)


def test_ruin_ends_the_returns_and_not_the_run() -> None:
    wealth = [100.0, 50.0, 0.0, 20.0]
    assert roi_of(wealth) == pytest.approx(-0.8)
    assert math.isfinite(sharpe_of(wealth))
