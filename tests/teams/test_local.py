"""Teams alone from Python, on anything that answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.teams.helpers import play
from windtunnel.errors import UsageError
from windtunnel.models.gateway import Gateway
from windtunnel.models.talk import Ask, Reply, ToolCall
from windtunnel.teams import Handoff, HumanMember, Limits, LocalRuntime, ModelMember, Sequential, Team, Turn
from windtunnel.teams.members import FunctionMember


class Desk:
    """Like a gateway."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def ask(self, ask: Ask, *, key: str) -> Reply:
        self.keys.append(key)
        if ask.tools and not any(message.role == "tool" for message in ask.messages):
            return Reply(calls=(ToolCall("1", ask.tools[0].name, {"word": "wind"}),))
        return Reply(f"{ask.model}: {ask.messages[-1].text}")


def length(word: str) -> int:
    return len(word)


def test_a_team_works_on_a_gateway_and_every_call_has_a_key_of_its_own() -> None:
    desk, heard = Desk(), []
    runtime = LocalRuntime(
        desk,
        model="house",
        tools=[length],
        heard=lambda member, message: heard.append((member, message.text)),
    )
    result = play(Sequential([ModelMember("a", tools=["length"]), ModelMember("b", model="test")]), runtime)
    assert result.text.startswith("test: a says:\nhouse: 4")
    assert len(set(desk.keys)) == 3
    assert [key.split("/")[:3] for key in desk.keys] == [
        ["local", "a", "1"],
        ["local", "a", "2"],
        ["local", "b", "1"],
    ]
    assert heard[-1] == ("b", result.text)


def test_a_team_works_on_the_gateway_itself() -> None:
    async def run() -> Any:
        async with Gateway(environ={}) as gateway:
            team = Sequential(
                [ModelMember("a"), ModelMember("b", answer={"type": "object", "properties": {}})]
            )
            return await team.invoke("Hello", LocalRuntime(gateway, model="test"))

    result = asyncio.run(run())
    assert (result.status, result.value) == ("completed", {})
    assert result.usage.input > 0


def test_a_person_is_asked_by_a_function() -> None:
    async def people(member: str, question: Any) -> str:
        return f"{member} heard {question['conversation'][-1]['text']}"

    runtime = LocalRuntime(Desk(), model="m", people=people)
    assert play(Sequential([HumanMember("boss")]), runtime, "hi").value == "boss heard hi"
    with pytest.raises(UsageError, match="nobody is here"):
        play(Sequential([HumanMember("boss")]), LocalRuntime(Desk(), model="m"))


def test_without_a_model_there_is_a_remedy() -> None:
    with pytest.raises(UsageError, match="model=") as caught:
        play(Handoff([ModelMember("a"), ModelMember("b")]), LocalRuntime(Desk()))
    assert caught.value.where == "a"


def test_a_timeout_of_a_members_own_is_its_failure_and_not_its_deadline() -> None:
    def own(turn: Turn) -> str:
        raise TimeoutError("my own")

    result = play(Sequential([FunctionMember("f", own, deadline=30.0)]), LocalRuntime(Desk()))
    assert result.member("f").status == "failed"
    assert "my own" in result.reason


def test_teams_that_contain_themselves_come_to_an_end() -> None:
    members = [ModelMember("a")]
    team: Team = Sequential(members, limits=Limits(depth=3))
    team.members["self"] = team
    team.name = "self"
    result = play(team, LocalRuntime(Desk(), model="m"))
    assert "teams may be nested 3 deep" in str(result.members)
    assert result.calls == 3
