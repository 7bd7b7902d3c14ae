"""Every test of the dashboard may ask for the browser, a page in it, and a server with the page."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.dashboard.browser import OPENED, browser, context, page, served, watched

__all__ = ["browser", "context", "page", "served", "watched"]
HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """The browser goes before a test of another room comes."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != HERE:
            OPENED.close()
