"""Pictures of every page of the dashboard, and what is wrong with them: `./dev shots [--out DIR] [PAGE…]`.

A server of its own with runs of its own is started in a temporary workspace, and ended. Each page is opened
as wide as a laptop and as narrow as a phone, light and dark; what scrolls sideways, logs an error or has no
title is said at the end, and makes the exit code 1. The three pictures of the README go to docs/images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.dashboard.browser import check_built, find_program
from tests.server.live import live
from tools import tour
from tools.tour import PHONE, PLACES, ROOT, THEMES, WIDE

SHOTS = ROOT / ".dev" / "shots"
IMAGES = ROOT / "docs" / "images"
README = {"runs": "dashboard-runs.png", "run": "dashboard-run.png", "turn": "dashboard-turn.png"}
BYTES = 150_000  # the most that a picture of the README may have


@contextmanager
def opened() -> Iterator[Browser]:
    """A Chromium that is on this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_program(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a furnished server, and the ids of its runs."""
    check_built()
    with tempfile.TemporaryDirectory(prefix="windtunnel-shots-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / "windtunnel.toml").write_text(tour.settings())
        with live(home) as server:
            yield server.url, tour.furnish(server)


def heard(page: Page, said: list[str]) -> None:
    """What the page logs as an error, or throws, is said."""
    page.on("console", lambda one: said.append(f"console: {one.text[:200]}") if one.type == "error" else None)
    page.on("pageerror", lambda one: said.append(f"thrown: {str(one)[:200]}"))


def taken(browser: Browser, url: str, ids: dict[str, str], names: list[str], out: Path) -> list[str]:
    """Pictures of these pages at every width and in every theme; what is wrong with them, line by line."""
    wrong = []
    for (width, height), theme in ((size, theme) for size in (WIDE, PHONE) for theme in THEMES):
        options: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
        with browser.new_context(**options) as context:
            for place in PLACES:
                if names and place.name not in names:
                    continue
                file = out / f"{place.name}-{width}-{theme}.png"
                missing = place.name.endswith("that-is-not")  # it is told so, as it must
                found = looked_at(context.new_page(), url + place.at(ids), file)
                wrong += [f"{file.name}: {one}" for one in found if not (missing and "404" in one)]
    return wrong


def looked_at(page: Page, url: str, file: Path) -> list[str]:
    said: list[str] = []
    heard(page, said)
    try:
        tour.visit(page, url)
    except Error as error:
        said.append(str(error).splitlines()[0])
    page.screenshot(path=file, full_page=True, animations="disabled")
    found = [*said, *tour.wider_than_the_window(page), *tour.untitled(page)]
    page.close()
    return found


def pictured(browser: Browser, url: str, ids: dict[str, str], out: Path) -> list[str]:
    """The README's pictures: what a laptop's window shows, in the light."""
    out.mkdir(parents=True, exist_ok=True)
    wrong = []
    options: dict[str, Any] = {"viewport": {"width": WIDE[0], "height": WIDE[1]}, "color_scheme": "light"}
    with browser.new_context(**options) as context:
        for place in (one for one in PLACES if one.name in README):
            page, file = context.new_page(), out / README[place.name]
            tour.visit(page, url + place.at(ids))
            page.screenshot(path=file, animations="disabled")
            page.close()
            if file.stat().st_size > BYTES:
                wrong.append(f"{file.name}: {file.stat().st_size:,} bytes, more than {BYTES:,}")
    return wrong


def main(arguments: list[str] | None = None) -> int:
    names = [place.name for place in PLACES]
    parser = argparse.ArgumentParser(prog="./dev shots", description=__doc__)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"all by default: {', '.join(names)}")
    parser.add_argument(
        "--out", type=Path, help="where to; .dev/shots by default, the README's to docs/images"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.pages if name not in names]:
        parser.error(f"no page {unknown[0]!r}; there are: {', '.join(names)}")
    out = options.out or SHOTS
    out.mkdir(parents=True, exist_ok=True)
    with served() as (url, ids), opened() as browser:
        wrong = taken(browser, url, ids, options.pages, out)
        if not options.pages:
            wrong += pictured(browser, url, ids, options.out or IMAGES)
    print(f"pictures are in {out}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
