"""One client of the streams, whatever line it is on: what it is subscribed to, and what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from windtunnel.config.streams import Streams
from windtunnel.errors import WindtunnelError
from windtunnel.server.streaming.outbox import Item, Outbox

STALLED = "this client took nothing for too long"
SLOW = "this client does not keep up: what waited for it passed the limit"
# How a WebSocket is closed: go away and come back; come back at once; do not.
TOO_SLOW, RESTART, REFUSED, TOO_BIG = 1013, 1012, 1008, 1009
_ENCODER = msgspec.json.Encoder()


def item_of(message: Any, channel: str = "", cursor: str = "") -> Item:
    raw = _ENCODER.encode(message)
    size = len(raw)
    if size < 126:
        head = b"\x81" + size.to_bytes(1, "big")
    else:
        head = (
            b"\x81\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x81\x7f" + size.to_bytes(8, "big")
        )
    return Item(raw.decode(), size, head + raw, channel, cursor)


def error_item(error: WindtunnelError, channel: str = "") -> Item:
    named = {"channel": channel} if channel else {}
    return item_of({"type": "error", **named, "error": error.as_dict()})


class Client:
    def __init__(self, settings: Streams, principal: Any = None) -> None:
        self.principal = principal
        self.outbox = Outbox(settings.queue_messages, settings.queue_bytes)
        self.told: dict[str, str] = {}  # by channel: the cursor of the last message that went out
        self.leaves: dict[str, Callable[[], None]] = {}  # by channel: how it is left
        self.dropped: str | None = None
        self.code = TOO_SLOW
        self.write: Callable[[bytes], bool] | None = None  # a frame at once, where the line can do that
        self.sending = False
        self.taken = 0
        self.ended = asyncio.Event()
        self._limit = settings.subscriptions

    @property
    def full(self) -> bool:
        return len(self.leaves) >= self._limit

    def offer(self, item: Item) -> None:
        """Send it now if nothing waits and the line has room, else let it wait."""
        write = self.write
        if (
            write is not None
            and not self.sending
            and not self.outbox.waits
            and self.dropped is None
            and write(item.frame)
        ):
            self.sent(item)
            return
        if not self.outbox.offer(item):
            self.drop(SLOW)

    async def send(self, item: Item) -> None:
        """Offer it once there is room: for what the client asked to be read for it."""
        await self.outbox.room(item.size)
        self.offer(item)

    async def watched(self, stalled: float) -> None:
        """Until it is dropped: because it fell behind, or because one message was on its way for too long."""
        since = self.taken
        while self.dropped is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(stalled):
                    await self.ended.wait()
            if self.sending and self.taken == since:
                self.drop(STALLED)
            since = self.taken

    def sent(self, item: Item) -> None:
        self.taken += 1
        if item.cursor:
            self.told[item.channel] = item.cursor

    def drop(self, reason: str, code: int = TOO_SLOW) -> None:
        """It gets one more message, which says why, and is closed."""
        if self.dropped is None:
            self.dropped, self.code = reason, code
            self.outbox.close()
            self.leave()
            self.ended.set()

    def leave_one(self, channel: str) -> bool:
        leave = self.leaves.pop(channel, None)
        if leave is not None:
            leave()
        return leave is not None

    def leave(self) -> None:
        leaves, self.leaves = self.leaves, {}
        for leave in leaves.values():
            leave()

    def last_message(self) -> Item:
        """Why it was dropped, and where it was in each channel."""
        cursors = dict(self.told)
        only = next(iter(cursors.values())) if len(cursors) == 1 else None
        return item_of({"type": "dropped", "reason": self.dropped, "cursor": only, "cursors": cursors})
