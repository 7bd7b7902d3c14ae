"""What is said to a model and what comes back: plain values that stand in the journal.

No provider's words: a dialect is turned into these at the edge and nowhere else. Times, attempts and
retries are no part of a reply: they belong to operations, so that a replay ends in the same head.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Label = Literal["ok", "truncated", "empty", "refused"]
Risk = Literal["low", "medium", "high", "critical"]


class ToolCall(Struct, frozen=True, omit_defaults=True):
    """What a model asked to have called."""

    id: str
    name: str
    arguments: Any


class Message(Struct, frozen=True, omit_defaults=True):
    """`name` is who speaks, or which tool; `answers` is the id of the call that a tool's message answers."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    name: str = ""
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


class ToolFailed(Exception):
    """A tool's server said no, or died: what a model is told of it."""


class Tool(Struct, frozen=True):
    name: str
    description: str
    schema: dict[str, Any]


class Task(Struct, frozen=True, omit_defaults=True):
    """What the call is for: a route chooses by it."""

    type: str = ""
    risk: Risk = "low"
    accuracy: bool = False
    tokens: int | None = None
    priority: int = 0


class Ask(Struct, frozen=True, omit_defaults=True):
    """One call: `model` is a name as pydantic-ai writes it, a route, or `house`, `rule`, `test`."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    schema: dict[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float | None = None
    seed: int | None = None
    task: Task = field(default_factory=Task)


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens. `cached` is the part of `input` that the provider had read before."""

    input: int = 0
    output: int = 0
    cached: int = 0


class Reply(Struct, frozen=True, omit_defaults=True):
    """`model` is who answered, `cost` is in micro-dollars, `marks` say what a reader should know of it."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    label: Label = "ok"
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: int = 0
    marks: tuple[str, ...] = ()
