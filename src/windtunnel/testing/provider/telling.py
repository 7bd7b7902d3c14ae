"""From an answer of the script to the bytes of a response: limits kept, tokens counted, faults laid in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from windtunnel.testing.provider.dialects.base import Dialect, Told, count, encode, tokens_in, tokens_out
from windtunnel.testing.provider.log import Exchange, Outcome
from windtunnel.testing.provider.words import (
    Answer,
    Broken,
    Call,
    Cut,
    Drip,
    Failure,
    Garbage,
    Hang,
    Huge,
    Request,
    TooLong,
    Unpaid,
    Usage,
    WrongTool,
)

JSON = ("content-type", "application/json")
BULK = 1 << 16  # characters a piece of a huge stream
PHRASES = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}
WIRE = Hang | Drip | Cut  # what the connection does; the other faults are in the bytes


class Plan(NamedTuple):
    """A response, and how to send it. `streamed`: each piece is a chunk of its own."""

    status: int
    pieces: Sequence[bytes]
    headers: Sequence[tuple[str, str]] = (JSON,)
    streamed: bool = False
    wait: float = 0.0
    fault: Hang | Drip | Cut | None = None
    exchange: Exchange | None = None

    @property
    def outcome(self) -> Outcome:
        return "answered" if self.status < 400 else "failed"

    def head(self, *, close: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {PHRASES.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.streamed:
            lines.append("transfer-encoding: chunked")
        else:
            lines.append(f"content-length: {sum(map(len, self.pieces))}")
        lines.append("connection: close\r\n\r\n" if close else "connection: keep-alive\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1")

    def frames(self) -> Iterator[bytes]:
        if not self.streamed:
            yield from self.pieces
            return
        for piece in self.pieces:
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        yield b"0\r\n\r\n"


def failed(dialect: Dialect, failure: Failure, extra: Iterable[tuple[str, str]] = ()) -> Plan:
    """An error in the words of a dialect."""
    headers = [JSON, *extra]
    if failure.retry_after is not None:
        after = failure.retry_after
        headers.append(("retry-after", after if isinstance(after, str) else f"{after:g}"))
    if not failure.message:
        failure = msgspec.structs.replace(failure, message=PHRASES.get(failure.status, "Unknown"))
    return Plan(failure.status, [encode(dialect.error(failure))], headers)


def tell(request: Request, answer: Answer, dialect: Dialect) -> tuple[Plan, Usage]:
    """The response to a request. A plan that failed uses no tokens."""
    headers = list(answer.headers.items())
    fault = answer.fault
    if isinstance(fault, Unpaid):
        fault = dialect.unpaid
    elif isinstance(fault, TooLong):
        fault = dialect.too_long
    elif isinstance(fault, Broken) and not request.stream:
        fault = Failure(500, fault.message)
    if isinstance(fault, Failure):
        return failed(dialect, fault, headers), Usage()
    told = settle(request, answer)
    wire = fault if isinstance(fault, WIRE) else None
    if request.stream:
        pieces = _spoiled(list(dialect.stream(told)), fault, dialect)
        kept = [("content-type", dialect.media), ("cache-control", "no-cache"), *headers]
        return Plan(200, pieces, kept, streamed=True, fault=wire), told.usage
    body = fault.text.encode() if isinstance(fault, Garbage) else encode(dialect.say(told))
    return Plan(200, [body], [JSON, *headers], fault=wire), told.usage


def _spoiled(pieces: list[bytes], fault: object, dialect: Dialect) -> list[bytes]:
    """A stream that fails half way, or whose middle piece is no JSON."""
    half = len(pieces) // 2
    if isinstance(fault, Broken):
        return [*pieces[: max(1, half)], dialect.midway(fault.message)]
    if isinstance(fault, Garbage):
        lead, data, _ = pieces[half].rpartition(b"data: ")  # an event keeps its name
        return [*pieces[:half], lead + data + fault.text.encode() + b"\n\n", *pieces[half + 1 :]]
    return pieces


def settle(request: Request, answer: Answer) -> Told:
    """The answer as this request gets it: no longer than it allows, unless the fault is to be too long."""
    heard = request.heard
    if isinstance(answer.fault, Huge):
        answer = msgspec.structs.replace(answer, text="x" * answer.fault.size, pieces=BULK)
    elif isinstance(answer.fault, WrongTool):
        answer = msgspec.structs.replace(answer, calls=(_misnamed(request, answer, answer.fault),))
    elif heard.max_tokens is not None and count(answer.text) > heard.max_tokens:
        answer = msgspec.structs.replace(answer, text=answer.text[: 4 * heard.max_tokens], end="length")
    usage = answer.usage
    if usage is None:
        usage = Usage(tokens_in(heard), tokens_out(answer.text + answer.refusal, answer.calls))
        if heard.max_tokens is not None and not isinstance(answer.fault, Huge):
            usage = msgspec.structs.replace(usage, output=min(usage.output, heard.max_tokens))
    return Told(request, answer, usage)


def _misnamed(request: Request, answer: Answer, fault: WrongTool) -> Call:
    """The call that the script makes, or one to the first tool, under a name that is offered by nobody."""
    call = answer.calls[0] if answer.calls else Call(request.tools[0].name if request.tools else "tool")
    name = fault.name or f"{call.name}_that_is_not_there"
    return msgspec.structs.replace(call, name=name)
