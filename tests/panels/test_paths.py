"""Paths: fields, keys, places, wildcards, pointers, and nothing that runs code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.panels.paths import MISSING, Row, part_of, rows_at
from windtunnel.world import Log


class Box(Struct):
    price: float
    tags: dict[Any, Any]
    items: Any = None

    @property
    def secret(self) -> str:
        raise AssertionError("a property was read")


BOX = Box(1.5, {"a.b": {"x": 1}, 7: {"x": 2}, "c/d": {"x": 3}}, [10, 20, 30])


def told(path: str, root: Any = BOX) -> list[tuple[tuple[str, ...], Any]]:
    return [tuple(row) for row in rows_at(root, path)]


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("price", [((), 1.5)]),
        ("items.-1", [((), 30)]),
        ("items.9", []),
        ("items.*", [(("0",), 10), (("1",), 20), (("2",), 30)]),
        ("tags.7.x", [((), 2)]),
        ("/tags/a.b/x", [((), 1)]),
        ("/tags/c~1d/x", [((), 3)]),
        ("tags.*.x", [(("a.b",), 1), (("7",), 2), (("c/d",), 3)]),
    ],
)
def test_a_path_leads_to_values_and_names_what_its_stars_stood_for(path: str, rows: Any) -> None:
    assert told(path) == rows


def test_an_array_a_log_and_fields_are_walked_like_a_list() -> None:
    assert told("*", np.array([1.0, 2.0])) == [(("0",), 1.0), (("1",), 2.0)]
    assert told("-1", Log([1, 2, 3])) == [((), 3)]
    assert [names for names, _ in told("*")] == [("price",), ("tags",), ("items",)]


def test_a_row_that_lacks_a_key_behind_a_star_is_left_out() -> None:
    assert told("*.x", {"a": {"x": 1}, "b": {}, "c": None}) == [(("a",), 1)]


@pytest.mark.parametrize("path", ["secret", "__class__", "price.real", "items.__len__", "tags.nobody"])
def test_what_is_no_field_is_refused_and_never_read(path: str) -> None:
    with pytest.raises(UsageError, match=r"no field|no 'real'|no place|no 'nobody'"):
        told(path)


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", "/", "x" * 201, ".".join("a" * 13)])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        told(path)


def test_a_column_names_the_row_its_parts_or_its_names() -> None:
    row = Row(("ann", "ACME"), {"x": 1})
    assert (part_of(row, ""), part_of(row, "x"), part_of(row, "#2")) == ({"x": 1}, 1, "ACME")
    assert part_of(row, "y") is MISSING
    for wrong in ("#3", "#0", "#x"):
        with pytest.raises(UsageError, match="2 names"):
            part_of(row, wrong)
