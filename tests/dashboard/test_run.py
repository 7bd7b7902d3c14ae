"""The page of a run, as somebody uses it who wants to know what happened, why, and what if not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.browser import WAIT, Watched
from tests.server.live import Live
from tests.server.tunnel import tunnel

pytestmark = pytest.mark.slow
LONG = 120_000  # ms: how long a run may take on a slow machine
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="module")
def played(served: Live) -> str:
    """One nation thinks through the whole path of a model, the other follows a rule."""
    run_id = served.start_run(scenario="economy/quick", seed=3, agents={"aldland": "house"})
    served.ended(run_id)
    return run_id


def chart(page: Page) -> Locator:
    """The plot, once its lines are drawn."""
    page.locator("canvas").first.wait_for()
    return page.locator('main [role="slider"]')


def figures(page: Page) -> dict[str, dict[str, str]]:
    """What the table under the curves says, by agent and metric, with all digits."""
    told: dict[str, dict[str, str]] = page.evaluate(
        """() => {
            const table = document.querySelector('section[aria-label="figures of each agent"] table')
            const names = [...table.querySelectorAll('thead th')].slice(1).map(one => one.innerText)
            return Object.fromEntries([...table.querySelectorAll('tbody tr')].map(row => [
                row.querySelector('th').innerText,
                Object.fromEntries([...row.querySelectorAll('td')].map((cell, at) => [names[at], cell.title])
                    .filter(([, value]) => value)),
            ]))
        }"""
    )
    return told


def said(scores: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Figures as they are named on the page, with the digits that it shows."""
    return {
        agent: {name.replace("_", " "): round(value, 12) for name, value in table.items()}
        for agent, table in scores.items()
    }


def read(table: dict[str, dict[str, str]]) -> dict[str, dict[str, float]]:
    return {
        agent: {name: float(value.replace(",", "")) for name, value in row.items()}
        for agent, row in table.items()
    }


def test_a_run_is_watched_to_its_end(page: Page, watched: Watched, served: Live) -> None:
    run_id = served.start_run(scenario="economy/quick", seed=5, turns=400)
    page.goto(f"{served.url}/runs/{run_id}")
    slider = page.locator('main [role="slider"]')
    expect(page.get_by_text("completed", exact=True)).to_be_visible(timeout=LONG)
    expect(slider).to_have_attribute("aria-valuemax", "400", timeout=LONG)
    expect(page.get_by_role("heading", name="After turn 400", exact=True)).to_be_visible()
    scores = served.get(f"/api/simulations/{run_id}")["metrics"]
    assert read(figures(page)) == said(scores)
    # It grew by what was told since: the whole curve was asked for once.
    whole = [url for _, url in watched.answers if "/metrics?" in url and "since=" not in url]
    assert len(whole) == 1, whole
    assert not watched.wrong


def test_a_point_of_a_curve_leads_to_its_decision_in_two_clicks(
    page: Page, watched: Watched, served: Live, played: str
) -> None:
    page.goto(f"{served.url}/runs/{played}")
    chart(page)
    over = page.locator(".u-over").first
    box = over.bounding_box()
    assert box
    over.click(position={"x": box["width"] * 6 / 11, "y": box["height"] / 2})  # turn 7 of 12
    page.wait_for_url(re.compile(r"turn=7\b"))
    page.get_by_role("link", name="What happened in turn 7").click()
    expect(page.get_by_role("heading", name="What happened in turn 7")).to_be_visible()
    turn = served.get(f"/api/simulations/{played}/turns/7?texts=true")
    for one in turn["decisions"]:
        card = page.get_by_role("article", name=f"decision of {one['agent']}")
        expect(card).to_contain_text(one["action"]["type"])
        expect(card).to_contain_text("accepted" if one["verdict"] == "accept" else one["verdict"])
    (call,) = turn["calls"]
    card = page.get_by_role("article", name="decision of aldland")
    expect(card.locator("pre")).to_have_text(call["reply"]["text"])
    card.get_by_role("button", name="What it was asked").click()
    expect(card.locator("pre").first).to_have_text(call["request"]["messages"][0]["text"])
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="What happened in turn 8")).to_be_visible()
    assert not watched.wrong


def test_the_slider_shows_the_figures_of_its_turn(
    page: Page, watched: Watched, served: Live, played: str
) -> None:
    page.goto(f"{served.url}/runs/{played}?turn=3")
    for turn in (3, 9):
        page.get_by_role("slider", name="turn", exact=True).fill(str(turn))
        expect(page.get_by_role("heading", name=f"After turn {turn}", exact=True)).to_be_visible()
        scores = served.get(f"/api/simulations/{played}?turn={turn}")["metrics"]
        assert read(figures(page)) == said(scores)
    page.get_by_role("button", name="The world's state after turn 9").click()
    state = served.get(f"/api/simulations/{played}/state?turn=9")["global_state"]
    expect(page.get_by_role("button", name=re.compile(rf"^{next(iter(state))}\b")).or_(
        page.get_by_text(f"{next(iter(state))}: ")).first).to_be_visible()  # fmt: skip
    assert not watched.wrong


