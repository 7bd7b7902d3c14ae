"""Server-sent events, against a real server: ids are cursors, and a line that broke goes on where it was."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from tests.streams.loopback import until
from tests.streams.scribe import Scribe
from tests.streams.test_follow import written
from windtunnel.control.follow import read_cursor
from windtunnel.server.streaming.client import SLOW


@pytest.fixture
def scribe(server):
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    yield scribe
    scribe.close()


def events(server, path, most, *, last=None):
    """Events as a browser has them: id and data."""
    headers = {"Last-Event-ID": last} if last else {}
    found, cursor = [], ""
    with httpx.stream("GET", server.http + path, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id: "):
                cursor = line[4:]
            elif line.startswith("data: "):
                found.append((cursor, json.loads(line[6:])))
                if len(found) == most:
                    break
    return found


def test_events_of_a_run_are_told_with_their_cursors_as_ids(server, scribe):
    scribe.play(2)
    scribe.end()
    found = events(server, "/simulations/r1/stream?after=start", 5)
    assert [one["type"] for _, one in found] == ["subscribed", "start", "progress", "progress", "complete"]
    assert all(cursor == one["cursor"] for cursor, one in found[1:])


@pytest.mark.slow
def test_a_browser_that_comes_back_has_every_row_once(server, scribe):
    for _ in range(8):
        scribe.answer(scribe.ask())
        scribe.play()
    last = "start"
    rows: list[tuple[str, int]] = []
    everything = written(scribe.store, "r1")
    while len(rows) < len(everything):
        most = min(6, 1 + len(everything) - len(rows))
        path = "/simulations/r1/stream?entries=true&after=start"  # as the page asked at first
        for last, one in events(server, path, most, last=last)[1:]:  # noqa: B020 - the last is kept
            source = one["kind"]
            rows.append((source, getattr(read_cursor("r1", last), source)))
    assert len(rows) == len(set(rows))
    assert set(rows) == everything


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/simulations/none/stream", 404, "no run"),
        ("/simulations/r1/stream?bogus=1", 422, "bogus"),
        ("/simulations/r1/stream?after=x", 422, "no cursor"),
        ("/simulations/r1/stream?every=abc", 422, "every"),
        ("/stream", 422, "which channel"),
        ("/stream?channel=elsewhere", 422, "no such channel"),
        ("/simulations/..%2Fx/stream", 404, ""),
    ],
)
def test_what_cannot_be_followed_is_a_problem_with_a_remedy(server, scribe, path, status, says):
    answer = httpx.get(server.http + path)
    assert answer.status_code == status
    assert says in answer.text
    if says:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert server.hub.clients == 0 or until(lambda: server.hub.clients == 0)


def test_heartbeats_are_comments_and_a_client_that_goes_is_noticed(serving):
    server = serving(toml="[streams]\nheartbeat = 0.1\nlook = 0.05\n")
    with httpx.stream("GET", server.http + "/stream?channel=runs", timeout=20) as answer:
        lines = answer.iter_lines()
        assert any(line == ": heartbeat" for line in lines)
        assert server.hub.clients == 1
    until(lambda: server.hub.clients == 0)


def test_a_client_of_events_that_stalls_is_dropped(serving):
    server = serving(toml="[streams]\npoll = 0.01\nqueue_messages = 20\n", buffer=16384)
    scribe = Scribe(server.run_path("r1"), "r1")
    scribe.start()
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", server.port))
    line.sendall(b"GET /api/simulations/r1/stream?entries=true&words=true HTTP/1.1\r\nHost: x\r\n\r\n")
    (client,) = until(lambda: list(server.hub._clients))
    until(lambda: client.leaves)
    for _ in range(200):
        scribe.play(5, say="x" * 5000)
        if client.dropped:
            break
    assert client.dropped == SLOW
    until(lambda: server.hub.clients == 0)
    line.close()
    scribe.close()
