"""Streams end when whoever opened them may no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.server.house import House, serving
from windtunnel.server.lasting import EVERY

TICK = 0.02
MOST = 1_000  # ticks: a stream that nobody ends does, some time


class Streams(House):
    """Counts the streams that go on, and keeps what the app behind was offered to speak."""

    going = 0
    offered: tuple[str, ...] = ()

    def prepare(self) -> Streams:
        self.routes = [Route("/api/ticks", self.ticks), WebSocketRoute("/api/socket", self.socket)]
        return self

    async def ticks(self, request: Request) -> Response:
        async def some() -> AsyncIterator[bytes]:
            self.going += 1
            try:
                for _ in range(MOST):
                    yield b"tick\n"
                    await asyncio.sleep(TICK)
            finally:
                self.going -= 1

        return StreamingResponse(some())

    async def socket(self, socket: WebSocket) -> None:
        self.offered = tuple(socket.scope["subprotocols"]) + tuple(socket.headers.keys())
        await socket.accept()
        self.going += 1
        try:
            for _ in range(MOST):
                await socket.send_text("tick")
                await asyncio.sleep(TICK)
        except WebSocketDisconnect:
            pass
        finally:
            self.going -= 1


def read_all(socket: ClientConnection) -> None:
    for _ in range(100):
        socket.recv(timeout=10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Streams]:
    made = Streams(tmp_path).prepare()
    yield made
    made.close()


def test_a_socket_ends_when_its_key_is_revoked(house: Streams) -> None:
    key = house.keys.create("ana", ["viewer"]).secret
    offered = [Subprotocol("windtunnel"), Subprotocol(f"windtunnel.key.{key}")]
    with (
        serving(house.app()) as port,
        connect(f"ws://127.0.0.1:{port}/api/socket", subprotocols=offered) as socket,
    ):
        socket.recv(timeout=10)
        assert (house.offered[0], "sec-websocket-protocol" in house.offered) == ("windtunnel", False)
        assert key not in repr(house.offered)
        house.seconds += EVERY
        for _ in range(5):  # asked again, and still good
            socket.recv(timeout=10)
        house.keys.revoke("ana")
        house.seconds += EVERY
        with pytest.raises(ConnectionClosed) as caught:
            read_all(socket)
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "unauthenticated")
    assert house.going == 0


def test_a_stream_ends_when_its_key_is_revoked(house: Streams) -> None:
    key = house.keys.create("ana", ["viewer"]).secret
    headers = {"Authorization": f"Bearer {key}"}
    with (
        serving(house.app()) as port,
        httpx.stream("GET", f"http://127.0.0.1:{port}/api/ticks", headers=headers, timeout=10) as reply,
    ):
        lines = reply.iter_lines()
        assert next(lines) == "tick"
        house.keys.revoke("ana")
        house.seconds += EVERY
        assert sum(1 for _ in lines) < 100
    assert house.going == 0


def test_a_stream_of_an_open_server_ends_when_the_first_key_closes_it(house: Streams) -> None:
    with (
        serving(house.app()) as port,
        httpx.stream("GET", f"http://127.0.0.1:{port}/api/ticks", timeout=10) as reply,
    ):
        lines = reply.iter_lines()
        assert next(lines) == "tick"
        house.keys.create("ana", ["viewer"])
        house.seconds += EVERY
        assert sum(1 for _ in lines) < 100


@pytest.mark.slow
def test_a_database_that_does_not_answer_ends_no_stream(house: Streams) -> None:
    key = house.keys.create("ana", ["viewer"]).secret
    headers = {"Authorization": f"Bearer {key}"}
    with (
        serving(house.app()) as port,
        httpx.stream("GET", f"http://127.0.0.1:{port}/api/ticks", headers=headers, timeout=10) as reply,
    ):
        lines = reply.iter_lines()
        assert next(lines) == "tick"
        house.database.rows("ALTER TABLE api_key RENAME TO gone")
        house.seconds += EVERY
        assert [next(lines) for _ in range(200)] == ["tick"] * 200
