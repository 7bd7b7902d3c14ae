"""A run as its world lays it out: what is drawn is what the API says, live, for strangers' worlds too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.browser import WAIT, Watched, check_built
from tests.panels.bazaar import MARKUP
from tests.server.live import Live, live
from tools.tour import settings, settle, visit, wider_than_the_window

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
expect.set_options(timeout=WAIT)
# What is said to be broken, and what stands before and after it; a chat too.
PAGE = """
from windtunnel.panels import Ask, At, Chat, Feed, Journal, Matrix, Text

world = bazaar(
    Text(id="next", title="Who speaks next", source=At("next"), text="why"),
    Matrix(id="broken", title="Cannot be drawn", source=Ask("broken", path="*.*")),
    Feed(id="talk", title="The talk", source=At("talk.*"), text="text", by="speaker"),
    Chat(
        id="operator",
        title="Operator",
        source=Journal(("events", "mail"), kinds=("said", "message")),
        text="body.text",
        event="message",
    ),
)
"""
SCENARIO = {
    "world": "bazaar",
    "title": "A day",
    "turns": 8,
    "agents": [{"id": "ann", "role": "trader"}, {"id": "bo", "role": "trader"}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Serves economy, the climate of the examples, and a bazaar that waits for a vote in its third turn."""
    check_built()
    home = tmp_path_factory.mktemp("worlds")
    fair = home / "fair"
    (fair / "scenarios").mkdir(parents=True)
    (fair / "__init__.py").write_text((ROOT / "tests/panels/bazaar.py").read_text() + PAGE)
    (fair / "scenarios" / "day.yaml").write_text(json.dumps(SCENARIO))
    (home / "windtunnel.toml").write_text(
        f'{settings()}\n[[worlds]]\nname = "bazaar"\npath = {json.dumps(str(fair))}\n'
    )
    with live(home) as serving:
        yield serving


def drawn(server: Live, run_id: str, panel: str, turn: int, agent: str | None = None) -> Any:
    """What the API says that a panel shows."""
    told = server.get(f"/api/simulations/{run_id}/panels", params={"turn": turn, "panel": panel})
    (part,) = (one for one in told["panels"][0]["parts"] if one["agent"] == agent)
    return part["data"]


def exactly(place: Locator) -> float:
    """The number that a place tells to who points at it, with all its digits."""
    title = place.get_attribute("title") or ""
    (number,) = re.findall(r"[−\d][\d,.]*", title.rpartition(": ")[2])
    return float(number.replace(",", "").replace("−", "-"))


def shortly(place: Locator) -> float:
    """The number as it is seen: 10.7M, −560.2K."""
    found = re.match(r"[^−\d]*(−?[\d.,]+)([KMB]?)", place.inner_text())
    assert found is not None, place.inner_text()
    factor = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}[found[2]]
    return float(found[1].replace(",", "").replace("−", "-")) * factor


def panel(page: Page, title: str) -> Locator:
    """The card of this title."""
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True)).last


def test_the_figures_and_cells_of_economy_are_those_of_the_api_after_any_turn(
    page: Page, watched: Watched, server: Live
) -> None:
    run_id = server.start_run(scenario="economy/trade_war", seed=7, turns=10)
    server.ended(run_id)
    visit(page, f"{server.url}/runs/{run_id}/world?turn=9")
    expect(page.get_by_text("after turn 9", exact=False)).to_be_visible()
    gdp = (
        panel(page, "The world")
        .locator("div", has=page.get_by_text("GDP", exact=True))
        .last.locator("dd")
        .first
    )

    def told(turn: int) -> float:
        metrics = server.get(f"/api/simulations/{run_id}", params={"turn": turn})["metrics"]
        return float(metrics["world"]["gdp"])

    assert told(9) != told(10)
    assert exactly(gdp) == pytest.approx(told(9), rel=1e-9)
    assert shortly(gdp) == pytest.approx(told(9), rel=1e-3)

    matrix = panel(page, "Transactions")
    matrix.get_by_role("button", name="borland").click()
    page.wait_for_url(lambda url: "agent=borland" in url)
    data = drawn(server, run_id, "matrix", 9, "borland")
    row, column = data["rows"].index("taxes"), data["columns"].index("government")
    cell = matrix.locator("tbody tr").nth(row).locator("td").nth(column)
    assert data["cells"][row][column] > 0
    assert exactly(cell) == pytest.approx(data["cells"][row][column], rel=1e-9)
    assert shortly(cell) == pytest.approx(data["cells"][row][column], rel=1e-3)

    flows = panel(page, "Trade")
    flows.get_by_role("button", name="Show as a table").click()
    largest = drawn(server, run_id, "trade", 9)["flows"][0]
    first = flows.locator("tbody tr").first
    assert first.inner_text().split()[:2] == [largest["start"], largest["end"]]
    assert exactly(first.locator("td").last) == pytest.approx(largest["value"], rel=1e-9)

    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("]")
    expect(page.get_by_text("after turn 10", exact=False)).to_be_visible()
    assert exactly(gdp) == pytest.approx(told(10), rel=1e-9)
    assert not watched.wrong


def test_a_strangers_world_has_its_page_too_and_fits_a_phone(
    page: Page, watched: Watched, server: Live
) -> None:
    run_id = server.start_run(scenario="climate/paris", turns=6)
    server.ended(run_id)
    page.set_viewport_size({"width": 360, "height": 740})
    visit(page, f"{server.url}/runs/{run_id}/world")
    declared = server.get("/api/worlds/climate")["panels"]
    assert declared
    assert [title for title in page.locator("main h2").all_inner_texts() if title] == [
        one["title"] for one in declared
    ]
    assert page.locator("main [role=alert], main [role=note]").count() == 0
    assert wider_than_the_window(page) == []
    assert not watched.wrong


def test_what_cannot_be_drawn_leaves_the_others_and_what_is_said_there_comes_live(
    page: Page, watched: Watched, server: Live
) -> None:
    run_id = server.start_run(scenario="bazaar/day")
    server.ended(run_id, "waiting")
    visit(page, f"{server.url}/runs/{run_id}/world")
    expect(panel(page, "Cannot be drawn").get_by_role("note")).to_contain_text("by nought")
    assert panel(page, "Who speaks next").locator("pre").inner_text() == "ann has said least"
    assert set(panel(page, "The talk").locator("pre").all_inner_texts()) == {MARKUP}
    assert page.locator("main script").count() == 0

    operator = panel(page, "Operator")
    operator.get_by_label("Say something to the run").fill("how are you?")
    operator.get_by_role("button", name="Send").click()
    expect(operator.get_by_role("status")).to_contain_text("Sent")
    (asked,) = server.get("/api/approvals", params={"status": "waiting"})["approvals"]
    server.post(f"/api/approvals/{asked['id']}/approve", {"note": "", "digest": asked["digest"]})
    # Nobody loads the page again: it goes on with the run.
    expect(page.get_by_text("after turn 8", exact=False)).to_be_visible()
    expect(operator.get_by_text("heard: how are you?")).to_be_visible()
    expect(operator.get_by_text("it hears nothing any more")).to_be_visible()
    settle(page)
    assert not watched.wrong
