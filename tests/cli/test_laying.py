"""Every kind of panel in a terminal: what it shows, and agents' text as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.panels.bazaar import MARKUP, bazaar, scene
from windtunnel.cli import laying, say
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.panels import (
    KINDS,
    At,
    Bars,
    Board,
    Book,
    Chat,
    Column,
    Curves,
    Feed,
    Figures,
    Flows,
    Journal,
    Matrix,
    Scores,
    Table,
    Text,
)
from windtunnel.testing.lab import Lab

PAGE = (
    Curves(id="curves", title="Curves", source=Scores(("wealth",)), scale=10.0),
    Figures(
        id="figures", title="Figures", source=At("totals"), columns=(Column("profit", "Profit", "$", 0.01),)
    ),
    Table(
        id="table", title="Table", source=At("units.*"), columns=(Column("name", "Unit"), Column("revenue"))
    ),
    Matrix(id="matrix", title="Matrix", source=At("accounts.*.positions.*"), value="quantity"),
    Flows(id="flows", title="Flows", source=At("units.*"), start="stage", end="name", value="revenue"),
    Bars(id="bars", title="Bars", source=At("votes.*"), label="direction", value="weight"),
    Board(id="board", title="Board", source=At("units.*"), column="stage", card="name", order=("setup",)),
    Feed(id="feed", title="Feed", source=At("talk.*"), by="speaker", text="text", limit=2),
    Chat(id="chat", title="Chat", source=Journal(), text="body.thesis", event="message"),
    Book(id="book", title="Book", source=At("orders.*"), price="limit", side="side", size="open"),
    Text(id="text", title="Text", source=At("next.why")),
    Bars(id="wrong", title="Wrong", source=At("missing.*")),
    Text(id="last", title="After it", source=At("next.why")),
)


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The whole page."""
    monkeypatch.setenv("COLUMNS", "100")
    world = bazaar(*PAGE)
    with Lab(world, folder=tmp_path) as lab:
        lab.play(scene(2))
        control = Control(Workspace(tmp_path), lambda name: world)
        found = control.find(str(lab.path))
        say.begin(json=False, debug=False)
        laying.show_panels(control, found, None)
    return capsys.readouterr().out


def test_every_kind_is_drawn(said: str) -> None:
    assert {type(panel) for panel in PAGE} == set(KINDS)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    for line in (
        "ann wealth ▁█ 1.02k",
        "Profit 60 $",
        "mugs 120k",
        "ann 5",
        "growth mugs 120k ████████████████████████",
        "up 1.5 ████████████████████████",
        "setup ·",
        "growth mugs",
        "2 cy vote cy believes",
        "7 99",
        "ann has said least",
    ):
        assert line in lines, said
    assert lines.index("101 4") < lines.index("7 99")


def test_what_is_wrong_with_a_panel_is_said_and_the_rest_is_drawn(said: str) -> None:
    assert "State has no field 'missing'" in said
    assert said.index("Wrong") < said.index("has no field") < said.index("After it")


def test_text_of_agents_is_shown_as_it_is(said: str) -> None:
    assert MARKUP in said
    assert said.count(MARKUP) == 2
    assert "and 4 more" in said
