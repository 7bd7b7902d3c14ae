"""Which name and which page a request may come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.server.house import HOME, Client, House, raw, serving
from windtunnel.config.serve import Serve
from windtunnel.control.audit import DENIED
from windtunnel.errors import UsageError
from windtunnel.server.guard import CSP

EVIL = "https://evil.example"
START = "/api/simulations"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


# --- Host ---


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "localhost.", "[::1]:9", "127.9.9.9"]
)
def test_loopback_answers_to_its_own_names(house: House, host: str) -> None:
    assert house.client()("GET", START, {"host": host}).status_code == 202


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "192.168.1.9:8000", "localhost.evil.example",
     "127.0.0.1.evil.example", "0.0.0.0:8000", "[::]"],
)  # fmt: skip
@pytest.mark.parametrize("path", [START, "/mcp/", "/health"])
def test_loopback_answers_to_no_other_name(house: House, host: str, path: str) -> None:
    reply = house.client()("GET", path, {"host": host})
    assert reply.status_code == 421
    assert reply.json()["code"] == "wrong_host"
    assert "hosts in [serve]" in reply.json()["remedy"]


@pytest.mark.parametrize(
    "host", ["", "a b", "localhost:99999999", "localhost:x", "user@localhost", "localhost/x", "[::1"]
)
def test_a_host_that_is_none_is_refused(house: House, host: str) -> None:
    assert house.client()("GET", START, {"host": host}).status_code == 400


def test_two_hosts_are_refused(house: House) -> None:
    headers = [("host", "localhost"), ("host", "evil.example")]
    assert house.client()("GET", START, headers).status_code == 400


def test_a_name_of_the_settings_is_answered_to(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(hosts=("lab.example.com", "*.lab.example")), host="0.0.0.0")
    client = house.client(authorization=f"Bearer {house.keys.create('ana', ['viewer']).secret}")
    found = {
        name: client("GET", START, {"host": name}).status_code
        for name in (
            "lab.example.com",
            "a.lab.example",
            "lab.example",
            "evil-lab.example",
            "10.0.0.5:8000",
            "evil.example",
        )
    }
    assert found == {
        "lab.example.com": 202, "a.lab.example": 202, "lab.example": 421,
        "evil-lab.example": 421, "10.0.0.5:8000": 202, "evil.example": 421,
    }  # fmt: skip
    house.close()


# --- Origin ---


@pytest.mark.parametrize("path", [START, "/mcp/"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "http://localhost:8000"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"origin": "http://127.0.0.1:8000/"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "something"},
    ],
)
def test_a_page_elsewhere_starts_nothing(house: House, path: str, headers: dict[str, str]) -> None:
    reply = house.client()("POST", path, {**headers, "content-type": "text/plain"}, content=b"{}")
    assert (reply.status_code, reply.json()["code"], house.started) == (403, "wrong_origin", 0)


@pytest.mark.parametrize(
    "headers", [{}, {"origin": HOME}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_a_program_and_our_own_page_start_runs(house: House, headers: dict[str, str]) -> None:
    assert house.client()("POST", START, headers).status_code == 202
    assert house.started == 1


def test_two_origins_are_refused(house: House) -> None:
    headers = [("host", "127.0.0.1:8000"), ("origin", HOME), ("origin", EVIL)]
    assert house.client()("POST", START, headers).status_code == 403


def test_what_only_reads_may_be_followed_from_anywhere_but_not_read(house: House) -> None:
    reply = house.client()("GET", START, {"origin": EVIL})
    assert reply.status_code == 202
    assert "access-control-allow-origin" not in reply.headers


def test_an_app_behind_cannot_let_every_page_read(house: House) -> None:
    reply = house.client()("GET", "/mcp/", {"origin": EVIL})
    assert reply.status_code == 200
    assert "access-control-allow-origin" not in reply.headers


def test_an_origin_of_the_settings_may_read_and_start(tmp_path: Path) -> None:
    page = "http://localhost:5173"
    house = House(tmp_path, Serve(origins=(page,)))
    client = house.client(origin=page)
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    before = client("OPTIONS", START, asked)
    assert (before.status_code, before.headers["access-control-allow-origin"]) == (204, page)
    assert "Idempotency-Key" in before.headers["access-control-allow-headers"]
    reply = client("POST", START)
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (202, page)
    assert reply.headers["vary"] == "Origin"
    other = house.client()("OPTIONS", START, {**asked, "origin": EVIL})
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers
    house.close()


@pytest.mark.parametrize(
    "path",
    ["/api/../etc/passwd", "/api/%2e%2e/x", "/api/..%2f..%2fetc", "/a%00b", "/a%5cb", "/a%0ab", "/./a"],
)
def test_a_path_with_steps_is_refused(house: House, path: str) -> None:
    """Asked as a socket would: a client in this process tidies a path up before it sends it."""
    with serving(house.app()) as port:
        reply = raw(port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert reply.startswith(b"HTTP/1.1 400")
    assert b"bad_path" in reply


def test_refusals_at_the_gate_are_in_the_audit_log(house: House) -> None:
    house.client()("POST", START, {"origin": EVIL})
    house.client()("GET", START, {"host": "evil.example"})
    entries = house.audit.page().items
    assert [(entry.who, entry.verb, entry.target, entry.outcome) for entry in entries] == [
        ("nobody", "POST", START, DENIED),
        ("nobody", "GET", START, DENIED),
    ]
    assert EVIL in entries[0].detail["why"]


# --- headers ---


def test_every_answer_tells_the_browser_to_trust_nobody_else(house: House) -> None:
    for path, host in (
        (START, "localhost"),
        ("/health", "localhost"),
        (START, "evil.example"),
        ("/none", "localhost"),
    ):
        headers = house.client()("GET", path, {"host": host}).headers
        assert headers["content-security-policy"] == CSP
        assert "script-src 'self'" in CSP
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_who_answers_may_set_headers_of_its_own(house: House) -> None:
    house.routes = [Route("/", lambda _: HTMLResponse("x", headers={"Content-Security-Policy": "sandbox"}))]
    assert house.client()("GET", "/").headers.get_list("content-security-policy") == ["sandbox"]
    assert house.client()("GET", "/mcp/").headers.get_list("x-frame-options") == ["SAMEORIGIN"]


def test_data_is_not_kept_by_caches(house: House) -> None:
    assert house.client()("GET", START).headers["cache-control"] == "no-store"


# --- proxies ---


def test_only_a_proxy_of_the_settings_is_believed(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(proxy=("10.0.0.0/8",), rate=0.25), host="127.0.0.1")
    app = house.app()
    key = f"Bearer {house.keys.create('ana', ['viewer']).secret}"

    def knock(address: str, forwarded: str) -> int:
        headers = {"authorization": f"{key}x", "x-forwarded-for": forwarded}
        return Client(app, headers, address)("GET", START).status_code

    # A wrong key empties the bucket of its address: whose that is shows who was believed.
    assert [knock("10.0.0.1", "7.7.7.7, 10.0.0.2") for _ in range(2)] == [401, 429]
    assert knock("10.0.0.1", "7.7.7.8") == 401
    assert knock("10.0.0.1", "7.7.7.9, 7.7.7.7") == 429
    assert [knock("9.9.9.9", f"8.8.8.{number}") for number in range(2)] == [401, 429]
    house.close()


def test_behind_a_proxy_with_https_the_page_is_ours(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(proxy=("10.0.0.1",), hosts=("lab.example",)))
    key = f"Bearer {house.keys.create('ana', ['operator']).secret}"
    page = {
        "host": "lab.example",
        "origin": "https://lab.example",
        "authorization": key,
        "x-forwarded-proto": "https",
    }
    app = house.app()
    assert Client(app, page, "10.0.0.1")("POST", START).status_code == 202
    assert Client(app, page, "10.0.0.2")("POST", START).status_code == 403
    house.close()


def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path, Serve(proxy=("nginx",)))
    with pytest.raises(UsageError, match="no address and no network") as caught:
        house.app()
    assert caught.value.where == "serve.proxy"
    house.close()
