"""What a world or an agent writes is shown as what it is, text, and never becomes part of the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.dashboard.browser import Watched, check_built
from tests.dashboard.markup import HELD, NAME, PAYLOAD
from tests.server.live import Live, live
from tools.tour import visit

pytestmark = pytest.mark.slow
MARKUP = Path(__file__).parent / "markup"
# Nothing of it ran, and nothing of it became an element: the page's policy is the second wall, not the first.
TAKEN = "() => [window.pwned, document.querySelectorAll('[onerror], img[src=x], main script').length]"
PLACES = (  # each with markup in it: a world's name, a scenario's title, an agent's words, a judge's reasons
    "/",
    f"/?world={quote(NAME)}",
    "/worlds",
    f"/worlds?world={quote(NAME)}",
    f"/new?world={quote(NAME)}",
    f"/new?world={quote(NAME)}&scenario={quote(NAME + '/speech')}",
    "/approvals",
    "/runs/{said}",
    f"/runs/{{said}}?metric={quote(PAYLOAD)}",
    "/runs/{said}/turn?turn=2&agent=ann",
    "/runs/{said}/journal",
    "/runs/{said}/world",
    "/runs/{said}/proof",
    "/runs/{held}",
    "/compare?runs={said},{held}",
)


def scenario(**settings: bool) -> str:
    agent = {"id": "ann", "policy": "speaks", "settings": settings}
    return json.dumps(
        {"world": NAME, "title": PAYLOAD, "description": PAYLOAD, "turns": 6, "agents": [agent]}, indent=1
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    check_built()
    home = tmp_path_factory.mktemp("markup")
    (home / "windtunnel.toml").write_text(
        f"[runs]\nworkers = 1\n[[worlds]]\nname = {json.dumps(NAME)}\npath = {json.dumps(str(MARKUP))}\n"
    )
    with live(home) as serving:
        yield serving


def taken(page: Page) -> list[object]:
    found: list[object] = page.evaluate(TAKEN)
    return found


def test_what_looks_for_markup_sees_it(page: Page) -> None:
    page.set_content(f"<main>{PAYLOAD}</main>")
    page.wait_for_function("window.pwned === 1")
    assert taken(page) == [1, 2]


def test_markup_of_worlds_and_agents_is_shown_as_text(page: Page, watched: Watched, server: Live) -> None:
    said, held = (
        server.start_run(world=NAME, text=scenario(held=wait), tags=[PAYLOAD]) for wait in (False, True)
    )
    server.ended(said)
    server.ended(held, "waiting")
    assert server.get(f"/api/simulations/{held}")["turn"] == HELD - 1
    unseen = []
    for path in PLACES:
        visit(page, server.url + path.format(said=said, held=held))
        assert taken(page) == [None, 0], path
        if "onerror" not in page.locator("main").inner_text():
            unseen.append(path)
    # REST takes no such name as part of an address, and pages say so; all else must go well. An inline script
    # that the page's policy had to stop would be told here.
    assert [one for one in watched.wrong if "422" not in one] == []
    assert unseen == []  # it is not hidden either: who reads it sees what was written
    visit(page, f"{server.url}/runs/{said}/turn?turn=2&agent=ann")
    assert f"turn 2: {PAYLOAD}" in page.locator("main").inner_text()
