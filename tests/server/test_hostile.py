"""Requests that no honest client sends, over real sockets: names, bodies, lengths, methods, other pages."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.server.fuzzed import Fuzzed, fuzzed
from tests.server.house import raw

pytestmark = pytest.mark.slow
MEGABYTE = 1 << 20
SECRET = "nobody outside reads this"
STARTS = "/api/simulations"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    home = tmp_path_factory.mktemp("hostile") / "home"
    home.mkdir()
    with fuzzed(home) as made:
        # A run and a file beside the workspace, where nobody may look.
        store = home / ".windtunnel" / "runs" / f"{made.done}.sqlite"
        shutil.copy(store, home.parent / "outside.sqlite")
        shutil.copy(store, home / "beside.sqlite")
        (home.parent / "outside.yaml").write_text(f"world: economy\ntitle: {SECRET}\n")
        yield made


class Line:
    """One connection, on which addresses are sent as they are written."""

    def __init__(self, server: Fuzzed) -> None:
        self._server = server
        parts = urlsplit(server.server.url)
        self.port = parts.port or 0
        self._line = http.client.HTTPConnection(parts.hostname or "", self.port, timeout=60)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._line.putrequest(method, path, skip_accept_encoding=True)
        named = {"Content-Type": "application/json", **self._server.headers}
        named |= {name.replace("_", "-"): text for name, text in headers.items()}
        for name, text in {**named, "Content-Length": str(len(sent))}.items():
            self._line.putheader(name, text)
        self._line.endheaders(sent)
        answer = self._line.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def line(server: Fuzzed) -> Iterator[Line]:
    with closing(Line(server)) as made:
        yield made


def runs(server: Fuzzed) -> int:
    total: int = server.get(f"{STARTS}?limit=1")["total"]
    return total


# --- names ---

NAMES = {
    "the folder above": "../outside",
    "the folder above, written otherwise": "%2e%2e%2foutside",
    "twice written otherwise": "%252e%252e%252foutside",
    "backslashes": "..%5coutside",
    "a file beside": "beside.sqlite",
    "an absolute path": "%2fetc%2fpasswd",
    "nothing at the end": "x%00.sqlite",
    "a new line": "x%0d%0aSet-Cookie:%20a=b",
    "very long": "a" * 5000,
    "letters that look alike": quote("．．／outside"),
    "half of a character": "%ed%a0%80",
    "an option": "--help",
    "a wildcard": "%25",
    "a path and a run": "..%2foutside.sqlite:x",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_no_name_in_an_address_leads_anywhere(server: Fuzzed, line: Line, name: str) -> None:
    api = server.get("/openapi.json")
    tried = 0
    for path, operations in api["paths"].items():
        for parameter in re.findall(r"{\w+}", path):
            asked = path.replace(parameter, name)
            asked = re.sub(r"{turn}", "1", asked)
            asked = re.sub(r"{\w+}", server.done, asked)
            for method in operations:
                status, body = line(method.upper(), asked, {} if method == "post" else None)
                assert 400 <= status < 500, f"{method} {asked}: {status} {body[:300]!r}"
                assert SECRET.encode() not in body
                tried += 1
    assert tried > 30


PATHS = ["../outside.sqlite", "beside.sqlite", "..\\outside.sqlite", "x\u2215y", "a" * 10_000, "", "."]


def test_no_name_in_a_field_leads_anywhere(server: Fuzzed, line: Line) -> None:
    outside = str(server.server.home.parent / "outside")
    for name in [*PATHS, f"{outside}.sqlite", f"{outside}.sqlite:{server.done}", "/etc/passwd"]:
        asked = [
            line("POST", "/api/compare", {"runs": [server.done, name]}),
            line("GET", f"/api/approvals?run_id={quote(name, safe='')}"),
            line("GET", f"/api/approvals/{quote(name, safe='')}:1.validate.x.0"),
            line("POST", f"/api/approvals/{quote(name, safe='')}:1.validate.x.0/approve", {}),
        ]
        assert {status for status, _ in asked} <= {400, 404, 414, 422}, (name, asked)
        plan = {"when": "daily", "do": "health", "first_now": False}
        named = [
            line("POST", "/api/keys", {"name": name, "roles": ["viewer"]}),
            line("POST", "/api/schedules", {"name": name, **plan}),
        ]
        told = 201 if name == "beside.sqlite" else 422  # a name like any other: nothing is opened for it
        assert [status for status, _ in named] == [told, told], (name, named)


@pytest.mark.parametrize(
    "name",
    ["../outside.yaml", "{outside}.yaml", "economy/../../outside", "~/.bashrc", "file:///etc/passwd", "-"],
)
def test_no_scenario_outside_the_workspace_is_read(server: Fuzzed, line: Line, name: str) -> None:
    name = name.replace("{outside}", str(server.server.home.parent / "outside"))
    for path in (STARTS, "/api/estimate"):
        for body in (
            {"scenario": name},
            {"world": "economy", "scenario": name},
            {"repo": "economy", "config": name},
        ):
            status, said = line("POST", path, body)
            assert status in (404, 422), (body, said)
            assert SECRET.encode() not in said


def test_a_problem_does_not_tell_where_the_workspace_lies(server: Fuzzed, line: Line) -> None:
    status, said = line("GET", f"{STARTS}/nobody")
    assert status == 404
    assert str(server.server.home).encode() not in said


# --- bodies ---


def deep(levels: int) -> bytes:
    return b'{"kind": "x", "body": ' + b"[" * levels + b"]" * levels + b"}"


BODIES: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "no JSON"),
    "deep": (deep(100_000), 400, "nested deeper"),
    "deep enough": (deep(500), 400, "nested deeper"),
    "not a number": (b'{"kind": "x", "body": NaN}', 400, "NaN"),
    "infinite": (b'{"kind": "x", "body": [1e999]}', 400, "too large"),
    "huge": (b'{"kind": "x", "body": ' + b"9" * 100_000 + b"}", 400, "64 bits"),
    "beyond 64 bits": (b'{"kind": "x", "body": 18446744073709551616}', 400, "64 bits"),
    "the same key twice": (b'{"kind": "x", "kind": "y"}', 400, "stands twice"),
    "NUL": (b'{"kind": "x\\u0000", "body": 1}', 400, "NUL"),
    "NUL in a key": (b'{"kind": "x", "body": {"\\u0000": 1}}', 400, "NUL"),
    "half a character": (b'{"kind": "x", "body": ["\\ud800"]}', 400, "surrogate"),
    "not UTF-8": (b'{"kind": "\xff"}', 400, "UTF-8"),
    "a list": (b"[]", 422, "body"),
    "nothing": (b"", 422, "body"),
}


@pytest.mark.parametrize(("body", "status", "says"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_not_meant_well_is_refused_by_name(
    server: Fuzzed, line: Line, body: bytes, status: int, says: str
) -> None:
    got, said = line("POST", f"{STARTS}/{server.done}/events", body)
    assert got == status, said
    assert says in json.loads(said)["detail"]


def test_as_much_as_may_be_is_read_and_more_is_not(server: Fuzzed, line: Line) -> None:
    def sized(size: int) -> bytes:
        plain = {"scenario": "economy/quick", "tags": [""]}
        return json.dumps({**plain, "tags": ["x" * (size - len(json.dumps(plain)))]}).encode()

    before = runs(server)
    assert line("POST", STARTS, sized(10 * MEGABYTE))[0] == 422  # read, and the tag is too long
    status, said = line("POST", STARTS, sized(11 * MEGABYTE))
    assert (status, json.loads(said)["code"]) == (413, "too_large")

    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * MEGABYTE

    with httpx.Client(base_url=server.server.url, headers=server.headers, timeout=60) as client:
        headers = {"Content-Type": "application/json"}
        assert client.post(STARTS, content=pieces(), headers=headers).status_code == 413
    assert runs(server) == before


def test_a_packed_body_is_not_unpacked(server: Fuzzed, line: Line) -> None:
    bomb = gzip.compress(b" " * (50 * MEGABYTE))
    for path in (STARTS, "/api/import", "/mcp"):
        status, said = line("POST", path, bomb, Content_Encoding="gzip")
        assert status == 415, said


def test_a_body_of_another_type_is_not_guessed_at(server: Fuzzed, line: Line) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        status, said = line("POST", STARTS, {"scenario": "economy/quick"}, Content_Type=kind)
        assert status == 415, said
        assert "application/json" in json.loads(said)["detail"]


QUERIES = [
    "text=%00", "text=%ed%a0%80", "limit=1&limit=2000", "limit=-1", "limit=1e3", f"limit={'9' * 400}",
    "after=%2e%2e", "since=yesterday", "since=1", "since=2026-13-01", "order=id", "nothing=1",
]  # fmt: skip


@pytest.mark.parametrize("what", QUERIES)
def test_a_query_that_is_not_meant_well_breaks_nothing(line: Line, what: str) -> None:
    status, said = line("GET", f"{STARTS}?{what}")
    assert status in (200, 400, 422), said


# --- lengths, lines, methods ---


def head(
    server: Fuzzed, *lines: str, method: str = "POST", path: str = STARTS, version: str = "1.1"
) -> bytes:
    named = [
        f"{method} {path} HTTP/{version}", "Host: localhost", f"Authorization: Bearer {server.key}",
        "Content-Type: application/json", *lines,
    ]  # fmt: skip
    return ("\r\n".join(named) + "\r\n\r\n").encode()


START = b'{"scenario": "economy/quick", "turns": 1}'
LENGTHS = {
    "negative": ["Content-Length: -1"],
    "two that differ": ["Content-Length: 5", "Content-Length: 41"],
    "signed": ["Content-Length: +41"],
    "in hexadecimal": ["Content-Length: 0x29"],
    "a list": ["Content-Length: 41, 42"],
    "huge": ["Content-Length: 99999999999999999999999"],
    "beside chunks": ["Content-Length: 41", "Transfer-Encoding: chunked"],
    "packed chunks": ["Transfer-Encoding: gzip, chunked"],
    "chunks of no size": ["Transfer-Encoding: chunked"],
}


@pytest.mark.parametrize("lines", LENGTHS.values(), ids=LENGTHS.keys())
def test_a_length_that_lies_starts_nothing(server: Fuzzed, line: Line, lines: list[str]) -> None:
    before = runs(server)
    answer = raw(line.port, head(server, *lines, "Connection: close") + START, seconds=5)
    # A line on which nothing can be read any more may be closed without a word.
    assert re.match(rb"HTTP/1.1 4\d\d ", answer) or (not answer and "chunked" in lines[0]), answer[:200]
    assert runs(server) == before


def test_a_length_that_is_too_short_starts_nothing_more(server: Fuzzed, line: Line) -> None:
    """What is left over is taken for another request, and is none."""
    before = runs(server)
    answer = raw(line.port, head(server, f"Content-Length: {len(START) - 10}") + START, seconds=5)
    assert re.match(rb"HTTP/1.1 400 ", answer), answer[:200]
    assert b"HTTP/1.1 2" not in answer
    assert runs(server) == before


def test_a_body_that_never_comes_starts_nothing(server: Fuzzed, line: Line) -> None:
    before = runs(server)
    raw(line.port, head(server, f"Content-Length: {len(START) + 10}") + START, seconds=1)
    assert line("GET", "/api/me")[0] == 200
    assert runs(server) == before


def test_requests_one_after_another_on_a_line_are_answered_in_their_order(server: Fuzzed, line: Line) -> None:
    asked = [head(server, method="GET", path=path) for path in ("/api/me", "/api/none", "/health")]
    last = head(server, "Connection: close", method="GET", path="/api/me")
    answer = raw(line.port, b"".join(asked) + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200", b"200"]


def test_an_old_client_is_answered(server: Fuzzed, line: Line) -> None:
    answer = raw(line.port, head(server, method="GET", path="/api/me", version="1.0"))
    assert b" 200 " in answer.splitlines()[0]
    assert b'"root"' in answer


@pytest.mark.parametrize(
    "method", ["TRACE", "CONNECT", "FOO", "get", "OPTIONS", "PUT", "PATCH", "A" * 5000, "P\x00"]
)
def test_a_method_that_is_not_there_does_nothing(server: Fuzzed, line: Line, method: str) -> None:
    before = runs(server)
    sent = head(server, f"Content-Length: {len(START)}", "Connection: close", method=method) + START
    answer = raw(line.port, sent, seconds=5)
    assert re.match(rb"HTTP/1.1 (400|405) ", answer), answer[:200]
    assert runs(server) == before


def test_a_method_that_is_not_there_is_answered_with_those_that_are(server: Fuzzed) -> None:
    answer = httpx.put(f"{server.server.url}/api/keys", headers=server.headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["remedy"] == "it takes GET, POST"


# --- pages elsewhere ---


@pytest.mark.parametrize("path", [STARTS, "/api/import", "/mcp", "/api/keys"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
def test_a_page_elsewhere_starts_nothing(server: Fuzzed, path: str, headers: dict[str, str]) -> None:
    before = runs(server)
    answer = httpx.post(f"{server.server.url}{path}", headers={**server.headers, **headers}, json={})
    assert answer.status_code in (403, 421), answer.text
    assert "access-control-allow-origin" not in answer.headers
    assert runs(server) == before


def test_a_name_that_was_made_to_lead_here_reads_nothing(server: Fuzzed) -> None:
    for path in (STARTS, "/openapi.json", "/health", "/docs", "/mcp", "/api/stream?channel=runs"):
        answer = httpx.get(f"{server.server.url}{path}", headers={**server.headers, "Host": "evil.example"})
        assert answer.status_code == 421, path


# --- afterwards ---


def test_no_key_is_in_the_log(server: Fuzzed, line: Line) -> None:
    """Used in every place where one can stand, and asked for where it may not."""
    made = json.loads(line("POST", "/api/keys", {"name": "logged", "roles": ["viewer"]})[1])["secret"]
    url = server.server.url
    for key in (server.key, made):
        httpx.get(f"{url}/api/me", headers={"X-API-Key": key})
        httpx.get(f"{url}/api/me?key={key}")
        httpx.get(f"{url}/api/simulations/{key}?text={key}", headers={"X-API-Key": key})
        httpx.get(f"{url}/api/me", headers={"Authorization": f"Basic {key}"})
        httpx.post(f"{url}{STARTS}", headers={"X-API-Key": key}, json={"scenario": key})
    told = line("GET", "/api/audit?limit=1000")[1].decode()
    log = (server.server.home / "server.log").read_text()
    assert len(log.splitlines()) > 10
    for key in (server.key, made):
        assert key not in log
        assert key not in told


def test_nothing_of_all_this_was_an_error_of_the_server(server: Fuzzed) -> None:
    log = [
        json.loads(one)
        for one in (server.server.home / "server.log").read_text().splitlines()
        if one[:1] == "{"
    ]
    assert not [one for one in log if one["level"] == "error"]
    assert {one["status"] // 100 for one in log if "status" in one} == {2, 4}
