"""Google's Gemini: the model stands in the path, calls have no id, a blocked prompt has no candidate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from windtunnel.testing.provider.dialects.base import (
    Body,
    Dialect,
    Refused,
    Told,
    as_value,
    encode,
    role_of,
    texts,
    wanted,
)
from windtunnel.testing.provider.words import Call, Failure, Heard, Offered, Said

ENDS = {"stop": "STOP", "length": "MAX_TOKENS", "filtered": "SAFETY"}
STATES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Waiting(NamedTuple):
    """A call without its output yet; `given`: the id is the client's, not one of ours."""

    name: str
    id: str
    given: bool


def hear(body: Body, path: str) -> Heard:
    wanted(body, "contents")
    name, _, verb = path.rpartition("/")[2].partition(":")
    settings = body.get("generationConfig") or {}
    told = body.get("systemInstruction") or {}
    said = [Said("system", texts(told.get("parts")))] if told else []
    waiting: list[Waiting] = []
    for index, content in enumerate(body["contents"]):
        said.extend(_said(content, index, waiting))
    tools = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    return Heard(
        model=name,
        messages=tuple(said),
        tools=tuple(Offered(t["name"], t.get("description") or "", _schema(t)) for t in tools),
        schema=settings.get("responseJsonSchema") or settings.get("responseSchema"),
        max_tokens=settings.get("maxOutputTokens"),
        temperature=settings.get("temperature"),
        seed=settings.get("seed"),
        stream=verb.startswith("stream"),
    )


def _schema(tool: Body) -> dict[str, Any]:
    """Proto JSON takes both spellings, and Google's own SDK sends this field in the second."""
    names = ("parametersJsonSchema", "parameters_json_schema", "parameters")
    return next((tool[name] for name in names if tool.get(name)), {})


def _said(content: Body, index: int, waiting: list[Waiting]) -> Iterator[Said]:
    """Gemini tells calls and their answers apart by name and order; ids are given here so that they pair."""
    role = role_of(content.get("role", "user"))
    parts = content.get("parts") or ()
    answered = 0
    for part in parts:
        if "functionResponse" in part:
            response = part["functionResponse"]
            yield Said(
                "tool",
                encode(response["response"]).decode(),
                response["name"],
                answers=_id(response, waiting),
            )
            answered += 1
    calls = []
    for place, part in enumerate(parts):
        if "functionCall" in part:
            call = part["functionCall"]
            found = call.get("id") or f"{index}.{place}"
            waiting.append(Waiting(call["name"], found, given="id" in call))
            calls.append(Call(call["name"], call.get("args") or {}, found))
    text = texts(parts)
    if text or calls or not answered:
        yield Said(role, text, calls=tuple(calls))


def _id(response: Body, waiting: list[Waiting]) -> str:
    for place, call in enumerate(waiting):
        if call.name == response["name"] and (not call.given or response.get("id") in {None, call.id}):
            del waiting[place]
            return call.id
    raise Refused(
        "Please ensure that the number of function response parts is equal to the number of function "
        f"call parts of the function call turn ('{response['name']}' was not called)."
    )


def _parts(told: Told) -> list[Body]:
    calls = [{"functionCall": {"name": c.name, "args": as_value(c.arguments)}} for c in told.answer.calls]
    return [*([{"text": told.answer.text}] if told.answer.text else ()), *calls]


def _end(told: Told) -> str:
    return "SAFETY" if told.answer.refusal else ENDS[told.answer.end]


def _about(told: Told) -> Body:
    used = told.usage
    counted = {
        "promptTokenCount": used.input,
        "candidatesTokenCount": used.output,
        "totalTokenCount": used.input + used.output,
        "cachedContentTokenCount": used.cached,
    }
    return {"usageMetadata": counted, "modelVersion": told.model, "responseId": f"gem-{told.request.number}"}


def _candidate(parts: list[Body], end: str | None) -> Body:
    candidate: Body = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    if end:
        candidate["finishReason"] = end
    return candidate


def _blocked(told: Told) -> Body | None:
    """The prompt itself was filtered: there is no candidate at all."""
    if told.answer.end != "filtered" or told.answer.text or told.answer.calls:
        return None
    return {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": []}, **_about(told)}


def say(told: Told) -> Body:
    if told.request.path.endswith(":countTokens"):
        return {"totalTokens": told.usage.input}
    return _blocked(told) or {"candidates": [_candidate(_parts(told), _end(told))], **_about(told)}


def stream(told: Told) -> Iterator[bytes]:
    """With `?alt=sse` as events, else as one array written bit by bit."""
    pieces = list(_pieces(told))
    if "alt=sse" in told.request.query:
        yield from (b"data: " + encode(piece) + b"\r\n\r\n" for piece in pieces)
        return
    yield from ((b"," if index else b"[") + encode(piece) for index, piece in enumerate(pieces))
    yield b"]"


def _pieces(told: Told) -> Iterator[Body]:
    if blocked := _blocked(told):
        yield blocked
        return
    about = _about(told)
    for part in told.parts(told.answer.text):
        yield {"candidates": [_candidate([{"text": part}], None)], **about}
    calls = [part for part in _parts(told) if "functionCall" in part]
    yield {"candidates": [_candidate(calls or [{"text": ""}], _end(told))], **about}


def error(failure: Failure) -> Body:
    state = failure.code or STATES.get(failure.status, "UNKNOWN")
    said: Body = {"code": failure.status, "message": failure.message, "status": state}
    if isinstance(failure.retry_after, int | float):
        info = "type.googleapis.com/google.rpc.RetryInfo"
        said["details"] = [{"@type": info, "retryDelay": f"{failure.retry_after:g}s"}]
    return {"error": said}


def midway(message: str) -> bytes:
    return b"data: " + encode(error(Failure(503, message))) + b"\r\n\r\n"


UNPAID = Failure(429, "You exceeded your current quota, please check your plan and billing details.")
TOO_LONG = Failure(400, "The input token count (9000) exceeds the maximum number of tokens allowed (8192).")
GEMINI = Dialect("gemini", hear, say, stream, error, midway, UNPAID, TOO_LONG)
