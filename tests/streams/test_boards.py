"""The channels that are not one run's: all runs, approvals, and what is announced."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.streams.loopback import Line, until
from tests.streams.scribe import Scribe
from tests.streams.test_follow import play_elsewhere
from windtunnel.config import Workspace
from windtunnel.control.bulletin import KEPT, Bulletin
from windtunnel.control.places import Readers
from windtunnel.control.watching import Watch
from windtunnel.errors import UsageError
from windtunnel.journal import Status
from windtunnel.run.voting import action_digest
from windtunnel.server.streaming.boards import _Paced


def talk(server, work):
    async def go():
        async with connect(server.ws) as socket:
            return await work(Line(socket))

    return asyncio.run(go())


def held(scribe, **terms):
    request = {
        "action": {"type": "Buy", "why": "a secret wish"},
        "hold": {"reason": "much", "risk": "high", **terms},
    }
    return scribe.ask("ann", kind="approval", request=request)


def test_all_runs_are_told_as_they_begin_go_on_and_end(server):
    async def work(line):
        await line.say(subscribe="runs", every=0.1)
        assert (await line.hear())["type"] == "subscribed"
        scribe = Scribe(server.run_path("r1"), "r1")
        assert (await line.hear())["type"] == "start"
        scribe.start()
        scribe.play(3)
        heard = await line.hear_until(lambda one: one["turn"] == 3)
        assert {one["status"] for one in heard} == {"running"}
        scribe.end()
        end = await line.hear()
        assert (end["type"], end["status"], end["body"]["world"]) == ("complete", "completed", "toy")
        scribe.close()
        return end["cursor"]

    cursor = talk(server, work)

    async def back(line):
        await line.say(subscribe="runs", after=cursor)
        await line.hear()
        return await line.hear()

    assert talk(server, back)["run_id"] == "r1"  # it may have changed since: it is told again

    async def later(line):
        await line.say(subscribe="runs", after=f"{time.time() + 60:.3f}")
        await line.hear()
        await line.say(ping=1)
        return await line.hear()

    assert talk(server, later)["type"] == "pong"


def test_turns_are_told_no_more_often_than_asked_and_a_status_at_once(tmp_path):
    scribe = Scribe(tmp_path / ".windtunnel" / "runs" / "r1.sqlite", "r1")
    watch, pace = Watch(Workspace(tmp_path)), _Paced(5.0)
    scribe.start()
    told = []
    for second in range(20):
        scribe.play()
        told += [(second, one.turn) for one in pace.due(watch.look().runs, float(second))]
    assert told == [(0, 1), (5, 6), (10, 11), (15, 16)]
    assert [one.turn for one in pace.due([], 20.0)] == [20]  # what was held back comes, too
    scribe.end()
    assert [one.status for one in pace.due(watch.look().runs, 20.1)] == ["completed"]
    scribe.close()


def test_a_look_reads_only_what_was_written_to(tmp_path, monkeypatch):
    folder = tmp_path / ".windtunnel" / "runs"
    for number in range(3):
        scribe = Scribe(folder / f"r{number}.sqlite", f"r{number}")
        scribe.start()
        scribe.end()
        scribe.close()
    looked: list[str] = []
    real = Readers.opened

    def opened(readers: Readers, location: str) -> Any:
        looked.append(Path(location).stem)
        return real(readers, location)

    monkeypatch.setattr(Readers, "opened", opened)
    watch = Watch(Workspace(tmp_path))
    assert len(watch.look().runs) == 3
    looked.clear()
    assert watch.look() == ([], [], [])
    assert looked == []
    scribe = Scribe(folder / "r1.sqlite", "r1")
    scribe.operate("resumed", Status.RUNNING)
    scribe.commit()
    assert [one.run_id for one in watch.look().runs] == ["r1"]
    assert looked == ["r1"]
    scribe.close()
    assert [one.status for one in watch.look().runs] == ["crashed"]  # nobody plays it any more
    for file in folder.glob("r2.*"):
        file.unlink()
    assert watch.look().gone == ["r2"]


@pytest.mark.slow
def test_a_player_that_dies_is_noticed_though_it_writes_nothing(tmp_path):
    path = tmp_path / ".windtunnel" / "runs" / "r.sqlite"
    Scribe(path, "r").close()
    player = play_elsewhere(path, 1_000_000)
    watch = Watch(Workspace(tmp_path))
    until(lambda: any(one.status == "running" for one in watch.look().runs))
    os.kill(player.pid, signal.SIGSTOP)
    watch.look()
    assert watch.look().runs == []
    os.kill(player.pid, signal.SIGKILL)
    player.wait(30)
    assert [one.status for one in watch.look().runs] == ["crashed"]


def test_what_waits_for_votes_is_told_in_three_phases(server):
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    effect = held(scribe, approvers=2)

    async def work(line):
        await line.say(subscribe="approvals")
        await line.hear()
        begun = await line.hear()
        assert (begun["type"], begun["body"]["risk"], begun["body"]["approvers"]) == ("start", "high", 2)
        assert begun["body"]["digest"] == action_digest(effect.request)
        assert "secret" not in json.dumps(begun)
        vote = {"effect": effect.name, "approve": True, "note": "", "digest": ""}
        scribe.store.post("r1", "vote", json.dumps(vote).encode(), "vera", time.time())
        voted = await line.hear()
        assert (voted["type"], voted["body"]["votes"][0]["by"]) == ("progress", "vera")
        scribe.answer(effect, {"ok": {"outcome": "approved", "by": ["vera", "otto"], "note": "a secret"}})
        done = await line.hear()
        assert (done["type"], done["body"]["outcome"]) == ("complete", "approved")
        assert done["body"]["by"] == ["vera", "otto"]
        return begun["cursor"]

    cursor = talk(server, work)

    async def back(line):
        await line.say(subscribe="approvals", after=cursor, words=True)
        await line.hear()
        return await line.hear()

    told = talk(server, back)
    assert (told["type"], told["body"]["outcome"]) == ("complete", "approved")
    assert told["body"]["action"] == {"data": {"type": "Buy", "why": "a secret wish"}, "from": "ann"}
    scribe.close()


def test_what_is_announced_is_heard_and_a_gap_is_told(server):
    server.announce("task:t1", "start", {"verb": "replay"}, run_id="r1")

    async def work(line):
        await line.say(subscribe="task:t1", after="start")
        assert (await line.hear())["type"] == "subscribed"
        first = await line.hear()
        assert (first["type"], first["run_id"], first["body"]) == ("start", "r1", {"verb": "replay"})
        server.announce("task:t1", "progress", {"turn": 5})
        server.announce("task:t2", "progress", {"turn": 5})
        server.announce("task:t1", "complete", {"identical": True})
        heard = [await line.hear(), await line.hear()]
        assert [one["type"] for one in heard] == ["progress", "complete"]
        await line.say(unsubscribe="task:t1")
        await line.hear()
        await line.say(subscribe="task:t1", after=first["cursor"])
        again = [await line.hear() for _ in range(3)]
        assert again[1:] == heard
        assert "missed" not in again[0]
        await line.say(subscribe="task:t1", after="00000000.3")  # of a server before this one
        assert (await line.hear())["missed"] is True

    talk(server, work)


def test_a_bulletin_keeps_the_last_notices_of_each_channel():
    board = Bulletin()
    cursors = [board.cursor("a", board.publish("a", "progress", n).number) for n in range(KEPT + 10)]
    notices, gone = board.since("a", cursors[-3])
    assert ([one.body for one in notices], gone) == ([KEPT + 8, KEPT + 9], False)
    notices, gone = board.since("a", cursors[0])
    assert (len(notices), gone) == (KEPT, True)
    assert board.since("a", None) == ([], False)
    assert board.since("b", "start") == ([], False)
    with pytest.raises(UsageError):
        board.since("a", "x.y")
