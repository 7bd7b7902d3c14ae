"""Request ids, and logs that hold no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from websockets.sync.client import connect

from tests.server.house import House, serving
from windtunnel.server.logs import JsonLines, configure, scrub, scrub_query

START = "/api/simulations"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged while a test runs; the loggers are put back as they were."""
    names = ("windtunnel", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")
    logs = [logging.getLogger(name) for name in names]
    before = [(list(log.handlers), log.propagate, log.level) for log in logs]
    out = io.StringIO()
    configure(out)
    yield out
    for log, (handlers, propagate, level) in zip(logs, before, strict=True):
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_sane_request_id_is_kept_and_told_back(house: House, written: io.StringIO) -> None:
    reply = house.client()("GET", "/none", {"x-request-id": "build-42.retry-1"})
    assert reply.headers.get_list("x-request-id") == ["build-42.retry-1"]
    assert lines(written)[-1]["request"] == "build-42.retry-1"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space 1", 'quote"12345', "-leading12", "a\tb2345678"]
)
def test_another_request_id_is_replaced(house: House, given: str) -> None:
    told = house.client()("GET", START, {"x-request-id": given}).headers["x-request-id"]
    assert len(told) == 16
    assert told != given


def test_a_problem_carries_the_request_id(house: House) -> None:
    reply = house.client()("GET", START, {"host": "evil.example", "x-request-id": "build-42"})
    assert reply.json()["request_id"] == "build-42"


def test_an_answer_behind_the_guard_cannot_change_the_id(house: House) -> None:
    from starlette.responses import PlainTextResponse

    house.routes = [Route("/", lambda _: PlainTextResponse("x", headers={"x-request-id": "other-id-1"}))]
    reply = house.client()("GET", "/", {"x-request-id": "build-42"})
    assert reply.headers.get_list("x-request-id") == ["build-42"]


def test_a_request_is_one_line_that_says_who_and_what(house: House, written: io.StringIO) -> None:
    key = house.keys.create("ana", ["viewer"]).secret
    house.client(authorization=f"Bearer {key}")("POST", f"{START}?limit=5&turn=2", content=b"xyz")
    (line,) = [line for line in lines(written) if line["log"] == "windtunnel.access"]
    expected = {
        "method": "POST", "path": START, "query": "limit=5&turn=2", "status": 202, "who": "ana",
        "via": "rest", "address": "127.0.0.1", "level": "info",
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected
    assert line["bytes"] > 0
    assert line["ms"] >= 0
    assert line["at"].endswith("Z")


def test_a_refusal_is_logged_too(house: House, written: io.StringIO) -> None:
    house.client()("GET", START, {"host": "evil.example"})
    (line,) = lines(written)
    assert (line["status"], line["who"]) == (421, None)


def test_no_key_is_in_any_log_however_it_came(house: House, written: io.StringIO) -> None:
    key = house.keys.create("ana", ["viewer"]).secret
    secret = key.rpartition("_")[2]
    client = house.client()
    client("GET", f"{START}?key={key}")
    client("GET", f"{START}?%6b%65y=tulip&x={key}")
    client("GET", "/auth/callback/github?code=tulip&state=tulip")
    client("GET", f"/none/{key}")
    client("GET", START, {"authorization": f"Bearer {key}", "x-request-id": "build-42"})
    with (
        serving(house.app(), access_log=True, log_level="trace") as port,
        connect(f"ws://127.0.0.1:{port}/api/stream?key={key}") as plain,
        connect(f"ws://127.0.0.1:{port}/api/stream?%6bey=%77{key[1:]}") as disguised,
    ):
        assert "ana" in str(plain.recv())
        assert "ana" in str(disguised.recv())
    said = written.getvalue()
    assert "/api/stream" in said
    assert secret not in said
    assert "tulip" not in said
    assert '"WebSocket' not in said.replace("\\", "")  # the access log has it


def test_what_a_library_logs_is_scrubbed(written: io.StringIO) -> None:
    log = logging.getLogger("uvicorn.error")
    log.warning('"GET /x?token=tulip&a=1" %s', "Bearer tulip")
    try:
        int("Bearer tulip")
    except ValueError:
        log.exception("failed")
    assert "tulip" not in written.getvalue()
    assert [line["level"] for line in lines(written)] == ["warning", "error"]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"a=1&key=x", "a=1&key=[hidden]"),
        (
            b"API_KEY=x&access_token=y&client_secret=z",
            "API_KEY=[hidden]&access_token=[hidden]&client_secret=[hidden]",
        ),
        (b"code=x&state=y", "code=[hidden]&state=[hidden]"),
        (b"text=a%20b&monkey=1", "text=a%20b&monkey=1"),
        (b"&".join([b"a=1"] * 200), "[unreadable]"),
        (b"", ""),
    ],
)
def test_a_query_is_told_without_its_secrets(raw: bytes, told: str) -> None:
    assert scrub_query(raw) == told


def test_a_long_line_of_a_hostile_client_stays_one_bounded_line(house: House, written: io.StringIO) -> None:
    house.client()("GET", f"/{'x' * 5000}?q={'y' * 2000}", {"user-agent": "a" * 9000})
    (line,) = written.getvalue().splitlines()
    assert len(line) < 2500


def test_a_line_cannot_be_forged() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, 'a\n{"level":"error"}', (), None)
    assert len(JsonLines().format(record).splitlines()) == 1


def test_plain_text_is_left_alone() -> None:
    text = "wt run at key=5, the code is fine? 100%25 of %2F"
    assert scrub(text) == text
