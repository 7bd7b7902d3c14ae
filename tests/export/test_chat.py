"""`chat`: model calls as training data, with what became of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.export.calls import LOOK, Asker, amount, flight, looks_up
from tests.export.odd import played
from tests.run.toy import Give, always, make, python, scene
from windtunnel.errors import EffectFailed, UsageError
from windtunnel.export import check_format, export_chat, export_run
from windtunnel.models.talk import Ask, Reply
from windtunnel.testing.lab import Lab
from windtunnel.world import Call, EffectKind, reject


def lines(lab: Lab, run_id: str = "run", **more: Any) -> list[dict[str, Any]]:
    written = export_chat(lab.path, run_id, lab.path.parent / "chat.jsonl", **more)
    found = [json.loads(line) for line in written.path.read_text().splitlines()]
    assert len(found) == written.lines
    return found


def say(lab: Lab, score: float | None, *, run_id: str = "run", by: str = "kim", **of: Any) -> None:
    body = {"score": score, "comment": "so", **of}
    lab.store.post(run_id, "feedback", json.dumps(body).encode(), by, 5.0)


def test_a_line_holds_the_whole_conversation_and_what_became_of_it(tmp_path):
    with flight(tmp_path) as lab:
        first, second, third = lines(lab)
    assert first["messages"] == [
        {"role": "system", "content": "You give."},
        {"role": "user", "content": "purse: You have 100."},
        {"role": "assistant", "content": "1"},
    ]
    assert "tools" not in first
    assert first["metadata"] == {
        "run_id": "run", "world": "toy", "scenario": "scene", "turn": 1, "phase": "plan", "agent": "a",
        "effect": "1.plan.a.0", "asked": "mock", "model": "mock:1", "label": "ok",
        "usage": {"input": 30, "output": 2, "cached": 10}, "cost": 7, "marks": [], "score": None,
        "feedback": [],
        "outcome": {
            "attempt": 1, "attempts": 1, "action": {"type": "Give", "amount": 1}, "verdict": "accept",
            "reason": "", "label": "ok", "instead": None,
        },
    }  # fmt: skip
    assert [line["metadata"]["turn"] for line in (second, third)] == [2, 3]
    assert third["metadata"]["outcome"]["action"]["amount"] == 3


def test_calls_of_tools_are_told_as_fine_tuning_wants_them(tmp_path):
    with flight(tmp_path, looks_up, players={"a": Asker(tools=True)}, turns=1) as lab:
        first, second = lines(lab)
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"word":"é"}'}}
    assert first["messages"][-1] == {"role": "assistant", "content": "", "tool_calls": [call]}
    function = {"name": "look", "description": LOOK.description, "parameters": LOOK.schema}
    assert first["tools"] == second["tools"] == [{"type": "function", "function": function}]
    assert second["messages"][-3:] == [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "seven", "name": "look"},
        {"role": "assistant", "content": "3"},
    ]


def test_the_members_of_a_team_are_told_apart_in_an_order_that_does_not_change(tmp_path):
    with flight(tmp_path, players={"b": Asker(), "a": Asker(team=True)}, turns=2) as lab:
        found = [(line["metadata"]["effect"], line["metadata"].get("member")) for line in lines(lab)]
    turn = [("plan.a.0", None), ("plan.a/bear.0", "bear"), ("plan.a/bull.0", "bull"), ("plan.b.0", None)]
    assert found == [(f"{number}.{name}", member) for number in (1, 2) for name, member in turn]


def test_each_attempt_is_told_with_its_own_verdict(tmp_path):
    rule = always(reject("too much"), turn=2, attempt=1)
    with flight(tmp_path, rule=rule) as lab:
        outcomes = [line["metadata"]["outcome"] for line in lines(lab)]
    told = [(one["attempt"], one["attempts"], one["verdict"], one["reason"]) for one in outcomes]
    assert told == [
        (1, 1, "accept", ""),
        (1, 2, "reject", "too much"),
        (2, 2, "accept", ""),
        (1, 1, "accept", ""),
    ]


def test_calls_that_cannot_be_told_apart_by_attempt_say_so(tmp_path):
    rule = always(reject("too much"), turn=1, attempt=1)
    players = {"a": Asker(tools=True)}
    with flight(tmp_path, looks_up, players=players, rule=rule, turns=1) as lab:
        outcomes = [line["metadata"]["outcome"] for line in lines(lab)]
    assert [(one["attempt"], one["attempts"], one["verdict"]) for one in outcomes] == [
        (None, 2, "accept")
    ] * 4


def test_failed_calls_are_left_out_and_counted(tmp_path):
    def fails_once(ask: Ask, call: Call) -> Reply:
        if call.turn == 2:
            raise EffectFailed("no answer")
        return amount(ask, call)

    with flight(tmp_path, fails_once) as lab:
        written = export_chat(lab.path, "run", tmp_path / "x")
        assert (written.lines, written.failed) == (2, 1)
        assert [line["metadata"]["turn"] for line in lines(lab)] == [1, 3]


def test_a_call_that_waits_and_effects_of_another_form_are_counted_apart(tmp_path):
    async def strange(request: Any, call: Call) -> Any:
        return {"of": "its own"}

    class Odd:
        async def decide(self, seen: Any, context: Any) -> Any:
            await context.effect("model", "in words of its own")
            return Give(1)

    def dies(ask: Ask, call: Call) -> Reply:
        raise KeyboardInterrupt

    with Lab(make(effects={"model": EffectKind(strange)}), folder=tmp_path, players={"a": Odd()}) as lab:
        lab.play(scene(python("a"), turns=2))
        with pytest.raises(UsageError, match="no model calls"):
            export_chat(lab.path, "run", tmp_path / "x")
    (tmp_path / "two").mkdir()
    with pytest.raises(KeyboardInterrupt):
        flight(tmp_path / "two", dies)
    with pytest.raises(UsageError, match="0 failed, 1 wait"):
        export_chat(tmp_path / "two" / "lab.sqlite", "run", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_fork_brings_the_calls_of_the_past_it_shares(tmp_path):
    with flight(tmp_path, turns=4) as lab:
        lab.fork("2", "branch")
        lab.go("branch", stop_after=3)
        found = lines(lab, "branch")
        assert [line["metadata"]["turn"] for line in found] == [1, 2, 3]
        assert {line["metadata"]["run_id"] for line in found} == {"branch"}
        assert [line["metadata"]["outcome"]["action"]["amount"] for line in found] == [1, 2, 3]
        say(lab, 1, effect="1.plan.a.0", turn=1)
        say(lab, 1, effect="3.plan.a.0", turn=3)  # of the parent's own future
        say(lab, 1)  # of the parent as a whole
        assert [line["metadata"]["effect"] for line in lines(lab, "branch", min_score=0)] == ["1.plan.a.0"]


def test_the_closest_judgement_counts_the_newest_of_each_person_and_their_mean(tmp_path):
    with flight(tmp_path) as lab:
        say(lab, 0.5)
        say(lab, None)
        say(lab, -1, turn=2, entry=9)
        say(lab, -5, turn=3, effect="3.plan.a.0")
        say(lab, 0.1, turn=3, effect="3.plan.a.0")
        say(lab, 0.1, by="lee", turn=3, effect="3.plan.a.0")
        say(lab, 0.1, by="mo", turn=3, effect="3.plan.a.0")
        found = {line["metadata"]["turn"]: line["metadata"] for line in lines(lab)}
        assert [found[turn]["score"] for turn in (1, 2, 3)] == [0.5, -1, 0.1]
        assert [one["of"] for one in found[1]["feedback"]] == ["run", "run"]
        assert [one["of"] for one in found[2]["feedback"]] == ["run", "run", "turn"]
        assert [one["of"] for one in found[3]["feedback"]] == ["run", "run", "call", "call", "call", "call"]
        assert found[3]["feedback"][-1] == {
            "of": "call", "score": 0.1, "comment": "so", "by": "mo", "at": 5.0,
        }  # fmt: skip
        assert [line["metadata"]["turn"] for line in lines(lab, min_score=0.1)] == [1, 3]
        written = export_chat(lab.path, "run", tmp_path / "x", min_score=0.2)
        assert (written.lines, written.below) == (1, 2)
        with pytest.raises(UsageError, match="at least 9") as caught:
            export_chat(lab.path, "run", tmp_path / "y", min_score=9)
        assert "windtunnel feedback run" in str(caught.value.remedy)


def test_a_run_without_model_calls_says_how_to_get_some(tmp_path):
    store, run_id = played(tmp_path)
    before = store.read_bytes()
    for export in (
        lambda: export_chat(store, run_id, tmp_path / "x"),
        lambda: export_run(store, run_id, "chat", tmp_path / "x"),
    ):
        with pytest.raises(UsageError, match="no model calls") as caught:
            export()
        assert "--model house" in str(caught.value.remedy)
    assert not (tmp_path / "x").exists()
    assert Path(store).read_bytes() == before


def test_the_file_is_named_after_the_run_and_a_score_belongs_to_chat_alone(tmp_path):
    with flight(tmp_path) as lab:
        assert export_run(lab.path, "run", "chat") == Path("run.chat.jsonl")
        assert len(Path("run.chat.jsonl").read_text().splitlines()) == 3
    with pytest.raises(UsageError, match="csv"):
        check_format("csv", min_score=1)
