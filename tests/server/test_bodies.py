"""Bodies, headers and paces, with raw sockets where a client that lies is needed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from tests.server.house import Client, House, raw, serving
from windtunnel.config.serve import Serve
from windtunnel.server.admission import Pace
from windtunnel.server.bodies import Bodies

START = "/api/simulations"
MOST = 4096
HEAD = b"POST /api/simulations HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, Serve(max_body=MOST), larger={"/api/import": 4 * MOST})
    yield made
    made.close()


def first_line(reply: bytes) -> bytes:
    return reply.partition(b"\r\n")[0]


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(house: House) -> None:
    client = house.client()
    assert client("POST", START, content=b"x" * MOST).json()["bytes"] == MOST
    reply = client("POST", START, content=b"x" * (MOST + 1))
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")
    assert reply.headers["content-type"] == "application/problem+json"
    assert "max_body" in reply.json()["remedy"]
    assert house.started == 1


def test_chunks_are_counted(house: House) -> None:
    def chunks(many: int) -> Any:
        async def give() -> Any:
            for _ in range(many):
                yield b"x" * 512

        return give()

    client = house.client()
    assert client("POST", START, content=chunks(8)).status_code == 202
    assert client("POST", START, content=chunks(9)).status_code == 413
    assert house.started == 1


def test_a_path_that_takes_more_takes_more(house: House) -> None:
    client = house.client()
    assert client("POST", "/api/import", content=b"x" * 4 * MOST).status_code == 202
    assert client("POST", "/api/import", content=b"x" * (4 * MOST + 1)).status_code == 413
    assert client("POST", "/api/import/", content=b"x" * (MOST + 1)).status_code == 413


@pytest.mark.parametrize("size", [10 << 20, 10**15, 10**40])
def test_a_large_body_is_refused_before_it_is_read(house: House, size: int) -> None:
    with serving(house.app()) as port:
        reply = raw(port, HEAD + f"Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert first_line(reply).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert b"100 Continue" not in reply
    assert house.started == 0


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (f"Content-Length: {10 << 20}\r\n\r\n".encode(), b"x" * (1 << 20)),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"),
    ],
)
def test_ten_megabytes_are_refused_with_an_answer_that_can_be_read(
    house: House, head: bytes, unit: bytes
) -> None:
    """Many clients send everything before they read anything: a connection that is cut tells them nothing."""
    with (
        serving(house.app()) as port,
        socket.create_connection(("127.0.0.1", port), timeout=15) as line,
    ):
        line.sendall(HEAD + head)
        for _ in range(10):
            line.sendall(unit)
        reply = b"".join(iter(lambda: line.recv(65536), b""))
    assert first_line(reply).startswith(b"HTTP/1.1 413")
    assert b"too_large" in reply
    assert house.started == 0


@pytest.mark.slow
def test_a_length_that_promises_too_little_starts_no_second_request(house: House) -> None:
    smuggled = b"DELETE /api/simulations HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    with serving(house.app()) as port:
        reply = raw(port, HEAD + b"Content-Length: 2\r\n\r\n", more=b"{}" + smuggled, seconds=3)
    assert first_line(reply).startswith(b"HTTP/1.1 202")
    assert b"421" in reply  # a request of its own, which the guard has seen like every other
    assert house.started == 1


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: 0x2\r\n",
        b"Content-Length: two\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Transfer-Encoding: identity\r\n",
    ],
)
def test_a_length_that_is_none_or_two_is_refused(house: House, lengths: bytes) -> None:
    with serving(house.app()) as port:
        reply = raw(port, HEAD + lengths + b"\r\n", more=b"{}\r\n0\r\n\r\n", seconds=3)
    assert first_line(reply).startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
    assert house.started == 0


@pytest.mark.parametrize(
    "headers",
    [
        [("content-length", "2"), ("content-length", "3")],
        [("content-length", "2"), ("transfer-encoding", "chunked")],
        [("content-length", "²")],
        [("content-length", "")],
    ],
)
def test_our_own_check_refuses_them_too(house: House, headers: list[tuple[str, str]]) -> None:
    """Another server than the one of today may let them through."""
    pairs = [(name.encode(), text.encode("latin-1")) for name, text in headers]
    assert knock(house.app(), [(b"host", b"localhost"), *pairs])["status"] == 400


def knock(app: Any, headers: list[tuple[bytes, bytes]], path: str = START, query: bytes = b"") -> Message:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http", "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent[0]


def test_headers_and_addresses_have_bounds(house: House) -> None:
    app, host = house.app(), (b"host", b"localhost")
    assert knock(app, [host, *[(b"x-a", b"1")] * 99])["status"] == 202
    assert knock(app, [host, *[(b"x-a", b"1")] * 100])["status"] == 431
    assert knock(app, [host, (b"cookie", b"x" * (33 << 10))])["status"] == 431
    assert knock(app, [host], query=b"q=" + b"x" * (9 << 10))["status"] == 414


# --- slow ones ---


def run(app: Any, messages: list[Message | float]) -> list[Message]:
    """What an app behind Bodies answers when its body comes like this: messages, and seconds between."""
    sent: list[Message] = []
    left = iter(messages)

    async def receive() -> Message:
        for message in left:
            if isinstance(message, float):
                await asyncio.sleep(message)
            else:
                return message
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    bodies = Bodies(app, MOST, idle=0.2, whole=1.0)
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    asyncio.run(bodies(scope, receive, send))
    return sent


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def swallowing(scope: Scope, receive: Receive, send: Send) -> None:
    """Like a framework that makes its own answer of a body that it could not read."""
    try:
        await Request(scope, receive).body()
    except Exception:  # noqa: BLE001 - it is like this that they do it
        await PlainTextResponse("no", 400)(scope, receive, send)


def part(size: int, *, more: bool) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


@pytest.mark.parametrize("app", [reading, swallowing])
def test_a_body_that_stops_coming_is_given_up(app: Any) -> None:
    assert run(app, [part(1, more=True), 30.0])[0]["status"] == 408


@pytest.mark.parametrize("app", [reading, swallowing])
def test_a_body_that_trickles_is_given_up(app: Any) -> None:
    trickle: list[Message | float] = [item for _ in range(100) for item in (part(1, more=True), 0.05)]
    assert run(app, [*trickle, part(1, more=False)])[0]["status"] == 408


@pytest.mark.parametrize("app", [reading, swallowing])
@pytest.mark.slow
def test_a_body_that_grows_is_refused_whatever_the_app_makes_of_it(app: Any) -> None:
    assert run(reading, [part(MOST, more=True), part(0, more=False)])[0]["status"] == 200
    sent = run(app, [part(MOST, more=True), part(1, more=False)])
    assert [sent[0]["status"], len([m for m in sent if m["type"] == "http.response.start"])] == [413, 1]


def test_after_the_body_nothing_is_timed() -> None:
    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        assert (await receive())["type"] == "http.disconnect"  # as a long stream waits for it
        await PlainTextResponse("well")(scope, receive, send)

    assert run(listening, [part(1, more=False), 0.5, {"type": "http.disconnect"}])[0]["status"] == 200


def test_a_fault_of_the_app_is_not_hidden() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(failing, [])


def test_a_client_that_promises_more_than_it_sends_is_given_up(house: House) -> None:
    """With a real server: the rest of the body never comes."""
    app = Bodies(reading, MOST, idle=0.3)
    with serving(app) as port:
        reply = raw(port, HEAD + b"Content-Length: 50\r\n\r\n{}")
    assert first_line(reply).startswith(b"HTTP/1.1 408")
    assert b"too_slow" in reply


# --- paces ---


def test_a_pace_lets_a_burst_through_and_then_so_many_a_second() -> None:
    now = [0.0]
    pace = Pace(2.0, lambda: now[0])
    assert [pace.take("ana") for _ in range(8)] == [0.0] * 8
    assert pace.take("ana") == pytest.approx(0.5)
    assert pace.take("ben") == 0.0
    now[0] += 0.5
    assert pace.take("ana") == 0.0
    assert pace.take("ana") > 0


def test_a_slow_pace_still_lets_one_through() -> None:
    pace = Pace(0.01, lambda: 0.0)
    assert pace.take("ana") == 0.0
    assert pace.take("ana") == pytest.approx(100.0)


def test_a_pace_remembers_a_bounded_number_of_names() -> None:
    pace = Pace(1.0, lambda: 0.0)
    for number in range(20_000):
        pace.take(str(number))
    assert len(pace._buckets) == 10_000


def test_each_key_has_a_pace_of_its_own(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(rate=1.0))
    ana, ben = (f"Bearer {house.keys.create(name, ['viewer']).secret}" for name in ("ana", "ben"))
    client = house.client()
    assert [client("GET", START, {"authorization": ana}).status_code for _ in range(5)] == [202] * 4 + [429]
    reply = client("GET", START, {"authorization": ana})
    assert (reply.headers["retry-after"], reply.json()["code"]) == ("1", "too_many")
    assert client("GET", START, {"authorization": ben}).status_code == 202
    house.seconds += 1.01
    assert client("GET", START, {"authorization": ana}).status_code == 202
    house.close()


def test_wrong_keys_slow_their_address_down_and_lock_out_nobody_else(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(rate=5.0))
    good = house.keys.create("ana", ["viewer"]).secret
    app = house.app()
    wrong = Client(app, {"authorization": f"Bearer {good}x"}, "127.0.0.1")
    assert [wrong("GET", START).status_code for _ in range(4)] == [401, 401, 429, 429]
    assert Client(app, {"authorization": f"Bearer {good}"}, "127.0.0.1")("GET", START).status_code == 202
    house.close()


def test_addresses_of_one_network_share_a_pace(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(rate=0.25))
    house.keys.create("ana", ["viewer"])
    app = house.app()

    def knock_from(address: str) -> int:
        return Client(app, {}, address)("GET", "/health").status_code

    assert [knock_from(f"2001:db8:0:1::{number}") for number in (1, 2)] == [200, 429]
    assert knock_from("2001:db8:0:2::1") == 200
    house.close()


def test_loopback_has_no_pace_unless_it_is_set(tmp_path: Path) -> None:
    house = House(tmp_path)
    client = house.client()
    assert {client("GET", START).status_code for _ in range(250)} == {202}
    house.close()
