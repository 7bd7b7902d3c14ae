"""A tournament as it is watched, and the strategies that enter it: what is shown is what the server says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched
from tests.server.live import Live

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)
TERMS = {"scenario": "economy/quick", "turns": 4, "seeds": 1}
ROLE = {"world": "economy", "role": "government"}


def began(served: Live, title: str, entrants: list[Any], **more: Any) -> str:
    asked = {"tournament": title, "entrants": entrants, **TERMS, **more}
    return str(served.post("/api/tournaments", asked, 202)["run_id"])


def test_a_tournament_is_watched_to_its_end_and_its_standings_are_the_servers(
    served: Live, page: Page, watched: Watched
) -> None:
    run_id = began(served, "Who spends best?", ["balanced", "austerity", "keynesian"], seeds=2)
    page.goto(f"{served.url}/tournaments")
    page.get_by_role("link", name="Who spends best?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who spends best?")
    # Nobody loads the page again: what is played meanwhile is told by the stream.
    expect(page.get_by_text("all rounds played")).to_be_visible(timeout=90_000)
    told = served.get(f"/api/tournaments/{run_id}")
    assert (told["status"], told["matches"], len(told["lines"])) == ("completed", 12, 3)
    table = page.get_by_role("region", name="standings", exact=True)
    expect(table.get_by_role("row")).to_have_count(4)
    for at, line in enumerate(told["lines"], start=1):
        row = table.get_by_role("row").nth(at)
        expect(row).to_contain_text(line["entrant"])
        expect(row.get_by_role("cell").nth(2)).to_have_text(
            f"{line['wins']} – {line['draws']} – {line['losses']}"
        )
        low, high = (f"{round(line[name]):,}" for name in ("low", "high"))
        expect(row.get_by_role("img", name=f"{low} to {high}")).to_be_visible()
    expect(page.get_by_role("region", name="ratings by round")).to_be_visible()
    expect(page.get_by_role("region", name="who met whom").get_by_role("row")).to_have_count(4)
    assert not watched.wrong


def test_a_match_opens_as_the_run_that_it_is_in_all_its_views(
    served: Live, page: Page, watched: Watched
) -> None:
    run_id = began(served, "One match each", ["balanced", "austerity"], rotate=False)
    served.ended(run_id)
    page.goto(f"{served.url}/tournaments?id={run_id}")
    page.get_by_role("link", name=f"{run_id}.1", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("economy/quick")
    for tab in ("Turn", "World", "Journal", "Proof", "Curves"):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("alert")).to_have_count(0)
    page.reload()  # an address that ends as a file does is a page all the same
    expect(page.get_by_role("heading", level=1)).to_have_text("economy/quick")
    page.get_by_role("link", name=run_id, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One match each")
    assert not watched.wrong


def test_a_strategy_is_shown_with_its_tree_its_change_and_its_tournaments_and_its_text_as_text(
    served: Live, page: Page, watched: Watched
) -> None:
    evil = "<img src=x onerror=alert(1)> Spend less."
    for text in ("Spend more.", evil):
        content = {
            "strategy": "writer", **ROLE, "kind": "llm", "model": "house", "policy": "balanced",
            "instructions": text,
        }  # fmt: skip
        served.post("/api/strategies", {"strategy": content, "why": f"why {text}"}, 201)
    run_id = began(served, "With a writer", ["writer@1.0.0", "balanced"], turns=2, rotate=False)
    page.goto(f"{served.url}/strategies")
    page.get_by_role("link", name="writer", exact=True).click()
    versions = page.get_by_role("region", name="versions")
    expect(versions.get_by_role("row")).to_have_count(3)
    expect(versions.get_by_role("row").nth(2)).to_contain_text("1.1.0 grew from 1.0.0")
    expect(versions.get_by_role("row").nth(2)).to_contain_text("in force")
    expect(page.get_by_text(re.compile(r"^\+<img src=x", re.MULTILINE)).first).to_be_visible()
    assert page.locator("main img[src=x]").count() == 0
    page.get_by_role("link", name="With a writer").click()
    expect(page).to_have_url(f"{served.url}/tournaments?id={run_id}")
    served.ended(run_id)
    assert not watched.wrong


def test_where_there_is_none_the_page_says_so(served: Live, page: Page) -> None:
    page.goto(f"{served.url}/tournaments?id=0000000000")
    expect(page.get_by_role("alert")).to_contain_text("0000000000")
    page.goto(f"{served.url}/strategies?name=nobody")
    expect(page.get_by_role("alert")).to_contain_text("nobody")
