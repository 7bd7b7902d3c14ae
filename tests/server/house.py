"""A guarded app to knock at: in this process, or as a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.control.clocked import Clocked
from windtunnel.config.serve import OAuth, Serve
from windtunnel.control.access import Keys
from windtunnel.control.audit import Audit
from windtunnel.errors import WindtunnelError
from windtunnel.server.account import Account, answer, me
from windtunnel.server.asking import principal_of
from windtunnel.server.guard import guarded
from windtunnel.server.sessions import Sessions
from windtunnel.server.who import Who, only_here

HOME = "http://127.0.0.1:8000"


class House:
    """Everything around one app; `started` counts what got through to the place where runs are started."""

    def __init__(
        self,
        folder: Path,
        serve: Serve | None = None,
        *,
        host: str = "127.0.0.1",
        everyone: bool = False,
        oauth: dict[str, OAuth] | None = None,
        larger: dict[str, int] | None = None,
    ) -> None:
        self.started, self.seconds = 0, 1000.0
        self.serve = serve or Serve()
        self.database = Clocked(folder / "catalog.sqlite")
        self.keys, self.audit = Keys(self.database), Audit(self.database)
        self.sessions = Sessions(self.database, oauth or {}, seconds=3600, keys=self.keys)
        self.account = Account(self.keys, self.sessions, self.audit, tuple(oauth or ()))
        self.host, self.everyone, self.larger = host, everyone, larger
        self.routes: list[Any] = []

    def app(self) -> ASGIApp:
        inner = Starlette(
            routes=[
                Route("/health", lambda _: PlainTextResponse("well")),
                Route("/api/simulations", self.start, methods=["GET", "POST", "DELETE"]),
                Route("/api/import", self.start, methods=["POST"]),
                Route("/api/who", me),
                WebSocketRoute("/api/stream", stream),
                Mount("/mcp", app=self.mounted),
                *self.account.routes(),
                *self.routes,
            ]
        )
        who = Who(
            self.keys,
            self.sessions,
            here=only_here(self.host, self.serve),
            open_to_everyone=self.everyone,
            clock=self.clock,
        )
        return guarded(
            inner, who, self.serve, host=self.host, audit=self.audit, larger=self.larger, clock=self.clock
        )

    def clock(self) -> float:
        return self.seconds

    async def start(self, request: Request) -> Response:
        try:
            who = principal_of(request.scope)
            body = await request.body()
        except WindtunnelError as error:
            return answer(error)
        self.started += request.method != "GET"
        return JSONResponse({"who": who.name, "via": who.via, "bytes": len(body)}, 202)

    async def mounted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Like a mounted MCP app: answers whatever comes, and lets every page read it."""
        self.started += scope["method"] == "POST"
        response = PlainTextResponse(
            principal_of(scope).via,
            headers={"Access-Control-Allow-Origin": "*", "X-Frame-Options": "SAMEORIGIN"},
        )
        await response(scope, receive, send)

    def close(self) -> None:
        self.database.close()

    def client(self, **headers: str) -> Client:
        return Client(self.app(), headers)


class Client:
    """Requests in this process, without an event loop in the test."""

    def __init__(self, app: ASGIApp, headers: dict[str, str], address: str = "127.0.0.1") -> None:
        self.app, self.headers, self.address = app, headers, address
        self.cookies = httpx.Cookies()

    def __call__(self, method: str, url: str, headers: Any = None, **words: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, url, headers, words))

    async def _ask(self, method: str, url: str, headers: Any, words: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(self.address, 50_000))
        given = headers if isinstance(headers, list) else {**self.headers, **(headers or {})}
        async with httpx.AsyncClient(transport=transport, base_url=HOME, cookies=self.cookies) as client:
            reply = await client.request(method, url, headers=given, **words)
            self.cookies = client.cookies
            return reply


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json({"who": principal_of(socket.scope).name, "via": principal_of(socket.scope).via})
    await socket.close()


@contextmanager
def serving(app: ASGIApp, **settings: Any) -> Iterator[int]:
    """A real server; the port it listens on."""
    words = {"log_config": None, "access_log": False, "proxy_headers": False, "lifespan": "off", **settings}
    config = uvicorn.Config(app, host="127.0.0.1", port=0, **words)
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def raw(port: int, sent: bytes, *, more: bytes = b"", seconds: float = 15.0) -> bytes:
    """What comes back for these very bytes, until the other side closes or says nothing any more."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        line.sendall(sent)
        with suppress(OSError):  # closed before it heard us out
            line.sendall(more)
        got = b""
        with suppress(OSError):
            while piece := line.recv(65536):
                got += piece
        return got
