"""The HTTP of it, by hand: what a client may send, in whatever pieces, and what it may not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

import httpx
import pytest

from tests.testing.provider.clients import post, until
from windtunnel.testing.provider import Answer, Provider, hang, huge
from windtunnel.testing.provider.connection import MOST_BODY, MOST_HEAD

PATH = "/v1/chat/completions"


def body(text: str = "?", *, stream: bool = False) -> bytes:
    said = [{"role": "user", "content": text}]
    return json.dumps({"model": "m", "messages": said, "stream": stream}).encode()


def request(sent: bytes, extra: str = "") -> bytes:
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{extra}Content-Length: {len(sent)}\r\n\r\n".encode() + sent


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        found: str = json.loads(self.body)["choices"][0]["message"]["content"]
        return found


class Wire(NamedTuple):
    socket: socket.socket
    file: BinaryIO

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> Got:
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            headers[name] = value
        if "content-length" in headers:
            return Got(status, headers, self.file.read(int(headers["content-length"])))
        chunks = []
        while headers.get("transfer-encoding") == "chunked" and (size := int(self.file.readline(), 16)):
            chunks.append(self.file.read(size))
            self.file.readline()
        self.file.readline()
        return Got(status, headers, b"".join(chunks))


@contextmanager
def wired(provider: Provider) -> Iterator[Wire]:
    with (
        socket.create_connection(("127.0.0.1", provider.port), timeout=20) as one,
        one.makefile("rb") as file,
    ):
        yield Wire(one, file)


def echo(provider_request: object) -> str:
    return f"heard {getattr(provider_request, 'last')}"  # noqa: B009


def test_one_connection_serves_many_requests() -> None:
    with Provider(echo) as provider, wired(provider) as wire:
        for size in (3, 300, 5, 0, 70_000, 1):
            wire.send(request(body("x" * size)))
            assert wire.receive().text == "heard " + "x" * size


def test_requests_sent_at_once_are_answered_in_order() -> None:
    def script(asked: object) -> Answer:
        text = echo(asked)
        return Answer(text, delay=0.02 if text.endswith("0") else None)  # every tenth one is slow

    with Provider(script) as provider, wired(provider) as wire:
        wire.send(b"".join(request(body(str(number))) for number in range(30)))
        assert [wire.receive().text for _ in range(30)] == [f"heard {number}" for number in range(30)]


def test_a_request_may_come_byte_by_byte() -> None:
    with Provider(echo) as provider, wired(provider) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(body("slowly")):
            wire.send(bytes([byte]))
        assert wire.receive().text == "heard slowly"


def test_a_body_may_come_in_chunks() -> None:
    sent = body("in chunks")
    head = f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(
        f"{len(part):X};note=1\r\n".encode() + part + b"\r\n" for part in (sent[:7], sent[7:9], sent[9:])
    )
    with Provider(echo) as provider, wired(provider) as wire:
        for _ in range(2):
            wire.send(head + chunks[:20])
            wire.send(chunks[20:] + b"0\r\n\r\n")
            assert wire.receive().text == "heard in chunks"


def test_a_client_that_asks_whether_to_go_on_is_told_to() -> None:
    sent = body("after all")
    with Provider(echo) as provider, wired(provider) as wire:
        for _ in range(2):
            wire.send(request(sent, "Expect: 100-continue\r\n")[: -len(sent)])
            assert wire.file.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert wire.file.readline() == b"\r\n"
            wire.send(sent)
            assert wire.receive().text == "heard after all"


def test_a_connection_is_closed_when_asked() -> None:
    with Provider(echo) as provider, wired(provider) as wire:
        wire.send(request(body("bye"), "Connection: close\r\n"))
        assert wire.receive().headers["connection"] == "close"
        assert wire.file.read() == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        f"POST {PATH} HTTP/1.0\r\n\r\n".encode(),
        f"POST {PATH} HTTP/1.1\r\nContent-Length: -3\r\n\r\n".encode(),
        f"POST {PATH} HTTP/1.1\r\nContent-Length: {MOST_BODY + 1}\r\n\r\n".encode(),
        f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
        b"GET /" + b"x" * (MOST_HEAD + 1),
    ],
    ids=["no-request", "http-1.0", "negative", "too-large", "bad-chunk", "long-head"],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(sent: bytes) -> None:
    with Provider() as provider, wired(provider) as wire:
        wire.send(sent)
        assert wire.receive().status == 400
        assert wire.file.read() == b""
    assert provider.log.totals.asked == 0


def test_an_unknown_path_and_a_wrong_method_are_not_found() -> None:
    with Provider() as provider:
        assert post(provider.url + "/v1/embeddings", json={}).status_code == 404
        assert httpx.get(provider.url + PATH).status_code == 404
        assert httpx.get(provider.url + "/health").status_code == 200
    assert provider.log.totals.asked == 0


def test_a_path_may_have_a_prefix() -> None:
    with Provider(echo) as provider:
        answer = post(provider.url + "/gateway/eu" + PATH, content=body("prefix"))
        assert answer.json()["choices"][0]["message"]["content"] == "heard prefix"
    assert provider.log[0].path == "/gateway/eu" + PATH


def test_a_body_that_is_no_json_is_refused() -> None:
    with Provider() as provider:
        assert post(provider.url + PATH, content=b"{").status_code == 400


def test_a_client_that_does_not_read_holds_only_its_own_connection_up() -> None:
    size = 6_000_000
    with Provider([huge(size), huge(size), "ready"]) as provider, wired(provider) as slow:
        slow.send(request(body("first")) + request(body("second")))
        until(lambda: provider.log.totals.asked)
        assert post(provider.url + "/health").status_code == 404
        assert provider.log.totals.asked == 1  # the second waits until the first is read
        assert len(slow.receive().text) == size
        assert len(slow.receive().text) == size
        with wired(provider) as quick:
            quick.send(request(body("third")))
            assert quick.receive().text == "ready"


def test_leaving_ends_what_hangs_and_frees_the_port() -> None:
    with Provider(hang()) as provider, wired(provider) as wire:
        wire.send(request(body()))
        until(lambda: provider.log.totals.asked)
        port = provider.port
        provider.close()
        with suppress(ConnectionResetError):
            assert wire.socket.recv(1) == b""
        with Provider("another", port=port) as next_one:
            assert next_one.port == port
        provider.close()  # once more does no harm
