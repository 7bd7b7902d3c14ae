"""What an evolution proposes, decided in a browser: what is in force then is what the server says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched
from tests.server.live import Live
from tests.server.wanting import proposed
from tools.tour import BETTER, SPENDER

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)


def in_force(served: Live, name: str) -> str:
    return str(served.get(f"/api/strategies/{name}")["in_force"])


def named(page: Page, name: str) -> None:
    page.get_by_role("button", name="Say who you are").click()
    page.get_by_label("Act under the name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"you are {name}")).to_be_visible()


def test_an_evolution_is_watched_and_its_proposal_approved_and_rolled_back_in_the_page(
    served: Live, page: Page, watched: Watched
) -> None:
    page.goto(f"{served.url}/evolution")
    expect(page.get_by_text("windtunnel evolve FILE")).to_be_visible()
    served.post("/api/strategies", {"strategy": dict(SPENDER)}, 201)
    run_id = served.post("/api/evolution", dict(BETTER), 202)["run_id"]
    page.goto(f"{served.url}/evolution?id={run_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Less tax, as much work")
    # Nobody loads the page again: generations, the verdict and the proposal are told by the stream.
    proposal = page.get_by_role("link", name=re.compile(r"^Proposal \d+$"))
    expect(proposal).to_be_visible(timeout=90_000)
    told = served.get(f"/api/evolution/{run_id}")
    assert told["verdict"]["promoted"]
    expect(page.get_by_text(told["verdict"]["reason"])).to_be_visible()
    rows = page.get_by_role("region", name="candidates").get_by_role("row")
    expect(rows).to_have_count(len(told["candidates"]) + 1)
    for at, one in enumerate(told["candidates"], start=1):
        expect(rows.nth(at)).to_contain_text(one["name"])
        expect(rows.nth(at)).to_contain_text(f"{one['operator']} of {' and '.join(one['parents'])}")
    page.get_by_role("combobox", name="generation").select_option("1")
    expect(rows.nth(1)).to_contain_text("in generation 1")
    expect(page.get_by_role("region", name="gain by generation")).to_be_visible()
    expect(page.get_by_role("region", name="matches", exact=True)).to_contain_text(f"{run_id}.1")

    page.get_by_role("link", name=f"{run_id}.1", exact=True).click()
    page.get_by_role("link", name=run_id, exact=True).click()  # a match leads back to its evolution
    expect(page).to_have_url(f"{served.url}/evolution?id={run_id}")

    proposal.click()
    key = told["proposal"]["id"]
    asked = served.get(f"/api/evolution/proposals/{key}")
    expect(page.get_by_role("heading", level=1)).to_have_text(asked["title"])
    expect(page.get_by_text("decided by people, each by name")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    named(page, "kim")
    page.get_by_label("Note").fill("as <b>it</b> should be")
    page.get_by_role("button", name="Approve").click()
    sure = page.get_by_role("dialog", name="Put it in force?")
    expect(sure).to_contain_text("spender@1.0.0")
    assert in_force(served, "spender") == "1.0.0", "nothing is done before it is confirmed"
    sure.get_by_role("button", name="Put it in force").click()
    expect(page.get_by_text("as <b>it</b> should be")).to_be_visible()
    applied = served.get(f"/api/evolution/proposals/{key}")
    assert applied["status"] == "applied"
    assert f"spender@{in_force(served, 'spender')}" == applied["version"] != "spender@1.0.0"
    expect(page.get_by_role("link", name=applied["version"], exact=True)).to_be_visible()

    page.get_by_label("Note").fill("it was not")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Put spender@1.0.0 back").click()
    expect(page.get_by_text("took it back")).to_be_visible()
    assert in_force(served, "spender") == "1.0.0"
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    page.goto(f"{served.url}/evolution")
    expect(page.get_by_role("region", name="proposals")).to_contain_text("rolled back")
    assert not watched.wrong


def test_what_needs_two_says_who_is_missing_and_keys_decide(
    served: Live, page: Page, watched: Watched
) -> None:
    key = proposed(served.home, "grave", risk="high")
    page.goto(f"{served.url}/evolution?proposal={key}")
    place = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Evolution")
    waiting = served.get("/api/evolution/proposals?status=pending")["total"]
    expect(place).to_have_text(f"Evolution{waiting} waiting")
    named(page, "kim")
    page.locator("main").focus()
    page.keyboard.press("a")  # one yes of two puts nothing in force: nobody is asked twice
    expect(page.get_by_text("1 of 2 approvals")).to_be_visible()
    expect(page.get_by_text("a name counts once")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    served.post(
        f"/api/evolution/proposals/{key}/approve", {"note": "me too"}, headers={"X-Windtunnel-As": "lee"}
    )
    expect(page.get_by_text("me too")).to_be_visible()  # decided elsewhere: this page hears of it
    expect(page.get_by_role("button", name="Roll back")).to_be_enabled()
    expect(place).to_have_text(f"Evolution{waiting - 1} waiting" if waiting > 1 else "Evolution")
    assert not watched.wrong


def test_a_decision_that_the_server_refuses_says_why_and_what_to_do(served: Live, page: Page) -> None:
    key = proposed(served.home, "moved")
    page.goto(f"{served.url}/evolution?proposal={key}")
    named(page, "kim")
    other = {**SPENDER, "strategy": "moved", "parameters": {"tax": 0.11, "response": 0.7}}
    served.post("/api/strategies", {"strategy": other}, 201)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Put it in force").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("moved@1.0.1 is in force now")
    expect(alert).to_contain_text("reject")
    assert in_force(served, "moved") == "1.0.1"
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("said no")).to_be_visible()


def test_other_instructions_are_shown_line_by_line_as_text(served: Live, page: Page) -> None:
    evil = "<img src=x onerror=alert(1)> Spend less."
    start = {
        "strategy": "writer", "world": "economy", "role": "government", "kind": "llm", "model": "house",
        "policy": "balanced", "instructions": "Spend more.",
    }  # fmt: skip
    key = proposed(
        served.home, "writer", type="prompt", risk="medium", content=start, changed={"instructions": evil}
    )
    page.goto(f"{served.url}/evolution?proposal={key}")
    expect(page.get_by_text(re.compile(r"^\+<img src=x"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^-Spend more"))).to_be_visible()
    assert page.locator("main img[src=x]").count() == 0


def test_where_there_is_none_the_page_says_so(served: Live, page: Page) -> None:
    page.goto(f"{served.url}/evolution?id=0000000000")
    expect(page.get_by_role("alert")).to_contain_text("0000000000")
    page.goto(f"{served.url}/evolution?proposal=999")
    expect(page.get_by_role("alert")).to_contain_text("no proposal 999")
