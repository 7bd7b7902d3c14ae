"""Frames that nobody honest sends: refused in words, bounded, and the server goes on."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.streams.loopback import Line
from tests.streams.scribe import Scribe

SMALL = "[streams]\npoll = 0.01\nlook = 0.05\nsubscriptions = 5\nclients = 3\nruns = 2\n"


def still_there(server):
    async def go():
        async with connect(server.ws) as socket:
            line = Line(socket)
            await line.say(ping="well?")
            return await line.hear()

    assert asyncio.run(go()) == {"type": "pong", "ping": "well?"}


def talk(server, work):
    async def go():
        async with connect(server.ws, max_size=None) as socket:
            await work(Line(socket))

    asyncio.run(go())
    still_there(server)


async def ends(line, code):
    with pytest.raises(ConnectionClosed) as closed:
        await line.hear_until(lambda one: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\xff" * 100,
        '{"subscribe": ' + "[" * 30_000,
        '{"ping": ' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}",
        "[" * 20_000 + "]" * 20_000,
        '{"subscribe": "run:r1", "subscribe": 1}',
        '{"subscribe": "' + "r" * 60_000 + '"}',
        '{"subscribe": "run:\\u0000"}',
        '{"subscribe": "\\ud800"}',
        '{"subscribe": "runs", "every": 1e999}',
        '{"subscribe": "runs", "every": NaN}',
        '{"subscribe": "runs", "after": "-1"}',
        '{"subscribe": "runs", "after": "1e400"}',
        '{"subscribe": "task:x", "after": "a.99999999999999999999"}',
        '{"subscribe": "task:../x"}',
        '{"unsubscribe": "runs"}',
        "null",
        "",
    ],
)
def test_a_frame_that_cannot_be_read_is_answered_and_the_line_goes_on(server, frame):
    async def work(line):
        await line.socket.send(frame)
        told = await line.hear()
        assert told["type"] == "error"
        assert told["error"]["message"]
        assert len(json.dumps(told)) < 2000
        await line.say(ping=2)
        assert (await line.hear())["type"] == "pong"

    talk(server, work)


def test_a_frame_that_is_too_large_ends_the_line_and_says_so(server):
    async def work(line):
        await line.socket.send("x" * 100_000)
        told = await line.hear()
        assert (told["type"], "the most is" in told["reason"]) == ("dropped", True)
        await ends(line, 1009)

    talk(server, work)


def test_ten_megabytes_are_not_even_read(server):
    async def work(line):
        with suppress(ConnectionClosed):  # cut off while it still sends, or just after
            await line.socket.send(os.urandom(5_000_000).hex())
        with pytest.raises(ConnectionClosed):
            await line.hear()
        assert line.socket.close_code == 1009

    talk(server, work)


def test_a_client_that_makes_only_mistakes_is_let_go(server):
    async def work(line):
        try:
            for _ in range(200):
                await line.socket.send("{")
        except ConnectionClosed:
            pass
        await ends(line, 1008)

    talk(server, work)


def test_a_flood_of_subscriptions_is_bounded(serving):
    server = serving(toml=SMALL)

    async def work(line):
        for number in range(50):
            await line.say(subscribe=f"task:{number}")
        heard = [await line.hear() for _ in range(50)]
        assert [one["type"] for one in heard].count("subscribed") == 5
        assert "at most 5 subscriptions" in heard[-1]["error"]["message"]
        assert "remedy" in heard[-1]["error"]

    talk(server, work)


def test_as_many_runs_are_followed_as_may_be_and_no_more(serving):
    server = serving(toml=SMALL)
    scribes = [Scribe(server.run_path(f"r{number}"), f"r{number}") for number in range(3)]
    for scribe in scribes:
        scribe.start()
        scribe.close()

    async def work(line):
        for number in range(3):
            await line.say(subscribe=f"run:r{number}")
        heard = await line.hear_until(lambda one: one["type"] == "error")
        assert "2 runs are followed already" in heard[-1]["error"]["message"]

    talk(server, work)


def test_as_many_clients_come_in_as_may_and_no_more(serving):
    server = serving(toml=SMALL)

    async def go():
        async with connect(server.ws), connect(server.ws), connect(server.ws):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(server.ws):
                    pass
            return refused.value.response

    response = asyncio.run(go())
    assert response.status_code == 503
    assert b"come back later" in response.body


def test_a_damaged_run_ends_its_own_stream_only(server):
    from tests.journal.flights import edit

    for run_id in ("bad", "good"):
        scribe = Scribe(server.run_path(run_id), run_id)
        scribe.start()
        scribe.play(2)
        scribe.close()
    edit(server.run_path("bad"), "UPDATE entry SET body='{broken' WHERE kind='scored'")

    async def work(line):
        await line.say(subscribe="run:bad", after="start")
        heard = await line.hear_until(lambda one: one["type"] == "error")
        assert heard[-1]["channel"] == "run:bad"
        assert "cannot be read" in heard[-1]["error"]["message"]
        await line.say(subscribe="run:good", after="start")
        heard = await line.hear_until(lambda one: one.get("turn") == 2)
        assert all(one["type"] != "error" for one in heard)

    talk(server, work)
