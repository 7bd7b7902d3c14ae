"""The guard before every door: which name and which page a request may come from, and all that stands before
it.

A page of another address can make a browser send requests to this machine, and by changing what its name
resolves to (DNS rebinding) even read the answers. So a server answers only to its own names, and takes
whatever changes something, and every WebSocket, only from its own pages, from the origins in the settings,
or from programs that are no browser. This holds for everything behind it, a mounted MCP app too. `guarded`
puts it together."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.config.serve import Serve
from windtunnel.control.access import NOBODY, Principal
from windtunnel.control.audit import Audit
from windtunnel.errors import StorageError
from windtunnel.server.admission import DEFAULT_RATE, PUBLIC, Admission, Clock
from windtunnel.server.asking import (
    FORWARDED,
    Network,
    address,
    ip,
    is_loopback,
    networks,
    own_origin,
    route,
    split_host,
    split_origin,
    value,
    values,
    via,
)
from windtunnel.server.bodies import Bodies
from windtunnel.server.logs import Trace
from windtunnel.server.problems import Problem, refuse
from windtunnel.server.sessions import read_cookie
from windtunnel.server.who import Who, only_here

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ASKED = (
    "Accept, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Mcp-Protocol-Version, "
    "Mcp-Session-Id, X-API-Key, X-Request-Id, X-Windtunnel-As"
)
TOLD = "Location, Mcp-Session-Id, Retry-After, X-Request-Id"
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.{1,2}(?:/|$)")
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")

Denied = Callable[[Scope, str], Awaitable[None]]


def guarded(  # noqa: PLR0913 - what is set up around an app, each by name
    app: ASGIApp,
    who: Who,
    serve: Serve,
    *,
    host: str,
    audit: Audit | None = None,
    public: Sequence[str] = PUBLIC,
    larger: Mapping[str, int] | None = None,
    clock: Clock = time.monotonic,
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> ASGIApp:
    """An app behind the whole guard. `host` is what the server is bound to; `public` are the paths that need
    nobody known, `larger` those that take larger bodies. `around` sees what is refused here too."""
    denied = noting(audit) if audit is not None else None
    rate = serve.rate or (None if only_here(host, serve) else DEFAULT_RATE)
    inside: ASGIApp = Admission(app, who, rate=rate, public=public, denied=denied, clock=clock)
    inside = Bodies(inside, serve.max_body, larger=larger)
    inside = Gate(inside, serve, host=host, denied=denied)
    trusted = networks(serve.proxy, "serve.proxy")
    return Proxied(around(Trace(Hardened(inside))), trusted, root_path=serve.root_path)


def noting(audit: Audit) -> Denied:
    """Writes refusals into the audit log; a log that cannot be written refuses nobody a second time."""

    async def denied(scope: Scope, why: str) -> None:
        nobody = Principal(NOBODY, frozenset(), via(scope))
        verb = str(scope.get("method", "WEBSOCKET"))
        try:
            await asyncio.to_thread(
                audit.denied_stranger, nobody, verb, route(scope), f"{why} (from {address(scope)})"
            )
        except StorageError:
            return

    return denied


class Proxied:
    """Believes X-Forwarded-For and -Proto of proxies in the settings, and of nobody else. For uvicorn:
    `proxy_headers=False`, which would believe whoever sits on this machine. Says what stands before our
    paths, which some proxies take off and some do not: everything behind here tells paths by it."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network] = (), *, root_path: str = "") -> None:
        self.app, self._trusted, self._root_path = app, trusted, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            if self._root_path:
                scope["root_path"] = self._root_path
            scope[FORWARDED] = any(values(scope, name) for name in _FORWARDING)
            if scope[FORWARDED] and self._trusts(address(scope)):
                self._believe(scope)
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        chain = [part.strip() for text in values(scope, "x-forwarded-for") for part in text.split(",")]
        for hop in reversed(chain):  # the nearest proxy has written last
            if ip(hop) is None:
                break
            scope["client"] = (hop.strip("[]"), 0)
            if not self._trusts(hop):
                break
        said = [part.strip() for text in values(scope, "x-forwarded-proto") for part in text.split(",")]
        if said and said[-1] in ("http", "https"):
            socket = scope["type"] == "websocket"
            scope["scheme"] = {"http": "ws", "https": "wss"}[said[-1]] if socket else said[-1]

    def _trusts(self, text: str) -> bool:
        found = ip(text)
        return found is not None and any(found in network for network in self._trusted)


