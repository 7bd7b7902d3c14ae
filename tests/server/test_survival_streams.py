"""Clients that follow runs through a real server: their line breaks, it is killed, half of them stall."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode

from tests.server.live import Live
from tests.server.tunnel import free_port, tunnel
from windtunnel.control.follow import read_cursor

SECONDS = 120.0
TIGHT = "[streams]\npoll = 0.02\nqueue_messages = 200\nqueue_bytes = 65536\nstalled = 1.0\n"


class Follower:
    """Follows a run, and keeps each entry it is told. It drops its own line after `patience` seconds."""

    def __init__(self, url: str, run: str, patience: float = 1e9) -> None:
        self.address = url.replace("http", "ws", 1) + "/api/stream"
        self.run, self.patience = run, patience
        self.cursor, self.entries, self.lines, self.ended = "start", list[tuple[int, Any]](), 0, False

    async def follow(self) -> None:
        async with asyncio.timeout(SECONDS):
            while not self.ended:
                try:
                    await self._line()
                except (ConnectionClosed, InvalidHandshake, OSError, EOFError):
                    await asyncio.sleep(0.05)  # nobody is there, for now

    async def _line(self) -> None:
        async with connect(self.address, open_timeout=10, close_timeout=0.1) as line:
            self.lines += 1
            said = {"subscribe": f"run:{self.run}", "after": self.cursor, "entries": True, "words": True}
            await line.send(json.dumps(said))
            end = time.monotonic() + self.patience
            while not self.ended:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.01, end - time.monotonic())):
                        self._heard(json.loads(await line.recv()))
                if time.monotonic() >= end:
                    line.transport.abort()  # no farewell
                    return

    def _heard(self, message: dict[str, Any]) -> None:
        assert "error" not in message, message
        if "cursor" not in message or message["type"] in ("subscribed", "heartbeat", "dropped"):
            return
        before, after = (read_cursor(self.run, cursor) for cursor in (self.cursor, message["cursor"]))
        self.cursor = message["cursor"]
        if after.entry > before.entry:
            self.entries.append((before.entry, message))
        self.ended = self.ended or message["body"].get("operation") == "completed"


def recorded(server: Live, run: str) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    found: list[dict[str, Any]] = []
    after = -1
    while after is not None:
        page = server.get(f"/api/simulations/{run}/entries?after={after}&limit=1000")
        found += page["entries"]
        after = page["next"]
    return found


def check(follower: Follower, entries: list[dict[str, Any]]) -> None:
    """Each entry once, in its order, as it stands in the journal."""
    assert [number for number, _ in follower.entries] == [entry["seq"] for entry in entries]
    told = [(message["turn"], message["kind"]) for _, message in follower.entries]
    assert [turn for turn, _ in told] == [entry["turn"] for entry in entries]


async def so(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)


def breaking(home: Path, turns: int, patience: float, restarts: int) -> None:
    with tunnel(home) as made:
        port = str(free_port())
        server = made.serve("--port", port)
        run = server.start_run(**made.request(turns))

        async def go() -> None:
            followers = [Follower(server.url, run, patience) for _ in range(3)]
            following = asyncio.gather(*(one.follow() for one in followers))
            for _ in range(restarts):
                wanted = sum(one.lines for one in followers) + 6
                await so(lambda: sum(one.lines for one in followers) >= wanted)  # noqa: B023 - now
                made.servers[-1].kill()
                await asyncio.to_thread(made.serve, "--port", port)
            await so(lambda: min(one.lines for one in followers) >= 4)
            assert not followers[0].ended
            made.hurry()
            await following
            entries = await asyncio.to_thread(recorded, made.servers[-1], run)
            assert len(entries) > turns
            for one in followers:
                check(one, entries)

        asyncio.run(go())


@pytest.mark.slow
def test_clients_whose_line_breaks_have_every_entry_once_though_the_server_is_killed(tmp_path: Path) -> None:
    breaking(tmp_path, 400, 0.5, restarts=1)


@pytest.mark.soak
def test_clients_whose_line_breaks_every_second_have_every_entry_once(tmp_path: Path) -> None:
    breaking(tmp_path, 3000, 1.0, restarts=4)


def deaf(server: Live, run: str) -> socket.socket:
    """A client that subscribes, and never reads again. Its kernel takes as little as it may."""
    host, port = server.url.removeprefix("http://").split(":")
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect((host, int(port)))
    line.sendall(
        b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in line.recv(64)
    said = json.dumps({"subscribe": f"run:{run}", "entries": True, "words": True, "after": "start"}).encode()
    line.sendall(Frame(Opcode.TEXT, said).serialize(mask=True))
    return line


def resident_mb(server: Live) -> float:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def half_stall(home: Path, clients: int, turns: int, fat: int) -> None:
    """Half of the clients take nothing; what is told of the run is many times what may wait for them all."""
    with tunnel(home, TIGHT, pace=0.03) as made:
        server = made.serve()
        run = server.start_run(**made.request(turns, fat=fat))
        before = resident_mb(server)
        stalled = [deaf(server, run) for _ in range(clients // 2)]

        async def go() -> float:
            followers = [Follower(server.url, run) for _ in range(clients - len(stalled))]
            following = asyncio.gather(*(one.follow() for one in followers))
            most = 0.0
            while not following.done():
                most = max(most, resident_mb(server))
                await asyncio.sleep(0.2)
            await following
            entries = await asyncio.to_thread(recorded, server, run)
            for one in followers:
                check(one, entries)
            return most

        try:
            most = asyncio.run(go())
        finally:
            for line in stalled:
                line.close()
        assert server.ended(run)["turn"] == turns
        assert most - before < 64 + clients * 0.5, "what waits for a client is bounded"
        made.check_sound(run)
        print(f"the server has {before:.0f} MB, at most {most:.0f}")


@pytest.mark.slow
def test_clients_that_stall_keep_nobody_waiting_and_cost_no_memory(tmp_path: Path) -> None:
    half_stall(tmp_path, 40, 100, 30_000)


@pytest.mark.soak
def test_two_hundred_clients_of_which_half_stall_through_the_whole_server(tmp_path: Path) -> None:
    half_stall(tmp_path, 200, 400, 30_000)
