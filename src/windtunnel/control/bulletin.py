"""News that no journal holds: the phases of what takes long (a replay, an export, a tournament).

A board of channels in this process. Each keeps its last notices, numbered, so that a listener who lost the
line for a moment goes on where it was; after a restart of the process it hears what is new since then. It is
for the loop's own thread.
"""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from windtunnel.errors import UsageError

KEPT = 500  # notices of a channel
CHANNELS = 1000  # with notices that are kept; the one that was silent longest goes first


class Notice(Struct, frozen=True):
    channel: str
    number: int
    type: Literal["start", "progress", "complete"]
    body: Any = None
    run_id: str = ""


Listener = Callable[[Notice], None]


class _Channel:
    def __init__(self) -> None:
        self.last = 0
        self.kept: deque[Notice] = deque(maxlen=KEPT)


class Bulletin:
    def __init__(self) -> None:
        self._born = os.urandom(4).hex()  # ambient: tells one life of the process from another
        self._channels: OrderedDict[str, _Channel] = OrderedDict()
        self._listeners: set[Listener] = set()

    def publish(
        self,
        channel: str,
        type: Literal["start", "progress", "complete"],  # noqa: A002 - the word of the protocol
        body: Any = None,
        *,
        run_id: str = "",
    ) -> Notice:
        board = self._channels.setdefault(channel, _Channel())
        self._channels.move_to_end(channel)
        while len(self._channels) > CHANNELS:
            self._channels.popitem(last=False)
        board.last += 1
        notice = Notice(channel, board.last, type, body, run_id)
        board.kept.append(notice)
        for listener in list(self._listeners):
            listener(notice)
        return notice

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear every notice from now on; what comes back ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def cursor(self, channel: str, number: int | None = None) -> str:
        board = self._channels.get(channel)
        return f"{self._born}.{(board.last if board else 0) if number is None else number}"

    def since(self, channel: str, cursor: str | None) -> tuple[list[Notice], bool]:
        """What a channel has said since a cursor, and whether some of it is gone. No cursor: nothing."""
        if cursor is None:
            return [], False
        born, _, number = cursor.partition(".")
        if cursor != "start" and (not number.isdecimal() or len(number) > 15):
            raise UsageError("this is no cursor of this channel", where="after", remedy="leave it out")
        board = self._channels.get(channel)
        if board is None:
            return [], cursor != "start" and (born != self._born or int(number) > 0)
        after = int(number) if born == self._born and cursor != "start" else 0
        first = board.kept[0].number
        gone = first > after + 1 or (cursor != "start" and born != self._born)
        return [notice for notice in board.kept if notice.number > after], gone
