"""A tournament and an evolution are begun from the page, by their text, and are watched there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched, check_built
from tests.server.live import Live, live
from tools.tour import SPENDER

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)
QUICK = (
    "tournament: By hand\nscenario: economy/quick\nturns: 4\nseeds: 1\nrotate: false\nentrants:\n- balanced\n"
)


def write(page: Page, text: str) -> None:
    """In place of what the editor holds."""
    page.get_by_role("textbox", name="as YAML").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def begin(page: Page) -> None:
    page.get_by_role("button", name="Begin", exact=True).click()


def test_a_tournament_is_begun_from_the_list_and_watched_to_its_end(
    served: Live, page: Page, watched: Watched
) -> None:
    page.goto(f"{served.url}/tournaments")
    expect(page.get_by_text("windtunnel tournament FILE")).to_be_visible()
    page.get_by_role("link", name="New tournament").last.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("New tournament")
    expect(page.locator(".cm-content")).to_contain_text("tournament: Three courses")
    write(page, f"{QUICK}- keynesian\n")
    page.get_by_role("button", name="Begin", exact=True).dblclick()
    page.wait_for_url(re.compile(r"/tournaments\?id="))
    expect(page.get_by_role("heading", level=1)).to_have_text("By hand")
    expect(page.get_by_text("all rounds played")).to_be_visible(timeout=90_000)
    table = page.get_by_role("region", name="standings", exact=True)
    for entrant in ("balanced", "keynesian"):
        expect(table).to_contain_text(entrant)
    assert served.get("/api/tournaments")["total"] == 1  # pressed twice, begun once
    assert not watched.wrong


def test_a_refusal_says_why_where_and_what_to_do_and_the_text_stays(served: Live, page: Page) -> None:
    before = served.get("/api/tournaments")["total"]
    page.goto(f"{served.url}/tournaments/new")
    write(page, f"{QUICK}- keynesain\n")
    begin(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("no strategy is called 'keynesain'")
    expect(alert).to_contain_text("did you mean 'keynesian'?")
    expect(page.get_by_text("marked in line 8")).to_be_visible()
    text = page.locator(".cm-content")
    expect(text).to_contain_text("- keynesain")
    write(page, f"{QUICK}- keynesian\nturn: 4\n")
    expect(page.get_by_text("marked in line")).to_have_count(0)  # it was of another text
    begin(page)
    expect(alert).to_contain_text("did you mean 'turns'?")
    expect(page.get_by_text("marked in line 9")).to_be_visible()
    expect(text).to_contain_text("- keynesian")
    assert served.get("/api/tournaments")["total"] == before


def test_what_it_comes_to_is_told_before_it_begins_and_of_this_text_alone(
    served: Live, page: Page, watched: Watched
) -> None:
    before = served.get("/api/tournaments")["total"]
    page.goto(f"{served.url}/tournaments/new")
    write(page, f"{QUICK}- keynesian\nbudget: 3\n")
    page.get_by_role("button", name="Estimate").click()
    told = page.get_by_role("region", name="what it comes to")
    expect(told).to_contain_text("1 in 1 round")
    expect(told).to_contain_text("nothing: no model is asked")
    write(page, f"{QUICK}- keynesian\n- steady\nformat: swiss\n")
    expect(told).to_have_count(0)
    page.get_by_role("button", name="Estimate").click()
    expect(told).to_contain_text("who meets whom follows from results")
    assert not watched.wrong
    write(page, f"{QUICK}- keynesain\n")
    page.get_by_role("button", name="Estimate").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean 'keynesian'?")
    expect(page.get_by_text("marked in line 8")).to_be_visible()
    begin(page)
    expect(page.get_by_role("alert")).to_have_count(1)
    assert served.get("/api/tournaments")["total"] == before


def test_what_cannot_be_read_is_told_at_its_line_and_the_example_can_be_begun(
    served: Live, page: Page
) -> None:
    page.goto(f"{served.url}/tournaments/new")
    write(page, "tournament: Two\nentrants: [balanced\nturns: 4\n")
    expect(page.get_by_text(re.compile(r"^line [23]: "))).to_be_visible()
    expect(page.locator(".cm-lint-marker-error").first).to_be_visible()
    expect(page.get_by_role("button", name="Begin", exact=True)).to_be_disabled()
    write(page, "Two")
    expect(page.get_by_text("line 1: a tournament is a mapping of keys to values")).to_be_visible()
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator(".cm-content")).to_contain_text("Three courses")
    begin(page)
    page.wait_for_url(re.compile(r"/tournaments\?id="))
    expect(page.get_by_role("heading", level=1)).to_have_text("Three courses")


def test_an_evolution_is_begun_with_a_strategy_that_is_kept(
    served: Live, page: Page, watched: Watched
) -> None:
    page.goto(f"{served.url}/evolution")
    page.get_by_role("link", name="New evolution").first.click()
    expect(page.get_by_text("windtunnel strategies add PATH")).to_be_visible()
    begin(page)
    expect(page.get_by_role("alert")).to_contain_text("NAME")
    expect(page.get_by_text("marked in line 4")).to_be_visible()
    expect(page.locator(".cm-content")).to_contain_text("evolution: A better course")
    watched.console.clear()
    watched.failed.clear()  # the refusal

    nothing = {**SPENDER, "strategy": "aloof", "parameters": {}, "schema": {}}
    for strategy in (nothing, dict(SPENDER)):  # the first of them has nothing to change
        served.post("/api/strategies", {"strategy": strategy}, 201)
    page.reload()
    expect(page.locator(".cm-content")).to_contain_text("start: spender")
    begin(page)
    page.wait_for_url(re.compile(r"/evolution\?id="))
    expect(page.get_by_role("heading", level=1)).to_have_text("A better course")
    run_id = page.url.partition("id=")[2]
    served.ended(run_id)
    expect(page.get_by_text(served.get(f"/api/evolution/{run_id}")["verdict"]["reason"])).to_be_visible()
    assert not watched.wrong


def test_who_may_not_start_is_shown_no_button_and_told_why(tmp_path: Path, page: Page) -> None:
    check_built()
    with live(tmp_path) as server:
        made = server.post("/api/keys", {"name": "eve", "roles": ["viewer"]}, 201)
        page.goto(f"{server.url}/login?next=/tournaments")
        page.get_by_label("Key").fill(made["secret"])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="you are eve")).to_be_visible()
        expect(page.get_by_text("windtunnel tournament FILE")).to_be_visible()
        expect(page.get_by_role("link", name="New tournament")).to_have_count(0)
        page.goto(f"{server.url}/tournaments/new")
        expect(page.get_by_text("this needs the role operator")).to_be_visible()
        expect(page.get_by_role("button", name="Begin", exact=True)).to_be_disabled()
