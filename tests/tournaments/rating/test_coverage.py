"""What intervals promise, over leagues whose truth is known. The full counts are for ./dev soak."""

from __future__ import annotations

import pytest

from tests.tournaments.rating.leagues import league, planted
from windtunnel.chance import Chance
from windtunnel.tournaments.rating.bradley_terry import Ratings, rate, strengths

SAMPLE, FULL = 40, 500

# players, spread in Elo points, rounds, how often the luck of a seed goes with the seat
LEAGUES = {
    "few blocks": (4, 80.0, 4, 0.3),
    "a league": (8, 120.0, 5, 0.7),
    "one round": (12, 120.0, 1, 0.3),
    "independent": (6, 120.0, 8, 0.0),
    "a pair": (2, 60.0, 20, 0.0),
}


def rated(
    name: str, number: int, *, spread: float | None = None, resamples: int
) -> tuple[dict[str, float], Ratings]:
    players, usual, rounds, shared = LEAGUES[name]
    chance = Chance("league", name, number)
    truth = planted(chance, players, usual if spread is None else spread)
    games = league(chance, truth, rounds, shared=shared)
    return truth, rate(games, resamples=resamples, seed=number)


def coverage(name: str, leagues: int, resamples: int) -> tuple[float, float, float]:
    """The shares of ratings, of differences, and of whole tables (all pairs at once) that hold the truth."""
    ratings, pairs, tables = [], [], []
    for number in range(leagues):
        truth, table = rated(name, number, resamples=resamples)
        ratings += [one.low <= truth[one.player] <= one.high for one in table.ratings]
        gaps = [(pair, truth[pair.first] - truth[pair.second]) for pair in table.differences]
        pairs += [pair.low <= gap <= pair.high for pair, gap in gaps]
        tables.append(all(pair.joint_low <= gap <= pair.joint_high for pair, gap in gaps))
    return sum(ratings) / len(ratings), sum(pairs) / len(pairs), sum(tables) / len(tables)


def test_intervals_hold_the_truth_in_a_sample_of_leagues():
    ratings, pairs, tables = coverage("a league", SAMPLE, 199)
    assert 0.89 <= ratings <= 0.99
    assert 0.89 <= pairs <= 0.99
    assert tables >= 0.8


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(LEAGUES))
def test_95_percent_intervals_hold_the_truth_93_to_97_percent_of_the_time(name):
    ratings, pairs, tables = coverage(name, FULL, 1000)
    print(name, ratings, pairs, tables)
    assert 0.93 <= ratings <= 0.97
    assert 0.925 <= pairs <= 0.975
    assert tables >= 0.925


def told_apart(name: str, leagues: int, resamples: int) -> float:
    """The share of leagues of equals in which any two are told apart."""
    tables = (rated(name, number, spread=0.0, resamples=resamples)[1] for number in range(leagues))
    return sum(any(one.best > 1 for one in table.ratings) for table in tables) / leagues


@pytest.mark.slow
def test_equals_are_seldom_told_apart_in_a_sample_of_leagues():
    assert told_apart("independent", SAMPLE, 199) <= 0.2


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(LEAGUES))
def test_equals_are_told_apart_no_more_often_than_declared(name):
    share = told_apart(name, FULL, 1000)
    print(name, share)
    assert share <= 0.05 + 2.5 * (0.05 * 0.95 / FULL) ** 0.5


def test_a_planted_order_is_recovered():
    truth = {f"s{number}": 150.0 * (3 - number) for number in range(8)}
    games = league(Chance("planted"), truth, 30)
    found = strengths(games).ratings
    assert sorted(found, key=lambda name: -found[name]) == list(truth)
    table = rate(games, resamples=100)
    assert [one.player for one in table.ratings] == list(truth)
    ranks = [(one.best, one.worst) for one in table.ratings]
    assert (ranks[0], ranks[-1]) == ((1, 1), (8, 8))
    assert all(rank in range(best, worst + 1) for rank, (best, worst) in enumerate(ranks, 1))
    assert all(worst - best <= 1 for best, worst in ranks)
