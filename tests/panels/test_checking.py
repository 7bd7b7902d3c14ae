"""What is said of a declaration before anything is played, and what the kit says after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec import structs

from tests.panels.bazaar import State, bazaar, scene
from windtunnel.panels import (
    KINDS,
    Ask,
    At,
    Bars,
    Chat,
    Column,
    Curves,
    Figures,
    Journal,
    Matrix,
    Panel,
    Scores,
    Table,
)
from windtunnel.panels.checking import problems
from windtunnel.testing import check_world
from windtunnel.worlds.economy.world import world as economy

WEALTH = Scores(("wealth",))


def said(*panels: Any) -> list[str]:
    world = bazaar(*panels)
    return list(problems(world.panels, queries=world.queries, roles=world.roles))


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (Bars(id="A b", title="A", source=WEALTH), "matching regex"),
        (Bars(id="a", title=" ", source=WEALTH), "no title"),
        (Bars(id="a", title="A", source=WEALTH, width=13), "<= 12"),
        (Bars(id="a", title="A", source=WEALTH, limit=5000), "<= 1000"),
        (Bars(id="a", title="A", source=WEALTH, each="king"), "no role 'king'; there are: trader, watcher"),
        (Bars(id="a", title="A", source=Scores(("wealth",), role="king")), "no role 'king'"),
        (Bars(id="a", title="A", source=Scores(())), "names no metric"),
        (Bars(id="a", title="A", source=Ask("rank")), "no query 'rank'; there are: positions, table"),
        (
            Bars(id="a", title="A", source=Ask("positions", arguments={"most": 1})),
            "query positions: got an un",
        ),
        (Bars(id="a", title="A", source=Ask("positions", role="trader"), each="trader"), "as every agent of"),
        (Bars(id="a", title="A", source=At("accounts.{agent}.positions.*")), "it is not repeated"),
        (Bars(id="a", title="A", source=At("a..b")), "'a..b' is no path"),
        (Bars(id="a", title="A", source=At("votes.*"), value="*.weight"), "* stands in the source's path"),
        (Bars(id="a", title="A", source=At("votes.*"), label="#2"), "its rows have 1 names"),
        (Table(id="a", title="A", source=Journal(), columns=(Column("#1"),)), "its rows have 0 names"),
        (Table(id="a", title="A", source=At("votes.*"), rows=("a", "b")), "labels 2 names"),
        (Matrix(id="a", title="A", source=At("accounts.*")), "#2: its rows have 1 names"),
        (Chat(id="a", title="A", source=Journal()), "sends no event and answers nothing"),
        (Curves(id="a", title="A", source=At("turn")), "Invalid value 'state'"),  # type: ignore[arg-type]
        ({"kind": "bars"}, "none of the kinds"),
    ],
)
def test_a_wrong_declaration_is_told_in_words(panel: Any, words: str) -> None:
    (problem,) = said(panel)
    assert words in problem


def test_two_panels_of_one_name_and_too_many_are_told() -> None:
    one = Bars(id="a", title="A", source=WEALTH)
    assert said(one, structs.replace(one, title="B")) == ["two panels are called 'a'"]
    many = [structs.replace(one, id=f"p{place}") for place in range(61)]
    assert said(*many) == ["there are 61 panels: 60 at most"]


def test_declarations_are_json_with_a_schema_and_come_back_the_same() -> None:
    assert len(msgspec.json.schema(Panel)["anyOf"]) == len(KINDS)
    told = msgspec.json.encode(economy.panels)
    assert msgspec.json.decode(told, type=tuple[Panel, ...]) == tuple(economy.panels)


# --- the kit ------------------------------------------------------------------------------------------


def report(*panels: Panel, **change: Any) -> str:
    world = structs.replace(bazaar(*panels), **change)
    found = check_world(world, [scene()], turns=6, only=["panels"])
    assert not found.ok
    return str(found)


def test_the_kit_refuses_a_wrong_declaration_before_it_plays() -> None:
    assert "LACKS   contract" in report(Bars(id="a", title="A", source=Ask("rank")))


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (Bars(id="a", title="A", source=At("acounts.*")), "turn 0, panel 'a': acounts.*: State has no field"),
        (
            Figures(id="a", title="A", source=Scores(("wealth", "fame"))),
            "nobody has a metric 'fame'; there ar",
        ),
        (Figures(id="a", title="A", source=Scores(("wealth",), ("world",))), "'wealth'; there are: profit"),
        (Curves(id="a", title="A", source=Scores(("fame",))), "nobody has a metric 'fame'"),
        (Bars(id="a", title="A", source=Ask("broken"), each="trader"), "as ann: ZeroDivisionError"),
        (Bars(id="a", title="A", source=Ask("table"), value="cahs"), "no row has 'cahs'"),
        (
            Table(id="a", title="A", source=At("accounts.*.positions.*"), columns=(Column("cost"),)),
            "turn 1, panel 'a': cost: Position has no field 'cost'",
        ),
    ],
)
def test_the_kit_refuses_a_panel_that_the_world_cannot_fill(panel: Panel, words: str) -> None:
    assert words in report(panel)


def test_the_kit_refuses_a_query_that_changes_the_state() -> None:
    def greedy(state: State, actor: Any) -> dict[str, int]:
        state.totals.profit += 1
        return {"profit": state.totals.profit}

    panel = Bars(id="a", title="A", source=Ask("greedy"))
    assert "drawing the panels changed the state" in report(panel, queries={"greedy": greedy})


def test_the_kit_tells_what_showed_nothing_and_what_was_drawn() -> None:
    panels: Sequence[Panel] = (
        Bars(id="full", title="A", source=WEALTH),
        Bars(id="empty", title="A", source=Journal(kinds=("strike",)), label="actor", value="turn"),
    )
    found = check_world(bazaar(*panels), [scene()], turns=6, only=["panels"])
    assert found.ok, found
    told = " ".join(finding.what for finding in found.about("panels"))
    assert "in: empty" in told
    assert "2 panels, 0 of them curves" in told
