"""What a provider for tests hears and says, in words of no dialect.

`Request` is what a client asked, `Answer` what the script wants told; the dialects put both into bytes.
Nothing of `models/` is used here: a double that shared its code with what it tests would share its mistakes.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Role = Literal["system", "user", "assistant", "tool"]
End = Literal["stop", "length", "filtered"]


class Call(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A tool that the model wants called. Arguments that are text go out as they are: so can broken JSON."""

    name: str
    arguments: Any = field(default_factory=dict)
    id: str = ""


class Said(Struct, frozen=True, omit_defaults=True):
    """One message that was sent. `answers` is the id of the call that a tool's message answers."""

    role: Role
    text: str = ""
    name: str = ""
    calls: tuple[Call, ...] = ()
    answers: str = ""


class Offered(Struct, frozen=True, omit_defaults=True):
    """A tool that the client offers."""

    name: str
    description: str = ""
    schema: dict[str, Any] = field(default_factory=dict)


class Heard(Struct, frozen=True, omit_defaults=True):
    """A body as a dialect understood it."""

    model: str
    messages: tuple[Said, ...] = ()
    tools: tuple[Offered, ...] = ()
    schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stream: bool = False


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens; `cached` is the part of `input` that was read before."""

    input: int = 0
    output: int = 0
    cached: int = 0


# --- what goes wrong ---


class Failure(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="failure"):
    """An error status, worded as the dialect words it. `retry_after`: seconds, or the header's text."""

    status: int
    message: str = ""
    retry_after: float | str | None = None
    code: str = ""


class Unpaid(Struct, frozen=True, tag_field="fault", tag="unpaid"):
    """The account is empty: each provider has a status and a text of its own for it."""


class TooLong(Struct, frozen=True, tag_field="fault", tag="too_long"):
    """The prompt does not fit the context window, in each provider's own words."""


class Hang(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="hang"):
    """Silence once this share of the body is sent (0: not even a head), until released or for `seconds`."""

    after: float = 0.0
    seconds: float | None = None


class Drip(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="drip"):
    """The body in small pieces with a pause before each."""

    pause: float = 0.05
    size: int = 16


class Cut(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="cut"):
    """The connection ends once this share of the body is sent (0: not even a head)."""

    after: float = 0.5


class Garbage(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="garbage"):
    """Status 200, and a body (or, in a stream, a piece half way) that is no JSON."""

    text: str = '{"choices": [{"mess'


class Huge(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="huge"):
    """A text of so many characters, whatever limit was asked for."""

    size: int = 8 << 20


class WrongTool(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="wrong_tool"):
    """A call to a tool that nobody offered."""

    name: str = ""


class Broken(Struct, frozen=True, omit_defaults=True, tag_field="fault", tag="broken"):
    """A stream that begins well and says half way that it failed; without a stream, a plain 500."""

    message: str = "overloaded"


Fault = Failure | Unpaid | TooLong | Hang | Drip | Cut | Garbage | Huge | WrongTool | Broken


class Answer(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to tell the client.

    `delay` (seconds) is added to the provider's own latency; `pieces` is how many characters a piece of a
    stream has; `usage` is counted from the texts unless given; `model` is who answers, as asked unless given.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    end: End = "stop"
    fault: Fault | None = None
    usage: Usage | None = None
    model: str = ""
    delay: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    pieces: int = 12


class Request(Struct, frozen=True):
    """One request. `key` is its idempotency key; `attempt` counts from 1 the requests that carry the same one
    (or, without one, the same body)."""

    number: int
    key: str
    attempt: int
    dialect: str
    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, Any]
    heard: Heard

    @property
    def model(self) -> str:
        return self.heard.model

    @property
    def stream(self) -> bool:
        return self.heard.stream

    @property
    def messages(self) -> tuple[Said, ...]:
        return self.heard.messages

    @property
    def tools(self) -> tuple[Offered, ...]:
        return self.heard.tools

    @property
    def prompt(self) -> str:
        """All that was said, a message a line."""
        return "\n".join(said.text for said in self.heard.messages)

    @property
    def system(self) -> str:
        return "\n".join(said.text for said in self.heard.messages if said.role == "system")

    @property
    def last(self) -> str:
        """The text of the last message."""
        return self.heard.messages[-1].text if self.heard.messages else ""
