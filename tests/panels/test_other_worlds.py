"""What docs/panels.md declares for a market, a company and an arena is drawn over a state that has it all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from tests.panels.bazaar import MARKUP, bazaar
from tests.panels.conftest import Draw
from windtunnel.panels.checking import problems

PAGE = Path(__file__).parents[2] / "docs" / "panels.md"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The declarations as the document has them."""
    (block,) = re.findall(
        r"<!-- the tests draw these [^>]*-->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL
    )
    found: dict[str, Any] = {}
    exec(block, found)
    return found


@pytest.fixture
def shown(told: dict[str, Any], draw: Draw) -> dict[str, Any]:
    drawn = draw(*told["market"], *told["company"], *told["arena"])
    for one in drawn:
        assert [part.error for part in one.parts] == [None], one.panel["id"]
    return {str(one.panel["id"]): to_builtins(one.parts[0].data) for one in drawn}


@pytest.mark.parametrize("world", ["market", "company", "arena"])
def test_the_declarations_are_sound(told: dict[str, Any], world: str) -> None:
    known = bazaar()
    assert list(problems(told[world], queries=known.queries, roles=known.roles)) == []


def test_a_market_shows_equity_positions_orders_and_votes(shown: dict[str, Any]) -> None:
    assert shown["equity"]["series"] == [{"agent": who, "name": "wealth"} for who in ("ann", "bo")]
    assert shown["positions"]["labels"] == ["trader", "symbol"]
    assert shown["positions"]["rows"][0] == {"names": ["ann", "ACME"], "cells": [5, 100.0, 3.0]}
    assert shown["book"]["bids"] == [{"price": 99.0, "size": 7.0}, {"price": 98.0, "size": 1.0}]
    assert shown["book"]["asks"] == [{"price": 101.0, "size": 4.0}]
    assert shown["votes"]["bars"] == [{"label": "up", "value": 1.5}, {"label": "down", "value": 0.5}]
    assert [row["cells"] for row in shown["thesis"]["rows"]][:1] == [[2, "cy", "cy believes"]]


def test_a_company_shows_lifecycle_ledger_and_chat(shown: dict[str, Any]) -> None:
    columns = {one["name"]: one["cards"] for one in shown["lifecycle"]["columns"]}
    assert [*columns][:2] == ["discovery", "validation"]
    assert [*columns][-1] == "sunset"
    assert columns["growth"] == [{"title": "mugs", "cells": [1200.5]}]
    assert (columns["discovery"][0]["title"], columns["sunset"]) == ("hats", [])
    assert [one["value"] for one in shown["totals"]["figures"]] == [60.0]
    assert shown["ledger"]["rows"][0]["cells"] == [2, "cash", "cy", 10.0]
    assert [(one["from"], one["text"]) for one in shown["operator"]["items"]] == [
        ("operator", "how are you?"), ("operator", "heard: how are you?"),
    ]  # fmt: skip
    (wait,) = shown["waits"]["items"]
    assert (wait["from"], wait["text"], wait["cells"]) == ("ann", "a large order", [5000.0, "high"])


def test_an_arena_shows_the_talk_with_scores_and_the_accusations(shown: dict[str, Any]) -> None:
    first = shown["talk"]["items"][0]
    assert (first["from"], first["text"], first["cells"]) == ("ann", MARKUP, [7.5, "calm"])
    assert [one["value"] for one in shown["scores"]["bars"]] == [0.0, 1.0, 2.0]
    assert shown["next"]["text"] == "ann has said least"
    assert [row["cells"] for row in shown["accusations"]["rows"]] == [
        [2, "ann", "bo", "copied line 3", "guilty"]
    ]
