"""A team inside a real run: its questions are the run's effects, whatever happens to the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from tests.run.toy import Give, make, python, scene
from windtunnel.chance import Chance
from windtunnel.journal import Status
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall
from windtunnel.teams import Asking, Concurrent, HumanMember, ModelMember, Sequential, Team, aggregate, ask_of
from windtunnel.testing.lab import Lab
from windtunnel.world import Call, Context, EffectKind

T = TypeVar("T")


class InRun:
    """The least that a run must bring: every question an effect at its member's path."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def offered(self) -> Mapping[str, Tool]:
        return {}

    async def ask(self, member: str, messages: Sequence[Message], how: Asking) -> Reply:
        asked = ask_of(messages, how, "mock")
        answer = await self.context.member(member).effect("model", msgspec.to_builtins(asked))
        return msgspec.convert(answer, Reply)

    async def human(self, member: str, question: Any) -> Any:
        return await self.context.member(member).effect("ask", question)

    async def call(self, member: str, call: ToolCall, function: Callable[..., Any] | None) -> Any:
        assert function is not None
        return await self.context.member(member).effect("look", call.arguments)

    async def within(self, member: str, seconds: float, work: Callable[[str], Awaitable[T]]) -> T:
        return await work(member)

    def chance(self, member: str, *element: object) -> Chance:
        return self.context.member(member).chance(*element)

    def note(self, member: str, message: Message) -> None:
        """The effects hold all that was said."""


def look(word: str) -> int:
    """Look a word up."""
    return len(word)


def board() -> Team:
    desk = Concurrent(
        [ModelMember("bull"), ModelMember("bear", tools=[look])], name="desk", aggregate=aggregate.Mean()
    )
    return Sequential([desk, HumanMember("boss"), ModelMember("clerk")])


class Seat:
    async def decide(self, seen: Any, context: Context) -> Any:
        result = await board().invoke({"coins": seen.coins}, InRun(context))
        return Give(int(result.text))


class Provider:
    """Answers, counts, and dies before one of its answers is used."""

    def __init__(self, dies_at: int = 0) -> None:
        self.keys: list[str] = []
        self.dies_at = dies_at

    async def model(self, request: Any, call: Call) -> Any:
        self._count(call)
        ask = msgspec.convert(request, Ask)
        texts = [message.text for message in ask.messages]
        if call.actor == "a/desk/bear" and not any(one.role == "tool" for one in ask.messages):
            return msgspec.to_builtins(Reply(calls=(ToolCall("", "look", {"word": "bear"}),)))
        number = {"a/desk/bull": "6", "a/desk/bear": "4"}.get(call.actor) or texts[-1].rpartition("\n")[2]
        return msgspec.to_builtins(Reply(number))

    async def look(self, request: Any, call: Call) -> Any:
        self._count(call)
        return len(request["word"])

    def _count(self, call: Call) -> None:
        self.keys.append(call.key)
        if len(self.keys) == self.dies_at:
            raise KeyboardInterrupt("the process died here")


def lab(folder: Path, provider: Provider) -> Lab:
    folder.mkdir()
    kinds = {
        "model": EffectKind(provider.model, in_doubt="retry"),
        "look": EffectKind(provider.look, in_doubt="retry"),
    }
    return Lab(make(effects=kinds), folder=folder, players={"a": Seat()})


def finish(one: Lab) -> str:
    for _ in range(50):
        try:
            row = one.go_on(answer=lambda kind, question: "7")
        except KeyboardInterrupt:
            continue
        assert row.status is Status.COMPLETED
        return str(one.head())
    raise AssertionError("it does not come to an end")


@pytest.mark.slow
def test_killed_at_any_call_a_team_in_a_run_ends_in_the_same_head(tmp_path: Path) -> None:
    heads, calls_made = [], 5 * 2  # two turns of: bull, bear twice, one look-up, the clerk
    for dies_at in range(calls_made + 1):
        provider = Provider(dies_at)
        with lab(tmp_path / str(dies_at), provider) as one:
            one.begin(scene(python("a"), turns=2))
            heads.append(finish(one))
            assert len(set(provider.keys)) == calls_made
            assert len(provider.keys) == calls_made + bool(dies_at)  # only what was in doubt was asked again
            assert one.replay().identical
            paths = [entry.actor for entry in one.history(kind="effect", turn=1)]
            assert paths == ["a/boss", "a/clerk", *["a/desk/bear"] * 3, "a/desk/bull"]
    assert len(set(heads)) == 1
