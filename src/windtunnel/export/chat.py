"""Training data: the model calls of a run as lines of JSON, in the chat format that people fine-tune with.

A line is one call: what was asked, what was answered, the tools that were offered, and beside them what
became of it: how the agent's action was judged, and what people said. Calls that failed have no answer to
learn from; they are left out and counted. Which lines are good, `--min-score` and the reader say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any, BinaryIO, NamedTuple

import msgspec
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.export.story import Decision, EffectTold, decisions_of, effects_told, turns_told
from windtunnel.journal.lineage import Lineage
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall
from windtunnel.run.entries import PHASES
from windtunnel.run.feedback import Given, feedback_of

KIND = "model"


class ChatWritten(Struct):
    """What became of the calls: only `lines` of them stand in the file."""

    path: Path
    lines: int = 0
    failed: int = 0
    waiting: int = 0  # no reply yet
    below: int = 0  # no feedback, or less than was asked for
    other: int = 0  # effects of this kind that a world made in a form of its own


class ModelCall(NamedTuple):
    told: EffectTold
    ask: Ask
    reply: Reply

    @property
    def agent(self) -> str:
        return self.told.agent.partition("/")[0]


def write_chat(
    lineage: Lineage, file: BinaryIO, written: ChatWritten, min_score: float | None = None
) -> None:
    """One line a call, in the order of history."""
    given = feedback_of(lineage)
    turns = turns_told(lineage)
    for turn, calls in groupby(_calls(lineage, written), key=lambda call: call.told.turn):
        same = list(calls)
        sealed = next((group for group in turns if group[0].turn >= turn), [])
        decisions = decisions_of(sealed) if sealed and sealed[0].turn == turn else []
        for call in same:
            mine = _feedback(call.told, given)
            score = _score(mine)
            if min_score is not None and (score is None or score < min_score):
                written.below += 1
                continue
            about = {**_about(lineage, call), "score": score, "feedback": [_said(one) for one in mine]}
            about["outcome"] = _outcome(call, same, decisions)
            file.write(msgspec.json.encode({**_conversation(call), "metadata": about}) + b"\n")
            written.lines += 1
    if not written.lines:
        raise _nothing(lineage, written, min_score)


def _nothing(lineage: Lineage, written: ChatWritten, min_score: float | None) -> UsageError:
    run_id = lineage.row.run_id
    if written.below:
        return UsageError(
            f"no model call of run {run_id} has feedback of at least {min_score:g}",
            where="--min-score",
            remedy=f"windtunnel feedback {run_id}:ENTRY --score X, or a lower --min-score",
        )
    if written.failed or written.waiting:
        return UsageError(
            f"no model call of run {run_id} was answered: {written.failed} failed, {written.waiting} wait",
            where="--to chat",
            remedy="windtunnel models test asks each model; then play the run again",
        )
    return UsageError(
        f"run {run_id} has no model calls",
        where="--to chat",
        remedy="play it with a model: windtunnel run SCENARIO --model house needs no key",
    )


# --- reading the record ---


def _calls(lineage: Lineage, written: ChatWritten) -> Iterator[ModelCall]:
    """Every answered call, a fork's shared past included, by turn, phase and actor. The one place where the
    record of a call is read."""
    for _, effects in groupby(effects_told(lineage), key=lambda effect: effect.turn):
        for effect in sorted(effects, key=_place):
            if effect.kind != KIND:
                continue
            if effect.waiting or effect.failed:
                written.failed += effect.failed
                written.waiting += effect.waiting
                continue
            try:
                ask, reply = msgspec.convert(effect.request, Ask), msgspec.convert(effect.result, Reply)
            except msgspec.ValidationError:
                written.other += 1
                continue
            yield ModelCall(effect, ask, reply)


def _place(effect: EffectTold) -> tuple[int, str, int]:
    phase = PHASES.index(effect.phase) if effect.phase in PHASES else -1
    return phase, effect.agent, int(effect.name.rpartition(".")[2])


# --- what was said ---


def _conversation(call: ModelCall) -> dict[str, Any]:
    reply = call.reply
    answer = Message("assistant", reply.text, calls=reply.calls)
    told: dict[str, Any] = {"messages": [_message(one) for one in (*call.ask.messages, answer)]}
    if call.ask.tools:
        told["tools"] = [_tool(tool) for tool in call.ask.tools]
    return told


def _message(message: Message) -> dict[str, Any]:
    """As it reached the model: who speaks stands before a user's words."""
    if message.role == "tool":
        told = {"role": "tool", "tool_call_id": message.answers, "content": message.text}
        return {**told, "name": message.name} if message.name else told
    named = message.name and message.role == "user"
    said: dict[str, Any] = {
        "role": message.role,
        "content": f"{message.name}: {message.text}" if named else message.text,
    }
    if message.calls:
        said["tool_calls"] = [_tool_call(call) for call in message.calls]
    return said


