"""The WebSocket of the streams, against a real server: what is told, to whom, and what is refused."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.streams.loopback import Line, StreamServer, until
from tests.streams.scribe import Scribe
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Status


@pytest.fixture
def scribe(server):
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    yield scribe
    scribe.close()


def talk(server, work):
    async def go():
        async with connect(server.ws) as socket:
            return await work(Line(socket))

    return asyncio.run(go())


def test_who_comes_hears_where_a_run_stands_and_then_each_turn(server, scribe):
    scribe.play(2)

    async def work(line):
        await line.say(subscribe="run:r1")
        subscribed, stands = await line.hear(), await line.hear()
        assert (subscribed["type"], stands["turn"], stands["status"]) == ("subscribed", 2, "running")
        assert stands["cursor"] == subscribed["cursor"]
        scribe.play(2)
        turns = [await line.hear(), await line.hear()]
        assert [(one["type"], one["kind"], one["turn"]) for one in turns] == [
            ("progress", "run", 3),
            ("progress", "run", 4),
        ]
        metrics = {"world": {"gdp": 5.0}, "ann": {"wealth": 2.0}, "bob": {"wealth": 3.0}}
        assert turns[1]["body"] == {"metrics": metrics}
        scribe.end()
        end = await line.hear()
        assert (end["type"], end["status"], end["max_turns"]) == ("complete", "completed", 1000)
        assert end["body"] == {"reason": "all turns played"}

    talk(server, work)


def test_a_run_from_its_start_is_told_in_three_phases(server, scribe):
    scribe.play(3)
    scribe.end()

    async def work(line):
        await line.say(subscribe="run:r1", after="start")
        heard = await line.hear_until(lambda one: one["type"] == "complete")
        return [one["type"] for one in heard]

    assert talk(server, work) == ["subscribed", "start", *["progress"] * 3, "complete"]


def test_a_run_that_fails_ends_with_a_complete(server, scribe):
    async def work(line):
        await line.say(subscribe="run:r1")
        await line.hear()
        await line.hear()
        scribe.operate("failed", Status.FAILED, message="a secret of the world")
        scribe.commit()
        return await line.hear()

    told = talk(server, work)
    assert (told["type"], told["status"], told["body"]["operation"]) == ("complete", "failed", "failed")
    assert "secret" not in json.dumps(told)


def test_a_reply_is_told_before_its_turn_is_sealed(server, scribe):
    async def work(line):
        await line.say(subscribe="run:r1", entries=True)
        await line.hear()
        await line.hear()
        effect = scribe.ask(request={"prompt": "a secret"})
        asked = await line.hear()
        scribe.answer(effect, {"ok": "an answer"})
        answered = await line.hear()
        assert [asked["type"], answered["type"]] == ["start", "complete"]
        assert asked["body"]["effect"] == answered["body"]["effect"] == "1.plan.ann.0"
        assert "answered" not in asked["body"]
        assert "secret" not in json.dumps([asked, answered])
        assert "an answer" not in json.dumps([asked, answered])

    talk(server, work)


def test_two_views_of_one_run_hear_each_its_own(server, scribe):
    async def work(line):
        async with connect(server.ws) as other_socket:
            other = Line(other_socket)
            await line.say(subscribe="run:r1")
            await other.say(subscribe="run:r1", entries=True)
            for one in (line, other):
                await one.hear()
                await one.hear()
            scribe.play()
            entries = [await other.hear() for _ in range(5)]
            turn = await line.hear()
            assert [one["body"]["kind"] for one in entries] == [
                "decided", "judged", "applied", "scored", "consolidated",
            ]  # fmt: skip
            assert turn["cursor"] == entries[3]["cursor"]

    talk(server, work)


def test_subscribing_again_changes_the_view_and_unsubscribing_ends_it(server, scribe):
    async def work(line):
        await line.say(subscribe="run:r1", entries=True)
        await line.say(subscribe="run:r1")
        await line.hear_until(lambda one: one["type"] == "subscribed")
        await line.hear_until(lambda one: one["type"] == "subscribed")
        await line.hear()
        scribe.play()
        assert (await line.hear())["kind"] == "run"
        await line.say(unsubscribe="run:r1")
        assert (await line.hear())["type"] == "unsubscribed"
        scribe.play()
        await line.say(ping=1)
        assert await line.hear() == {"type": "pong", "ping": 1}
        await line.say(unsubscribe="run:r1")
        assert (await line.hear())["error"]["code"] == "usage"

    talk(server, work)


def test_a_run_has_an_address_of_its_own(server, scribe):
    async def work():
        address = f"ws://127.0.0.1:{server.port}/api/simulations/r1/stream?entries=true&after=start"
        async with connect(address) as socket:
            line = Line(socket)
            heard = [await line.hear() for _ in range(3)]
            assert [one["type"] for one in heard] == ["subscribed", "start", "progress"]
        with pytest.raises(InvalidStatus) as refused:
            async with connect(address + "&bogus=1"):
                pass
        assert refused.value.response.status_code == 422
        assert b"bogus" in refused.value.response.body

    asyncio.run(work())


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"subscribe": "run:none"}, "no run"),
        ({"subscribe": "run:../../etc/passwd"}, "no run id"),
        ({"subscribe": "run:r1", "after": "nonsense"}, "no cursor"),
        ({"subscribe": "run:r1", "after": "82f3e9c6.999999.0.0"}, "ahead"),
        ({"subscribe": "run:r1", "bogus": 1}, "bogus"),
        ({"subscribe": "elsewhere"}, "no such channel"),
        ({"subscribe": "runs", "entries": True}, "entries"),
        ({"subscribe": "run:r1", "every": 0}, "every"),
        ({"subscribe": "run:r1", "state": True}, "states are not"),
        ({"subscribe": "run:r1", "state": True, "as": "ann"}, "no state"),
        ({"subscribe": "run:r1", "entries": "yes"}, "bool"),
        ({"hello": 1}, "subscribe, unsubscribe or ping"),
        ([], "cannot be read"),
    ],
)
def test_a_mistake_is_answered_with_an_error_and_the_line_goes_on(server, scribe, frame, says):
    async def work(line):
        await line.socket.send(json.dumps(frame))
        heard = await line.hear_until(lambda one: one["type"] == "error")
        assert says in heard[-1]["error"]["message"]
        await line.say(ping="still here")
        assert (await line.hear())["type"] == "pong"

    talk(server, work)


def test_a_state_is_read_once_for_all_and_no_more_often_than_asked(serving):
    reads = []

    async def read_state(run_id, turn):
        reads.append((run_id, turn))
        return {"global_state": {"turn": turn}, "agents": {}}

    server = serving(read_state=read_state)
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()

    async def work(line):
        async with connect(server.ws) as other_socket:
            other = Line(other_socket)
            for one in (line, other):
                await one.say(subscribe="run:r1", state=True, every=0.5)
                await one.hear_until(lambda heard: heard["kind"] == "state" if "kind" in heard else False)
            scribe.play(30)
            for one in (line, other):
                heard = await one.hear_until(lambda told: told["kind"] == "state" and told["turn"] == 30)
                assert heard[-1]["body"]["global_state"] == {"turn": 30}

    talk(server, work)
    assert len(reads) <= 4, reads
    assert reads[-1] == ("r1", 30)
    scribe.close()


def test_what_the_door_refuses_does_not_come_in(serving):
    class Forbidden(WindtunnelError):
        code = "forbidden"

    def may(principal, role):
        if principal != "vera" or role != "viewer":
            raise Forbidden(f"{principal} may not follow runs")

    def who(connection):
        return connection.headers.get("x-name", "nobody")

    server = serving(who=who, may=may)

    async def work():
        with pytest.raises(InvalidStatus) as refused:
            async with connect(server.ws):
                pass
        assert refused.value.response.status_code == 403
        async with connect(server.ws, additional_headers={"x-name": "vera"}) as socket:
            line = Line(socket)
            await line.say(ping=1)
            assert (await line.hear())["type"] == "pong"

    asyncio.run(work())
    assert server.hub.clients == 0 or until(lambda: server.hub.clients == 0)


def test_a_key_that_was_revoked_ends_the_streams_that_it_opened(serving):
    revoked: list[bool] = []

    async def who(connection):
        if revoked:
            raise UsageError("this key was revoked")
        return "vera"

    server = serving(who=who, toml="[streams]\npoll = 0.01\nheartbeat = 0.1\n")

    async def work(line):
        await line.say(ping=1)
        await line.hear()
        revoked.append(True)
        told = await line.hear()
        assert (told["type"], told["reason"]) == ("dropped", "this key was revoked")
        with pytest.raises(ConnectionClosed) as closed:
            await line.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008

    talk(server, work)


def test_a_run_whose_store_goes_is_told_as_an_error(serving, monkeypatch):
    from windtunnel.server.streaming import reader

    monkeypatch.setattr(reader, "STILL_SECONDS", 0.0)
    server = serving()
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()

    async def work(line):
        await line.say(subscribe="run:r1")
        await line.hear()
        await line.hear()
        scribe.close()
        for path in server.workspace.runs.iterdir():
            path.unlink()
        told = await line.hear()
        assert (told["type"], told["channel"], told["error"]["code"]) == ("error", "run:r1", "not_found")
        await line.say(unsubscribe="run:r1")
        assert "not subscribed" in (await line.hear())["error"]["message"]

    talk(server, work)


def test_nobody_is_left_behind_when_clients_come_and_go(serving, monkeypatch):
    from windtunnel.server.streaming import runs

    monkeypatch.setattr(runs, "LINGER", 0.05)
    server: StreamServer = serving()
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()

    async def work():
        for _ in range(20):
            async with connect(server.ws) as socket:
                await Line(socket).say(subscribe="run:r1", after="start")

    asyncio.run(work())
    until(lambda: server.hub.clients == 0)
    channels = server.hub._runs
    until(lambda: channels.followed == 0 and not channels._tasks and not channels._reader._runs)
    scribe.close()
