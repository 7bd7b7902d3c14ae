"""Hand-overs: every call has its result, whoever comes next knows what was found, and nothing goes round."""

from __future__ import annotations

import pytest

from tests.teams.helpers import play, seen, text_seen
from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Reply, ToolCall
from windtunnel.teams import FunctionMember, Handoff, HumanMember, Limits, ModelMember, Spoken, Team, Turn
from windtunnel.teams.conversation import ill_formed
from windtunnel.testing.scripted import Scripted, calls


def clock() -> str:
    """The time."""
    return "ten past nine"


def pair(**settings: object) -> Team:
    return Handoff([ModelMember("a", tools=[clock]), ModelMember("b")], **settings)  # type: ignore[arg-type]


def test_whoever_takes_over_sees_what_the_tools_before_have_answered() -> None:
    runtime = Scripted({"a": [calls("clock"), calls("handoff_to_b", reason="say it")], "b": ["nine ten"]})
    result = play(pair(), runtime)
    assert (result.value, result.reason) == ("nine ten", "b answered")
    assert "ten past nine" in text_seen(runtime, "b")
    assert "say it" in text_seen(runtime, "b")
    assert all(
        not message.calls for message in seen(runtime, "b")
    )  # another's calls are told, not shown as its own


def test_a_hand_over_among_other_calls_leaves_none_without_a_result() -> None:
    """Seen elsewhere: the other calls' results were lost, and the provider refused the conversation."""
    mixed = Reply(
        calls=(
            ToolCall("1", "handoff_to_b", {"reason": "x"}),
            ToolCall("2", "clock", {}),
            ToolCall("3", "handoff_to_b", {}),
            ToolCall("4", "nothing", {}),
        )
    )
    runtime = Scripted({"a": [mixed, "back here"], "b": [calls("handoff_to_a", reason="yours")]})
    result = play(pair(), runtime)
    messages = seen(runtime, "a")
    assert ill_formed(messages[:]) is None
    results = {message.answers: message.text for message in messages if message.role == "tool"}
    assert results["1"] == "Handed over to b."
    assert results["2"] == "ten past nine"
    assert "handed over to b already" in results["3"]
    assert "there is no tool" in results["4"]
    assert result.value == "back here"


def test_a_conversation_that_goes_round_is_found() -> None:
    to_b, to_a = calls("handoff_to_b", reason="you"), calls("handoff_to_a", reason="no, you")
    runtime = Scripted({"a": lambda _: to_b, "b": lambda _: to_a})
    result = play(pair(), runtime)
    assert result.status == "failed"
    assert "goes round with nothing new: a → b → a → b" in result.reason
    assert result.rounds == 5


def test_asking_the_same_tool_for_the_same_again_is_nothing_new() -> None:
    def of_a(_: object) -> Reply:
        return Reply(calls=(ToolCall("", "clock", {}), ToolCall("", "handoff_to_b", {})))

    runtime = Scripted({"a": of_a, "b": lambda _: calls("handoff_to_a")})
    result = play(pair(), runtime)
    assert "nothing new" in result.reason


def test_going_round_with_something_new_each_time_is_no_loop() -> None:
    count = iter(range(100))

    def ticket() -> int:
        return next(count)

    team = Handoff([ModelMember("a", tools=[ticket]), ModelMember("b")], limits=Limits(rounds=9))
    both = Reply(calls=(ToolCall("", "ticket", {}), ToolCall("", "handoff_to_b", {})))
    runtime = Scripted({"a": lambda _: both, "b": lambda _: calls("handoff_to_a")})
    result = play(team, runtime)
    assert result.reason == "9 rounds have passed"
    assert result.rounds == 9


def test_what_a_person_says_goes_back_to_whoever_asked() -> None:
    team = Handoff([ModelMember("front"), ModelMember("back"), HumanMember("user")], start="front")
    runtime = Scripted(
        {
            "front": [calls("handoff_to_back")],
            "back": [calls("handoff_to_user", reason="which colour?"), "blue it is"],
        },
        people={"user": ["blue"]},
    )
    result = play(team, runtime)
    assert result.value == "blue it is"
    assert "user says:\nblue" in text_seen(runtime, "back")


def test_only_the_routes_that_were_given_are_offered() -> None:
    members = [ModelMember("a"), ModelMember("b"), ModelMember("c")]
    runtime = Scripted({"a": [calls("handoff_to_c"), "then I answer"]})
    result = play(Handoff(members, routes={"a": {"b": "for sums"}}), runtime)
    offered = [tool.name for tool in runtime.asks[0][1].tools]
    assert offered == ["handoff_to_b"]
    assert "for sums" in runtime.asks[0][1].tools[0].description
    assert result.value == "then I answer"


def test_a_function_hands_over_by_name() -> None:
    def sort(turn: Turn) -> Spoken:
        return Spoken("for b", to="b" if "sum" in turn.text else "c", why="a sum")

    team = Handoff([FunctionMember("sorter", sort), ModelMember("b"), ModelMember("c")])
    runtime = Scripted({"b": ["4"]})
    assert play(team, runtime, "a sum: 2+2").value == "4"
    assert "sorter hands over to b: a sum" in text_seen(runtime, "b")


def test_routes_to_nobody_are_refused_when_the_team_is_made() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'sales'") as caught:
        Handoff([ModelMember("triage"), ModelMember("sales")], routes={"triage": ["sale"]}, name="shop")
    assert caught.value.where == "shop.routes.triage.sale"
    with pytest.raises(ScenarioError, match="itself"):
        Handoff([ModelMember("triage"), ModelMember("sales")], routes={"triage": ["triage"]})
