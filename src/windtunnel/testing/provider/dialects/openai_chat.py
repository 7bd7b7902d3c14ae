"""OpenAI's chat completions; also what Ollama (`/v1`), vLLM and other compatible servers speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from windtunnel.testing.provider.dialects.base import (
    CREATED,
    Body,
    Dialect,
    Told,
    as_text,
    as_value,
    functions,
    role_of,
    sse,
    texts,
    wanted,
)
from windtunnel.testing.provider.words import Call, Failure, Heard, Said

ENDS = {"stop": "stop", "length": "length", "filtered": "content_filter"}
TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
}


def hear(body: Body, _path: str) -> Heard:
    wanted(body, "model", "messages")
    shape = body.get("response_format") or {}
    return Heard(
        model=body["model"],
        messages=tuple(map(_said, body["messages"])),
        tools=functions(body.get("tools")),
        schema=(shape.get("json_schema") or {}).get("schema"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        temperature=body.get("temperature"),
        seed=body.get("seed"),
        stream=bool(body.get("stream")),
    )


def _said(message: Body) -> Said:
    calls = tuple(
        Call(call["function"]["name"], as_value(call["function"].get("arguments") or "{}"), call["id"])
        for call in message.get("tool_calls") or ()
    )
    name, answers = message.get("name") or "", message.get("tool_call_id") or ""
    return Said(role_of(message["role"]), texts(message.get("content")), name, calls, answers)


def _calls(told: Told) -> list[Body]:
    return [
        {
            "id": told.call_id(index),
            "type": "function",
            "function": {"name": call.name, "arguments": as_text(call.arguments)},
        }
        for index, call in enumerate(told.answer.calls)
    ]


def _end(told: Told) -> str:
    return "tool_calls" if told.answer.calls and told.answer.end == "stop" else ENDS[told.answer.end]


def _usage(told: Told) -> Body:
    used = told.usage
    return {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.output,
        "prompt_tokens_details": {"cached_tokens": used.cached},
    }


def _envelope(told: Told, kind: str) -> Body:
    return {"id": f"chatcmpl-{told.request.number}", "object": kind, "created": CREATED, "model": told.model}


def say(told: Told) -> Body:
    answer = told.answer
    message: Body = {"role": "assistant", "content": answer.text or None, "refusal": answer.refusal or None}
    if answer.calls:
        message["tool_calls"] = _calls(told)
    elif not answer.refusal:
        message["content"] = answer.text
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _end(told)}
    return {**_envelope(told, "chat.completion"), "choices": [choice], "usage": _usage(told)}


def stream(told: Told) -> Iterator[bytes]:
    envelope = _envelope(told, "chat.completion.chunk")

    def chunk(delta: Body, end: str | None = None) -> bytes:
        choice: Body = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}
        return sse({**envelope, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for part in told.parts(told.answer.text):
        yield chunk({"content": part})
    for part in told.parts(told.answer.refusal):
        yield chunk({"refusal": part})
    for index, call in enumerate(_calls(told)):
        function = call["function"]
        begun: dict[str, Any] = {"name": function["name"], "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, **call, "function": begun}]})
        for part in told.parts(function["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, _end(told))
    if (told.request.body.get("stream_options") or {}).get("include_usage"):
        yield sse({**envelope, "choices": [], "usage": _usage(told)})
    yield b"data: [DONE]\n\n"


def error(failure: Failure) -> Body:
    kind = TYPES.get(failure.status, "server_error" if failure.status >= 500 else "invalid_request_error")
    said = {
        "message": failure.message,
        "type": failure.code if failure.code == EMPTY else kind,
        "param": None,
    }
    return {"error": {**said, "code": failure.code or None}}


def midway(message: str) -> bytes:
    return sse({"error": {"message": message, "type": "server_error", "param": None, "code": None}})


EMPTY = "insufficient_quota"
UNPAID = Failure(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    code=EMPTY,
)
TOO_LONG = Failure(
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    code="context_length_exceeded",
)
OPENAI_CHAT = Dialect("openai-chat", hear, say, stream, error, midway, UNPAID, TOO_LONG)
