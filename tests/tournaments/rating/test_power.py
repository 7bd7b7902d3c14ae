"""How much a number of games tells."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.elo import share_of
from windtunnel.tournaments.rating.power import (
    difference_told,
    games_to_tell,
    sentence,
    wilson,
)


def test_seven_of_ten_have_the_known_interval():
    found = wilson(7, 10)
    assert (found.low, found.high) == pytest.approx((0.397, 0.892), abs=0.0005)


@given(st.integers(1, 200), st.floats(0, 1))
def test_an_interval_holds_its_share_and_mirrors(games, share):
    found, other = wilson(share * games, games), wilson((1 - share) * games, games)
    assert 0.0 <= found.low <= share + 1e-9
    assert share - 1e-9 <= found.high <= 1.0
    assert found.low == pytest.approx(1.0 - other.high, abs=1e-9)


def test_nothing_won_of_nothing_is_refused():
    for points, games in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(UsageError):
            wilson(points, games)


def test_fifty_points_take_184_games_for_even_odds_and_382_for_four_in_five():
    assert games_to_tell(50, power=0.5) == 184
    assert games_to_tell(50) == games_to_tell(-50) == 382
    with pytest.raises(UsageError):
        games_to_tell(0)


@pytest.mark.parametrize(("elo", "power"), [(50, 0.5), (50, 0.8), (120, 0.9), (300, 0.8)])
def test_so_many_games_are_seen_to_have_that_power(elo, power):
    games, duels = games_to_tell(elo, power=power), 600
    won = (Chance("power", elo).randoms(games * duels) < share_of(elo)).reshape(duels, games).sum(axis=1)
    seen = sum(plain_low(int(wins), games) > 0.5 for wins in won) / duels
    assert seen == pytest.approx(power, abs=0.07)


def plain_low(wins: int, games: int) -> float:
    share = wins / games
    return share - 1.959964 * math.sqrt(share * (1 - share) / games)


@given(st.integers(30, 5000), st.sampled_from([0.5, 0.8, 0.95]))
def test_what_games_tell_takes_those_games(games, power):
    told = difference_told(games, power=power)
    assert told is not None
    assert games_to_tell(told, power=power) == pytest.approx(games, abs=1)


def test_three_games_tell_no_difference_at_all():
    assert difference_told(3) is None
    assert difference_told(0) is None


def test_the_sentence_says_both_odds_and_counts_ties():
    assert "382 decisive games" in sentence(50)
    assert "184 for even odds" in sentence(50)
    assert "546 games" in sentence(50, ties=0.3)
