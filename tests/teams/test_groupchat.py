"""A conversation of all, and who leads it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.teams.helpers import play, said, text_seen
from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Ask
from windtunnel.teams import ChatPrompts, FunctionMember, GroupChat, Limits, ModelMember, managers
from windtunnel.teams.managers import Chat, Ruling
from windtunnel.testing.scripted import Scripted


def chat(manager: Any = None, **settings: Any) -> GroupChat:
    return GroupChat([ModelMember("ann", "You are Ann."), ModelMember("bob")], manager=manager, **settings)


def test_by_turns_everyone_speaks_and_sees_everything() -> None:
    runtime = Scripted({"ann": ["a1", "a2"], "bob": ["b1", "b2"]})
    result = play(chat(managers.RoundRobin(laps=2)), runtime)
    assert [line[1] for line in said(result)] == ["the task", "a1", "b1", "a2", "b2"]
    assert (result.value, result.reason, result.rounds) == ("b2", "everyone has spoken 2 times", 4)
    shown = runtime.asks[2][1].messages  # ann again: her own words are hers, bob's are told
    assert [(one.role, one.text) for one in shown] == [
        ("system", "You are Ann."),
        ("user", "the task"),
        ("assistant", "a1"),
        ("user", "bob says:\nb1"),
    ]


def test_a_model_that_follows_itself_is_told_to_go_on() -> None:
    runtime = Scripted({"solo": ["one", "two"]})
    play(GroupChat([ModelMember("solo")], manager=managers.RoundRobin(2)), runtime)
    assert runtime.asks[1][1].messages[-1].text == "Go on."


def test_functions_rule_with_their_reasons() -> None:
    def select(chat: Chat) -> Ruling[str]:
        return Ruling("bob", "I like Bob")

    def terminate(chat: Chat) -> bool:
        return "stop" in (chat.last.message.text if chat.last else "")

    async def results(chat: Chat) -> dict[str, int]:
        return {"turns": chat.turns}

    manager = managers.Functions(select=select, terminate=terminate, results=results)
    result = play(chat(manager), Scripted({"ann": [], "bob": ["more", "stop"]}))
    assert (result.value, result.reason) == ({"turns": 2}, "by terminate")


def test_an_unknown_speaker_is_an_error_with_the_nearest_name() -> None:
    result = play(chat(managers.Functions(select=lambda chat: "bobb")), Scripted({"ann": [], "bob": []}))
    assert (result.status, result.value) == ("failed", None)
    assert result.reason == "there is no member 'bobb' (did you mean 'bob'?)"


def test_a_model_that_keeps_naming_nobody_is_an_error() -> None:
    runtime = Scripted({"manager": lambda _: {"next_speaker": "carl", "reason": "?"}, "ann": [], "bob": []})
    result = play(chat(managers.ModelManager()), runtime)
    assert result.status == "failed"
    assert "next_speaker must be one of ann, bob, not 'carl'" in result.reason
    assert len(runtime.asks) == 3


def test_a_chat_without_an_end_ends_at_the_limit_with_its_result() -> None:
    never = managers.Functions(terminate=lambda chat: False, results=lambda chat: chat.names)
    runtime = Scripted({"ann": lambda _: "a", "bob": lambda _: "b"})
    result = play(chat(never, limits=Limits(rounds=5)), runtime)
    assert (result.status, result.value, result.reason) == ("limited", ["ann", "bob"], "5 rounds have passed")


def test_the_limit_of_calls_leaves_the_last_word() -> None:
    def rules(ask: Ask) -> Any:
        assert ask.schema is not None
        wanted = "answer" if "answer" in ask.schema["properties"] else "next_speaker"
        return {wanted: False if wanted == "answer" else "bob", "reason": "r"}

    runtime = Scripted({"manager": rules, "ann": [], "bob": lambda _: "b"})
    result = play(chat(managers.ModelManager(), limits=Limits(calls=6)), runtime)
    assert (result.status, result.value, result.calls) == ("limited", "b", 6)


def test_a_person_is_asked_when_the_manager_says_so_and_the_chat_goes_on() -> None:
    manager = managers.Functions(ask_user=lambda chat: Ruling(chat.turns == 1, "half time"))
    runtime = Scripted({"ann": ["a"], "bob": ["b"]}, people={"manager": ["shorter, please"]})
    result = play(chat(manager), runtime)
    assert "manager says:\nshorter, please" in text_seen(runtime, "bob")
    assert result.value == "b"


def test_what_is_filtered_is_the_value_and_typed_values_stay_typed() -> None:
    team = GroupChat([FunctionMember("f", lambda turn: {"price": 3})])
    assert play(team, Scripted()).value == {"price": 3}


def test_a_manager_never_begins_with_words_of_its_own() -> None:
    runtime = Scripted(
        {
            "manager": [{"next_speaker": "ann", "reason": ""}, {"answer": True, "reason": "ok"}, "sum"],
            "ann": ["a"],
        }
    )
    result = play(
        chat(managers.ModelManager()), runtime
    )  # the scripted runtime refuses what a provider would
    assert (result.value, result.reason) == ("sum", "ok")


def test_a_prompt_that_names_what_it_is_not_given_is_refused() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'names'"):
        managers.ModelManager(prompts=ChatPrompts(select="Who of $name?"))
