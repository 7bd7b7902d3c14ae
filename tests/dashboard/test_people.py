"""What people do here besides looking: vote, answer in an agent's place, plan, and hand out keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.dashboard.browser import WAIT, Watched, check_built
from tests.server.live import Live, live

pytestmark = pytest.mark.slow
TWO = {
    "extends": "aggressive",
    "rules": [
        {"types": ["Budget"], "do": "hold", "approvers": 2, "expires_seconds": 3600, "reason": "two decide"}
    ],
}
expect.set_options(timeout=WAIT)


def held(served: Live, turns: int = 1) -> tuple[str, list[dict[str, Any]]]:
    """A run whose first budgets wait for two people."""
    run_id = served.start_run(scenario="economy/quick", turns=turns, set={"approvals": TWO})

    def waiting() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = served.get(f"/api/approvals?run_id={run_id}")["approvals"]
        return found if served.get(f"/api/simulations/{run_id}")["status"] == "waiting" else []

    return run_id, served.until(waiting, "something waits for votes")


def act_as(page: Page, name: str) -> None:
    page.get_by_label("Act under the name").fill(name)
    page.get_by_role("button", name="Use this name").click()
    expect(page.get_by_role("button", name=f"you are {name}")).to_be_visible()


def card(page: Page, one: dict[str, Any]) -> Locator:
    return page.locator(f'[data-approval="{one["id"]}"]')


def test_two_people_approve_what_one_may_not(served: Live, page: Page, watched: Watched) -> None:
    run_id, (first, *others) = held(served)
    page.goto(f"{served.url}/approvals?id={first['id']}")
    page.get_by_role("button", name="you are local").click()
    act_as(page, "kim")
    action = card(page, first)
    expect(action.get_by_role("heading")).to_have_text(first["summary"])
    expect(action).to_contain_text("two decide")
    action.get_by_label("Note").fill("the stock <b>is</b> high")
    action.get_by_role("button", name="Approve").click()
    expect(action).to_contain_text("1 of 2 approvals")
    expect(action).to_contain_text("the vote of somebody other than kim is missing")
    expect(action).to_contain_text("the stock <b>is</b> high")
    expect(action.get_by_role("button", name="Approve")).to_be_disabled()
    assert served.get(f"/api/approvals/{first['id']}")["status"] == "waiting"

    action.get_by_role("button", name="Act under another name").click()
    act_as(page, "lee")
    expect(action).to_contain_text("You vote as lee")
    page.keyboard.press("a")
    expect(action).to_contain_text("approved by kim, lee")
    for one in others:  # decided elsewhere: this page hears of it
        for who in ("kim", "lee"):
            served.post(f"/api/approvals/{one['id']}/approve", {}, headers={"X-Windtunnel-As": who})
        expect(card(page, one)).to_contain_text("approved by kim, lee")
    served.ended(run_id)
    told = served.get(f"/api/approvals/{first['id']}")
    assert [(vote["by"], vote["note"]) for vote in told["votes"]] == [
        ("kim", "the stock <b>is</b> high"), ("lee", ""),
    ]  # fmt: skip
    assert not watched.wrong


def test_a_denied_action_is_told_with_who_denied_it_and_why(served: Live, page: Page) -> None:
    _, (first, *_) = held(served)
    page.goto(f"{served.url}/approvals?id={first['id']}")
    action = card(page, first)
    page.get_by_role("button", name="you are local").click()
    act_as(page, "ben")
    expect(action).to_contain_text("You vote as ben")
    action.get_by_label("Note").fill("not this week")
    action.get_by_role("button", name="Deny").click()
    expect(action).to_contain_text("denied by ben")
    expect(action).to_contain_text("not this week")
    expect(action.get_by_role("button", name="Approve")).to_be_disabled()

    page.goto(f"{served.url}/approvals?status=denied")
    listed = served.get("/api/approvals?status=denied")["approvals"]
    assert listed == sorted(listed, key=lambda one: str(one["asked"]), reverse=True)
    expect(page.locator("article").first).to_contain_text(listed[0]["summary"])
    expect(card(page, first)).to_contain_text("denied by ben")


def test_a_vote_that_the_server_refuses_says_so_at_its_action(served: Live, page: Page) -> None:
    _, (first, *_) = held(served, turns=3)
    page.goto(f"{served.url}/approvals?id={first['id']}")
    action = card(page, first)
    expect(action).to_contain_text("each by name")  # two decide, and nobody in particular is none of them
    expect(action.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("button", name="you are local").click()
    act_as(page, "ivy")
    expect(action).to_contain_text("You vote as ivy")
    # Somebody else decides, and this page has not heard of it yet.
    page.route("**/api/approvals?*", lambda route: route.abort())
    served.post(f"/api/approvals/{first['id']}/reject", {}, headers={"X-Windtunnel-As": "zoe"})
    action.get_by_role("button", name="Approve").click()
    expect(action.get_by_role("alert")).to_contain_text("this vote does not count")
    page.unroute("**/api/approvals?*")
    expect(action).to_contain_text("denied by zoe")


def test_a_person_plays_an_agent_to_the_end_of_its_run(served: Live, page: Page, watched: Watched) -> None:
    run_id = served.start_run(scenario="economy/trade_war", turns=3, agents={"aldland": "human"})
    served.ended(run_id, "waiting")
    page.goto(f"{served.url}/questions")
    expect(page.get_by_role("heading", name="What does aldland do?")).to_be_visible()
    page.locator(f'a[href$="/runs/{run_id}/answer"]').click()
    expect(page.get_by_role("heading", name="What aldland sees in turn 1")).to_be_visible()

    spending = page.get_by_role("textbox", name="spending")
    (asked,) = served.get(f"/api/simulations/{run_id}/answers")["questions"]
    assert float(spending.input_value()) == asked["request"]["observation"]["spending"]
    spending.fill("0.9")
    page.get_by_role("button", name="Send this answer").click()
    expect(page.get_by_text("at most 0.6")).to_be_visible()
    spending.fill("0.21")
    page.get_by_role("button", name="Add borland").click()
    page.get_by_label("tariffs: value for borland").fill("0.1")
    page.get_by_role("button", name="Send this answer").click()
    for turn in (2, 3):
        expect(page.get_by_role("heading", name=f"What aldland sees in turn {turn}")).to_be_visible()
        page.get_by_role("radio", name="KeepCourse").check()
        page.get_by_role("button", name="Send this answer").click()
    expect(page.get_by_text("The run is completed: nothing more is asked")).to_be_visible()
    decided = served.get(f"/api/simulations/{run_id}/turns/1?agent=aldland")["decisions"][0]
    assert "0.21" in str(decided)
    assert "borland" in str(decided)
    assert not [one for one in watched.wrong if "/answers" not in one and "404" not in one]


def test_a_schedule_is_added_fires_and_is_disabled(served: Live, page: Page, watched: Watched) -> None:
    page.goto(f"{served.url}/schedules")
    page.get_by_role("button", name="Add a schedule").click()
    page.get_by_label("Name").fill("nightly")
    page.get_by_label(re.compile("^Scenario")).select_option("economy/quick")
    page.get_by_label("Turns").fill("2")
    page.get_by_role("button", name="daily at 07:30").click()
    page.get_by_label("for the first time at once").check()
    page.get_by_role("button", name="Add", exact=True).click()
    one = page.locator("article", has=page.get_by_role("heading", name="nightly"))
    expect(one).to_contain_text("run economy/quick, turns 2")
    expect(one).to_contain_text("daily at 07:30")

    one.get_by_text("when it was, and when it comes").click()
    firing = one.get_by_role("row", name=re.compile("done"))
    expect(firing).to_contain_text("completed")
    run_id = served.get("/api/schedules/nightly")["firings"][0]["outcome"]["run_id"]
    expect(firing.get_by_role("link", name=run_id)).to_be_visible()

    one.get_by_role("button", name="Disable").click()
    expect(one).to_contain_text("disabled")
    assert served.get("/api/schedules/nightly")["enabled"] is False
    one.get_by_role("button", name="remove nightly").click()
    one.get_by_role("button", name="Really remove").click()
    expect(page.get_by_text("Nothing is planned")).to_be_visible()
    assert not watched.wrong


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[Live]:
    check_built()
    with live(tmp_path) as server:
        yield server


def status_of(server: Live, key: str = "") -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.get(f"{server.url}/api/me", headers=headers, timeout=60).status_code


def make_key(page: Page, name: str) -> str:
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label(re.compile("^Name")).fill(name)
    page.get_by_role("button", name="Make it").click()
    secret = page.locator("[data-secret] code").inner_text()
    page.get_by_role("button", name="close").click()
    return secret


def test_a_key_is_made_opens_the_door_and_opens_it_no_more_when_it_is_revoked(
    open_server: Live, page: Page
) -> None:
    def late(route: Route) -> None:  # what the page asks meanwhile is refused: it must not leave for that
        open_server.until(lambda: status_of(open_server) == 401, "the server asks for a key")
        time.sleep(2)  # what it knows is stale then
        page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")  # whoever comes back asks again
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/auth/key", late)
    page.goto(f"{open_server.url}/system")
    first = make_key(page, "ada")  # and with it the server asks everybody
    open_server.until(lambda: status_of(open_server) == 401, "the server asks for a key")
    expect(page.get_by_role("button", name="you are ada")).to_be_visible()
    second = make_key(page, "ben")
    assert first != second

    page.context.clear_cookies()
    page.goto(f"{open_server.url}/models?")
    page.wait_for_url(re.compile(r"/login\?next="))
    page.get_by_label("Key").fill("wt_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not good")
    page.get_by_label("Key").fill(second)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(r"/models"))
    expect(page.get_by_role("button", name="you are ben")).to_be_visible()
    page.goto(f"{open_server.url}/system")
    expect(page.get_by_text("for the role admin")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{open_server.url}/login?next=/system")
    page.get_by_label("Key").fill(first)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="revoke the key of ben").click()
    page.get_by_role("button", name="Really revoke").click()
    expect(page.get_by_role("row", name=re.compile("ben.*revoked"))).to_be_visible()
    assert status_of(open_server, second) == 401
