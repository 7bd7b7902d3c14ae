"""Bodies and headers within bounds: what arrives is counted, whatever was promised.

A Content-Length beyond the limit is refused before a byte is read; one that lies, or chunks that go on and
on, where they pass it. A body that comes too slowly is given up. Whoever answers in the mean time answers
nothing: the refusal takes the place of an answer that was made of half a body."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.server.asking import route, values
from windtunnel.server.problems import Problem, refuse

MOST_HEADERS, HEADER_BYTES, ADDRESS_BYTES = 100, 32 << 10, 8 << 10
IDLE_SECONDS, BODY_SECONDS = 20.0, 300.0
_DRAIN_BYTES, _DRAIN_SECONDS = 32 << 20, 2.0
_CLOSE = (("connection", "close"),)


class _Stopped(Exception):
    """Nothing more is read of this body."""


class Bodies:
    """`larger` names paths that take more than others, such as an import."""

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        *,
        larger: Mapping[str, int] | None = None,
        idle: float = IDLE_SECONDS,
        whole: float = BODY_SECONDS,
    ) -> None:
        self.app, self._most, self._larger = app, most, dict(larger or {})
        self._idle, self._whole = idle, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        most = self._larger.get(route(scope), self._most)
        if problem := headers_problem(scope) or length_problem(scope, most) or coding_problem(scope):
            if problem.status == 413 and not values(scope, "expect"):
                await _drain(receive)
            await refuse(scope, send, problem, _CLOSE)
        elif scope["type"] == "websocket":  # its messages are bounded by who reads them
            await self.app(scope, receive, send)
        else:
            await _Read(scope, receive, send, most, self._idle, self._whole).through(self.app)


class _Read:
    """One request, of which so much is read and no more."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, most: int, idle: float, whole: float
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._most, self._idle, self._until = most, idle, time.monotonic() + whole
        self._count, self._done, self._started = 0, False, False
        self._problem: Problem | None = None

    async def through(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self.receive, self.send)
        except Exception:
            if self._problem is None:
                raise
        if self._problem is not None and not self._started:
            if self._problem.status == 413:
                await _drain(self._receive)
            await refuse(self._scope, self._send, self._problem, _CLOSE)

    async def receive(self) -> Message:
        if self._problem is not None:
            raise _Stopped
        if self._done:  # from here on it is only asked whether the client has gone
            return await self._receive()
        seconds = min(self._idle, self._until - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(seconds, 0.0))
        except TimeoutError:
            self._problem = Problem(408, "too_slow", "the body did not arrive in time", "send it again")
            raise _Stopped from None
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._done = not message.get("more_body", False)
            if self._count > self._most:
                self._problem = too_large(self._most)
                raise _Stopped
        else:
            self._done = True
        return message

    async def send(self, message: Message) -> None:
        if self._problem is not None and not self._started:
            return  # an answer to half a body
        self._started = True
        await self._send(message)


def too_large(most: int) -> Problem:
    remedy = f"send at most {most:,} bytes, or raise max_body in [serve] of windtunnel.toml"
    return Problem(413, "too_large", f"the body is larger than {most:,} bytes", remedy)


def headers_problem(scope: Scope) -> Problem | None:
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(text) for name, text in headers) > HEADER_BYTES:
        detail = f"the headers are more than {MOST_HEADERS}, or larger than {HEADER_BYTES:,} bytes"
        return Problem(431, "headers_too_large", detail, "send fewer; clear the cookies of this address")
    address = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    if address > ADDRESS_BYTES:
        return Problem(414, "address_too_long", f"the address is longer than {ADDRESS_BYTES:,} bytes")
    return None


def length_problem(scope: Scope, most: int) -> Problem | None:
    """What is wrong with how long the body is said to be. Two ways to say it are how requests are
    smuggled."""
    lengths, coded = set(values(scope, "content-length")), values(scope, "transfer-encoding")
    if len(lengths) > 1 or (lengths and coded):
        return Problem(400, "bad_length", "the length of the body is said twice", "send Content-Length once")
    if not lengths:
        return None
    (said,) = lengths
    if not (said.isascii() and said.isdecimal()):
        return Problem(400, "bad_length", "Content-Length is no number", "send the number of bytes")
    return too_large(most) if len(said) > 15 or int(said) > most else None


def coding_problem(scope: Scope) -> Problem | None:
    """A body that is packed: it may unpack to any size, and nobody here unpacks it."""
    for said in values(scope, "content-encoding"):
        if said.strip().lower() not in ("", "identity"):
            return Problem(
                415, "media_type", "a body is read as it is, not packed", "leave Content-Encoding out"
            )
    return None


async def _drain(receive: Receive) -> None:
    """Take in some of what is on its way: a client that is still sending reads no answer."""
    taken, until = 0, time.monotonic() + _DRAIN_SECONDS
    while taken < _DRAIN_BYTES and (left := until - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            return
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
