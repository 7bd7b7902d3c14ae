"""The list of runs: found again, steered, forked, compared, and never jumping, however long it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser import WAIT, Watched, check_built
from tests.server.live import Live, live
from windtunnel.config import Workspace
from windtunnel.journal import GENESIS, RunRow, SqliteStore, Status
from windtunnel.journal.sqlite_rows import INSERT_RUN, run_values

pytestmark = pytest.mark.slow
expect.set_options(timeout=WAIT)
LONG = {"scenario": "economy/growth", "turns": 1_000_000}


def row_of(run_id: str) -> str:
    return f"[data-run='{run_id}']"


def test_a_run_is_searched_for_found_and_opened_by_keys_alone(
    served: Live, page: Page, watched: Watched
) -> None:
    wanted = served.start_run(scenario="economy/quick", seed=11, tags=["needle"])
    for seed in (1, 2):
        served.ended(served.start_run(scenario="economy/quick", seed=seed))
    served.ended(wanted)
    page.goto(served.url)
    page.wait_for_selector(row_of(wanted))
    page.keyboard.press("/")
    page.keyboard.type("needle")
    page.wait_for_url("**/?text=needle")
    expect(page.locator("[data-run]")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 run")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(f"{row_of(wanted)} a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{wanted}**")
    page.goto(f"{served.url}/?status=failed&world=economy")
    expect(page.get_by_text("No run is like that")).to_be_visible()
    assert not watched.wrong


def test_a_run_is_followed_paused_resumed_and_cancelled_after_a_question(served: Live, page: Page) -> None:
    run_id = served.start_run(**LONG)
    page.goto(served.url)
    row = page.locator(row_of(run_id))
    bar = row.get_by_role("progressbar")
    expect(row.get_by_text("running")).to_be_visible()
    expect(bar).to_have_attribute("aria-valuenow", re.compile("[1-9]"))  # it moves without being asked

    def choose(name: str) -> None:
        row.get_by_role("button", name=f"what to do with {run_id}").click()
        page.get_by_role("menuitem", name=name).click()

    choose("Pause")
    expect(row.get_by_text("paused")).to_be_visible()
    choose("Resume")
    expect(row.get_by_text("running")).to_be_visible()
    choose("Cancel…")
    page.get_by_role("button", name="Keep it").click()
    assert served.get(f"/api/simulations/{run_id}")["status"] == "running"
    choose("Cancel…")
    page.get_by_role("button", name="Cancel the run").click()
    expect(row.get_by_text("cancelled")).to_be_visible()
    assert served.get(f"/api/simulations/{run_id}")["status"] == "cancelled"


def test_runs_are_grouped_by_tag_with_how_many_there_are(served: Live, page: Page) -> None:
    for seed in (1, 2, 3):
        served.ended(served.start_run(scenario="economy/quick", seed=seed, tags=["sweep"]))
    page.goto(f"{served.url}/?group=tag")
    page.get_by_role("button", name="all 3 runs").click()
    page.wait_for_url("**/?tag=sweep")
    expect(page.locator("[data-run]")).to_have_count(3)


# --- many ---


def lay(folder: Path, count: int) -> None:
    """Stores that hold so many runs: only their rows, which is all that a list reads."""
    runs = Workspace(folder).runs
    for first in range(0, count, 10_000):
        path = runs / f"{first:010}.sqlite"
        SqliteStore(path, create=True).close()
        db = apsw.Connection(str(path))
        with db:
            some = range(first, min(first + 10_000, count))
            db.executemany(INSERT_RUN, [run_values(laid(number)) for number in some])
        db.close()


def laid(number: int) -> RunRow:
    return RunRow(
        run_id=f"{number:010}", world="pond", scenario=f"pond/s{number % 7}", mode="simulated", seed=number,
        status=Status.COMPLETED, turn=100, turns=100, head_seq=500, head_hash=GENESIS, op_seq=3,
        op_hash=GENESIS, parent=None, parent_seq=None, parent_turn=None, branch=0, created=1.7e9 + number,
        updated=1.7e9 + number + 30, tags="[]", reason=None, pruned=None,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[2_000, pytest.param(100_000, marks=pytest.mark.soak)])
def many(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, int]]:
    check_built()
    home = tmp_path_factory.mktemp("many")
    lay(home, request.param)
    with live(home) as server:
        server.get("/api/simulations?limit=1")  # the first list after so many rows were laid reads them all
        yield server, request.param


def test_a_long_list_scrolls_to_its_end_in_a_page_that_stays_small(
    many: tuple[Live, int], page: Page
) -> None:
    server, count = many
    page.goto(server.url)
    newest = page.locator(row_of(f"{count - 1:010}"))
    expect(newest).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=f"{count:,} runs")).to_be_visible()
    for _ in range(3):
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(row_of(f"{0:010}"))).to_be_visible(timeout=120_000)  # the oldest of all
    assert page.locator("[data-run]").count() < 60
    # Somewhere in the middle, a new run moves nothing: it waits behind a button.
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    middle = page.locator("[data-run]").nth(20)
    # The rows there are drawn a frame after the scrolling.
    page.locator(row_of(f"{count // 2:010}")).wait_for()
    name, place = middle.get_attribute("data-run"), middle.bounding_box()
    fresh = server.start_run(scenario="economy/quick", seed=5)
    pill = page.get_by_role("button", name="1 new run")
    expect(pill).to_be_visible()
    assert page.locator(row_of(str(name))).bounding_box() == place
    pill.click()
    expect(page.locator(row_of(fresh))).to_be_visible()
    # One more, looked at from the top, comes by itself.
    another = server.start_run(scenario="economy/quick", seed=6)
    expect(page.locator(row_of(another))).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=f"{count + 2:,} runs")).to_be_visible()
