"""OpenAI's Responses API: a list of items in, a list of items out, and a stream of many kinds of event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from windtunnel.testing.provider.dialects.base import (
    CREATED,
    Body,
    Dialect,
    Told,
    as_text,
    as_value,
    role_of,
    sse,
    texts,
    wanted,
)
from windtunnel.testing.provider.dialects.openai_chat import TOO_LONG, UNPAID, error
from windtunnel.testing.provider.words import Call, Heard, Offered, Said

REASONS = {"length": "max_output_tokens", "filtered": "content_filter"}


def hear(body: Body, _path: str) -> Heard:
    wanted(body, "model", "input")
    items = body["input"]
    said = (
        [Said("user", items)] if isinstance(items, str) else [s for s in map(_said, items) if s is not None]
    )
    if body.get("instructions"):
        said.insert(0, Said("system", body["instructions"]))
    tools = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
    return Heard(
        model=body["model"],
        messages=tuple(said),
        tools=tuple(
            Offered(tool["name"], tool.get("description") or "", tool.get("parameters") or {})
            for tool in tools
        ),
        schema=((body.get("text") or {}).get("format") or {}).get("schema"),
        max_tokens=body.get("max_output_tokens"),
        temperature=body.get("temperature"),
        stream=bool(body.get("stream")),
    )


def _said(item: Body) -> Said | None:
    kind = item.get("type", "message")
    if kind == "function_call":
        call = Call(item["name"], as_value(item.get("arguments") or "{}"), item["call_id"])
        return Said("assistant", calls=(call,))
    if kind == "function_call_output":
        return Said("tool", texts(item.get("output")), answers=item["call_id"])
    if kind != "message":
        return None  # reasoning and the like: what the provider itself had said
    return Said(role_of(item["role"]), texts(item.get("content")))


def _items(told: Told) -> list[Body]:
    answer, number = told.answer, told.request.number
    status = "completed" if answer.end == "stop" else "incomplete"
    content: list[Body] = []
    if answer.refusal:
        content.append({"type": "refusal", "refusal": answer.refusal})
    if answer.text or not (answer.refusal or answer.calls):
        content.append({"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []})
    items: list[Body] = []
    if content:
        said = {"type": "message", "role": "assistant", "status": status, "content": content}
        items.append({"id": f"msg_{number}", **said})
    for index, call in enumerate(answer.calls):
        named = {"call_id": told.call_id(index), "name": call.name, "arguments": as_text(call.arguments)}
        items.append({"id": f"fc_{number}_{index}", "type": "function_call", "status": status, **named})
    return items


def _response(told: Told, items: list[Body], status: str) -> Body:
    reason = REASONS.get(told.answer.end) if status == "incomplete" else None
    used = told.usage
    usage = {
        "input_tokens": used.input,
        "input_tokens_details": {"cached_tokens": used.cached, "cache_write_tokens": 0},
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used.input + used.output,
    }
    return {
        "id": f"resp_{told.request.number}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": told.request.body.get("instructions"),
        "metadata": {},
        "model": told.model,
        "output": items,
        "parallel_tool_calls": True,
        "temperature": told.request.body.get("temperature"),
        "tool_choice": "auto",
        "tools": told.request.body.get("tools") or [],
        "top_p": None,
        "usage": None if status == "in_progress" else usage,
    }


def say(told: Told) -> Body:
    return _response(told, _items(told), _status(told))


def _status(told: Told) -> str:
    return "completed" if told.answer.end == "stop" else "incomplete"


def stream(told: Told) -> Iterator[bytes]:
    numbers = count()

    def event(kind: str, **data: Any) -> bytes:
        return sse({"type": kind, "sequence_number": next(numbers), **data}, kind)

    begun = _response(told, [], "in_progress")
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    items = _items(told)
    for index, item in enumerate(items):
        empty: Body = {"content": []} if item["type"] == "message" else {"arguments": ""}
        open_item = {**item, **empty, "status": "in_progress"}
        yield event("response.output_item.added", output_index=index, item=open_item)
        where = {"item_id": item["id"], "output_index": index}
        if item["type"] == "function_call":
            kind = "response.function_call_arguments"
            for part in told.parts(item["arguments"]):
                yield event(f"{kind}.delta", **where, delta=part)
            yield event(f"{kind}.done", **where, arguments=item["arguments"], name=item["name"])
        for at, content in enumerate(item.get("content", ())):
            place = {**where, "content_index": at}
            field = "text" if content["type"] == "output_text" else "refusal"
            extra: Body = {"logprobs": []} if field == "text" else {}
            yield event("response.content_part.added", **place, part={**content, field: ""})
            for part in told.parts(content[field]):
                yield event(f"response.{content['type']}.delta", **place, delta=part, **extra)
            yield event(f"response.{content['type']}.done", **place, **{field: content[field]}, **extra)
            yield event("response.content_part.done", **place, part=content)
        yield event("response.output_item.done", output_index=index, item=item)
    status = _status(told)
    yield event(f"response.{status}", response=_response(told, items, status))


def midway(message: str) -> bytes:
    said = {"type": "error", "sequence_number": 99, "code": "server_error", "message": message, "param": None}
    return sse(said, "error")


OPENAI_RESPONSES = Dialect(
    "openai-responses", hear, say, stream, error, midway, UNPAID, TOO_LONG, paired="somewhere"
)
