"""Runs whose agents ask a model: the record is as `models/talk.py` says, the answers come from a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.run.toy import Give, make, python, scene
from windtunnel.errors import EffectFailed
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall, Usage
from windtunnel.testing.lab import Lab
from windtunnel.world import Call, Context, EffectKind, Verdict

LOOK = Tool("look", "Look a word up.", {"type": "object", "properties": {"word": {"type": "string"}}})
Script = Callable[[Ask, Call], Reply]


class Asker:
    """Asks a model how much to give; with `team`, two members of its own first."""

    def __init__(self, *, team: bool = False, tools: bool = False) -> None:
        self.team, self.tools = team, tools

    async def decide(self, seen: Any, context: Context) -> Any:
        said = [Message("system", "You give."), Message("user", f"You have {seen.coins}.", name="purse")]
        if context.rejection:
            said.append(Message("user", context.rejection))
        if self.team:
            for name in ("bull", "bear"):
                await self.model(context.member(name), Ask("mock", tuple(said)))
        ask = Ask("mock", tuple(said), tools=(LOOK,) if self.tools else ())
        reply = await self.model(context, ask)
        while reply.calls:
            answers = [Message("tool", "seven", name="look", answers=call.id) for call in reply.calls]
            said += [Message("assistant", reply.text, calls=reply.calls), *answers]
            reply = await self.model(context, msgspec.structs.replace(ask, messages=tuple(said)))
        return Give(int(reply.text or 0))

    async def model(self, context: Context, ask: Ask) -> Reply:
        try:
            answer = await context.effect("model", msgspec.to_builtins(ask))
        except EffectFailed:
            return Reply("0")
        return msgspec.convert(answer, Reply)


def amount(_: Ask, call: Call) -> Reply:
    """Each turn one more."""
    return Reply(str(call.turn), model="mock:1", usage=Usage(30, 2, 10), cost=7)


def looks_up(ask: Ask, _: Call) -> Reply:
    if ask.messages[-1].role == "tool":
        return Reply("3", model="mock:1")
    return Reply(calls=(ToolCall("c1", "look", {"word": "é"}),), model="mock:1")


def kind(script: Script) -> EffectKind:
    async def perform(request: Any, call: Call) -> Any:
        return msgspec.to_builtins(script(msgspec.convert(request, Ask), call))

    return EffectKind(perform, in_doubt="retry")


def flight(
    folder: Path,
    script: Script = amount,
    *,
    players: Mapping[str, Any] | None = None,
    rule: Callable[..., Verdict] | None = None,
    turns: int = 3,
) -> Lab:
    """A finished run called `run`; close it."""
    players = {"a": Asker()} if players is None else players
    lab = Lab(make(rule, effects={"model": kind(script)}), folder=folder, players=players)
    lab.play(scene(*(python(name) for name in players), turns=turns))
    return lab
