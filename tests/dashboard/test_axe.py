"""Every page for everybody: what axe finds, what a keyboard reaches, what a phone's width shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browser import check_built
from tests.server.tunnel import tunnel
from tools import tour
from tools.tour import PHONE, PLACES, ROOT, THEMES, WIDE, Theme, furnish, settle, untitled, visit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
THERE = "() => window.axe !== undefined"
LOOK = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """What is under way takes its time: a run at full speed would have a core for itself all through."""
    check_built()
    with tunnel(tmp_path_factory.mktemp("tour"), tour.worlds(), pace=1.0) as made:
        server = made.serve()
        yield server.url, furnish(server, made.request(500_000))


@contextmanager
def window(browser: Browser, theme: Theme = "light", size: tuple[int, int] = WIDE) -> Iterator[Page]:
    with browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
    ) as context:
        yield context.new_page()


def grave(page: Page) -> list[str]:
    """What axe holds for serious or critical: rule, element, and how it fails."""
    if not page.evaluate(THERE):  # it is large, and stays until another page is opened
        page.evaluate(
            AXE.read_text()
        )  # by the debugger's door: the page's own policy would let it in nowhere
    found: list[dict[str, Any]] = page.evaluate(LOOK)
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]} | {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def test_axe_finds_what_is_wrong_with_a_page(browser: Browser) -> None:
    with window(browser) as page:
        page.set_content("<html><title>t</title><main><h1>h</h1><img src='x'><button></button></main></html>")
        found = "\n".join(grave(page))
        assert "image-alt" in found
        assert "button-name" in found


def grave_in_each(page: Page, themes: Sequence[Theme]) -> Iterator[tuple[Theme, str]]:
    """The same page in one theme and the other."""
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        settle(page)
        yield from ((theme, one) for one in grave(page))


class Seen(NamedTuple):
    """What is wrong with the pages, each said with its name."""

    wide: list[str]  # on a phone
    untitled: list[str]
    grave: dict[Theme, list[str]]


@pytest.fixture(scope="module")
def seen(browser: Browser, furnished: tuple[str, dict[str, str]]) -> Seen:
    """Each page opened once, as on a phone; then looked at in a wide window, in one theme and the other. It
    begins with the theme that the page before ended with: a change of it draws everything anew."""
    url, ids = furnished
    found = Seen([], [], {theme: [] for theme in THEMES})
    with window(browser, THEMES[0], PHONE) as page:
        for place, themes in zip(PLACES, cycle([THEMES, THEMES[::-1]]), strict=False):
            resize(page, PHONE)
            visit(page, url + place.at(ids))
            found.wide.extend(f"{place.name}: {one}" for one in tour.wider_than_the_window(page))
            resize(page, WIDE)
            settle(page)
            found.untitled.extend(f"{place.name}: {one}" for one in untitled(page))
            for theme, one in grave_in_each(page, themes):
                found.grave[theme].append(f"{place.name}: {one}")
    return found


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


@pytest.mark.parametrize("theme", THEMES)
def test_no_page_has_a_serious_violation(theme: Theme, seen: Seen) -> None:
    assert seen.grave[theme] == []


def test_every_page_has_a_title_and_one_first_heading(seen: Seen) -> None:
    assert seen.untitled == []


def test_no_page_scrolls_sideways_on_a_phone(seen: Seen) -> None:
    assert seen.wide == []


def test_what_is_too_wide_for_a_phone_is_seen(browser: Browser) -> None:
    with window(browser, size=PHONE) as page:
        page.set_content("<main><h1>h</h1><div style='width: 500px'>wide</div></main>")
        assert tour.wider_than_the_window(page)


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")


def keys(page: Page) -> None:
    page.keyboard.press("?")


def identity(page: Page) -> None:
    page.get_by_role("button", name="you are").click()


def fork(page: Page) -> None:
    page.get_by_role("button", name="Fork").first.click()


def test_no_dialog_has_a_serious_violation(browser: Browser, furnished: tuple[str, dict[str, str]]) -> None:
    url, ids = furnished
    dialogs: tuple[tuple[str, Callable[[Page], None]], ...] = (
        ("/", palette),
        ("/", keys),
        ("/", identity),
        (f"/runs/{ids['war']}", fork),
    )
    wrong = []
    with window(browser) as page:
        for path, opens in dialogs:
            visit(page, url + path)
            opens(page)
            expect(page.get_by_role("dialog")).to_be_visible()
            wrong += [f"{opens.__name__}, {theme}: {one}" for theme, one in grave_in_each(page, THEMES)]
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
    assert wrong == []


# Elements that act, are seen, and are not moved to in another way (a list's rows by j and k, tabs by arrows).
ACT = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true}))"""
NOTE = (
    """() => document.addEventListener("focusin", (event) => event.target.setAttribute("data-reached", ""))"""
)
LEFT = f"""() => ({ACT})().filter((one) => !one.hasAttribute("data-reached"))
  .map((one) => one.outerHTML.slice(0, 160))"""
# Not to be seen where one is: an outline, a ring or a border must change with the focus.
UNSEEN = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return one === document.body || seen || style.boxShadow !== "none" ? null : one.outerHTML.slice(0, 160);
}"""


def test_the_keyboard_alone_reaches_all_that_acts_on_runs(
    browser: Browser, furnished: tuple[str, dict[str, str]]
) -> None:
    url, _ids = furnished
    with window(browser) as page:
        visit(page, f"{url}/?status=completed")  # rows that stay where they are
        expect(page.get_by_role("link", name="trade_war").first).to_be_visible()
        page.evaluate(NOTE)
        unseen = set()
        for _press in range(len(page.evaluate(f"() => ({ACT})().map(() => 1)")) + 20):
            page.keyboard.press("Tab")
            if dark := page.evaluate(UNSEEN):
                unseen.add(dark)
        assert page.evaluate(LEFT) == []
        assert unseen == set()


def test_the_keyboard_alone_opens_a_run_goes_back_in_its_turns_and_to_another_page(
    browser: Browser, furnished: tuple[str, dict[str, str]]
) -> None:
    url, ids = furnished
    with window(browser) as page:
        visit(page, f"{url}/?status=completed&order=created&world=climate")
        expect(page.get_by_role("link", name="paris")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("climate/paris")
        settle(page)
        page.keyboard.press("[")
        expect(page).to_have_url(f"{url}/runs/{ids['climate']}?turn=29")
        page.keyboard.press("g")
        page.keyboard.press("w")
        expect(heading).to_have_text("Worlds")
        page.keyboard.press("Control+k")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.type("Go to Models")
        page.keyboard.press("Enter")
        expect(heading).to_have_text("Models")
