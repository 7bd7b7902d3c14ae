"""Counts requests, and how long it took until an answer began, by the pattern of their route.

Never by what a client wrote, which has no end: an address that is no route of ours goes by one name, the
page by another. Stands around the guard, so that what that refuses counts too. An answer that never ends
(a stream) has begun like any other, and a WebSocket is only counted.
"""

from __future__ import annotations

import re
import time
from typing import Protocol

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.server.asking import route
from windtunnel.server.page import is_page

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGE, UNKNOWN, OTHER, WEBSOCKET = "page", "unknown", "other", "WEBSOCKET"
GONE = "none"  # who asked went away before there was an answer
HAS_BEGUN = ("http.response.start", "websocket.http.response.start")


class Counting(Protocol):
    def count(self, method: str, route: str, status: str) -> None: ...
    def took(self, route: str, seconds: float) -> None: ...


class Patterns:
    """The routes of an application, to tell by the path of a request which one it is meant for."""

    def __init__(self, app: FastAPI) -> None:
        self._known: list[tuple[re.Pattern[str], str]] = []
        for one in iter_route_contexts(app.router.routes):
            path = str(getattr(one, "path", "") or "")
            if path.strip("/"):  # whatever is left is the page's
                below = "/{rest:path}" if isinstance(one.original_route, Mount) else ""
                self._known.append((compile_path(path + below)[0], path))

    def of(self, scope: Scope) -> str:
        path = route(scope)
        for pattern, name in self._known:
            if pattern.match(path):
                return name
        return PAGE if is_page(scope) else UNKNOWN


class Counted:
    def __init__(self, app: ASGIApp, counting: Counting, patterns: Patterns) -> None:
        self._app, self._counting, self._patterns = app, counting, patterns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        socket = scope["type"] == "websocket"
        method = WEBSOCKET if socket else scope["method"] if scope["method"] in METHODS else OTHER
        name = self._patterns.of(scope)  # before a mount writes its own place into the scope
        counted, began = False, time.perf_counter()

        def count(status: str) -> None:
            nonlocal counted
            if not counted:
                counted = True
                self._counting.count(method, name, status)
                if not socket and status != GONE:
                    self._counting.took(name, time.perf_counter() - began)

        async def sent(message: Message) -> None:
            kind = message["type"]
            if kind in HAS_BEGUN:
                count(f"{int(message['status']) // 100}xx")
            elif kind == "websocket.accept":
                count("1xx")
            elif kind == "websocket.close":
                count("4xx")  # what a server makes of a close before the accept
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            count("5xx")
            raise
        finally:
            count(GONE)
