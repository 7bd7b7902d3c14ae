"""The door for server-sent events: one channel, one way, over plain HTTP.

The id of an event is its cursor, so a browser that lost the line comes back with `Last-Event-ID` and misses
nothing. Comments are the sign of life.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from windtunnel.errors import UsageError
from windtunnel.server.streaming.asked import read_query
from windtunnel.server.streaming.client import Client
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.outbox import Item

RETRY_MS = 2000
GRACE = 5.0  # seconds in which a client that is dropped may hear why
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_BEAT = '{"type":"heartbeat"}'


async def serve(hub: StreamHub, request: Request, channel: str | None = None) -> Response:
    """The events of a channel, as long as the client stays. Raises what refuses it."""
    query = dict(request.query_params)
    known: tuple[str, ...] = ()
    if channel is None:
        known = ("channel",)
        channel = query.get("channel", "")
        if not channel:
            raise UsageError("which channel?", where="channel", remedy="?channel=runs")
    last = request.headers.get("last-event-id")
    asked = read_query(channel, query, known)
    if last:
        asked.after = last
    client = await hub.admit(request)
    try:
        await hub.subscribe(client, asked)
    except BaseException:
        hub.leave(client)
        raise
    return EventStream(hub, client)


class EventStream(Response):
    """The body of the answer: what waits for a client, as events, until it goes or is dropped."""

    def __init__(self, hub: StreamHub, client: Client) -> None:
        super().__init__(headers=HEADERS, media_type="text/event-stream")
        del self.headers["content-length"]
        self._hub, self._client = hub, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self._client
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            tasks = {
                asyncio.ensure_future(work)
                for work in (_talk(send, client), _gone(receive), client.watched(self._hub.settings.stalled))
            }
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            if client.dropped is not None:
                with suppress(TimeoutError, OSError):
                    async with asyncio.timeout(GRACE):
                        await _say(send, _event(client.last_message()))
                        await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hub.leave(client)


async def _talk(send: Send, client: Client) -> None:
    """Send what waits. The server is ready for the next only when the client took the one before."""
    await _say(send, f"retry: {RETRY_MS}\n\n")
    while (item := await client.outbox.take()) is not None:
        client.sending = True
        await _say(send, _event(item))
        client.sending = False
        client.sent(item)


async def _say(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(item: Item) -> str:
    if item.text == _BEAT:
        return ": heartbeat\n\n"
    id = f"id: {item.cursor}\n" if item.cursor else ""  # noqa: A001 - the word of the protocol
    return f"{id}data: {item.text}\n\n"  # JSON has no line feeds of its own
