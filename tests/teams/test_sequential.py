"""One after the other, with somebody who may look between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.teams.helpers import play, said, text_seen
from windtunnel.errors import ModelError, ScenarioError
from windtunnel.models.talk import Message, Reply
from windtunnel.teams import FunctionMember, Limits, ModelMember, Sequential
from windtunnel.testing.scripted import Scripted, calls


def size(word: str) -> int:
    return len(word)


def team(**settings: Any) -> Sequential:
    return Sequential([ModelMember("a", tools=[size]), ModelMember("b")], **settings)


def script(**more: Any) -> Scripted:
    return Scripted({"a": [calls("size", word="wind"), "four"], "b": ["four it is"]}, **more)


def test_each_sees_what_those_before_have_said() -> None:
    runtime = script()
    result = play(team(), runtime)
    assert result.value == "four it is"
    shown = text_seen(runtime, "b")
    assert "a says:\nfour" in shown
    assert "The tool size answered a:\n4" in shown


def test_only_the_answers_are_passed_on_where_that_is_asked_for() -> None:
    runtime = script()
    play(team(passes="answers"), runtime)
    shown = text_seen(runtime, "b")
    assert "the task" in shown
    assert "a says:\nfour" in shown
    assert "size" not in shown


@pytest.mark.parametrize(
    ("looks", "value", "status"),
    [
        ([True], "four it is", "completed"),
        ([{"pass": None}], "four it is", "completed"),
        ([{"text": "five"}], "four it is", "completed"),
        ([{"stop": "enough"}], "four", "stopped"),
        ([["?"], {}, {"stop": "enough"}], "four", "stopped"),
        (["?", {"no": 1}, 7], None, "failed"),
    ],
)
def test_a_person_looks_between_steps(looks: list[Any], value: Any, status: str) -> None:
    runtime = script(people={"manager": looks})
    result = play(team(look_after=["a"]), runtime)
    assert (result.value, result.status) == (value, status)
    if looks == [{"text": "five"}]:
        assert "manager says:\nfive" in text_seen(runtime, "b")


def test_a_step_is_done_again_for_a_reason_and_not_without_end() -> None:
    runtime = Scripted({"a": ["4", "four"], "b": ["ok"]}, people={"manager": [{"again": "in words"}, True]})
    result = play(team(look_after=["a"]), runtime)
    assert "a, do this again: in words" in text_seen(runtime, "a")
    assert result.value == "ok"
    picky = Scripted({"a": ["x"] * 9, "b": []}, people={"manager": [{"again": "no"}] * 9})
    result = play(team(look_after=["a"], again=2), picky)
    assert (result.status, result.member("a").turns) == ("failed", 3)


def test_a_member_that_fails_ends_the_team_and_says_who_and_why() -> None:
    runtime = Scripted({"a": [ModelError("503 of the provider")], "b": ["never"]})
    result = play(team(), runtime)
    assert (result.status, result.value) == ("failed", None)
    assert "a failed: 503 of the provider" in result.reason
    assert result.errors[0].member == "a"
    assert [one.status for one in result.members] == ["failed", "silent"]


def test_a_refusal_is_no_answer() -> None:
    runtime = Scripted({"a": [Reply("I will not", label="refused")], "b": []})
    result = play(team(), runtime)
    assert result.reason == "a refused to answer: I will not"


def test_an_empty_answer_is_asked_again_and_leaves_no_trace_in_the_transcript() -> None:
    runtime = Scripted({"a": ["", "  ", "four"], "b": ["ok"]})
    result = play(team(), runtime)
    assert said(result) == [("task", "the task"), ("a", "four"), ("b", "ok")]
    empty = Scripted({"a": [""] * 9, "b": []})
    result = play(team(limits=Limits(attempts=2)), empty)
    assert result.reason == "a gave no usable answer in 2 attempts: it is empty"
    assert len(empty.asks) == 2


def test_a_typed_answer_is_read_from_the_last_object_or_asked_for_again() -> None:
    schema = {"type": "object", "properties": {"price": {"type": "number"}}}
    team = Sequential([ModelMember("a", answer=schema)])
    runtime = Scripted({"a": ["three?", 'It is {"price": 1}, no: {"price": 3}.']})
    assert play(team, runtime).value == {"price": 3}
    assert runtime.asks[0][1].schema == schema
    assert "no whole JSON object" in text_seen(runtime, "a")


def test_usage_cost_and_calls_add_up_to_the_last_one() -> None:
    runtime = script()
    result = play(team(), runtime)
    spoken = len(runtime.asks)
    assert result.calls == spoken == 3
    assert result.usage.output == 2  # the call of a tool came without usage
    assert result.cost == 6
    assert [one.calls for one in result.members] == [2, 1]


def test_a_conversation_may_be_the_task() -> None:
    runtime = Scripted({"a": ["ok"]})
    task = [Message("user", "Who are you?"), Message("assistant", "A tunnel."), Message("user", "Of what?")]
    play(Sequential([ModelMember("a")]), runtime, task)
    assert [message.text for message in runtime.asks[0][1].messages] == [message.text for message in task]


def test_a_value_stays_a_value() -> None:
    result = play(Sequential([FunctionMember("f", lambda turn: {"buy": 3})]), Scripted())
    assert (result.value, result.text) == ({"buy": 3}, '{"buy":3}')


@pytest.mark.parametrize("names", [["a", "a"], ["task"], ["two words"], ["manager"], ["x" * 49], []])
def test_names_that_would_be_confused_are_refused(names: list[str]) -> None:
    with pytest.raises(ScenarioError, match="member"):
        Sequential([ModelMember(name) for name in names])
