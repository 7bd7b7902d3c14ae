"""What waits to be sent to one client: bounded by messages and by bytes.

News is offered and never waited for, so a client that does not keep up is dropped and no run is slowed; what
is read from the past on a client's own wish waits until there is room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple


class Item(NamedTuple):
    """One message, encoded once for all who get it."""

    text: str
    size: int
    frame: bytes  # the same as a WebSocket sends it
    channel: str = ""
    cursor: str = ""


class Outbox:
    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._taker: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.closed = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def waits(self) -> bool:
        return bool(self._items)

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def offer(self, item: Item) -> bool:
        """Put it in; False if the client has too much waiting already."""
        if self.closed:
            return True
        if len(self._items) >= self._most or (self._items and self._bytes + item.size > self._most_bytes):
            return False
        self._items.append(item)
        self._bytes += item.size
        taker = self._taker
        if taker is not None:
            self._taker = None
            if not taker.done():
                taker.set_result(None)
        return True

    async def room(self, size: int = 0) -> None:
        """Wait until half of it is free, with so many bytes more in it, or it is empty or closed."""
        while self._items and not self._roomy(size):
            if self._room is None or self._room.done():
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def _roomy(self, size: int = 0) -> bool:
        return len(self._items) * 2 <= self._most and (self._bytes + size) * 2 <= self._most_bytes

    async def take(self) -> Item | None:
        """The next item; None when it is closed."""
        while not self._items:
            if self.closed:
                return None
            self._taker = asyncio.get_running_loop().create_future()
            await self._taker
        item = self._items.popleft()
        self._bytes -= item.size
        room = self._room
        if room is not None and self._roomy():
            self._room = None
            if not room.done():
                room.set_result(None)
        return item

    def close(self) -> None:
        """Throw away what waits."""
        self.closed = True
        self._items.clear()
        self._bytes = 0
        for waiting in (self._taker, self._room):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        self._taker = self._room = None
