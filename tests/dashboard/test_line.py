"""The page's line to the server: cut in the middle of a run, and taken up again with nothing missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.dashboard.browser import check_built
from tests.server.live import Live
from tests.server.tunnel import free_port, tunnel

pytestmark = pytest.mark.slow
TURNS = 1_000


class Heard:
    """What came to the page over any of its lines."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.lines = 0

    def listen(self, line: WebSocket) -> None:
        self.lines += 1
        line.on("framereceived", lambda text: self.told.append(json.loads(text)))

    def more(self, page: Page) -> int:
        """How many turns have come by now."""
        page.title()  # what came is handed over while the browser is asked something
        return len(self.turns)

    @property
    def turns(self) -> list[int]:
        """Those that were played, in the order in which the page heard of them on the run's own channel."""
        mine = [
            one for one in self.told if one.get("channel", "").startswith("run:") and one.get("kind") == "run"
        ]
        return [one["turn"] for one in mine if (one.get("body") or {}).get("metrics")]


def test_a_page_takes_up_its_line_after_the_server_was_killed_and_misses_nothing(
    tmp_path: Path, page: Page
) -> None:
    check_built()
    with tunnel(tmp_path, pace=0.1) as made:
        words = ("--port", str(free_port()))
        server = made.serve(*words)
        run_id = server.start_run(**made.request(TURNS))
        heard = Heard()
        page.on("websocket", heard.listen)
        page.goto(f"{server.url}/runs/{run_id}")
        line = page.get_by_role("status").filter(has_text="live")
        expect(line).to_be_visible()
        Live.until(lambda: heard.more(page) > 20, "turns are heard")
        before = len(heard.turns)
        server.kill()
        expect(page.get_by_role("status").filter(has_text="reconnecting")).to_be_visible(timeout=30_000)
        expect(page.locator("main h1").first).to_be_visible()  # what was there stays
        missed = made.all_on([run_id])  # it goes on with nobody to tell it
        made.all_on([run_id], missed)
        server.start()
        expect(line).to_be_visible(timeout=30_000)
        assert made.row(run_id).turn < TURNS
        made.hurry()
        server.ended(run_id, seconds=240)
        expect(page.locator("main")).to_contain_text("completed", timeout=30_000)
        expect(page.locator("main")).to_contain_text(f"{TURNS:,}")
        heard.more(page)
        turns = heard.turns
        assert heard.lines > 1
        assert len(turns) > before
        assert turns == list(range(turns[0], TURNS + 1)), "a turn was missed, or heard twice"
