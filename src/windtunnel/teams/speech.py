"""How a model takes its turn: it is asked, its tools are called, a bad answer is asked for again.

Bad is what cannot be used: empty, cut in the middle of a call, without the object that was asked for. Each is
asked again with the reason, a set number of times. Those exchanges stay out of the transcript: it holds what
the turn rests on. A refusal is an answer, and ends the turn as the member's failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from windtunnel.models.parsing import last_object
from windtunnel.models.signature import schema_of
from windtunnel.models.talk import Message, Reply, Tool, ToolCall
from windtunnel.teams.conversation import seen_by
from windtunnel.teams.runtime import Asking, MemberFailed
from windtunnel.teams.stage import Spoken, Turn
from windtunnel.teams.tools import Toolbox, failure

NO_MORE_TOOLS = "You have called tools often enough. Answer now, without calling one."
ROUTE_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string", "description": "Why, and what is to be done there."}},
    "additionalProperties": False,
}


class Bad(Exception):
    """An answer that is asked for again."""


class Answer:
    """The type that an answer must have."""

    def __init__(self, schema: dict[str, Any], wanted: type[Struct] | None) -> None:
        self.schema, self._wanted = schema, wanted

    @classmethod
    def of(cls, given: type[Struct] | dict[str, Any] | None) -> Answer | None:
        if given is None or isinstance(given, dict):
            return cls(given, None) if given is not None else None
        return cls(schema_of(given), given)

    def read(self, text: str) -> Any:
        """The value in a reply; Bad says what is wrong with it."""
        found = last_object(text)
        if found is None:
            raise Bad("it holds no whole JSON object")
        if self._wanted is None:
            return found
        try:
            return msgspec.convert(found, self._wanted)
        except msgspec.ValidationError as error:
            raise Bad(f"its object does not fit: {error}") from None


async def speak(
    turn: Turn, opening: Sequence[Message], how: Asking, box: Toolbox | None, answer: Answer | None
) -> Spoken:
    """A whole turn of a model, from the first call to an answer or to a hand-over."""
    limits = turn.stage.limits
    tools = (*(box.tools if box else ()), *_routes(turn))
    aside: list[Message] = []
    rounds = bad = 0
    renewed = False
    while True:  # bounded: each pass uses up a round of tools or an attempt
        open_tools = tools if rounds < limits.tool_rounds else ()
        pressed = [Message("user", NO_MORE_TOOLS)] if tools and not open_tools else []
        messages = [*opening, *seen_by(turn.name, turn.lines), *aside, *pressed]
        reply = await turn.ask(messages, structs.replace(how, tools=open_tools))
        try:
            _refuse_bad(turn, reply, may_call=bool(open_tools))
            if not reply.calls:
                value = answer.read(reply.text) if answer else reply.text
                turn.say(Message("assistant", reply.text, name=turn.name))
                return Spoken(reply.text, value, rechecked=renewed)
        except Bad as problem:
            bad += 1
            if bad >= limits.attempts:
                raise MemberFailed(
                    f"{turn.name} gave no usable answer in {bad} attempts: {problem}", where=turn.path
                ) from None
            said = [Message("assistant", reply.text, name=turn.name)] if reply.text else []
            aside = [*said, Message("user", f"Your answer cannot be used: {problem}. Answer again.")]
            continue
        aside = []
        rounds += 1
        before = _results(turn)
        route, why = await _carry_out(turn, reply, box)
        renewed = renewed or bool(_results(turn) - before)
        if route:
            return Spoken(reply.text, reply.text or None, to=route, why=why, rechecked=renewed)


def _refuse_bad(turn: Turn, reply: Reply, *, may_call: bool) -> None:
    if reply.label == "refused":
        said = f": {reply.text[:200]}" if reply.text else ""
        raise MemberFailed(f"{turn.name} refused to answer{said}", where=turn.path)
    if reply.calls and reply.label == "truncated":
        raise Bad("it was cut off in the middle of a call; be shorter")
    if reply.calls and not may_call:
        raise Bad("it calls a tool, and none may be called now")
    if not reply.calls and not reply.text.strip():
        raise Bad("it is empty")


async def _carry_out(turn: Turn, reply: Reply, box: Toolbox | None) -> tuple[str, str]:
    """Call what the reply asks for, in its order, each answered. The first hand-over among them counts."""
    calls = _with_own_ids(turn, reply.calls)
    turn.say(Message("assistant", reply.text, name=turn.name, calls=calls))
    target = why = ""
    for position, call in enumerate(calls):
        if call.name in turn.routes:
            if target:
                text = f"Not done: the conversation was handed over to {target} already."
            else:
                target, why = turn.routes[call.name].target, _reason(call)
                text = f"Handed over to {target}."
        elif position >= turn.stage.limits.tool_calls:
            text = f"Not done: at most {turn.stage.limits.tool_calls} calls are taken from one answer."
        elif box is None:
            text = str(failure("there are no tools for you"))
        else:
            text = await box.run(call)
        turn.say(Message("tool", text, name=call.name, answers=call.id))
    return target, why


def _reason(call: ToolCall) -> str:
    given = call.arguments.get("reason") if isinstance(call.arguments, dict) else None
    return given if isinstance(given, str) else ""


def _with_own_ids(turn: Turn, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """Some providers give no ids, or the same ones again: here each call has one of its own."""
    known = {call.id for line in turn.lines for call in line.message.calls}
    named = []
    for call in calls:
        own, count = call.id, len(known)
        while not own or own in known:
            own, count = f"{turn.name}-{count}", count + 1
        known.add(own)
        named.append(structs.replace(call, id=own))
    return tuple(named)


def _routes(turn: Turn) -> list[Tool]:
    return [Tool(name, route.description, ROUTE_SCHEMA) for name, route in turn.routes.items()]


def _results(turn: Turn) -> set[tuple[str, str]]:
    """What tools have answered so far, hand-overs aside: a result seen before is nothing new."""
    told = (line.message for line in turn.lines if line.message.role == "tool")
    return {(message.name, message.text) for message in told if message.name not in turn.routes}
