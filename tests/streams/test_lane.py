"""A lane: who joins is told what it does not know of the last messages; nothing overtakes what waits."""

from __future__ import annotations

import asyncio
import json

import msgspec

from tests.streams.scribe import ROW
from windtunnel.config.streams import Streams
from windtunnel.control.follow import Position, Row, read_cursor
from windtunnel.control.telling import Message, View
from windtunnel.journal import Entry
from windtunnel.server.streaming.client import Client, item_of
from windtunnel.server.streaming.lane import KEPT, Lane, spoken_of

RUN = msgspec.structs.replace(ROW, run_id="r")


def spoken(source, number, at, *, silent=False):
    row = Row(source, number, Entry(0, 0, "", "", "", b"", b"", b""), 1)
    message = None if silent else Message("progress", "entry", "r", number, 9, "running", cursor="unset")
    return spoken_of(row, at, message, "run:r")


def heard(client):
    return [json.loads(item.text) for item in client.outbox._items]


def on_a_loop(work):
    async def go():
        lane = Lane("r", View(entries=True))
        lane.open(Position(10, 2, 0), RUN)
        work(lane)

    asyncio.run(go())


def test_who_joins_is_told_what_it_does_not_know_with_cursors_of_its_own():
    def work(lane):
        lane.say(
            [
                spoken("entry", 11, Position(11, 2, 0)),
                spoken("effect", 1, Position(11, 2, 1)),
                spoken("entry", 12, Position(12, 2, 1), silent=True),
                spoken("entry", 13, Position(13, 2, 1)),
            ],
            RUN,
        )
        client = Client(Streams())
        lane.join(client, Position(10, 2, 1))  # the effect is known to it, the entries are not
        told = [read_cursor("r", one["cursor"]) for one in heard(client)]
        assert told == [Position(11, 2, 1), Position(13, 2, 1)]
        lane.say([spoken("entry", 14, Position(14, 2, 1))], RUN)
        assert [one["turn"] for one in heard(client)] == [11, 13, 14]

    on_a_loop(work)


def test_a_lane_takes_only_whom_it_can_lead_on_without_a_gap():
    def work(lane):
        count = KEPT + 5
        lane.say([spoken("entry", 10 + n, Position(10 + n, 2, 0)) for n in range(1, count + 1)], RUN)
        assert not lane.can_take(Position(14, 2, 0))  # what follows it is kept no more
        assert lane.can_take(Position(15, 2, 0))
        assert lane.can_take(Position(10 + count, 2, 0))
        assert not lane.can_take(Position(11 + count, 2, 0))  # it knows what the lane does not
        assert not lane.can_take(Position(10 + count, 2, 1))

    on_a_loop(work)


def test_nothing_overtakes_what_waits():
    sent: list[bytes] = []
    room = [True, False, True, True]

    def write(frame):
        if room.pop(0):
            sent.append(frame)
            return True
        return False

    client = Client(Streams())
    client.write = write
    items = [item_of({"n": number}) for number in range(3)]
    for item in items:
        client.offer(item)
    assert sent == [items[0].frame]
    assert heard(client) == [{"n": 1}, {"n": 2}]
    client.outbox._items.clear()
    client.sending = True  # the last is on its way
    client.offer(items[0])
    assert len(sent) == 1
    assert heard(client) == [{"n": 0}]


def test_a_frame_is_what_a_websocket_sends():
    from websockets.frames import Frame, Opcode

    for size in (0, 100, 125, 126, 65_000, 70_000):
        item = item_of("\u00e9" * (size // 2))
        assert item.frame == Frame(Opcode.TEXT, item.text.encode()).serialize(mask=False)
        assert item.size == len(item.text.encode())
