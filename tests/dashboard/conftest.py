"""Every test of the dashboard may ask for the browser, a page in it, and a server with the page."""

from tests.dashboard.browser import browser, context, page, served, watched

__all__ = ["browser", "context", "page", "served", "watched"]
