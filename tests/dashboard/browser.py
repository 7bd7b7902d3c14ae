"""A real Chromium before a real server: fixtures for tests that look at the page as people do.

A test names what it needs (`served`, `page`, `watched`; conftest.py hands them in), and its module says
`pytestmark = pytest.mark.slow`. Playwright runs an event loop of its own in this thread while it is open, so
that it is closed when a test of another room comes: those that run in the same process have loops too, and
one that is to run in a module of this folder runs in a thread. Nothing is skipped: without a
Chromium, or without a page, tests fail and say what to do.

Wait with `wait_for_selector`, `wait_for_url` or a locator: `wait_for_function` has the page evaluate a text,
which its Content-Security-Policy forbids.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from tests.server.live import Live, live

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # it needs what a container's root has not; pages here are our own
    "--disable-dev-shm-usage",
    # Nobody looks: letters without coloured edges and animations in no thread of their own take less to draw.
    "--disable-lcd-text",
    "--disable-threaded-animation",
]
BUILT = Path(__file__).parents[2] / "dashboard" / "dist" / "index.html"
WAIT = 20_000  # ms: how long a page may take on a slow machine


class Watched:
    """What a page did wrong: what it said on its console, threw, asked for in vain, or was forbidden."""

    def __init__(self, context: BrowserContext) -> None:
        self.console: list[str] = []
        self.thrown: list[str] = []
        self.failed: list[str] = []
        self.answers: list[tuple[int, str]] = []
        context.on("console", self._said)
        context.on("weberror", lambda error: self.thrown.append(str(error.error)))
        context.on("requestfailed", self._fell_through)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.console.append(f"{message.type}: {message.text}")

    def _fell_through(self, request: Request) -> None:
        # Leaving a page ends what it still asks for: nothing failed.
        if request.failure != "net::ERR_ABORTED":
            self.failed.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        self.answers.append((response.status, response.url))
        if response.status >= 400:
            self.failed.append(f"{response.request.method} {response.url}: {response.status}")

    @property
    def wrong(self) -> list[str]:
        """All of it; CSP violations are errors of the console."""
        return [*self.console, *self.thrown, *self.failed]


def find_program() -> str:
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    raise AssertionError(
        f"none of {', '.join(PROGRAMS)} is on PATH: install one"
        " (Debian: apt install chromium, as ./dev test does where it is root)"
    )


class Opened:
    """The browser, opened for whoever asks first and kept for the modules that follow."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def get(self) -> Browser:
        if self._browser is None:
            playwright = self._stack.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=find_program(), args=ARGUMENTS)
            self._stack.callback(self._browser.close)
        return self._browser

    def close(self) -> None:
        self._browser = None
        self._stack.close()


OPENED = Opened()


@pytest.fixture(scope="module")
def browser() -> Browser:
    return OPENED.get()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """As after a fresh start: no cookies, nothing cached, a laptop's size."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    made.set_default_timeout(WAIT)
    yield made
    made.close()


@pytest.fixture
def watched(context: BrowserContext) -> Watched:
    """What went wrong in the pages of this test: `assert not watched.wrong`."""
    return Watched(context)


@pytest.fixture
def page(context: BrowserContext, watched: Watched) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with the built page, over a workspace of its own."""
    check_built()
    with live(tmp_path_factory.mktemp("served")) as server:
        yield server


def check_built() -> None:
    if not BUILT.is_file():
        raise AssertionError(
            f"there is no {BUILT}: ./dev test builds it; or npm ci && npm run build in dashboard/"
        )


def policy_broken(page: Page) -> list[Any]:
    """From here on, what the page's Content-Security-Policy forbids; to be called before `goto`."""
    broken: list[Any] = []

    def note(said: str) -> None:  # Playwright marks what it is given, which a built-in does not let it do
        broken.append(said)

    page.expose_function("windtunnelBroken", note)
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', event =>"
        " window.windtunnelBroken(`${event.violatedDirective} ${event.blockedURI}`))"
    )
    return broken
