"""Streams of chance: fixed for ever, fair, and nobody's luck depends on anybody else's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.chance import Chance

KEY = (7, 0, 3, "alice", "deck")
GOLDEN_BITS = [11966539594292262745, 7479816783730542014, 16588401548764257860]
GOLDEN_WORDS = [11470895441174534747, 3828538978374004599, 14947454981930611296]


def test_the_draws_of_a_stream_are_fixed_for_ever() -> None:
    # A journal recorded today must replay in ten years: these values may never change.
    stream = Chance(*KEY)
    assert [stream.bits() for _ in range(3)] == GOLDEN_BITS
    assert Chance(*KEY).words(3).tolist() == GOLDEN_WORDS


def test_the_same_name_is_the_same_luck_and_another_is_another() -> None:
    assert Chance(*KEY).random() == Chance(*KEY).random()
    others = {Chance(8, 0, 3, "alice", "deck").bits(), Chance(7, 1, 3, "alice", "deck").bits(),
              Chance(7, 0, 4, "alice", "deck").bits(), Chance(7, 0, 3, "bob", "deck").bits(),
              Chance(7, 0, 3, "alice").bits(), Chance(7, 0, 3, ("alice", "deck")).bits(),
              Chance(7, 0, "3", "alice", "deck").bits(), Chance(*KEY).bits()}  # fmt: skip
    assert len(others) == 8


def test_luck_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = f"from windtunnel.chance import Chance; print(Chance{KEY!r}.bits())"
    for seed in ("0", "1"):
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": "src"}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
        assert int(done.stdout) == Chance(*KEY).bits()


def test_scalars_and_arrays_of_one_stream_do_not_repeat_each_other() -> None:
    stream = Chance(*KEY)
    first, second = stream.words(100), stream.words(100)
    assert len({*first.tolist(), *second.tolist()}) == 200


@given(st.integers(1, 2**64), st.integers(0, 1000))
def test_below_stays_below(bound: int, seed: int) -> None:
    assert 0 <= Chance(seed).below(bound) < bound


def test_below_is_fair() -> None:
    stream = Chance(1)
    counts = np.bincount([stream.below(6) for _ in range(6000)], minlength=6)
    chi_square = ((counts - 1000) ** 2 / 1000).sum()
    assert chi_square < 20.5  # 99.9% of fair dice


def test_integers_are_fair_and_in_range() -> None:
    draws = Chance(2).integers(10, 100_000)
    assert draws.min() == 0
    assert draws.max() == 9
    assert ((np.bincount(draws) - 10_000) ** 2 / 10_000).sum() < 27.9


def test_normals_have_mean_zero_and_deviation_one() -> None:
    draws = Chance(3).normals(100_001)
    assert draws.shape == (100_001,)
    assert abs(draws.mean()) < 0.015
    assert abs(draws.std() - 1) < 0.015
    stream = Chance(4)
    singles = np.array([stream.normal(5, 2) for _ in range(4000)])
    assert abs(singles.mean() - 5) < 0.15
    assert abs(singles.std() - 2) < 0.1


def test_shuffles_and_permutations_keep_everyone() -> None:
    items = list(range(50))
    shuffled = Chance(5).shuffled(items)
    assert sorted(shuffled) == items
    assert shuffled != items
    assert sorted(Chance(5).permutation(50).tolist()) == items


def test_randoms_lie_in_the_unit_interval() -> None:
    draws = Chance(6).randoms(10_000)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 0.02


@pytest.mark.parametrize("bound", [0, -1, 2**64 + 1])
def test_an_impossible_bound_is_an_error(bound: int) -> None:
    with pytest.raises(ValueError, match="bound"):
        Chance(1).below(bound)


def test_a_choice_from_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Chance(1).choice([])


def test_a_name_means_the_same_whatever_library_its_numbers_come_from() -> None:
    assert Chance(7, np.int64(3)).bits() == Chance(7, 3).bits()
    assert Chance(7, (np.int64(3), "a")).bits() == Chance(7, (3, "a")).bits()


def test_a_thing_without_a_lasting_name_cannot_name_a_stream() -> None:
    with pytest.raises(TypeError, match="text and numbers"):
        Chance(7, object())
