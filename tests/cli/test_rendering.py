"""Numbers, curves and intervals as people read them."""

from __future__ import annotations

import pytest

from windtunnel.cli import render
from windtunnel.control.compare import differences, paired
from windtunnel.control.history import sampled, telling


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (7, "7"), (1234567, "1,234,567"), (0.5, "0.500"), (0.00123, "0.00123"), (3.14159, "3.142"),
        (12.345, "12.35"), (1234.56, "1,234.6"), (98765.4, "98,765"), (-2.5, "-2.500"), (1e20, "1.000e20"),
        (1e-9, "1e-09"), (None, "-"), (2.0, "2"),
    ],
)  # fmt: skip
def test_numbers_keep_four_digits_that_matter(value, text):
    assert render.number(value) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (100, 150, "+50.0%"),
        (100, 100, "="),
        (0, 5, "+5"),
        (2, 100, "×50"),
        (0.01, 0.03, "+0.02000"),
        (100, -5, "-105"),
    ],
)
def test_change_is_told_in_the_way_that_misleads_least(first, last, text, monkeypatch):
    monkeypatch.setattr("windtunnel.cli.say.utf8", lambda: True)
    assert render.change(first, last) == text


def test_a_curve_goes_from_its_lowest_to_its_highest(monkeypatch):
    monkeypatch.setattr("windtunnel.cli.say.utf8", lambda: True)
    assert render.spark([0, 1, 2, 3]) == "▁▃▆█"
    assert render.spark([5, 5]) == "▄▄"
    assert render.spark([]) == ""
    assert len(render.spark(list(range(1000)))) == 18
    monkeypatch.setattr("windtunnel.cli.say.utf8", lambda: False)
    assert render.spark([0, 1]).isascii()


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "3 s ago"), (300, "5 min ago"), (7200, "2 h ago"), (86_400 * 9, "9 d ago")]
)
def test_ages_are_relative(seconds, text):
    assert render.age(seconds) == text


def test_samples_have_both_ends_and_never_more_than_asked():
    assert sampled(5, 60) == [1, 2, 3, 4, 5]
    turns = sampled(100_000, 60)
    assert (turns[0], turns[-1], len(turns)) == (1, 100_000, 60)
    assert sampled(0, 60) == []


def test_the_interval_of_pairs_is_students():
    found = paired([1.0, 2.0, 3.0, 4.0])
    assert found.mean == 2.5
    assert found.low == pytest.approx(0.4457, abs=1e-3)  # 2.5 - 3.182 * 1.29099 / 2
    assert found.high == pytest.approx(4.5543, abs=1e-3)
    assert found.clear
    many = paired([0.0, 1.0] * 15)  # 29 degrees: t is 2.0452
    assert many.low is not None
    assert (many.mean - many.low) / (0.50855 / 30**0.5) == pytest.approx(2.0452, abs=2e-3)


def test_one_pair_has_no_interval():
    assert (paired([3.0]).low, paired([3.0]).clear) == (None, False)


def test_headline_comes_first_then_wealth():
    table = {"ana": {"x": 1.0, "wealth": 2.0}, "world": {"gdp": 3.0, "rate": 4.0}}
    assert telling(table, ("gdp",)) == [("world", "gdp"), ("ana", "wealth")]
    assert telling(table) == [("world", "gdp"), ("world", "rate"), ("ana", "wealth")]
    assert telling({"ana": {"x": 1.0}}) == [("ana", "x")]


def test_differences_are_told_by_their_path():
    assert differences({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == ["a.b[1]: 2 → 3"]
    assert differences({"a": 1}, {}) == ["a: 1 → nothing"]
    assert differences(list(range(20)), list(range(1, 21)))[-1] == "and 12 more"