def _tool_call(call: ToolCall) -> dict[str, Any]:
    raw = call.arguments
    arguments = raw if isinstance(raw, str) else msgspec.json.encode(raw).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": function}


# --- what became of it ---


def _about(lineage: Lineage, call: ModelCall) -> dict[str, Any]:
    row, told, reply = lineage.row, call.told, call.reply
    about: dict[str, Any] = {
        "run_id": row.run_id, "world": row.world, "scenario": row.scenario, "turn": told.turn,
        "phase": told.phase, "agent": call.agent, "effect": told.name,
    }  # fmt: skip
    if "/" in told.agent:
        about["member"] = told.agent.partition("/")[2]
    if call.ask.schema is not None:
        about["schema"] = call.ask.schema
    used = reply.usage
    usage = {"input": used.input, "output": used.output, "cached": used.cached}
    return {
        **about, "asked": call.ask.model, "model": reply.model, "label": reply.label, "usage": usage,
        "cost": reply.cost, "marks": list(reply.marks),
    }  # fmt: skip


def _outcome(
    call: ModelCall, turn: Sequence[ModelCall], decisions: Sequence[Decision]
) -> dict[str, Any] | None:
    """How the decision it led to was judged. An agent that was asked again made several: where it called once
    for each, a call belongs to the one of its own number; else to the last, and then `attempt` is null."""
    mine = [one for one in decisions if one.agent == call.agent]
    if call.told.phase != "plan" or not mine:
        return None
    calls = [other.told.name for other in turn if other.told.agent == call.told.agent and
             other.told.phase == "plan"]  # fmt: skip
    known = len(calls) == len(mine) or len(mine) == 1
    one = mine[calls.index(call.told.name)] if known and len(mine) > 1 else mine[-1]
    return {
        "attempt": one.attempt if known else None, "attempts": len(mine), "action": one.action,
        "verdict": one.verdict, "reason": one.reason, "label": one.label, "instead": one.instead,
    }  # fmt: skip


# --- what people said of it ---


def _feedback(told: EffectTold, given: Sequence[Given]) -> list[Given]:
    """What speaks of a call: of it, of its turn (by any other entry of that turn), of the whole run."""
    return [
        one
        for one in given
        if one.effect == told.name or (not one.effect and one.turn in (None, told.turn))
    ]  # fmt: skip


def _level(one: Given) -> str:
    return "call" if one.effect else "run" if one.turn is None else "turn"


def _score(given: Sequence[Given]) -> float | None:
    """The closest judgement counts, of the call before its turn before its run: the newest score of each who
    gave one, and their mean."""
    for level in ("call", "turn", "run"):
        newest = {one.by: one.score for one in given if _level(one) == level and one.score is not None}
        if newest:
            return mean(newest.values())
    return None


def _said(one: Given) -> dict[str, Any]:
    return {"of": _level(one), "score": one.score, "comment": one.comment, "by": one.by, "at": one.at}
