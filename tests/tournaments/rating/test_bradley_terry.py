"""The table: known values, what may not matter, and what is said where results set no maximum."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tournaments.rating.leagues import league, planted, won
from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.bradley_terry import rate, strengths
from windtunnel.tournaments.rating.games import Game

KNOWN = won("A", "B", 7, 3) + won("B", "C", 6, 4) + won("A", "C", 8, 2)

GAMES = st.lists(
    st.builds(
        lambda sides, score, block: Game(sides[0], sides[1], score, block),
        st.sampled_from([(a, b) for a in "abcd" for b in "abcd" if a != b]),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from([None, 1, 2, "x"]),
    ),
    min_size=1,
    max_size=25,
)


def test_three_players_have_the_known_ratings():
    assert strengths(KNOWN).ratings == pytest.approx({"A": 128.65, "B": -25.90, "C": -102.75}, abs=0.005)
    table = rate(KNOWN, resamples=50)
    assert [(one.player, one.points, one.games) for one in table.ratings] == [
        ("A", 15.0, 20),
        ("B", 9.0, 20),
        ("C", 6.0, 20),
    ]


def test_three_points_of_four_are_worth_191_points():
    assert rate(won("A", "B", 3, 1), resamples=20).difference("A", "B").points == pytest.approx(
        190.85, abs=0.005
    )


def test_a_tie_is_half_a_win_for_each():
    ties = strengths(won("A", "B", 5, 3, ties=4)).ratings
    assert ties == pytest.approx(strengths(won("A", "B", 7, 5)).ratings)


def test_a_game_says_the_same_from_either_seat():
    turned = [Game(game.second, game.first, 1.0 - game.score) for game in KNOWN]
    assert strengths(turned).ratings == pytest.approx(strengths(KNOWN).ratings)


@settings(max_examples=25, deadline=None)
@given(GAMES, st.randoms(use_true_random=False))
def test_the_order_of_games_does_not_matter(games, luck):
    mixed = list(games)
    luck.shuffle(mixed)
    assert rate(games, resamples=5) == rate(mixed, resamples=5)


@settings(max_examples=40, deadline=None)
@given(GAMES, st.booleans())
def test_ratings_add_up_to_nothing_and_mirrored_results_mirror_them(games, seats):
    found = strengths(games, seats=seats)
    assert sum(found.ratings.values()) == pytest.approx(0.0, abs=1e-6)
    assert all(math.isfinite(points) for points in found.ratings.values())
    mirrored = strengths(
        [msgspec.structs.replace(game, score=1.0 - game.score) for game in games], seats=seats
    )
    assert mirrored.ratings == pytest.approx(
        {name: -points for name, points in found.ratings.items()}, abs=1e-4
    )
    assert mirrored.bounded == found.bounded
    if found.seat is not None:
        assert mirrored.seat == pytest.approx(-found.seat, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(GAMES)
def test_every_interval_holds_its_rating_and_every_range_its_rank(games):
    table = rate(games, resamples=20)
    for rank, one in enumerate(table.ratings, 1):
        assert one.low < one.rating < one.high
        assert one.best <= rank <= one.worst
    for pair in table.differences:
        assert pair.joint_low <= pair.low <= pair.points <= pair.high <= pair.joint_high


def test_an_unbeaten_player_gets_a_finite_rating_that_is_said_to_be_unbounded():
    table = rate(won("A", "B", 12, 0) + won("B", "C", 5, 5), resamples=50)
    assert not table.bounded
    assert table.groups == (("A",), ("B", "C"))
    assert table.held == 50
    assert table.ratings[0].player == "A"
    assert 300 < table.ratings[0].rating < 800


def test_the_prior_is_used_only_where_the_maximum_does_not_exist():
    almost = strengths(won("A", "B", 999, 1))
    assert almost.bounded
    assert almost.ratings["A"] - almost.ratings["B"] == pytest.approx(400 * math.log10(999), abs=1e-6)


def test_three_wins_of_three_tell_nobody_apart_and_twenty_do():
    assert not rate(won("A", "B", 3, 0)).differences[0].apart
    assert rate(won("A", "B", 20, 0)).differences[0].apart


def test_groups_that_never_met_are_not_compared():
    table = rate(won("A", "B", 15, 5) + won("C", "D", 12, 8), resamples=50)
    assert table.groups == (("A", "B"), ("C", "D"))
    assert not table.difference("A", "C").apart


def test_a_player_without_games_stands_anywhere():
    table = rate(won("A", "B", 30, 1), players=["new"], resamples=200)
    (new,) = [one for one in table.ratings if one.player == "new"]
    assert (new.best, new.worst, new.games) == (1, 3, 0)


def test_two_seats_that_always_split_a_block_prove_no_equality():
    table = rate([Game("A", "B", 1.0, 1), Game("B", "A", 1.0, 1)])
    assert table.differences[0].points == pytest.approx(0.0, abs=1e-6)
    assert table.differences[0].high > 200


def test_blocks_that_repeat_themselves_are_not_taken_for_more():
    one = rate(KNOWN, seed=1, resamples=200)
    doubled = [Game(g.first, g.second, g.score, n) for n, g in enumerate(KNOWN)] * 2
    two = rate(doubled, seed=1, resamples=200)
    width = one.ratings[0].high - one.ratings[0].low
    assert two.ratings[0].high - two.ratings[0].low == pytest.approx(width, rel=0.15)
    alone = rate(KNOWN * 2, seed=1, resamples=200)  # as if they were twice as many
    assert alone.ratings[0].high - alone.ratings[0].low < 0.85 * width


def test_a_block_may_hold_games_of_many_pairs():
    games = [msgspec.structs.replace(game, block=number % 10) for number, game in enumerate(KNOWN)]
    together = rate(games, resamples=100)
    assert together.blocks == 10
    assert {one.player: one.rating for one in together.ratings} == pytest.approx(strengths(KNOWN).ratings)


def test_what_the_first_seat_is_worth_is_found_and_taken_out():
    chance = Chance("seats")
    truth = planted(chance, 5, 100.0)
    games = league(chance, truth, 40, seat=80.0)
    table = rate(games, seats=True, resamples=100)
    assert table.seat is not None
    assert table.seat.low < 80.0 < table.seat.high
    assert table.seat.low > 40.0
    always_first = [
        game for game in games if game.first < game.second
    ]  # unfair to those late in the alphabet
    fair, unfair = (strengths(always_first, seats=seats).ratings for seats in (True, False))
    assert error(fair, truth) < error(unfair, truth)


def error(found: dict[str, float], truth: dict[str, float]) -> float:
    return sum((found[name] - truth[name]) ** 2 for name in truth)


def test_a_seat_that_takes_every_game_is_held_by_the_prior():
    games = [Game(a, b, 1.0, block) for block in range(6) for a, b in (("A", "B"), ("B", "A"))]
    found = strengths(games, seats=True)
    assert not found.bounded
    assert found.seat is not None
    assert 200 < found.seat < 1000


def test_a_seat_that_only_one_player_ever_had_is_not_told_from_its_strength():
    found = strengths(won("A", "B", 8, 4), seats=True)
    assert not found.bounded
    assert found.seat is not None
    assert found.ratings["A"] > 0
    assert found.seat > 0


def test_the_same_seed_gives_the_same_intervals_and_another_gives_others():
    assert rate(KNOWN, seed=3, resamples=50) == rate(KNOWN, seed=3, resamples=50)
    assert rate(KNOWN, seed=3, resamples=50) != rate(KNOWN, seed=4, resamples=50)


def test_a_difference_reads_the_same_from_both_sides_and_goes_through_json():
    table = rate(KNOWN, resamples=50)
    there, back = table.difference("A", "C"), table.difference("C", "A")
    assert (there.low, there.joint_high) == (-back.high, -back.joint_low)
    assert json.loads(msgspec.json.encode(table))["ratings"][0]["player"] == "A"
    assert msgspec.json.decode(msgspec.json.encode(table), type=type(table)) == table
    with pytest.raises(UsageError, match="Z"):
        table.difference("A", "Z")


@pytest.mark.parametrize(
    ("games", "said"),
    [
        ([Game("A", "A", 1.0)], "itself"),
        ([Game("A", "B", 1.5)], "share"),
        ([Game("A", "B", math.nan)], "share"),
        ([], "fewer than two"),
    ],
)
def test_what_is_no_game_is_refused_by_its_number(games, said):
    with pytest.raises(UsageError, match=said):
        strengths(games)
