"""MCP over HTTP, at /mcp of the server.

Each request says who asks, and is served alone: there are no sessions that somebody else could take over, and
several servers may stand behind one address. Host and Origin are checked here too, whoever mounts this where:
an app that answers any Host can be driven from any web page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastmcp.server.dependencies import get_http_request
from msgspec.structs import replace
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from windtunnel.control.access import Principal
from windtunnel.errors import WindtunnelError
from windtunnel.server.mcp.making import make_mcp

if TYPE_CHECKING:
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
        self._identify = identify
        self.mcp = make_mcp(verbs, asking, version)
        self._app = self.mcp.http_app(
            path=PATH,
            transport="http",
            json_response=False,  # progress needs a stream
            stateless_http=True,
            host_origin_protection=True,
            allowed_hosts=list(hosts),
            allowed_origins=list(origins),
        )

    @property
    def route(self) -> Route:
        return Route(PATH, endpoint=self, name="mcp", include_in_schema=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._app.lifespan(self._app):
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope[WHO] = replace(self._identify(scope), via="mcp")
            except WindtunnelError as refusal:
                await _refused(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def asking() -> Principal:
    """Whose request is being served."""
    principal: Principal = get_http_request().scope[WHO]
    return principal


def _refused(error: WindtunnelError) -> JSONResponse:
    status = 401 if error.code == "unauthenticated" else 403
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32001, "message": str(error)}}
    return JSONResponse(body, status, headers=headers)
