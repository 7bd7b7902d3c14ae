"""Forked from the list and laid over its parent: what is shown is what the server says of these runs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched
from tests.server.live import Live

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)
HEADLINE = ("gdp", "inflation", "unemployment")


def whole(value: float) -> str:
    """A number as the page says it in full."""
    text = f"{round(Decimal(repr(value)), 12):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def test_a_run_is_forked_from_the_list_and_compared_with_its_interval(
    served: Live, page: Page, watched: Watched
) -> None:
    parent = served.start_run(scenario="economy/quick", seed=3, turns=20)
    served.ended(parent)
    page.goto(served.url)
    page.get_by_role("button", name=f"what to do with {parent}").click()
    page.get_by_role("menuitem", name="Fork…").click()
    page.get_by_label("Agent", exact=True).select_option("aldland")
    page.get_by_label("Who sits there").fill("austerity")
    page.get_by_label("Branches").fill("3")
    page.get_by_role("button", name="Fork and play").dblclick()
    page.get_by_role("link", name="See them over one another").click()
    page.wait_for_url("**/compare?**")
    made = served.get(f"/api/simulations?parent={parent}")["runs"]
    assert len(made) == 6  # pressed twice, forked once
    for one in made:
        served.ended(one["run_id"])
    page.reload()
    ids = sorted(one["run_id"] for one in made)
    (changed,) = served.post("/api/compare", {"runs": ids})["changed"]
    told = [one for one in changed["effects"] if one["mean"] or one["name"] in HEADLINE]
    clear = sum(one["clear"] for one in told)
    sentence = f"{clear} of {len(told)} differences are clear." if clear else "No difference is clear."
    expect(page.get_by_text("3 branches against as many unchanged controls")).to_contain_text(sentence)
    page.get_by_role("button", name=f"All {len(told)}").first.click()
    card = page.get_by_role("region", name="what the change did")
    gdp = next(one for one in told if (one["agent"], one["name"]) == ("aldland", "gdp"))
    row = card.get_by_role("row").filter(has=page.get_by_role("button", name="gdp aldland", exact=True))
    for name in ("reference", "branch", "mean"):
        expect(row.locator(f"[title='{whole(gdp[name])}']").first).to_be_visible()
    expect(row).to_contain_text("clear" if gdp["clear"] else "may be chance")
    assert not watched.wrong


def test_runs_that_have_not_come_equally_far_are_compared_after_the_same_turn(
    served: Live, page: Page
) -> None:
    short, long = (served.start_run(scenario="economy/quick", seed=4, turns=turns) for turns in (6, 12))
    for one in (short, long):
        served.ended(one)
    page.goto(f"{served.url}/compare?runs={short},{long}")
    page.get_by_role("button", name="compare after turn 6").click()
    page.wait_for_url("**turn=6**")
    expect(page.get_by_text("nothing differs: after this turn they are equal")).to_be_visible()
    page.get_by_role("button", name="As they stand").click()
    expect(page.get_by_text("nothing differs")).not_to_be_visible()
    other = served.start_run(scenario="economy/quick", seed=5, turns=6)
    page.get_by_role("button", name="Add a run").click()
    page.get_by_label("a run to compare").fill(other)
    page.get_by_role("button", name=other).click()
    page.wait_for_url(f"**{other}**")
    expect(page.get_by_role("columnheader", name=other)).to_be_visible()
    page.get_by_role("button", name=f"leave out {short}").click()
    expect(page.get_by_role("columnheader", name="yardstick")).to_contain_text(long)