def test_a_decision_is_forked_and_both_courses_are_compared(
    page: Page, watched: Watched, served: Live, played: str
) -> None:
    page.goto(f"{served.url}/runs/{played}/turn?turn=5&agent=borland")
    page.get_by_role("button", name="Fork before this decision").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Where in the turn")).to_have_value("borland")
    dialog.get_by_label("Who sits there").fill("austerity")
    dialog.get_by_label("Parameters").fill("no equals sign")
    dialog.get_by_role("button", name="Fork and play").click()
    expect(dialog.get_by_text('"no equals sign" is not KEY=VALUE')).to_be_visible()
    dialog.get_by_label("Parameters").fill("")
    dialog.get_by_role("button", name="Fork and play").click()
    dialog.get_by_role("link", name=re.compile("^Open ")).wait_for(timeout=LONG)
    (fork,) = served.get(f"/api/simulations/{played}")["children"]
    config = served.get(f"/api/simulations/{fork}/config")
    (seat,) = [one for one in config["agents"] if one["id"] == "borland"]
    assert seat["policy"] == "austerity"
    served.ended(fork)
    dialog.get_by_role("link", name="See them over one another").click()
    page.wait_for_url(lambda url: "/compare" in url and played in url and fork in url)
    page.goto(f"{served.url}/runs/{fork}")
    expect(page.get_by_role("link", name=played)).to_be_visible()
    assert not watched.wrong


def test_the_badge_says_what_verify_says(page: Page, watched: Watched, served: Live, played: str) -> None:
    page.goto(f"{served.url}/runs/{played}")
    page.get_by_role("button", name="verify", exact=True).click()
    verdict = served.post(f"/api/simulations/{played}/verify")
    words = {True: "complete", False: "cut off", None: "no head kept outside"}
    badge = f"{'intact' if verdict['intact'] else 'changed'} · {words[verdict['complete']]}"
    expect(page.get_by_role("button", name=badge)).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Proof", exact=True).click()
    expect(page.get_by_text(f"{verdict['entries']:,} entries were read")).to_be_visible()
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("12 turns were played again")).to_be_visible(timeout=LONG)
    with page.expect_download() as download:
        page.get_by_role("link", name="csv", exact=True).click()
    assert download.value.suggested_filename == f"{played}.csv"
    assert not watched.wrong


def test_the_journal_is_searched_and_its_entries_opened(
    page: Page, watched: Watched, served: Live, played: str
) -> None:
    page.goto(f"{served.url}/runs/{played}/journal")
    every = served.get(f"/api/simulations/{played}/entries?limit=1000")["entries"]
    expect(page.get_by_text(f"{len(every)} entries", exact=True)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("keepcourse")
    fits = served.get(f"/api/simulations/{played}/entries?limit=1000&text=keepcourse")["entries"]
    expect(page.get_by_text(f"{len(fits)} entries", exact=True)).to_be_visible()
    page.get_by_label("phase").select_option("plan")
    fits = [one for one in fits if one["phase"] == "plan"]
    assert 0 < len(fits) < len(every)
    expect(page.get_by_text(f"{len(fits)} entries", exact=True)).to_be_visible()
    page.get_by_role("region", name="entries").get_by_role("button").first.click()
    expect(page.get_by_text(fits[0]["hash"])).to_be_visible()
    page.get_by_role("link", name="Operations: what was done with it").click()
    for one in served.get(f"/api/simulations/{played}/operations")["operations"]:
        expect(page.get_by_text(one["kind"], exact=True).first).to_be_visible()
    assert not watched.wrong


def test_a_run_of_five_thousand_turns_is_looked_at_closely(
    page: Page, watched: Watched, tmp_path: Path
) -> None:
    with tunnel(tmp_path) as made:
        made.hurry()
        server = made.serve()
        run_id = server.start_run(**made.request(5000))
        server.ended(run_id, seconds=240)
        _look_closely(page, server, run_id)
        assert not watched.wrong


def _look_closely(page: Page, server: Live, run_id: str) -> None:
    page.goto(f"{server.url}/runs/{run_id}?turn=2500")
    slider = chart(page)
    slider.focus()
    for _ in range(6):
        page.keyboard.press("+")
    shown = page.get_by_text(re.compile(r"^turns [\d,]+ to [\d,]+$"))
    expect(shown).to_be_visible()
    first, last = _range(shown)
    assert first < 2500 < last < first + 100
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"turn=2501\b"))
    total = server.get(f"/api/simulations/{run_id}?turn=2501")["metrics"]["world"]["total"]
    page.get_by_role("button", name="Show as a table").click()
    row = page.get_by_role("row", name=re.compile(r"^2,501\b"))
    expect(row).to_contain_text(f"{total:,.0f}", timeout=LONG)
    page.get_by_role("button", name="Show as curves").click()
    page.get_by_role("button", name="later turns").click()
    expect(shown).not_to_have_text(f"turns {first:,} to {last:,}")
    assert _range(shown)[0] > first


def _range(shown: Any) -> tuple[int, int]:
    first, last = re.findall(r"[\d,]+", shown.inner_text())
    return int(first.replace(",", "")), int(last.replace(",", ""))
