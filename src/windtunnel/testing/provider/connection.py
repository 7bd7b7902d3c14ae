"""One connection: a small HTTP/1.1 server on asyncio's own transports.

A plain answer goes out in the callback that read the request, with no task and no stream in between: that
makes it cheap enough to measure others by. What waits, hangs, drips or is cut gets a task. Requests of one
connection are answered in order. It refuses heads and bodies beyond its limits.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from windtunnel.testing.provider.desk import Arrived, Desk
from windtunnel.testing.provider.dialects.base import encode
from windtunnel.testing.provider.telling import Plan
from windtunnel.testing.provider.words import Cut, Drip, Hang

MOST_HEAD = 64 << 10
MOST_BODY = 64 << 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Malformed(Exception):
    """What came is no HTTP request that this server takes."""


class Head(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    size: int


class Connection(asyncio.Protocol):
    def __init__(self, desk: Desk, connections: set[Connection]) -> None:
        self._desk, self._connections = desk, connections
        self._buffer = bytearray()
        self._head: Head | None = None  # of the request that is coming
        self._needed = 0  # bytes before the next request can be whole
        self._told_to_go_on = False
        self._task: asyncio.Task[None] | None = None
        self._plan: Plan | None = None  # what the task sends
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._pump()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        self._pump()

    def connection_lost(self, _why: Exception | None) -> None:
        self._connections.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()
        if self._plan is not None and self._plan.exchange is not None:
            self._desk.log.end(self._plan.exchange, "gone", self._desk.now())

    def abort(self) -> None:
        self._transport.abort()

    # --- requests ---

    def _pump(self) -> None:
        """Answer what is there whole, one after the other."""
        while (
            self._task is None
            and self._writable.is_set()
            and not self._transport.is_closing()
            and len(self._buffer) >= max(1, self._needed)
        ):
            try:
                arrived = self._next()
            except Malformed as why:
                self._send(Plan(400, [encode({"error": {"message": str(why)}})]), close=True)
                return
            if arrived is None:
                return
            close = arrived.headers.get("connection", "").lower() == "close"
            plan = self._desk.answer(arrived)
            if plan.wait > 0 or plan.fault is not None:
                self._plan = plan
                self._task = asyncio.get_running_loop().create_task(self._perform(plan, close=close))
                self._task.add_done_callback(self._performed)
            else:
                self._send(plan, close=close)

    def _next(self) -> Arrived | None:
        """The next request, once it is whole. Its head is read once, however its body comes."""
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return None
        method, target, headers, begin = self._head
        if "transfer-encoding" in headers:
            found = self._chunked(begin)
        else:
            found = self._sized(begin, headers.get("content-length", "0"))
        if found is None:
            if headers.get("expect", "").lower() == "100-continue" and not self._told_to_go_on:
                self._told_to_go_on = True
                self._transport.write(CONTINUE)
            return None
        raw, end = found
        del self._buffer[:end]
        self._head, self._needed, self._told_to_go_on = None, 0, False
        path, _, query = target.partition("?")
        return Arrived(method, path, query, headers, raw)

    def _read_head(self) -> Head | None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or end > MOST_HEAD:
            if max(end, len(buffer)) > MOST_HEAD:
                raise Malformed(f"the head is longer than {MOST_HEAD} bytes")
            return None
        first, *lines = buffer[:end].decode("latin-1").split("\r\n")
        try:
            method, target, version = first.split(" ")
        except ValueError:
            raise Malformed("the first line is no request") from None
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if version != "HTTP/1.1":
            raise Malformed(f"{version} is not spoken here, only HTTP/1.1")
        return Head(method, target, headers, end + 4)

    def _sized(self, begin: int, length: str) -> tuple[bytes, int] | None:
        if not (length.isascii() and length.isdigit()) or int(length) > MOST_BODY:
            raise Malformed(f"content-length: {length[:40]!r} is no size this server takes")
        self._needed = end = begin + int(length)
        return (bytes(self._buffer[begin:end]), end) if len(self._buffer) >= end else None

    def _chunked(self, at: int) -> tuple[bytes, int] | None:
        parts: list[bytes] = []
        while (line := self._buffer.find(b"\r\n", at)) >= 0:
            try:
                size = int(self._buffer[at:line].split(b";")[0], 16)
            except ValueError:
                raise Malformed("a chunk without a size") from None
            if size < 0 or line + size - at > MOST_BODY:
                raise Malformed("a chunk of a size this server does not take")
            end = line + 2 + size + 2
            if len(self._buffer) < end:
                return None
            if size == 0:
                return b"".join(parts), end
            parts.append(bytes(self._buffer[line + 2 : end - 2]))
            at = end
        return None

    # --- responses ---

    def _send(self, plan: Plan, *, close: bool) -> None:
        """At once. The log says so first: a client that has its answer finds it there."""
        self._log(plan)
        self._transport.write(plan.head(close=close) + b"".join(plan.frames()))
        if close:
            self._transport.close()

    def _log(self, plan: Plan) -> None:
        if plan.exchange is not None:
            self._desk.log.end(plan.exchange, plan.outcome, self._desk.now())

    async def _perform(self, plan: Plan, *, close: bool) -> None:
        if plan.wait > 0:
            await asyncio.sleep(plan.wait)
        head, body = plan.head(close=close), b"".join(plan.frames())
        fault = plan.fault
        if isinstance(fault, Cut):
            assert plan.exchange is not None
            self._desk.log.end(plan.exchange, "cut", self._desk.now())
            self._transport.write(_share(head, body, fault.after))
            self._transport.close()
            return
        if isinstance(fault, Hang):
            begun = _share(head, body, fault.after)
            self._transport.write(begun)
            await self._desk.held(fault.seconds)
            self._log(plan)
            self._transport.write((head + body)[len(begun) :])
        elif isinstance(fault, Drip):
            await self._drip(plan, fault, head, body)
        else:
            self._log(plan)
            self._transport.write(head + body)
        if close:
            self._transport.close()

    async def _drip(self, plan: Plan, fault: Drip, head: bytes, body: bytes) -> None:
        self._transport.write(head)
        size = max(1, fault.size)
        for start in range(0, len(body), size):
            await asyncio.sleep(fault.pause)
            await self._writable.wait()
            if start + size >= len(body):
                self._log(plan)
            self._transport.write(body[start : start + size])

    def _performed(self, task: asyncio.Task[None]) -> None:
        self._task = self._plan = None
        if not task.cancelled():
            task.result()
            self._pump()


def _share(head: bytes, body: bytes, after: float) -> bytes:
    """The head and that share of the body; nothing at all for 0. Never the whole."""
    return head + body[: min(int(len(body) * after), len(body) - 1)] if after > 0 else b""
