"""Clients that do not take what they asked for: they are dropped and told so; nobody else notices."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import threading
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.streams.loopback import Line, until
from tests.streams.scribe import Scribe
from tests.streams.test_reconnecting import Patient, check
from windtunnel.server.streaming.client import SLOW, Client, item_of
from windtunnel.server.streaming.outbox import Outbox

TIGHT = "[streams]\npoll = 0.01\nqueue_messages = 200\nqueue_bytes = 65536\nstalled = 1.0\n"
LONG = "x" * 3000


def deaf(server, *, subscribe="run:r1", **more):
    """A client that shakes hands, subscribes, and never reads again. Its kernel takes as little as it may."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", server.port))
    line.sendall(
        b"GET /api/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in line.recv(64)
    said = json.dumps({"subscribe": subscribe, **more}).encode()
    line.sendall(Frame(Opcode.TEXT, said).serialize(mask=True))
    return line


def half_stall(serving, count, turns):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 4096), limit[1]))
    server = serving(toml=TIGHT, buffer=16384)
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    scribe.store._db.set_busy_timeout(0)  # a commit that had to wait for anybody would fail
    stalled = [deaf(server, entries=True, words=True, after="start") for _ in range(count // 2)]
    until(lambda: server.hub.clients == len(stalled))
    most = 0

    def write():
        nonlocal most
        for _ in range(turns):
            scribe.answer(scribe.ask())
            scribe.play(say=LONG)
            waiting = [one.outbox.waiting_bytes for one in list(server.hub._clients)]
            most = max(most, *waiting, 0)
            threading.Event().wait(0.02)
        scribe.end()

    writer = threading.Thread(target=write)
    clients = [Patient(server.ws, "r1", seed, breaks=0) for seed in range(count - len(stalled))]
    for client in clients:
        client.more = {"words": True}
    writer.start()

    async def follow():
        async with asyncio.timeout(240):
            await asyncio.gather(*(client.follow() for client in clients))

    asyncio.run(follow())
    writer.join()
    check(clients, scribe.store)
    assert 0 < most <= 65536
    until(lambda: server.hub.clients == 0)  # those who stalled were dropped, and their lines cut
    for line in stalled:
        line.close()
    scribe.close()


@pytest.mark.slow
def test_forty_clients_of_which_half_stall(serving):
    half_stall(serving, 40, 60)


@pytest.mark.soak
def test_two_hundred_clients_of_which_half_stall(serving):
    half_stall(serving, 200, 300)


def test_a_client_that_falls_behind_hears_why_and_where_it_was(serving):
    server = serving(toml=TIGHT, buffer=16384)
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()

    async def go():
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.connect(("127.0.0.1", server.port))
        async with connect(server.ws, sock=small, max_queue=1) as line:
            await Line(line).say(subscribe="run:r1", entries=True, words=True)
            await Line(line).hear()
            await asyncio.sleep(0.05)
            line.transport.pause_reading()
            (client,) = server.hub._clients
            while client.dropped is None:
                await asyncio.to_thread(scribe.play, 5, say=LONG)
            line.transport.resume_reading()
            heard = await Line(line).hear_until(lambda one: one["type"] == "dropped")
            with pytest.raises(ConnectionClosed) as closed:
                await line.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            return heard

    heard = asyncio.run(go())
    assert heard[-1]["reason"] == SLOW
    assert heard[-1]["cursor"] == heard[-2]["cursor"] == heard[-1]["cursors"]["run:r1"]
    scribe.close()


def test_the_past_is_read_no_faster_than_it_is_taken(serving):
    """A client that is slow with the past alone is not dropped for it."""
    server = serving(toml=TIGHT, buffer=16384)
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    scribe.play(200, say=LONG)  # many times what may wait
    scribe.end()

    async def go():
        most = 0
        async with connect(server.ws, max_queue=1) as socket:
            line = Line(socket)
            await line.say(subscribe="run:r1", entries=True, words=True, after="start")
            heard: list[dict[str, Any]] = []
            while not heard or heard[-1].get("body", {}).get("operation") != "completed":
                heard.append(await line.hear())
                most = max(most, *(one.outbox.waiting_bytes for one in list(server.hub._clients)))
                if len(heard) % 50 == 0:
                    await asyncio.sleep(0.02)
            return heard, most

    heard, most = asyncio.run(go())
    assert len(heard) == 1 + 2 + 200 * 5 + 1 + 2
    assert most <= 65536
    scribe.close()


def test_an_outbox_is_bounded_by_messages_and_by_bytes_and_lets_one_large_message_through():
    async def go():
        few, small = Outbox(3, 10_000), Outbox(100, 100)
        short, long = item_of({"a": 1}), item_of({"a": "x" * 200})
        assert [few.offer(short) for _ in range(4)] == [True, True, True, False]
        assert small.offer(long)
        assert not small.offer(short)
        waits = asyncio.ensure_future(small.room())
        await asyncio.sleep(0)
        assert not waits.done()
        assert await small.take() == long
        await waits
        small.close()
        assert await small.take() is None
        assert small.offer(short)  # nobody hears it any more
        assert len(small) == 0

    asyncio.run(go())


def test_a_client_that_takes_nothing_is_dropped_though_little_waits(serving):
    from windtunnel.config.streams import Streams

    async def go():
        client = Client(Streams(stalled=0.1))
        client.sending = True
        await asyncio.wait_for(client.watched(0.1), 5)
        return client.dropped

    assert "took nothing" in asyncio.run(go())
