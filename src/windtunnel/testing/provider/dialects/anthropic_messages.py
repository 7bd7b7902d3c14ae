"""Anthropic's messages: content in blocks, `max_tokens` required, a stream of named events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from windtunnel.testing.provider.dialects.base import (
    Body,
    Dialect,
    Refused,
    Told,
    as_text,
    as_value,
    role_of,
    sse,
    texts,
    wanted,
)
from windtunnel.testing.provider.words import Call, Failure, Heard, Offered, Said

ENDS = {"stop": "end_turn", "length": "max_tokens", "filtered": "refusal"}
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def hear(body: Body, path: str) -> Heard:
    counting = path.endswith("/count_tokens")
    wanted(body, "model", "messages", *(() if counting else ("max_tokens",)))
    said = [Said("system", texts(body["system"]))] if body.get("system") else []
    for message in body["messages"]:
        said.extend(_said(message))
    shape = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    tools = [tool for tool in body.get("tools") or () if "input_schema" in tool]
    return Heard(
        model=body["model"],
        messages=tuple(said),
        tools=tuple(Offered(t["name"], t.get("description") or "", t["input_schema"]) for t in tools),
        schema=shape.get("schema"),
        max_tokens=body.get("max_tokens"),
        temperature=body.get("temperature"),
        stream=bool(body.get("stream")),
    )


def _said(message: Body) -> Iterator[Said]:
    role, content = message["role"], message["content"]
    if role not in {"user", "assistant"}:
        raise Refused(f"messages: Unexpected role '{role}'. The Messages API accepts 'user' and 'assistant'.")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    results = [block for block in blocks if block["type"] == "tool_result"]
    for block in results:
        yield Said("tool", texts(block.get("content")), answers=block["tool_use_id"])
    used = [block for block in blocks if block["type"] == "tool_use"]
    calls = tuple(Call(block["name"], block["input"], block["id"]) for block in used)
    text = texts([block for block in blocks if block["type"] == "text"])
    if text or calls or not results:
        yield Said(role_of(role), text, calls=calls)


def _blocks(told: Told) -> list[Body]:
    blocks: list[Body] = []
    spoken = told.answer.text or told.answer.refusal
    if spoken:
        said: Body = {"type": "text", "text": spoken, "citations": None}
        blocks.append(said)
    for index, call in enumerate(told.answer.calls):
        blocks.append(
            {
                "type": "tool_use",
                "id": told.call_id(index),
                "name": call.name,
                "input": as_value(call.arguments),
            }
        )
    return blocks


def _end(told: Told) -> str:
    if told.answer.refusal:
        return "refusal"
    return "tool_use" if told.answer.calls and told.answer.end == "stop" else ENDS[told.answer.end]


def _message(told: Told, blocks: list[Body], end: str | None, output: int) -> Body:
    cached = told.usage.cached
    used = {"input_tokens": told.usage.input - cached, "cache_read_input_tokens": cached}
    return {
        "id": f"msg_{told.request.number}",
        "type": "message",
        "role": "assistant",
        "model": told.model,
        "content": blocks,
        "stop_reason": end,
        "stop_sequence": None,
        "usage": {**used, "cache_creation_input_tokens": 0, "output_tokens": output},
    }


def say(told: Told) -> Body:
    if told.request.path.endswith("/count_tokens"):
        return {"input_tokens": told.usage.input}
    return _message(told, _blocks(told), _end(told), told.usage.output)


def stream(told: Told) -> Iterator[bytes]:
    def event(kind: str, **data: Any) -> bytes:
        return sse({"type": kind, **data}, kind)

    yield event("message_start", message=_message(told, [], None, 1))
    yield event("ping")
    for index, block in enumerate(_blocks(told)):
        if block["type"] == "text":
            yield event("content_block_start", index=index, content_block={**block, "text": ""})
            deltas = [{"type": "text_delta", "text": part} for part in told.parts(block["text"])]
        else:
            yield event("content_block_start", index=index, content_block={**block, "input": {}})
            written = told.parts(as_text(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in written]
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    ended: Body = {"stop_reason": _end(told), "stop_sequence": None}
    yield event("message_delta", delta=ended, usage={"output_tokens": told.usage.output})
    yield event("message_stop")


def error(failure: Failure) -> Body:
    kind = TYPES.get(failure.status, "api_error" if failure.status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": failure.code or kind, "message": failure.message}}


def midway(message: str) -> bytes:
    return sse({"type": "error", "error": {"type": "overloaded_error", "message": message}}, "error")


UNPAID = Failure(
    400, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."
)
TOO_LONG = Failure(400, "prompt is too long: 9000 tokens > 8192 maximum")
ANTHROPIC = Dialect("anthropic", hear, say, stream, error, midway, UNPAID, TOO_LONG)
