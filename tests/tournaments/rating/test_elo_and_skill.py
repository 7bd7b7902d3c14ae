"""Elo and skill: known values, and that the order of games matters there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tournaments.rating.leagues import won
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.elo import expected, points_of, share_of, updated, walk
from windtunnel.tournaments.rating.skill import Match, skills, trueskill_pair

POINTS = st.floats(-4000, 4000)


@pytest.mark.parametrize(("ahead", "share"), [(0, 0.5), (100, 0.6401), (200, 0.7597), (400, 0.9091)])
def test_so_many_points_ahead_take_this_share(ahead, share):
    assert expected(1500 + ahead, 1500) == pytest.approx(share, abs=5e-5)


def test_1500_who_beats_1700_comes_to_1524():
    assert updated(1500, 1700, 1.0, k=32) == pytest.approx((1524.31, 1675.69), abs=0.005)


@given(POINTS, POINTS, st.sampled_from([0.0, 0.5, 1.0]))
def test_what_one_wins_the_other_loses(first, second, score):
    assert sum(updated(first, second, score)) == pytest.approx(first + second, abs=1e-6)
    assert expected(first, second) + expected(second, first) == pytest.approx(1.0)


@given(st.floats(-800, 800))
def test_points_and_shares_are_two_words_for_one_thing(points):
    assert points_of(share_of(points)) == pytest.approx(points, abs=1e-6)


def test_no_points_stand_for_a_share_of_everything():
    assert points_of(1.0) is None
    assert points_of(0.0) is None
    assert share_of(1e9) == 1.0


def test_a_walk_keeps_everyones_curve_with_the_number_of_each_game():
    found = walk(won("A", "B", 1, 0) + won("C", "B", 0, 1))
    assert found.games == {"A": (1,), "B": (1, 2), "C": (2,)}
    assert found.curves["B"][0] == 1484.0
    assert found.curves["B"][-1] == found.ratings["B"]
    assert sum(found.ratings.values()) == pytest.approx(4500.0)


def test_elo_depends_on_the_order_of_games():
    early, late = won("A", "B", 5, 0) + won("A", "B", 0, 5), won("A", "B", 0, 5) + won("A", "B", 5, 0)
    assert walk(early).ratings["A"] < walk(late).ratings["A"]


def test_two_who_win_together_have_the_known_skill():
    found = {one.player: one for one in skills([Match((("a", "b"), ("c", "d")), (1, 2))])}
    assert (found["a"].mean, found["a"].deviation) == (26.964294621803063, 8.177962604389991)
    assert found["b"].mean == found["a"].mean
    assert found["c"].mean < 25.0


def test_in_a_free_for_all_places_order_skills_and_ties_share_one():
    found = skills([Match((("a",), ("b",), ("c",), ("d",)), (1, 2, 2, 4))] * 5)
    means = {one.player: one.mean for one in found}
    assert found[0].player == "a"
    assert means["b"] == pytest.approx(means["c"], abs=0.3)
    assert means["a"] > means["b"] > means["d"]
    assert {one.matches for one in found} == {5}


def test_a_match_that_cannot_be_is_refused():
    for match in (
        Match((("a",),), (1,)),
        Match((("a",), ("b",)), (1,)),
        Match((("a",), ("a",)), (1, 2)),
        Match((("a",), ()), (1, 2)),
    ):
        with pytest.raises(UsageError):
            skills([match])


def test_trueskill_of_two_has_the_known_values():
    (up, sure), (down, as_sure) = trueskill_pair((25.0, 25 / 3), (30.0, 25 / 3))
    assert (up, down) == pytest.approx((30.768, 24.232), abs=0.0005)
    assert sure == as_sure == pytest.approx(7.030, abs=0.0005)
