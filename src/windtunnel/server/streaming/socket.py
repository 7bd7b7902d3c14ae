"""The WebSocket door: text frames of JSON both ways.

Two tasks for a connection. One reads what the client asks and answers mistakes with an error, not with a
hang-up; a client that only makes mistakes is let go. The other sends what waits. A client that does not take
what is sent hears why it is dropped, if it still listens, and is cut off if it does not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.server.streaming.asked import MOST_BYTES, Subscribe, read_frame, read_query
from windtunnel.server.streaming.client import REFUSED, TOO_BIG, Client, error_item
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.problem import problem
from windtunnel.server.streaming.server import lines_of

MISTAKES = 100  # of one client, before it is let go
CUT_SECONDS = 15.0  # then it is cut off
YIELD = 4
GRACE = 5.0  # seconds in which a client that is dropped may hear why


async def serve(hub: StreamHub, websocket: WebSocket, channel: str | None = None) -> None:
    """One connection, from its first frame to its last; `channel` is subscribed to at once."""
    try:
        first = read_query(channel, dict(websocket.query_params)) if channel is not None else None
        client = await hub.admit(websocket)
    except WindtunnelError as error:
        await websocket.send_denial_response(problem(error))
        return
    try:
        await websocket.accept()
        line = lines_of(websocket.scope)
        client.write = line.write if line is not None else None
        await _serve(hub, websocket, client, first)
    finally:
        hub.leave(client)


async def _serve(hub: StreamHub, websocket: WebSocket, client: Client, first: Subscribe | None) -> None:
    tasks = {
        asyncio.ensure_future(work)
        for work in (
            _listen(hub, websocket, client, first),
            _talk(websocket, client),
            client.watched(hub.settings.stalled),
        )
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if client.dropped is not None:
        await _farewell(websocket, client)
        return
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            raise error


async def _listen(hub: StreamHub, websocket: WebSocket, client: Client, first: Subscribe | None) -> None:
    mistakes = 0
    if first is not None:
        mistakes += not await _obey(hub, client, first)
    while mistakes < MISTAKES:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            client.offer(error_item(UsageError("frames are text", remedy="send JSON as text")))
            mistakes += 1
        elif len(text) > MOST_BYTES:
            client.drop(f"a message of {len(text)} characters; the most is {MOST_BYTES}", TOO_BIG)
            return
        else:
            mistakes += not await _obey(hub, client, text)
        await asyncio.sleep(0)  # a client that floods waits its turn
    client.drop(f"{MISTAKES} messages that could not be read", REFUSED)


async def _obey(hub: StreamHub, client: Client, said: str | Subscribe) -> bool:
    """Whether it could be done; the client hears what was wrong."""
    channel = ""
    try:
        asked = read_frame(said) if isinstance(said, str) else said
        channel = asked.subscribe if isinstance(asked, Subscribe) else ""
        await hub.obey(client, asked)
    except WindtunnelError as error:
        client.offer(error_item(error, channel))
        return False
    return True


async def _talk(websocket: WebSocket, client: Client) -> None:
    """Send what waits, in order."""
    send, take = websocket.send, client.outbox.take
    while (item := await take()) is not None:
        client.sending = True
        await send({"type": "websocket.send", "text": item.text})
        client.sending = False
        client.sent(item)
        if not client.taken % YIELD:
            await asyncio.sleep(0)  # whoever has much to take does not hold up the others


async def _farewell(websocket: WebSocket, client: Client) -> None:
    """Why it ends, to a client that listens; an end, to one that does not."""
    line = lines_of(websocket.scope)
    if line is not None:
        asyncio.get_running_loop().call_later(CUT_SECONDS, line.abort)  # nothing, if it is gone by then
    with suppress(WebSocketDisconnect, RuntimeError, OSError):  # it went by itself
        try:
            async with asyncio.timeout(GRACE):
                await websocket.send({"type": "websocket.send", "text": client.last_message().text})
                if websocket.application_state is not WebSocketState.DISCONNECTED:
                    await websocket.close(client.code, (client.dropped or "")[:100])
                return
        except TimeoutError:
            pass
    if line is not None:
        line.abort()
