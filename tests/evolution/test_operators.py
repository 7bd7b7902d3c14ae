"""Children differ from their parents as they may, and whoever stands first is who should."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel.chance import Chance
from windtunnel.evolution.model import Mutation
from windtunnel.evolution.operators import crossed, mutated, vector
from windtunnel.evolution.selection import (
    archived,
    crowding,
    distance,
    dominates,
    fronts,
    novelty,
    ranked,
    winner_of,
)
from windtunnel.strategies.model import Boolean, Bounds, Choice, Integer, Number, misfit

SCHEMA: dict[str, Bounds] = {
    "a": Number(-1.0, 1.0), "b": Number(0.0, 1e-3), "n": Integer(0, 3), "k": Choice(["x", 1, True]),
    "f": Boolean(), "fixed": Number(2.0, 2.0), "only": Choice(["x"]),
}  # fmt: skip
ONE: dict[str, Any] = {"a": 1.0, "b": 0.0, "n": 0, "k": 1, "f": True, "fixed": 2.0, "only": "x"}
OTHER: dict[str, Any] = {"a": -1.0, "b": 1e-3, "n": 3, "k": True, "f": False, "fixed": 2.0, "only": "x"}


def fits(values: dict[str, Any]) -> bool:
    return all(misfit(value, SCHEMA[name]) is None for name, value in values.items())


def test_a_mutant_stays_within_its_bounds_and_always_differs():
    for number in range(300):
        rate = (0.0, 0.5, 1.0)[number % 3]
        child = mutated(ONE, SCHEMA, Chance(number), Mutation(rate=rate, step=0.5))
        assert fits(child)
        assert list(child) == list(ONE)
        changed = {
            name for name in ONE if child[name] != ONE[name] or type(child[name]) is not type(ONE[name])
        }
        assert changed
        assert not changed & {"fixed", "only"}
        if rate == 1.0:
            assert changed >= {"n", "k", "f"}


def test_all_whole_numbers_and_choices_are_reached():
    children = [mutated(ONE, SCHEMA, Chance(number), Mutation(rate=1.0, step=0.5)) for number in range(200)]
    assert {child["n"] for child in children} == {1, 2, 3}
    assert {repr(child["k"]) for child in children} == {"'x'", "True"}


def test_a_child_of_two_has_something_of_both_and_stays_within_its_bounds():
    children = [crossed(ONE, OTHER, SCHEMA, Chance(number)) for number in range(200)]
    assert all(map(fits, children))
    assert {repr(child["k"]) for child in children} == {"1", "True"}
    middle = [child for child in children if -0.9 < child["a"] < 0.9]
    assert len(middle) > 60


def test_parents_alike_have_children_alike():
    assert crossed(ONE, ONE, SCHEMA, Chance(1)) == ONE


def test_numbers_are_short():
    child = mutated(ONE, SCHEMA, Chance(4), Mutation(rate=1.0))
    assert len(repr(child["a"])) <= 8
    assert len(repr(child["b"])) <= 9


def test_a_vector_places_every_value_between_nothing_and_one():
    assert vector(ONE, SCHEMA) == [1.0, 0.0, 0.0, 0.5, 1.0, 0.0, 0.0]
    assert vector(OTHER, SCHEMA) == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_fronts_are_of_those_whom_nobody_dominates():
    aims = {
        "best": (3.0, -2.0),
        "cheap": (1.0, 0.0),
        "worse": (2.0, -3.0),
        "worst": (0.0, -4.0),
        "twin": (3.0, -2.0),
    }
    assert fronts(aims) == [["best", "cheap", "twin"], ["worse"], ["worst"]]
    assert not dominates(aims["best"], aims["twin"])
    assert ranked(aims)[0] == "best"
    assert ranked(aims)[-2:] == ["worse", "worst"]


def test_within_a_front_the_best_score_comes_first_and_then_who_has_room():
    aims = {"a": (0.0, 10.0), "b": (9.0, 1.0), "c": (8.9, 1.1), "d": (5.0, 5.0), "e": (10.0, 0.0)}
    order = ranked(aims)
    assert order[0] == "e"
    assert order.index("d") < order.index("c")
    assert crowding(list(aims), aims)["a"] == float("inf")


def test_with_one_aim_alone_the_order_is_that_of_the_scores():
    aims = {name: (score, 0.0, 0.0) for name, score in zip("abcd", (1.0, 3.0, 2.0, 0.0), strict=True)}
    assert ranked(aims) == ["b", "c", "a", "d"]


def test_the_more_rivals_the_oftener_the_best_wins():
    order = list("abcdefgh")
    wins = [
        sum(winner_of(order, rivals, Chance(rivals, number)) == "a" for number in range(400))
        for rivals in (1, 3)
    ]
    assert wins[0] == pytest.approx(50, abs=25)
    assert wins[1] > 2 * wins[0]


def test_the_archive_takes_what_is_new_and_novelty_is_how_far_the_nearest_are():
    archive = archived([[0.0, 0.0]], [[0.01, 0.0], [1.0, 1.0], [1.0, 0.99]])
    assert archive == [[0.0, 0.0], [1.0, 1.0]]
    assert novelty([0.5, 0.5], archive) > novelty([0.9, 0.9], [[1.0, 1.0]])
    assert distance([0.0, 0.0], [1.0, 1.0]) == pytest.approx(1.0)
