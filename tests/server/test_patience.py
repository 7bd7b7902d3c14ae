"""Clients that take their time with headers: cut off, whatever they trickle; others are served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.server.house import raw, serving
from windtunnel.server import patience
from windtunnel.server.patience import PatientProtocol

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("well")(scope, receive, send)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.5)
    with serving(app, http=PatientProtocol, timeout_keep_alive=30) as made:
        yield made


def cut_off(line: socket.socket, trickled: bytes = b"") -> bool:
    """Whether the other side ends it, while a byte comes now and then. It should, in half a second."""
    line.settimeout(0.1)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(TimeoutError):
            try:
                if not line.recv(1):
                    return True
            except ConnectionError:
                return True
        with suppress(OSError):
            line.sendall(trickled)
    return False


def answered(line: socket.socket) -> bool:
    line.settimeout(20)
    line.sendall(WHOLE)
    got = b""
    while piece := line.recv(1000):
        got += piece
        if got.endswith(b"well"):
            return True
    return False


def test_whoever_trickles_headers_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert cut_off(line, b"a")


def test_whoever_says_nothing_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        assert cut_off(line)


@pytest.mark.slow
def test_a_second_request_has_its_time_too_and_no_more(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        assert answered(line)
        time.sleep(0.8)  # it may rest longer than its headers may take
        assert answered(line)
        line.sendall(WHOLE[:20])
        assert cut_off(line, b"a")


def test_others_are_served_while_many_are_slow(port: int) -> None:
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    for line in lines:
        line.sendall(WHOLE[:9])
    assert raw(port, WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).endswith(b"well")
    assert all(map(cut_off, lines))
    for line in lines:
        line.close()
