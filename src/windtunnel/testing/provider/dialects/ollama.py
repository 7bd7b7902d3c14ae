"""Ollama's own `/api/chat`: streams unless told not to, by lines of JSON; has no refusals and no call ids."""

from __future__ import annotations

from collections.abc import Iterator

from windtunnel.testing.provider.dialects.base import (
    Body,
    Dialect,
    Told,
    as_value,
    encode,
    functions,
    role_of,
    wanted,
)
from windtunnel.testing.provider.words import Call, Failure, Heard, Said

MOMENT = "2023-11-14T22:13:20Z"
ENDS = {"stop": "stop", "length": "length", "filtered": "stop"}


def hear(body: Body, _path: str) -> Heard:
    wanted(body, "model", "messages")
    options = body.get("options") or {}
    shape = body.get("format")
    return Heard(
        model=body["model"],
        messages=tuple(map(_said, body["messages"])),
        tools=functions(body.get("tools")),
        schema=shape if isinstance(shape, dict) else None,
        max_tokens=options.get("num_predict"),
        temperature=options.get("temperature"),
        seed=options.get("seed"),
        stream=body.get("stream", True),
    )


def _said(message: Body) -> Said:
    asked = [call["function"] for call in message.get("tool_calls") or ()]
    calls = tuple(Call(call["name"], as_value(call.get("arguments") or {})) for call in asked)
    name = message.get("tool_name") or message.get("name") or ""
    return Said(role_of(message["role"]), message.get("content") or "", name, calls)


def _envelope(told: Told, message: Body) -> Body:
    said = {"role": "assistant", "content": "", **message}
    return {"model": told.model, "created_at": MOMENT, "message": said}


def _calls(told: Told) -> Body:
    found = [{"function": {"name": c.name, "arguments": as_value(c.arguments)}} for c in told.answer.calls]
    return {"tool_calls": found} if found else {}


def _done(told: Told) -> Body:
    counted = {"prompt_eval_count": told.usage.input, "eval_count": told.usage.output}
    times = {"total_duration": 1, "load_duration": 0, "prompt_eval_duration": 0, "eval_duration": 1}
    return {"done": True, "done_reason": ENDS[told.answer.end], **times, **counted}


def _text(told: Told) -> str:
    return told.answer.text or told.answer.refusal


def say(told: Told) -> Body:
    return {**_envelope(told, {"content": _text(told), **_calls(told)}), **_done(told)}


def stream(told: Told) -> Iterator[bytes]:
    for part in told.parts(_text(told)):
        yield encode({**_envelope(told, {"content": part}), "done": False}) + b"\n"
    if told.answer.calls:
        yield encode({**_envelope(told, _calls(told)), "done": False}) + b"\n"
    yield encode({**_envelope(told, {}), **_done(told)}) + b"\n"


def error(failure: Failure) -> Body:
    return {"error": failure.message}


def midway(message: str) -> bytes:
    return encode({"error": message}) + b"\n"


UNPAID = Failure(402, "this model requires a subscription, upgrade for access")
TOO_LONG = Failure(400, "the input length exceeds the context length")
OLLAMA = Dialect(
    "ollama", hear, say, stream, error, midway, UNPAID, TOO_LONG, media="application/x-ndjson", paired="never"
)
