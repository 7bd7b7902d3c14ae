"""The dashboard's files as a server sends them: which addresses are the page's, and what comes with it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.assembled import Assembled, assembled
from windtunnel.config import FILE
from windtunnel.server import page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
INDEX = '<!doctype html><html><head><base href="/" /><title>Wind</title></head><body>the page</body></html>'
SCRIPT = b"console.log('a dummy page');"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that was built, with one asset that is packed."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (folder / ".stamp").write_text("hush", encoding="utf-8")
    (folder / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "index-abc.js.br").write_bytes(b"packed well")
    (tmp_path / "secret.txt").write_text("hush", encoding="utf-8")
    monkeypatch.setattr(page, "PACKAGED", folder)
    monkeypatch.setattr(page, "CHECKOUT", tmp_path / "nowhere")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def whole(built: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Assembled]:
    with assembled(home, monkeypatch) as made:
        yield made


def get(
    whole: Assembled, path: str, accept: str = BROWSER, method: str = "GET", **more: str
) -> httpx.Response:
    return asyncio.run(whole.ask(None, method, path, accept=accept, **more))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "/runs/abc",
        "/new",
        "/compare?runs=a,b",
        "/runs/abc/turns/7",
        "/apiary",
        "/worlds/a.b",
    ],
)
def test_every_address_of_the_page_answers_with_the_page(whole: Assembled, path: str) -> None:
    reply = get(whole, path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "the page" in reply.text
    assert reply.text.count("<base") == 1
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/api", "/api/nope", "/auth/nope", "/docs/nope", "/health/nope", "/metrics/nope", "/mcp/nope"]
)
def test_nothing_of_the_api_is_taken_for_the_page(whole: Assembled, path: str) -> None:
    reply = get(whole, path)
    assert reply.status_code == 404
    assert reply.json()["code"] == "not_found"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "application/json, text/html;q=0"])
def test_a_client_that_is_no_browser_is_told_in_json_what_is_not_there(whole: Assembled, accept: str) -> None:
    reply = get(whole, "/runs/abc", accept)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")


def test_the_start_page_is_there_for_whoever_takes_html(whole: Assembled) -> None:
    assert [get(whole, "/", accept).status_code for accept in ("*/*", "text/*", "", BROWSER)] == [200] * 4
    assert get(whole, "/", "application/json").json()["status"] == 404


def test_only_reading_gets_the_page(whole: Assembled) -> None:
    assert get(whole, "/runs/abc", method="POST").json()["status"] == 404
    head = get(whole, "/", method="HEAD")
    assert (head.status_code, head.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.slow
def test_a_method_that_a_route_does_not_take_is_still_told(whole: Assembled) -> None:
    reply = get(whole, "/health", method="PUT")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")


def test_assets_are_kept_for_ever_and_the_page_is_asked_for_again(whole: Assembled) -> None:
    reply = get(whole, "/assets/index-abc.js", "*/*", accept_encoding="identity")
    assert reply.content == SCRIPT
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert get(whole, "/favicon.svg", "image/*").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("asked", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("zstd", None),
    ],
)
def test_what_was_packed_is_sent_to_whoever_can_unpack_it(
    whole: Assembled, asked: str, coding: str | None
) -> None:
    transport = httpx.ASGITransport(whole.guarded)

    async def raw() -> tuple[httpx.Headers, bytes]:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            address = "/assets/index-abc.js"
            async with client.stream("GET", address, headers={"accept-encoding": asked}) as reply:
                return reply.headers, b"".join([piece async for piece in reply.aiter_raw()])

    headers, body = asyncio.run(raw())
    assert headers.get("content-encoding") == coding
    assert headers["vary"].lower().startswith("accept-encoding")
    if coding == "gzip":
        body = gzip.decompress(body)
    assert body == (b"packed well" if coding == "br" else SCRIPT)


def test_what_a_browser_has_is_not_sent_again(whole: Assembled, built: Path) -> None:
    tag = get(whole, "/").headers["etag"]
    again = get(whole, "/", if_none_match=f'"other", W/{tag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (built / "index.html").write_text(INDEX.replace("the page", "another"), encoding="utf-8")
    assert "another" in get(whole, "/", if_none_match=tag).text


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_an_asset_that_is_gone_is_not_found_and_not_the_page(whole: Assembled, accept: str) -> None:
    reply = get(whole, "/assets/index-old.js", accept)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert get(whole, "/robots.txt", "*/*").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt",
     "/assets/%2e%2e%2f%2e%2e%2fsecret.txt", "/.stamp", "/assets/..%5c..%5csecret.txt", "//secret.txt",
     "/assets//index-abc.js"],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_nothing_outside_the_page_is_sent(whole: Assembled, path: str, accept: str) -> None:
    reply = asyncio.run(_asked_as_it_stands(whole, path, accept))
    assert b"hush" not in reply[1]
    assert reply[0] in (400, 404) or b"the page" in reply[1]


async def _asked_as_it_stands(whole: Assembled, path: str, accept: str) -> tuple[int, bytes]:
    """Past a client that would take the steps out of the address."""
    from urllib.parse import unquote

    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"host", b"localhost:8000"), (b"accept", accept.encode())],
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "root_path": "",
        "http_version": "1.1",
    }  # fmt: skip
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await whole.guarded(scope, receive, send)
    return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:])


def test_the_page_runs_its_own_scripts_only(whole: Assembled) -> None:
    reply = get(whole, "/runs/abc")
    (policy,) = reply.headers.get_list("content-security-policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["style-src"] == "'self' 'unsafe-inline'"
    assert rules["connect-src"] == "'self' ws://localhost:8000 wss://localhost:8000"
    assert (rules["img-src"], rules["font-src"]) == ("'self' data:", "'self'")
    assert (rules["frame-ancestors"], rules["base-uri"]) == ("'none'", "'self'")
    assert reply.headers["x-frame-options"] == "DENY"


def test_without_a_page_it_says_how_one_is_built_and_the_api_answers(
    whole: Assembled, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PACKAGED", built / "nowhere")
    for path in ("/", "/runs/abc"):
        assert "npm run build" in get(whole, path).text
    assert "<script" not in get(whole, "/").text
    assert get(whole, "/health", "*/*").json() == {"status": "ok"}
    assert get(whole, "/favicon.svg", "image/*").status_code == 404


def test_a_page_that_is_built_meanwhile_is_served_at_once(
    whole: Assembled, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "PACKAGED", tmp_path / "nowhere")
    assert "not built here" in get(whole, "/").text
    built.rename(tmp_path / "dist")
    monkeypatch.setattr(page, "CHECKOUT", tmp_path)
    assert "the page" in get(whole, "/").text


def test_the_page_is_there_before_anybody_is_known_and_data_is_not(whole: Assembled) -> None:
    whole.keys.create("ana", ["viewer"])
    stranger = {"x_forwarded_for": "203.0.113.9"}  # never local
    for path in ("/", "/runs/abc", "/assets/index-abc.js", "/favicon.svg"):
        assert get(whole, path, **stranger).status_code == 200, path
    for path in ("/api/simulations", "/auth/me", "/openapi.json", "/metrics", "/docs"):
        assert get(whole, path, **stranger).status_code == 401, path


@pytest.mark.parametrize("stripped", [True, False])
def test_below_a_path_of_a_proxy_everything_is_found(
    built: Path, home: Path, monkeypatch: pytest.MonkeyPatch, stripped: bool
) -> None:
    (home / FILE).write_text('[serve]\nroot_path = "/wind/tunnel"\n', encoding="utf-8")
    before = "" if stripped else "/wind/tunnel"
    with assembled(home, monkeypatch) as whole:
        for path in ("/", "/runs/abc"):
            assert '<base href="/wind/tunnel/">' in get(whole, f"{before}{path}").text
        assert get(whole, f"{before}/assets/index-abc.js", "*/*").status_code == 200
        assert get(whole, f"{before}/assets/none.js", "*/*").status_code == 404
        assert get(whole, f"{before}/api/nope").status_code == 404
        assert get(whole, f"{before}/api/simulations").json()["runs"] == []
        whole.keys.create("ana", ["viewer"])
        stranger = {"x_forwarded_for": "203.0.113.9"}
        assert get(whole, f"{before}/health", **stranger).status_code == 200
        assert get(whole, f"{before}/", **stranger).status_code == 200
        assert get(whole, f"{before}/api/simulations", **stranger).status_code == 401
