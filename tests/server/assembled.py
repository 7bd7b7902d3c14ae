"""The whole server in this process, without anything that goes on by itself: nothing is played, nobody is
helped.

What would be asked of a helper process is answered as unknown, so that a request ends where the door
policy has let it through. Whom a request comes from is written into it, as the guard would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from windtunnel.config import HOME, find_workspace
from windtunnel.control.access import Principal
from windtunnel.control.audit import Filters
from windtunnel.control.desks import Desks
from windtunnel.errors import NotFound
from windtunnel.server.app import application
from windtunnel.server.asking import PRINCIPAL
from windtunnel.server.assembly import Assembly
from windtunnel.server.errands import Errands
from windtunnel.server.streaming.routes import routes


async def _unknown(*_: Any, **__: Any) -> Any:
    raise NotFound("there is no helper here")


class Assembled:
    def __init__(self, assembly: Assembly) -> None:
        self.assembly, self.audit, self.keys = assembly, assembly.ground.audit, assembly.ground.keys
        self.app: FastAPI = application(
            assembly.verbs, assembly.running, [routes(assembly.hub)], version="0",
            ready=assembly.problems, metrics=assembly.gauges.text,
        )  # fmt: skip
        self.guarded: ASGIApp = assembly.app("127.0.0.1")

    async def ask(
        self, who: Principal | None, method: str, path: str, *, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Behind the guard as `who`, or through it, as whoever the headers say."""

        async def entered(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app({**scope, PRINCIPAL: who}, receive, send)

        transport = httpx.ASGITransport(entered if who is not None else self.guarded)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            return await client.request(method, path, json=body, headers=named)

    def noted(self, who: str) -> list[tuple[str, str]]:
        """Verb and outcome of what the audit log has of somebody."""
        found = self.audit.page(limit=1000, filters=Filters(who=who))
        return [(one.verb, one.outcome) for one in found.items]


@contextmanager
def assembled(home: Path, patch: pytest.MonkeyPatch) -> Iterator[Assembled]:
    patch.setenv(HOME, str(home))
    patch.setattr(Desks, "call", _unknown)
    patch.setattr(Errands, "run", _unknown)
    assembly = Assembly(find_workspace())
    try:
        yield Assembled(assembly)
    finally:
        assembly.close()
