"""A run is started from the page, by its form and by its text, and is watched to its end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched
from tests.server.live import Live

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)


def test_a_run_is_chosen_changed_started_and_ends(served: Live, page: Page, watched: Watched) -> None:
    page.goto(f"{served.url}/new")
    page.get_by_role("link", name="economy/quick").click(timeout=60_000)  # worlds are read by helpers
    page.get_by_label("turns", exact=True).fill("9")
    page.get_by_label("seed", exact=True).fill("21")
    page.get_by_label("who decides for aldland").select_option("austerity")
    page.get_by_label("tags").fill("by hand, twice")
    expect(page.locator(".cm-content")).to_contain_text("turns: 9")
    expect(page.get_by_text("nothing: no model is asked")).to_be_visible()
    page.get_by_role("button", name="Start the run").dblclick()
    page.wait_for_url("**/runs/*")
    run_id = page.url.partition("/runs/")[2].split("?")[0]
    expect(page.get_by_text("completed").first).to_be_visible(timeout=60_000)
    run = served.get(f"/api/simulations/{run_id}")
    assert (run["turn"], run["seed"], run["scenario"]) == (9, 21, "economy/quick")
    assert run["tags"] == ["by hand", "twice"]
    (aldland,) = (
        one for one in served.get(f"/api/simulations/{run_id}/config")["agents"] if one["id"] == "aldland"
    )
    assert aldland["policy"] == "austerity"
    assert served.get("/api/simulations?tag=by%20hand")["total"] == 1  # pressed twice, started once
    assert not watched.wrong


def test_form_and_text_are_one_and_mistakes_stand_at_their_line(served: Live, page: Page) -> None:
    page.goto(f"{served.url}/new?scenario=economy/quick")
    text = page.locator(".cm-content")
    expect(text).to_contain_text("turns: 12")
    lines = page.locator(".cm-line").all_inner_texts()
    comments = [line for line in lines if line.startswith("#")]
    assert comments
    at = next(number for number, line in enumerate(lines) if line.startswith("turns:"))
    page.locator(".cm-line").nth(at).click()
    page.keyboard.press("End")
    for _ in range(2):
        page.keyboard.press("Backspace")
    page.keyboard.type("-3")
    field = page.get_by_label("turns", exact=True)
    expect(field).to_have_value("-3")
    expect(page.get_by_text(f"line {at + 1}: turns: must be at least 0, not -3")).to_be_visible()
    expect(page.get_by_role("button", name="Start the run")).to_be_disabled()
    field.fill("7")
    expect(text).to_contain_text("turns: 7")
    expect(page.get_by_role("button", name="Start the run")).to_be_enabled()
    assert [line for line in page.locator(".cm-line").all_inner_texts() if line.startswith("#")] == comments
    # A text that cannot be read is told at its line, and the form waits.
    page.locator(".cm-line").nth(at).click()
    page.keyboard.press("End")
    page.keyboard.type("\nseed: [1")
    expect(page.get_by_text(re.compile(r"^line \d+: "))).to_be_visible()
    expect(field).to_be_disabled()


def test_the_estimate_follows_who_is_asked(served: Live, page: Page) -> None:
    page.goto(f"{served.url}/new?scenario=economy/quick")
    page.get_by_label("who decides for aldland").select_option("house")
    expect(page.get_by_text("nothing: its models are free")).to_be_visible(timeout=60_000)
    told = served.post(
        "/api/estimate",
        {"scenario": "economy/quick", "set": {"agents.aldland.kind": "llm", "agents.aldland.model": "house"}},
    )
    (house,) = told["models"]
    expect(page.get_by_text(f"{house['calls']} calls")).to_be_visible()
