"""One run as one view tells it: worded and encoded once, sent to all who are here.

A lane keeps its last messages, so that who comes back after a moment, or has read its way up from the
journal, joins without a gap: it is told what of them it does not know yet, and from then on hears what the
others hear. Lanes live on the loop's thread; the reader's thread fills them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from msgspec import structs

from windtunnel.control.follow import NOWHERE, Position, Row, write_cursor
from windtunnel.control.telling import Addressed, Message, View
from windtunnel.errors import WindtunnelError
from windtunnel.journal import RunRow
from windtunnel.server.streaming.client import Client, error_item, item_of
from windtunnel.server.streaming.outbox import Item

KEPT = 250
KEPT_BYTES = 512 << 10


class Spoken(NamedTuple):
    """A row as a lane says it: where that leaves who hears it, and what they hear, if anything."""

    row: Row
    at: Position
    message: Message | None
    item: Item | None


def addressed(message: Message, channel: str, cursor: str | None = None) -> Item:
    told = structs.asdict(message)
    told["channel"] = channel
    if cursor is not None:
        told["cursor"] = cursor
    return item_of(Addressed(**told), channel, told["cursor"])


class Lane:
    def __init__(self, run_id: str, view: View) -> None:
        self.run_id, self.view = run_id, view
        self.channel = f"run:{run_id}"
        self.clients: set[Client] = set()
        self.users = 0  # clients that are here or on their way
        self.start = self.at = NOWHERE
        self.run: RunRow | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failed: WindtunnelError | None = None
        self._moved = asyncio.Event()
        self._kept: deque[Spoken] = deque()
        self._bytes = 0

    # --- filled by the reader, on the loop's thread ---

    def open(self, at: Position, run: RunRow) -> None:
        self.start = self.at = at
        self.run = run
        if not self.opened.done():
            self.opened.set_result(None)

    def say(self, spoken: list[Spoken], run: RunRow) -> None:
        self.run = run
        for one in spoken:
            if one.item is not None:
                for client in list(self.clients):
                    client.offer(one.item)
                self._keep(one)
            self.at = one.at
        self._moved.set()

    def _keep(self, one: Spoken) -> None:
        assert one.item is not None
        self._kept.append(one)
        self._bytes += one.item.size
        while len(self._kept) > KEPT or (self._bytes > KEPT_BYTES and len(self._kept) > 1):
            gone = self._kept.popleft()
            assert gone.item is not None
            self._bytes -= gone.item.size
            self.start = gone.at

    def fail(self, error: WindtunnelError) -> None:
        """The run can be followed no more: whoever is here hears why, and is here no longer."""
        self.failed = error
        if not self.opened.done():
            self.opened.set_result(None)
        for client in list(self.clients):
            client.offer(error_item(error, self.channel))
            client.leave_one(self.channel)
        self.clients.clear()
        self._moved.set()

    # --- joined by clients ---

    def can_take(self, at: Position) -> bool:
        """Whether what is kept leads on from a position without a gap."""
        return at.covers(self.start) and self.at.covers(at)

    async def moved(self, seconds: float) -> None:
        """Wait until it goes on, or for so long."""
        self._moved.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            pass

    def join(self, client: Client, at: Position) -> None:
        """Be told what is kept and not known yet, and from now on whatever comes. No waiting in between."""
        for one in self._kept:
            if at.knows(one.row):
                continue
            at = at.after(one.row)
            assert one.message is not None
            client.offer(addressed(one.message, self.channel, write_cursor(self.run_id, at)))
        if client.dropped is None:
            self.clients.add(client)

    def part(self, client: Client) -> None:
        self.clients.discard(client)
        self.users -= 1

    def cursor(self) -> str:
        return write_cursor(self.run_id, self.at)


def spoken_of(row: Row, at: Position, message: Message | None, channel: str) -> Spoken:
    return Spoken(row, at, message, addressed(message, channel) if message is not None else None)
