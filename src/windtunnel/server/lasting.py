"""Connections that last: a stream goes on only as long as whoever opened it still may.

A key that is revoked, a login that ends, a role that is taken away must not live on in a stream that was
opened before. Now and then, when something is sent, it is asked again who this is; a database that does not
answer ends nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY = 15.0  # seconds


class Lasting:
    """One connection. `still` says whether the one who opened it may go on."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        still: Callable[[], Awaitable[bool]],
        clock: Callable[[], float],
        every: float = EVERY,
    ) -> None:
        self._receive, self._send, self._still = receive, send, still
        self._clock, self._every, self._asked = clock, every, clock()
        self._over = False

    async def through(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            if not self._over:
                raise

    async def receive(self) -> Message:
        message = await self._receive()
        if self._over and message["type"] == "websocket.receive":
            return {"type": "websocket.disconnect", "code": 1008}
        return message

    async def send(self, message: Message) -> None:
        if self._over:
            raise OSError("this connection was ended")  # as a server says it of a client that has gone
        if _goes_on(message) and self._clock() - self._asked >= self._every:
            self._asked = self._clock()
            if not await self._still():
                self._over = True
                await self._send(_last(message))
                raise OSError("whoever opened this connection may no longer")
        await self._send(message)


def _goes_on(message: Message) -> bool:
    """Whether more may come after this."""
    kind = message["type"]
    return kind == "websocket.send" or (kind == "http.response.body" and bool(message.get("more_body")))


def _last(message: Message) -> Message:
    if message["type"] == "websocket.send":
        return {"type": "websocket.close", "code": 1008, "reason": "unauthenticated"}
    return {"type": "http.response.body", "body": b"", "more_body": False}
