"""Panels of a run that was played: sources, repetition, bounds, and what is said where one does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins

from tests.panels.bazaar import MARKUP, bazaar, scene
from tests.panels.conftest import Draw, only
from windtunnel.errors import NotFound
from windtunnel.panels import (
    Ask,
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
    Waiting,
)
from windtunnel.run import drawing
from windtunnel.run.drawing import Drawing
from windtunnel.testing.lab import Lab, at_once


def data(found: Any) -> dict[str, Any]:
    part = only(found)
    assert part.error is None, part.error
    plain: dict[str, Any] = to_builtins(part.data)
    return plain


def error(found: Any) -> str:
    part = only(found)
    assert part.data is None
    assert part.error is not None
    return part.error


# --- sources -------------------------------------------------------------------------------------------


def test_a_figure_of_metrics_says_the_turn_before(draw: Draw) -> None:
    panel = Figures(
        id="a", title="A", source=Scores(("profit",), ("world",)), columns=(Column("profit", "", "$", 0.01),)
    )
    (figure,) = data(draw(panel))["figures"]
    assert figure == {"label": "profit", "of": "world", "value": 60.0, "before": 30.0, "unit": "$"}
    assert data(draw(panel, turn=1))["figures"][0]["before"] is None
    assert data(draw(panel, turn=0))["figures"] == []


def test_a_panel_tells_the_turn_it_is_asked_of(draw: Draw) -> None:
    panel = Bars(id="a", title="A", source=Scores(("wealth",)), value="wealth")
    assert [one["value"] for one in data(draw(panel, turn=1))["bars"]] == [101.0] * 3
    assert [one["value"] for one in data(draw(panel))["bars"]] == [102.0] * 3
    feed = Feed(id="a", title="A", source=Journal(("events",)))
    assert {one["turn"] for one in data(draw(feed, turn=1))["items"]} == {1}


def test_a_panel_is_repeated_for_each_agent_of_a_role(draw: Draw) -> None:
    state = Table(id="a", title="A", source=At("accounts.{agent}.positions.*"), each="trader",
                  columns=(Column("quantity"),))  # fmt: skip
    scores = Figures(id="b", title="B", source=Scores(("score",)), each="trader")
    query = Bars(id="c", title="C", source=Ask("positions"), each="trader")
    told = Feed(id="d", title="D", source=Journal(kinds=("vote",)), each="trader", text="body.thesis")
    curves = Curves(id="e", title="E", source=Scores(("wealth",)), each="trader")
    drawn = draw(state, scores, query, told, curves)
    assert [[part.agent for part in one.parts] for one in drawn] == [["ann", "bo"]] * 5
    parts = [[to_builtins(part.data) for part in one.parts] for one in drawn]
    assert [one["rows"][0]["cells"] for one in parts[0]] == [[5], [5]]
    assert [one["figures"][0]["value"] for one in parts[1]] == [0.0, 1.0]
    assert [one["bars"] for one in parts[2]] == [[{"label": "ACME", "value": 5}]] * 2
    assert [{item["from"] for item in one["items"]} for one in parts[3]] == [{"ann"}, {"bo"}]
    assert [[line["agent"] for line in one["series"]] for one in parts[4]] == [["ann"], ["bo"]]


def test_a_query_is_asked_as_each_agent_of_a_role(draw: Draw) -> None:
    panel = Matrix(id="a", title="A", source=Ask("positions", role="trader", arguments={"least": 1}))
    assert data(draw(panel)) == {
        "kind": "matrix", "more": 0, "rows": ["ann", "bo"], "columns": ["ACME"], "cells": [[5], [5]],
    }  # fmt: skip
    none = Matrix(id="a", title="A", source=Ask("positions", role="trader", arguments={"least": 9}))
    assert data(draw(none))["rows"] == []


def test_an_answer_in_the_form_of_a_table_is_read_as_rows_by_name(draw: Draw) -> None:
    panel = Matrix(id="a", title="A", source=Ask("table", path="*.*"), scale=100.0)
    found = data(draw(panel))
    assert (found["rows"], found["columns"]) == (["in", "out"], ["cash", "stock"])
    assert found["cells"] == [[100.0, -100.0], [50.0, None]]


def test_the_record_tells_decisions_verdicts_and_who_could_see_what(draw: Draw) -> None:
    decisions = data(draw(Feed(id="a", title="A", source=Journal(("decisions",)))))["items"]
    assert [(one["turn"], one["kind"], one["from"]) for one in decisions][:3] == [
        (1, "Trade", "ann"), (1, "Trade", "bo"), (1, "Wait", "cy"),
    ]  # fmt: skip
    assert [one["text"] for one in decisions][:3] == ['{"quantity":5}', '{"quantity":5}', ""]
    accused = data(draw(Feed(id="a", title="A", source=Journal(kinds=("accused",)))))["items"]
    assert [one["to"] for one in accused] == [["ann", "bo"]]
    voted = data(draw(Feed(id="a", title="A", source=Journal(kinds=("vote",), agents=("bo",)))))["items"]
    assert [(one["from"], one["to"]) for one in voted] == [("bo", None)] * 2


def test_a_verdict_is_told_with_its_reason() -> None:
    world = bazaar(Feed(id="a", title="A", source=Journal(("verdicts",))))
    with Lab(world) as lab:
        lab.play(scene())
        items = data(at_once(Drawing(lab.at(), lab.store).draw()))["items"]
    assert [(one["turn"], one["from"], one["kind"], one["text"]) for one in items] == [
        (3, "ann", "approved", "a large order")
    ]


def test_a_long_record_is_told_by_its_end() -> None:
    world = bazaar(Feed(id="a", title="A", source=Journal(("decisions",)), limit=2))
    with Lab(world) as lab:
        lab.play(scene(60))
        found = data(at_once(Drawing(lab.at(), lab.store).draw()))
        early = data(at_once(Drawing(lab.at(30), lab.store).draw()))
    assert [(one["turn"], one["from"]) for one in found["items"]] == [(60, "bo"), (60, "cy")]
    assert [one["turn"] for one in early["items"]] == [30, 30]
    assert found["more"] > 0


def test_what_waits_is_told_now_and_a_vote_ends_it() -> None:
    world = bazaar(
        Board(id="a", title="A", source=Waiting(), column="what", card="body", order=("approval", "question"))
    )
    with Lab(world) as lab:
        lab.begin(scene())
        lab.go()
        before = data(at_once(Drawing(lab.at(), lab.store).draw()))
        lab.satisfy()
        lab.go()
        after = data(at_once(Drawing(lab.at(), lab.store).draw()))
    assert before["columns"][0] == {"name": "approval", "cards": [{"title": "a large order", "cells": []}]}
    assert [one["cards"] for one in after["columns"]] == [[], []]


def test_a_hold_that_the_run_did_not_wait_for_is_told_and_what_came_of_it() -> None:
    world = bazaar(Feed(id="a", title="A", source=Journal(("verdicts",))), mode="defer")
    with Lab(world) as lab:
        lab.begin(scene())
        lab.go(stop_after=3)
        (effect,) = lab.waiting()
        lab.vote(effect.name, approve=False)
        lab.go()
        items = data(at_once(Drawing(lab.at(), lab.store).draw()))["items"]
    assert [(one["turn"], one["from"], one["kind"]) for one in items] == [
        (3, "ann", "hold"), (4, "ann", "denied"),
    ]  # fmt: skip


def test_a_fork_tells_the_past_that_it_shares(lab: Lab) -> None:
    lab.fork("1", "forked")
    forked = Drawing(lab.at(run_id="forked"), lab.store)
    (feed,) = at_once(forked.parts(Feed(id="a", title="A", source=Journal(("decisions",)))))
    (figures,) = at_once(forked.parts(Figures(id="b", title="B", source=Scores(("profit",), ("world",)))))
    assert [one["turn"] for one in to_builtins(feed.data)["items"]] == [1, 1, 1]
    assert [one["value"] for one in to_builtins(figures.data)["figures"]] == [3000]


# --- what does not fit ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (Bars(id="a", title="A", source=At("acounts.*")), "State has no field 'acounts'; it has: turn, acc"),
        (Table(id="a", title="A", source=At("accounts.*"), columns=(Column("cash"),)), "has no field 'cash'"),
        (
            Bars(id="a", title="A", source=At("accounts.dora.positions.*")),
            "there is no 'dora'; there are: ann",
        ),
        (Bars(id="a", title="A", source=At("turn.*")), "nothing for * in a int"),
        (Bars(id="a", title="A", source=At("talk.*"), value="text"), "a number is needed"),
        (Bars(id="a", title="A", source=At("orders.first")), "no place in a list"),
        (Bars(id="a", title="A", source=Ask("broken")), "ZeroDivisionError: by nought"),
        (Bars(id="a", title="A", source=Ask("missing")), "no query 'missing'"),
        (Bars(id="a", title="A", source=Ask("table"), value="cahs"), "no row has 'cahs'; they have: cash"),
        (Bars(id="a", title="A", source=At("units.*"), label="#2", value="revenue"), "the row has 1 names"),
        (
            Book(id="a", title="A", source=At("units.*"), side="stage", price="revenue", size="revenue"),
            "'growth' is no side",
        ),
    ],
)
def test_what_is_wrong_with_a_panel_is_said_in_its_place(draw: Draw, panel: Any, words: str) -> None:
    well = Bars(id="well", title="B", source=Scores(("wealth",)), value="wealth")
    wrong, right = draw(panel, well)
    assert words in str(wrong.parts[0].error)
    assert wrong.parts[0].data is None
    assert right.parts[0].error is None


def test_one_panel_is_drawn_alone_and_an_unknown_one_is_named(lab: Lab) -> None:
    panels = (Text(id="a", title="A", source=At("next.why")), Text(id="b", title="B", source=At("next.why")))
    made = Drawing(lab.at(), lab.store)
    made.world = bazaar(*panels)
    assert [one.panel["id"] for one in at_once(made.draw("b"))] == ["b"]
    with pytest.raises(NotFound, match="no panel 'c'") as problem:
        at_once(made.draw("c"))
    assert "a, b" in str(problem.value.remedy)


# --- shapes --------------------------------------------------------------------------------------------


def test_rows_beyond_the_limit_are_left_out_and_counted(draw: Draw) -> None:
    panel = Table(id="a", title="A", source=At("orders.*"), columns=(Column("limit"),), limit=3)
    found = data(draw(panel))
    assert ([row["cells"] for row in found["rows"]], found["more"]) == ([[99.0], [99.0], [101.0]], 1)
    newest = Table(id="a", title="A", source=At("orders.*"), columns=(Column("limit"),), limit=3, newest=True)
    found = data(draw(newest))
    assert ([row["cells"] for row in found["rows"]], found["more"]) == ([[98.0], [101.0], [99.0]], 1)


def test_a_flow_goes_from_the_first_name_to_the_second_the_largest_first(draw: Draw) -> None:
    panel = Flows(id="a", title="A", source=At("accounts.*.positions.*"), value="worth", scale=2.0)
    assert data(draw(panel))["flows"] == [
        {"start": "ann", "end": "ACME", "value": 6.0}, {"start": "bo", "end": "ACME", "value": 6.0},
    ]  # fmt: skip


def test_a_flow_of_nothing_is_no_flow(draw: Draw) -> None:
    panel = Flows(id="a", title="A", source=At("units.*"), start="stage", end="name", value="revenue")
    assert [one["end"] for one in data(draw(panel))["flows"]] == ["mugs"]


def test_curves_name_what_there_is_and_nothing_else(draw: Draw) -> None:
    panel = Curves(id="a", title="A", source=Scores(("wealth", "fame"), role="trader"))
    assert data(draw(panel))["series"] == [{"agent": who, "name": "wealth"} for who in ("ann", "bo")]


def test_text_of_agents_stands_in_data_as_it_was_written(draw: Draw) -> None:
    found = draw(Text(id="a", title="A", source=At("talk.0"), text="text"))
    assert data(found)["text"] == MARKUP
    assert only(found).origin == "state"
    assert to_builtins(only(found))["from"] == "state"
    assert MARKUP not in str(found[0].panel)


def test_a_chat_names_the_questions_that_its_box_may_answer(draw: Draw) -> None:
    panel = Chat(
        id="a", title="A", source=Journal(("mail",)), text="body.text", event="message", answers=True
    )
    found = data(draw(panel))
    assert ([one["from"] for one in found["items"]], found["questions"]) == (["operator"], [])


def test_a_source_of_too_many_rows_is_refused_and_a_long_one_told_by_its_end(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "WIDEST", 2)
    panel = Table(id="a", title="A", source=At("orders.*"), columns=(Column("#1"),))
    assert [row["cells"] for row in data(draw(panel))["rows"]] == [["2"], ["3"]]
    monkeypatch.setattr(drawing, "LOOKED", 3)
    assert "more than 3 rows" in error(draw(panel))
