"""A clerk who asks a model for letters: instructions, schema and tools in every call, long replies.

A long letter waits for a vote while the run goes on, so what people read and write is long as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    Applied,
    Call,
    Context,
    Decided,
    EffectKind,
    Engine,
    Event,
    Log,
    Role,
    Scenario,
    Verdict,
    World,
    hold,
)

INSTRUCTIONS = (
    "You answer the letters of an office, politely, at length, and never before reading them. " * 12
)
SCHEMA = {
    "type": "object",
    "properties": {f"part{n}": {"type": "string", "title": "A part"} for n in range(16)},
}
TOOLS = [{"name": f"drawer{n}", "description": "Look into a drawer. " * 10, "schema": {}} for n in range(4)]
CLOSING = "We remain, with the expression of our highest regard, yours faithfully and at your service. " * 9
LONG = 800


class Write(Action, frozen=True):
    text: Annotated[str, msgspec.Meta(max_length=4000)]


class Rest(Action, frozen=True):
    pass


class State(msgspec.Struct):
    day: int
    sent: Log[str]
    characters: int = 0


class Office(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(0, Log())

    def observe(self, state: State, actor: Actor) -> Mapping[str, int]:
        return {"sent": len(state.sent)}

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        state.day += 1
        letters = [event.body.text for event in events if event.kind == "approved"]
        letters += [action.text for action in decided.values() if type(action) is Write]
        for text in letters:
            state.sent.append(f"{state.day}: {text}")
            state.characters += len(text)
        return Applied(state)

    def score(self, state: State) -> Mapping[str, Any]:
        return {"clerk": {"wealth": state.characters}}

    def over(self, state: State) -> str | None:
        return None


class Chief:
    """Reads what is long before it leaves."""

    def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if type(action) is Write and len(action.text) >= LONG:
            return hold(f"Long letters are read first. {INSTRUCTIONS}", "defer")
        return ACCEPT


class Clerk:
    async def decide(self, seen: Mapping[str, int], context: Context) -> Action:
        ask = {
            "messages": [
                {"role": "system", "text": INSTRUCTIONS},
                {"role": "user", "text": f"Day {context.turn}, {seen['sent']} letters were sent."},
            ],
            "tools": TOOLS,
            "schema": SCHEMA,
        }
        said = await context.effect("model", ask)
        return Write(said["text"])


def rest(seen: Any, context: Context) -> Action:
    return Rest()


async def model(request: Any, call: Call) -> dict[str, Any]:
    """A model that answers at once: briefly in odd turns, at length in even ones, once in our own form."""
    await asyncio.sleep(0)
    text = f"Answer {call.turn}. " + (CLOSING if call.turn % 2 == 0 else "")
    said: dict[str, Any] = {"text": text, "used": {"input": len(str(request))}}
    if call.turn == 4:
        said["calls"] = [{"$text": "a" * 64}, {"$plain": CLOSING}]
    return said


world = World(
    "clerk",
    Office(),
    State,
    {"clerk": Role((Write, Rest), Rest(), {"rest": rest})},
    Chief(),
    effects={"model": EffectKind(model, in_doubt="retry")},
)
