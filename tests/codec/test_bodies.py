"""Bodies are JSON a person can read, and nothing unfit gets in."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windtunnel.codec import body_decoder, decode_body, encode_body, encode_seen, find_unfit
from windtunnel.errors import CodecError


class Part(msgspec.Struct):
    rate: float
    tags: list[str] = msgspec.field(default_factory=list)


class Crowd(msgspec.Struct):
    who: np.ndarray


UNFIT: list[tuple[Any, str]] = [
    (float("nan"), "the value is nan"),
    ({"a": [{"b": float("inf")}]}, "a[0].b is inf"),
    (Part(float("-inf")), "rate is -inf"),
    (10**30, "beyond 64 bits"),
    ({"n": -(2**63) - 1}, "n is an integer beyond 64 bits"),
    ({"x": 2**63}, "x is an integer beyond 64 bits"),
    ({"x": "\ud800"}, "lone surrogate"),
    ({"x": np.array([1.0, np.nan])}, "NaN or an infinity"),
    ({"x": np.float64("nan")}, "x is nan"),
    (lambda: None, "cannot be recorded"),
    ({"x": object()}, "cannot be recorded"),
    ({"x": np.array([object()])}, "cannot be recorded"),
]


@pytest.mark.parametrize(("value", "words"), UNFIT, ids=[words for _, words in UNFIT])
def test_what_is_unfit_is_refused_by_name(value: Any, words: str) -> None:
    with pytest.raises(CodecError) as refused:
        encode_body(value)
    assert words in refused.value.message


def test_deep_nesting_is_refused_and_does_not_overflow_the_stack() -> None:
    deep: list[Any] = []
    for _ in range(100_000):  # how much a Python takes differs: 3.11 a thousand, 3.13 ten times that
        deep = [deep]
    with pytest.raises(CodecError, match="nested"):
        encode_body(deep)


def test_the_largest_integers_pass_and_come_back_exactly() -> None:
    for number in (2**63 - 1, -(2**63), 0):
        assert decode_body(encode_body({"n": number}))["n"] == number


def test_long_decimals_are_no_reason_to_refuse() -> None:
    values = {"x": 0.00001234567890123456, "y": 1e-300, "z": None}
    assert decode_body(encode_body(values)) == values


def test_an_array_comes_back_with_its_type_shape_and_content() -> None:
    given_array = np.arange(6, dtype=np.int16).reshape(2, 3)
    found = body_decoder(Crowd).decode(encode_body(Crowd(given_array))).who
    assert found.dtype == np.int16
    assert found.tolist() == given_array.tolist()
    found[0, 0] = 9  # and may be written to


def test_a_number_of_numpy_is_a_number() -> None:
    assert encode_body({"x": np.float64(0.5), "n": np.int32(3)}) == b'{"x":0.5,"n":3}'


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
        | st.integers(-(2**63), 2**63 - 1),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)  # fmt: skip
@pytest.mark.slow
def test_whatever_is_fit_comes_back_as_it_was(value: Any) -> None:
    assert find_unfit(value) is None
    assert decode_body(encode_body(value)) == value


@pytest.mark.parametrize("bad", [math.nan, 2**63, -(2**63) - 1])
@pytest.mark.parametrize("place", ["a", "z"])
def test_beside_a_large_array_the_unfit_is_still_found(bad: float, place: str) -> None:
    value = {"m": np.arange(3000), place: bad, "text": '","data":"', "data": 'a "data":" b'}
    with pytest.raises(CodecError, match=place):
        encode_body(value)


def test_what_was_seen_is_told_apart_by_every_element_of_an_array() -> None:
    seen = np.arange(3000)
    other = seen.copy()
    other[1700] += 1
    assert encode_seen([seen]) == encode_seen([seen.copy()])
    assert (
        len({encode_seen([array]) for array in (seen, other, seen.astype("f8"), seen.reshape(60, 50))}) == 4
    )