class Hardened:
    """Headers that tell a browser to run and embed nothing of others; who answers may set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                known = {name.lower() for name, _ in headers}
                more = [(name, text) for name, text in HEADERS.items() if name not in known]
                if b"cache-control" not in known and _is_data(headers):
                    more.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers + more}
            await send(message)

        await self.app(scope, receive, sent if scope["type"] == "http" else send)


def _is_data(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and b"json" in text for name, text in headers)


class Gate:
    """Host, path, Origin, and CORS for the origins in the settings."""

    def __init__(self, app: ASGIApp, serve: Serve, *, host: str, denied: Denied | None = None) -> None:
        self.app, self._denied = app, denied
        self._host, self._local = host.strip("[]").lower(), is_loopback(host)
        self._names = frozenset(name.lower().rstrip(".") for name in serve.hosts if not name.startswith("*."))
        self._below = tuple(name[1:].lower() for name in serve.hosts if name.startswith("*."))
        self._origins = frozenset(found for text in serve.origins if (found := split_origin(text)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        problem = self._path_problem(scope) or self._host_problem(scope) or self._origin_problem(scope)
        if problem is not None:
            if self._denied is not None and problem.status != 400:
                await self._denied(scope, problem.detail)
            await refuse(scope, send, problem)
            return
        origin = self._foreign(scope)
        if origin and scope.get("method") == "OPTIONS" and values(scope, "access-control-request-method"):
            await _preflight(send, origin)
            return
        await self.app(scope, receive, _cors(send, origin) if scope["type"] == "http" else send)

    @staticmethod
    def _path_problem(scope: Scope) -> Problem | None:
        if _BAD_PATH.search(scope["path"]):
            return Problem(400, "bad_path", "this path has steps or marks that no name has")
        return None

    def _host_problem(self, scope: Scope) -> Problem | None:
        found = split_host(value(scope, "host") or "")
        if found is None:
            return Problem(400, "bad_host", "a request names one host", "send one Host header")
        if self._answers_to(found[0]):
            return None
        return Problem(
            421,
            "wrong_host",
            f"this server does not answer to {found[0][:100]!r}",
            "if it is meant to, name it: hosts in [serve] of windtunnel.toml",
        )

    def _answers_to(self, name: str) -> bool:
        if name in self._names or (self._below and name.endswith(self._below)):
            return True
        if self._local:
            return is_loopback(name)
        # A name can be made to resolve to here by anybody, a number cannot.
        return ip(name) is not None or name == self._host or is_loopback(name)

    def _origin_problem(self, scope: Scope) -> Problem | None:
        """Whether a page elsewhere may be behind this. Programs send no Origin, nor Sec-Fetch-Site."""
        method, given = scope.get("method"), values(scope, "origin")
        preflight = method == "OPTIONS" and values(scope, "access-control-request-method")
        if method in SAFE and not preflight:
            return None
        if given:
            found = split_origin(given[0]) if len(given) == 1 else None
            if found is not None and (found == own_origin(scope) or found in self._origins):
                return None
            return _wrong_origin(f"a page of {given[0][:100]!r} may not do this")
        site = value(scope, "sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return _wrong_origin("a page of another address may not do this")
        if site is None and method is not None and read_cookie(scope) is not None:
            return _wrong_origin("a login by cookie needs the Origin of its page")
        return None

    def _foreign(self, scope: Scope) -> str | None:
        """The origin of a page elsewhere that may read the answer."""
        given = value(scope, "origin")
        found = split_origin(given) if given else None
        return given if found in self._origins and found != own_origin(scope) else None


def _wrong_origin(detail: str) -> Problem:
    remedy = "if it is meant to, name it: origins in [serve] of windtunnel.toml"
    return Problem(403, "wrong_origin", detail, remedy)


def _allow(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", TOLD.encode()),
    ]


async def _preflight(send: Send, origin: str) -> None:
    headers = [
        *_allow(origin),
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-allow-headers", ASKED.encode()),
        (b"access-control-max-age", b"600"),
        (b"vary", b"Origin"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _cors(send: Send, origin: str | None) -> Send:
    """Who may read is said here alone: what an app behind says of it is left out."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                pair
                for pair in message.get("headers", ())
                if not pair[0].lower().startswith(b"access-control-")
            ]
            headers += _allow(origin) if origin else []
            message = {**message, "headers": [*headers, (b"vary", b"Origin")]}
        await send(message)

    return sent
