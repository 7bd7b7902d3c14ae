"""Clients that lose their line, servers that go and come back, writers that are killed: every row once."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests.streams.loopback import Line, StreamServer
from tests.streams.scribe import Scribe
from tests.streams.test_follow import written
from windtunnel.control.follow import read_cursor

TRIES = 2000


class Patient:
    """Follows a run over lines that break every moment, and keeps what it heard."""

    def __init__(self, address, run_id, seed, *, breaks=0.05):
        self.address, self.run_id, self.breaks = address, run_id, breaks
        self.chance = random.Random(seed)
        self.cursor = "start"
        self.rows = []
        self.lines = 0
        self.ended = False
        self.more = {}

    async def follow(self):
        for _ in range(TRIES):
            try:
                await self.one_line()
            except (ConnectionClosed, InvalidMessage, OSError):
                await asyncio.sleep(0.02)
            if self.ended:
                return
        raise AssertionError("the run never ended")

    async def one_line(self):
        async with connect(self.address, open_timeout=5, close_timeout=0.1) as socket:
            line = Line(socket)
            self.lines += 1
            await line.say(subscribe=f"run:{self.run_id}", after=self.cursor, entries=True, **self.more)
            while not self.ended:
                message = await line.hear()
                if message["type"] == "dropped":
                    return
                if message["type"] == "subscribed":
                    continue
                assert "error" not in message, message
                self.heard(message)
                if self.chance.random() < self.breaks:
                    if self.chance.random() < 0.5:
                        socket.transport.abort()  # no farewell
                    return

    def heard(self, message):
        before, after = (read_cursor(self.run_id, cursor) for cursor in (self.cursor, message["cursor"]))
        source = {"run": "entry"}.get(message["kind"], message["kind"])
        number = getattr(after, source)
        assert number == getattr(before, source) + 1, (message, self.cursor)
        self.rows.append((source, number))
        self.cursor = message["cursor"]
        self.ended = message["kind"] == "operation" and message["body"]["operation"] == "completed"


def write(scribe, turns, *, pause=0.0):
    for _ in range(turns):
        scribe.answer(scribe.ask())
        scribe.play()
        if pause:
            threading.Event().wait(pause)
    scribe.end()


def check(clients, store, run_id="r1"):
    everything = written(store, run_id)
    for client in clients:
        assert len(client.rows) == len(set(client.rows))
        assert set(client.rows) == everything


def follow_all(clients):
    async def go():
        async with asyncio.timeout(120):
            await asyncio.gather(*(client.follow() for client in clients))

    asyncio.run(go())


@pytest.mark.slow
def test_clients_that_drop_their_line_every_moment_have_every_row_once(server):
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    clients = [Patient(server.ws, "r1", seed) for seed in range(6)]
    writer = threading.Thread(target=write, args=(scribe, 120), kwargs={"pause": 0.005})
    writer.start()
    follow_all(clients)
    writer.join()
    check(clients, scribe.store)
    assert all(client.lines > 10 for client in clients)
    scribe.close()


@pytest.mark.slow
def test_a_server_that_is_restarted_is_followed_on_with_the_same_cursors(serving):
    server: StreamServer = serving()
    port = server.port
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    clients = [Patient(server.ws, "r1", seed, breaks=0.01) for seed in range(4)]
    played = threading.Event()

    def restart():
        nonlocal server
        for _ in range(3):
            server.stop()
            server = serving(port=port)
            played.wait(0.3)

    threads = [
        threading.Thread(target=write, args=(scribe, 150), kwargs={"pause": 0.01}),
        threading.Thread(target=restart),
    ]
    for thread in threads:
        thread.start()
    follow_all(clients)
    for thread in threads:
        thread.join()
    check(clients, scribe.store)
    scribe.close()


def test_a_client_served_by_another_server_a_moment_ago_hears_nothing_twice(serving, tmp_path):
    """Its cursor may be ahead of what this server has read itself."""
    slow = serving(toml="[streams]\npoll = 0.5\n")
    scribe = Scribe(slow.run_path("r1"), "r1")
    scribe.start()

    async def go():
        async with connect(slow.ws) as first, connect(slow.ws) as second:
            here, there = Line(first), Line(second)
            await here.say(subscribe="run:r1")
            await here.hear()
            await here.hear()
            scribe.play(3)  # not yet read by the server: a cursor from elsewhere knows it
            at = scribe.store.run("r1").head_seq + 1
            mark = await asyncio.to_thread(cursor_of, scribe, at)
            await there.say(subscribe="run:r1", after=mark, entries=True)
            assert (await there.hear())["cursor"] == mark
            scribe.play()
            heard = [await there.hear() for _ in range(5)]
            assert [one["turn"] for one in heard] == [4] * 5
            assert [(await here.hear())["turn"] for _ in range(4)] == [1, 2, 3, 4]

    asyncio.run(go())
    scribe.close()


def cursor_of(scribe, entry):
    from windtunnel.control.follow import Position, write_cursor

    return write_cursor("r1", Position(entry, scribe.op_seq + 1, 0))
