"""The gate for candidates: noise does not pass, a gain does, and the number tried counts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.correction import promote
from windtunnel.tournaments.rating.student import above, exceeded_by

NOISE = {
    "normal": lambda chance: chance.normal(),
    "pairs": lambda chance: chance.choice([-1.0, 0.0, 0.0, 1.0]),
    "lucky": lambda chance: chance.normal() ** 2 - 1.0,  # seldom a large gain
    "unlucky": lambda chance: 1.0 - chance.normal() ** 2,  # seldom a large loss
}


def passes(noise: str, gates: int, *, candidates: int = 6, blocks: int = 30, **how: object) -> float:
    """The share of gates that let anyone through, where nobody is better."""
    passed = 0
    for number in range(gates):
        chance = Chance("gate", noise, number)
        gains = {str(one): [NOISE[noise](chance) for _ in range(blocks)] for one in range(candidates)}
        passed += any(trial.promoted for trial in promote(gains, **how))  # type: ignore[arg-type]
    return passed / gates


@pytest.mark.parametrize("noise", ["normal", "pairs"])
def test_noise_seldom_passes_in_a_sample_of_gates(noise):
    assert passes(noise, 100, alpha=0.1) <= 0.1 + 2.5 * (0.1 * 0.9 / 100) ** 0.5


@pytest.mark.soak
@pytest.mark.parametrize("noise", ["normal", "pairs", "lucky"])
@pytest.mark.parametrize("method", ["holm", "bonferroni"])
def test_noise_passes_no_more_often_than_declared(noise, method):
    share = passes(noise, 2000, method=method)
    print(noise, method, share)
    assert share <= 0.05 + 2.5 * (0.05 * 0.95 / 2000) ** 0.5


@pytest.mark.soak
def test_seldom_large_losses_pass_more_often_than_declared_by_little():
    share = passes("unlucky", 2000, blocks=50)
    print(share)
    assert share <= 0.1


@pytest.mark.soak
def test_with_bounds_no_spread_passes_too_often():
    passed = 0
    for number in range(2000):
        chance = Chance("bounded", number)
        gains = {str(one): [-0.95 if chance.happens(0.05) else 0.05 for _ in range(30)] for one in range(6)}
        passed += any(trial.promoted for trial in promote(gains, bounds=(-1.0, 1.0)))
    print(passed / 2000)
    assert passed <= 0.05 * 2000


def test_a_clear_gain_passes_and_its_interval_leaves_none_out():
    chance = Chance("clear")
    gains = {
        "better": [0.5 + 0.5 * chance.normal() for _ in range(30)],
        "equal": [0.5 * chance.normal() for _ in range(30)],
    }
    better, equal = promote(gains)
    assert better.promoted
    assert better.low is not None
    assert 0.0 < better.low < better.gain
    assert not equal.promoted
    assert equal.low is not None
    assert equal.low < 0.0
    assert msgspec.json.decode(msgspec.json.encode(better), type=type(better)) == better


def test_bounded_gains_are_promoted_by_bets():
    (trial,) = promote({"a": [0.5, 0.0, 0.5, 1.0] * 10}, bounds=(-1.0, 1.0))
    assert trial.promoted
    assert trial.low is not None
    assert 0.0 < trial.low < 0.5


def test_who_was_tried_and_dropped_counts_too():
    gains = {"a": [0.4 + 0.9 * Chance("dropped").normals(25)[n] for n in range(25)]}
    alone, among = promote(gains)[0], promote(gains, tried=1000)[0]
    assert alone.promoted
    assert not among.promoted
    assert among.corrected == pytest.approx(min(1.0, 1000 * alone.chance))
    assert among.low is not None
    assert alone.low is not None
    assert among.low < 0.0 < alone.low


def test_holm_asks_less_of_the_second_than_bonferroni():
    base = [1.0, -0.4, 0.3, 0.8, -0.2, 0.6, 0.1, 0.9, -0.5, 0.7]
    gains = {"strong": [one + 3.0 for one in base], "fair": base}
    alpha = 1.5 * promote({"fair": base})[0].chance
    second = {
        method: promote(gains, method=method, alpha=alpha)[1].promoted for method in ("holm", "bonferroni")
    }
    assert second == {"holm": True, "bonferroni": False}


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e-9, 1.0, 1e160])
def test_the_unit_of_a_gain_makes_no_difference(unit):
    seen = [0.3, 0.1, 0.4, -0.1, 0.5, 0.9, 0.2, 0.6]
    (plain,) = promote({"one": seen})
    (scaled,) = promote({"one": [gain * unit for gain in seen]})
    assert scaled.chance == pytest.approx(plain.chance)
    assert plain.low is not None
    assert scaled.low == pytest.approx(plain.low * unit)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(-3, 3), min_size=0, max_size=12), min_size=1, max_size=4),
    st.sampled_from(["holm", "bonferroni"]),
    st.sampled_from([None, (-3.5, 4.0)]),
)
def test_an_interval_above_none_and_a_promotion_are_one(seen, method, bounds):
    for trial in promote(dict(zip("abcd", seen, strict=False)), method=method, bounds=bounds):
        if trial.low is None:
            assert not trial.promoted
        elif abs(trial.low) > 1e-9:
            assert trial.promoted == (trial.low > 0.0)


def test_the_same_gain_in_each_of_three_blocks_is_no_proof():
    (few,) = promote({"a": [1.0] * 3})
    assert not few.promoted
    assert few.chance == 0.125
    assert promote({"a": [1.0, 1.01, 0.99]})[0].chance == 0.125
    assert promote({"a": [1.0] * 5})[0].promoted
    assert not promote({"a": [1.0]})[0].promoted
    assert not promote({"a": []})[0].promoted


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(UsageError, match="tried"):
        promote({"a": [1.0], "b": [1.0]}, tried=1)
    with pytest.raises(UsageError, match="'a'"):
        promote({"a": [float("nan")]})
    with pytest.raises(UsageError, match="bounds"):
        promote({"a": [2.0]}, bounds=(-1.0, 1.0))


def test_students_t_has_the_known_values():
    assert exceeded_by(0.025, 10) == pytest.approx(2.228139, abs=1e-6)
    assert exceeded_by(0.025, 1) == pytest.approx(12.706205, abs=1e-5)
    assert exceeded_by(0.95, 4) == pytest.approx(-2.131847, abs=1e-6)
    assert above(1.959964, 1e7) == pytest.approx(0.025, abs=1e-6)
    assert above(0.0, 3) == pytest.approx(0.5)
