"""A duel that stops when it knows: what it says, how seldom it is wrong, and how long it takes."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.elo import share_of
from windtunnel.tournaments.rating.games import Floats
from windtunnel.tournaments.rating.sequential import Duel, Rules, expected_pairs, play_out

SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])

# Pairs of equals: shares of the points, with how often each comes; the mean is one half in all of them.
EQUALS = {
    "two fair games": {0.0: 0.25, 0.5: 0.5, 1.0: 0.25},
    "ties": {0.0: 0.05, 0.5: 0.9, 1.0: 0.05},
    "seldom much": {1.0: 0.1, 4 / 9: 0.9},
    "seldom nothing": {0.0: 0.1, 5 / 9: 0.9},
    "all or nothing": {0.0: 0.5, 1.0: 0.5},
}


def drawn(spread: dict[float, float], duels: int, pairs: int, *key: object) -> Floats:
    edges = np.cumsum(list(spread.values()))[:-1]
    places = np.searchsorted(edges, Chance("duels", *key).randoms(duels * pairs), side="right")
    return np.array(list(spread))[places].reshape(duels, pairs)


def false_alarms(name: str, duels: int, pairs: int) -> float:
    verdicts, _ = play_out(drawn(EQUALS[name], duels, pairs, name), Rules(limit=pairs))
    return sum(verdict in {"better", "worse"} for verdict in verdicts) / duels


@pytest.mark.parametrize("name", sorted(EQUALS))
def test_equals_seldom_raise_an_alarm_in_a_sample_of_duels(name):
    assert false_alarms(name, 200, 300) <= 0.05 + 2.5 * (0.05 * 0.95 / 200) ** 0.5


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(EQUALS))
def test_equals_raise_an_alarm_no_more_often_than_alpha(name):
    share = false_alarms(name, 2000, 2000)
    print(name, share)
    assert share <= 0.05


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_as_large_as_the_margin_is_seldom_called_none(sign):
    rules = Rules(margin=60.0, limit=300)
    share = share_of(sign * 60.0)
    verdicts, _ = play_out(drawn({0.0: 1 - share, 1.0: share}, 200, 300, "margin", sign), rules)
    assert sum(verdict == "no difference" for verdict in verdicts) <= 200 * 0.05


def test_equals_that_mostly_tie_are_found_to_be_equal():
    verdicts, pairs = play_out(drawn(EQUALS["ties"], 50, 1000, "equal"), Rules(margin=60.0))
    assert verdicts.count("no difference") >= 45
    assert pairs.mean() < 500


@settings(max_examples=25, deadline=None)
@given(st.lists(SHARES, min_size=1, max_size=40), st.sampled_from([0.0, 40.0, 200.0]))
def test_one_at_a_time_and_all_at_once_agree(shares, margin):
    rules = Rules(alpha=0.2, margin=margin, limit=len(shares))
    duel = Duel(rules)
    for share in shares:
        if duel.add(share) is not None:
            break
    verdicts, pairs = play_out(np.array([shares]), rules)
    assert (verdicts[0], pairs[0]) == (duel.verdict() or "not known", duel.pairs)


@settings(max_examples=25, deadline=None)
@given(st.lists(SHARES, min_size=1, max_size=60))
def test_seen_from_the_other_side_a_duel_is_mirrored(shares):
    ours, theirs = Duel(), Duel()
    for share in shares:
        ours.add(share)
        theirs.add(1.0 - share)
    mirror = {"better": "worse", "worse": "better"}
    verdict = theirs.verdict()
    assert ours.verdict() == (mirror.get(verdict, verdict) if verdict else None)
    mine, other = ours.estimate(), theirs.estimate()
    assert (mine.low, mine.high) == pytest.approx((1.0 - other.high, 1.0 - other.low), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(SHARES, min_size=1, max_size=60))
def test_the_interval_holds_the_share_and_leaves_even_out_when_it_is_known(shares):
    duel = Duel(Rules(margin=0.0))
    for share in shares:
        duel.add(share)
    seen = duel.estimate()
    assert seen.low <= seen.share <= seen.high
    assert (seen.low > 0.5, seen.high < 0.5) == (duel.verdict() == "better", duel.verdict() == "worse")


def test_the_interval_holds_the_truth_whenever_one_looks():
    truth, missed = 0.6, 0
    for row in drawn({0.0: 0.2, 0.5: 0.4, 1.0: 0.4}, 30, 40, "looks"):
        duel = Duel(Rules(margin=0.0))
        outside = False
        for share in row:
            duel.add(float(share))
            if duel.pairs % 8 == 0:
                outside |= not duel.estimate().low <= truth <= duel.estimate().high
        missed += outside
    assert missed <= 4


def test_a_winner_of_everything_has_no_upper_end():
    duel = Duel()
    while duel.add(1.0) is None:
        pass
    assert duel.verdict() == "better"
    assert duel.pairs < 15
    seen = duel.estimate()
    assert (seen.elo, seen.elo_high) == (None, None)
    assert seen.elo_low is not None
    assert seen.elo_low > 0
    assert msgspec.json.decode(msgspec.json.encode(seen), type=type(seen)) == seen


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_the_capital_that_proves_is_forty_at_five_percent(share):
    stakes = [0.95 / 1.6**number for number in range(10)]
    first = next(
        n for n in range(1, 30) if sum((1 - stake + 2 * stake * share) ** n for stake in stakes) / 10 >= 40
    )
    _, pairs = play_out(np.full((1, 30), share), Rules(margin=0.0))
    assert pairs[0] == first


def test_at_its_limit_a_duel_says_that_it_does_not_know():
    duel = Duel(Rules(limit=3))
    assert [duel.add(share) for share in (0.5, 0.0, 1.0)] == [None, None, "not known"]


def test_what_is_no_pair_and_no_rule_is_refused():
    for share, difference in ((1.5, None), (float("nan"), None), (0.5, float("inf"))):
        with pytest.raises(UsageError, match="pair 1"):
            Duel().add(share, difference)
    for rules in (Rules(alpha=0.0), Rules(margin=-1.0), Rules(limit=0), Rules(margin=1e9)):
        with pytest.raises(UsageError):
            Duel(rules)


@pytest.mark.parametrize(("elo", "ties"), [(100.0, 0.0), (150.0, 0.3)])
def test_duels_take_about_as_many_pairs_as_was_expected(elo, ties):
    rules = Rules(limit=400)
    expected = expected_pairs(elo, rules, ties=ties)
    share = share_of(elo)
    won, taken = share - ties / 2, []
    for number in range(40):
        chance, duel = Chance("fought", elo, number), Duel(rules)
        verdict = None
        while verdict is None:
            luck = chance.random(), chance.random()
            verdict = duel.add(sum((one < won) + (one < won + ties) for one in luck) / 4)
        taken.append(duel.pairs)
    assert sum(taken) / len(taken) == pytest.approx(expected.mean, rel=0.25)
    assert expected.median <= expected.mean <= expected.most
    assert expected.verdicts["better"] > 0.95


def test_a_larger_difference_is_found_sooner():
    pairs = [expected_pairs(elo, Rules(limit=300), duels=100).mean for elo in (80.0, 160.0, 320.0)]
    assert pairs == sorted(pairs, reverse=True)
    assert expected_pairs(-160.0, Rules(limit=300), duels=100).verdicts["worse"] > 0.95


@pytest.mark.parametrize("skewed", [False, True])
def test_the_score_difference_is_held_whenever_one_looks(skewed):
    missed = 0
    for number in range(40):
        chance, duel, outside = Chance("scores", number, skewed), Duel(), False
        for pair in range(1, 91):
            luck = chance.normal()
            duel.add(0.5, 2.0 + (luck * luck - 1.0 if skewed else 3.0 * luck))
            if pair >= 20 and pair % 10 == 0:
                seen = duel.score_difference()
                assert seen is not None
                assert seen.low is not None
                assert seen.high is not None
                outside |= not seen.low <= 2.0 <= seen.high
        missed += outside
    assert missed <= (6 if skewed else 4)


def test_few_scores_have_a_mean_and_no_interval():
    duel = Duel()
    assert duel.score_difference() is None
    duel.add(0.5, 4.0)
    seen = duel.score_difference()
    assert seen is not None
    assert (seen.mean, seen.low, seen.high) == (4.0, None, None)
