"""The page in a browser, as a server sends it: at its root, at a deep link, below a path, behind a key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.dashboard.browser import Watched, check_built, policy_broken
from tests.server.live import Live, live

pytestmark = pytest.mark.slow
FILLED = "#root > *"


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that a proxy has put below a path, which it leaves where it is."""
    check_built()
    home: Path = tmp_path_factory.mktemp("below")
    (home / "windtunnel.toml").write_text('[serve]\nroot_path = "/wind/tunnel"\n', encoding="utf-8")
    with live(home) as server:
        yield server


@pytest.mark.parametrize("path", ["/", "/new", "/runs/abc?turn=7", "/compare?runs=a,b"])
def test_every_address_of_the_page_opens_the_program(
    served: Live, page: Page, watched: Watched, path: str
) -> None:
    broken = policy_broken(page)
    page.goto(f"{served.url}{path}")
    page.wait_for_selector(FILLED)
    assert "Windtunnel" in page.title()
    assert [url for status, url in watched.answers if "/assets/" in url and status == 200]
    assert not broken
    asked = [one for one in watched.wrong if "/api/" not in one and "status of 404" not in one]
    assert not asked


def test_a_page_whose_policy_is_broken_is_found(served: Live, page: Page, watched: Watched) -> None:
    broken = policy_broken(page)
    page.goto(served.url)
    page.evaluate("""() => { const made = document.createElement('script');
        made.textContent = 'window.ran = 1'; document.head.append(made) }""")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)")
    for _ in range(100):
        page.wait_for_timeout(50)
        if len(broken) >= 2:
            break
    assert page.evaluate("window.ran === undefined")
    assert {one.split()[0] for one in broken} == {"script-src-elem", "connect-src"}
    assert any("Content Security Policy" in one for one in watched.console)


def test_below_a_path_the_page_finds_its_files_and_the_api(below: Live, page: Page, watched: Watched) -> None:
    root = below.url.removesuffix("/wind/tunnel")
    for address in (f"{root}/wind/tunnel/new", f"{root}/wind/tunnel/"):
        page.goto(address)
        page.wait_for_selector(FILLED)
    asked = [url for _, url in watched.answers]
    assert [url for url in asked if url.startswith(f"{root}/wind/tunnel/assets/")]
    assert [url for url in asked if not url.startswith(f"{root}/wind/tunnel/")] == []
    assert not watched.wrong


def test_a_person_with_a_key_comes_in_and_the_page_keeps_no_key(
    tmp_path: Path, context: BrowserContext, page: Page
) -> None:
    made = subprocess.run(
        [sys.executable, "-P", "-m", "windtunnel", "keys", "create", "ana", "--role", "operator", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    secret = json.loads(made.stdout)["secret"]
    with live(tmp_path) as server:
        page.goto(f"{server.url}/login")
        ask = "path => fetch(path).then(reply => reply.status)"
        assert page.evaluate(ask, "/api/simulations") == 401
        enter = """key => fetch('/auth/key', {method: 'POST', body: JSON.stringify({key}),
            headers: {'content-type': 'application/json'}}).then(reply => reply.status)"""
        assert page.evaluate(enter, secret) == 200
        assert page.evaluate(ask, "/api/simulations") == 200
        assert page.evaluate("document.cookie") == ""
        opened = """() => new Promise(resolve => {
            const line = new WebSocket(`ws://${location.host}/api/stream`)
            line.onopen = () => resolve(true); line.onerror = () => resolve(false) })"""
        assert page.evaluate(opened) is True
        assert secret not in json.dumps(context.storage_state())
