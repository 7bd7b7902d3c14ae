"""What `[notify]` of windtunnel.toml may say: who is told by webhook, and of what.

A secret is never written here: `secret_env` names the variable of the environment that holds it.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

EVENTS = (
    "approval.waiting",
    "approval.decided",
    "approval.expired",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.crashed",
    "schedule.error",
    "schedule.disabled",
)


class Webhook(Struct, frozen=True):
    """An address that is told of events. `name` is what a policy's `tell` calls it."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    events: Annotated[tuple[str, ...], Meta(min_length=1)] = ("*",)
    secret_env: Annotated[str, Meta(min_length=1)] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if not whole or not re.fullmatch(r"[\x21-\x7e]+", self.url):
            raise ValueError("url must be an address such as https://host/path")
        if parts.username is not None or parts.fragment:
            raise ValueError("url may hold neither a name and password nor a #part; use secret_env")
        for glob in self.events:
            if not any(fnmatchcase(event, glob) for event in EVENTS):
                raise ValueError(f"there is no event {glob!r}; there are: {', '.join(EVENTS)}")

    def wants(self, event: str) -> bool:
        return any(fnmatchcase(event, glob) for glob in self.events)


class Notify(Struct, frozen=True):
    webhooks: tuple[Webhook, ...] = ()
