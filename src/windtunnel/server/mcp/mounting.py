"""MCP over HTTP, at /mcp of the server.

Each request says who asks, and is served alone: there are no sessions that somebody else could take over, and
several servers may stand behind one address. Host and Origin are checked here too, whoever mounts this where:
an app that answers any Host can be driven from any web page.

What this needs takes longer to import than the rest of a server together, and most servers are never asked:
it
is loaded, in a thread, for the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from windtunnel.control.access import Principal
from windtunnel.errors import WindtunnelError

if TYPE_CHECKING:
    from fastmcp import FastMCP

    from windtunnel.server.verbs import Verbs

PATH = "/mcp"
WHO = "windtunnel.mcp.who"  # in the scope of a request
Identify = Callable[[Scope], Principal]


class Mounted:
    """An ASGI app for one route. Whoever serves it also keeps `running()` open."""

    def __init__(
        self,
        verbs: Verbs,
        identify: Identify,
        *,
        version: str = "",
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
    ) -> None:
        """`identify`: whom the guard before this has found to ask. `hosts`, `origins`: those of the
        settings, which are answered beside loopback; `*` where more than loopback is bound, since the guard
        then knows its names better."""
        self._identify, self._verbs, self._version = identify, verbs, version
        self._hosts, self._origins = list(hosts), list(origins)
        self._asked, self._settled = asyncio.Event(), asyncio.Event()
        self._app: Any = None  # once somebody asked; None when settled: it cannot be loaded
        self._failed: Exception | None = None

    @cached_property
    def mcp(self) -> FastMCP[Any]:
        from windtunnel.server.mcp.making import make_mcp  # noqa: PLC0415 - late: heavy

        return make_mcp(self._verbs, asking, self._version)

    @property
    def route(self) -> Route:
        return Route(PATH, endpoint=self, name="mcp", include_in_schema=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Requests are served until this is left."""
        task = asyncio.create_task(self._live())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _live(self) -> None:
        """From the first request to the end: what a lifespan opens is closed by the task that opened it."""
        await self._asked.wait()
        try:
            app = await asyncio.to_thread(self._make)
            async with app.lifespan(app):
                self._app = app
                self._settled.set()
                await asyncio.Event().wait()
        except Exception as error:  # noqa: BLE001 - whoever asks is told, and the rest of the server goes on
            self._failed = error
        finally:
            self._settled.set()

    def _make(self) -> Any:
        return self.mcp.http_app(
            path=PATH,
            transport="http",
            json_response=False,  # progress needs a stream
            stateless_http=True,
            host_origin_protection=True,
            allowed_hosts=self._hosts,
            allowed_origins=self._origins,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope[WHO] = replace(self._identify(scope), via="mcp")
            except WindtunnelError as refusal:
                await _refused(refusal)(scope, receive, send)
                return
        self._asked.set()
        await self._settled.wait()
        if self._app is None:
            raise WindtunnelError("MCP cannot be served here") from self._failed
        await self._app(scope, receive, send)


def asking() -> Principal:
    """Whose request is being served."""
    from fastmcp.server.dependencies import get_http_request  # noqa: PLC0415 - late: heavy; loaded by now

    principal: Principal = get_http_request().scope[WHO]
    return principal


def _refused(error: WindtunnelError) -> JSONResponse:
    status = 401 if error.code == "unauthenticated" else 403
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32001, "message": str(error)}}
    return JSONResponse(body, status, headers=headers)
