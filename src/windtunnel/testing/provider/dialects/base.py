"""What each dialect is made of, and what all of them need: hearing, pairing, counting, framing a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from windtunnel.testing.provider.words import (
    Answer,
    Call,
    Failure,
    Heard,
    Offered,
    Request,
    Role,
    Said,
    Usage,
)

CREATED = 1_700_000_000  # a fixed moment: the same script gives the same bytes
Body = dict[str, Any]
encode = msgspec.json.Encoder().encode


class Refused(Exception):
    """A request that the real provider would refuse with 400; the text says why."""


class Told(NamedTuple):
    """An answer made ready for its request: limits kept, tools named, tokens counted."""

    request: Request
    answer: Answer
    usage: Usage

    @property
    def model(self) -> str:
        return self.answer.model or self.request.model

    def call_id(self, index: int) -> str:
        return self.answer.calls[index].id or f"call_{self.request.number}_{index}"

    def parts(self, text: str) -> Iterator[str]:
        """A text as a stream has it. An empty one has no part."""
        size = max(1, self.answer.pieces)
        return (text[start : start + size] for start in range(0, len(text), size))


class Dialect(NamedTuple):
    """`hear` raises `Refused` for a body that the provider would not take; `paired`: how strictly calls and
    their outputs must pair."""

    name: str
    hear: Callable[[Body, str], Heard]
    say: Callable[[Told], Body]
    stream: Callable[[Told], Iterator[bytes]]
    error: Callable[[Failure], Body]
    midway: Callable[[str], bytes]
    unpaid: Failure
    too_long: Failure
    media: str = "text/event-stream"
    paired: Literal["at once", "somewhere", "never"] = "at once"


def sse(data: Body, event: str = "") -> bytes:
    head = b"event: " + event.encode() + b"\n" if event else b""
    return head + b"data: " + encode(data) + b"\n\n"


def as_text(value: Any) -> str:
    """Arguments where the dialect wants JSON inside a text."""
    return value if isinstance(value, str) else encode(value).decode()


def as_value(text: Any) -> Any:
    """Arguments as they were meant, from the text that carried them; text that is no JSON stays text."""
    if not isinstance(text, str):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def texts(content: Any) -> str:
    """The text of a content: a text, a list of parts, or nothing. Pictures and the like have none."""
    if isinstance(content, str):
        return content
    if not content:
        return ""
    return "".join(part if isinstance(part, str) else part.get("text") or "" for part in content)


ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
}


def role_of(name: str) -> Role:
    if name not in ROLES:
        raise Refused(f"Invalid value: '{name}'. Roles are: {', '.join(ROLES)}.")
    return ROLES[name]


def wanted(body: Body, *names: str) -> None:
    for name in names:
        if body.get(name) in (None, "", []):
            raise Refused(f"Missing required parameter: '{name}'.")


def functions(tools: Iterable[Body] | None) -> tuple[Offered, ...]:
    """Tools as OpenAI and Ollama write them."""
    found = [tool["function"] for tool in tools or () if "function" in tool]
    return tuple(
        Offered(tool["name"], tool.get("description") or "", tool.get("parameters") or {}) for tool in found
    )


def check_pairs(messages: Sequence[Said], *, at_once: bool) -> None:
    """Every call is answered (`at_once`: before anything else is said), and nothing that was not called."""
    waiting: dict[str, str] = {}
    for index, said in enumerate(messages):
        if said.role == "tool":
            if waiting.pop(said.answers, None) is None:
                raise Refused(f"messages.{index}: '{said.answers}' is no call that waits for its output")
            continue
        if waiting and at_once:
            raise Refused(f"messages.{index}: no tool output found for call {', '.join(waiting)}")
        for call in said.calls:
            if call.id in waiting:
                raise Refused(f"messages.{index}: two calls have the id '{call.id}'")
            waiting[call.id] = call.name
    if waiting:
        raise Refused(f"no tool output found for call {', '.join(waiting)}")


def count(text: str) -> int:
    """Tokens, roughly: four characters each. Never more than there are bytes."""
    return (len(text) + 3) // 4


def tokens_in(heard: Heard) -> int:
    total = sum(
        len(said.text) + sum(len(as_text(c.arguments)) for c in said.calls) for said in heard.messages
    )
    return max(1, (total + 3) // 4)


def tokens_out(text: str, calls: Iterable[Call]) -> int:
    return count(text) + sum(count(call.name) + count(as_text(call.arguments)) for call in calls)
