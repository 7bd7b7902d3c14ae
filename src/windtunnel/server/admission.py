"""Who is let in, and how often: everything behind here is asked by somebody known, but for public places.

Refused by default: a path that nobody named public needs a principal. The pace is kept for each name, and
for strangers for each address; a wrong key costs its address more than a good one, and locks nobody else
out. Buckets live in this process: two servers count each for itself."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.control.access import Principal
from windtunnel.errors import Forbidden, Unauthenticated, WindtunnelError
from windtunnel.server.asking import PRINCIPAL, address, ip, route
from windtunnel.server.lasting import Lasting
from windtunnel.server.page import is_page
from windtunnel.server.problems import Problem, problem_of, refuse
from windtunnel.server.who import PROTOCOL, PROTOCOL_KEY, Who

Denied = Callable[[Scope, str], Awaitable[None]]
Clock = Callable[[], float]

# `/` alone is that page; a path that ends in `/` is all below it.
PUBLIC = ("/", "/health", "/ready", "/auth/login/", "/auth/callback/", "/auth/providers", "/auth/key")
DEFAULT_RATE, BURST_SECONDS = 50.0, 4.0
WRONG_KEY_COSTS = 10.0
_BUCKETS = 10_000


class Pace:
    """Token buckets, one for each name; the names least heard of are forgotten first."""

    def __init__(self, rate: float, clock: Clock = time.monotonic) -> None:
        self._rate, self._most = rate, max(1.0, rate * BURST_SECONDS)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, cost: float = 1.0) -> float:
        """0 if it may, else the seconds until it may again."""
        now = self._clock()
        tokens, at = self._buckets.pop(name, (self._most, now))
        tokens = min(self._most, tokens + max(0.0, now - at) * self._rate)
        wait = 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._rate
        self._buckets[name] = (max(0.0, tokens - cost) if not wait else tokens, now)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        return wait


class Admission:
    def __init__(
        self,
        app: ASGIApp,
        who: Who,
        *,
        rate: float | None = DEFAULT_RATE,
        public: Sequence[str] = PUBLIC,
        denied: Denied | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.app, self._who, self._denied = app, who, denied
        self._pace = Pace(rate, clock) if rate is not None else None
        self._clock = clock
        self._pages = frozenset(path for path in public if path == "/" or not path.endswith("/"))
        self._folders = tuple(path for path in public if path != "/" and path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope[PRINCIPAL] = None  # whatever stood there was not ours
        found = await self._identify(scope)
        if not isinstance(found, Problem):
            found = self._hurry(scope, found) or found
        if isinstance(found, Problem):
            await refuse(scope, send, found)
            return
        who = found
        asked = dict(scope)  # as it came, to be asked again
        scope[PRINCIPAL] = who
        if who is None:
            send = self._charged(scope, send)
        lasting = Lasting(receive, send, lambda: self._still(asked, who), self._clock)
        await lasting.through(_spoken(self.app) if scope["type"] == "websocket" else self.app, scope)

    async def _identify(self, scope: Scope) -> Principal | Problem | None:
        """Who asks; None for a stranger in a public place; or why not."""
        try:
            return await self._who.principal(scope)
        except Unauthenticated as error:
            if self._is_public(scope):
                return None
            problem, cost = problem_of(error), WRONG_KEY_COSTS
            if (wait := self._take(f"address {_network(scope)}", cost)) > 0:
                return _too_many(wait)
        except WindtunnelError as error:
            problem = problem_of(error)
        if problem.status in (401, 403) and self._denied is not None:
            await self._denied(scope, problem.detail)
        return problem

    def _hurry(self, scope: Scope, found: Principal | None) -> Problem | None:
        named = found is not None and found.named
        name = f"name {found.name}" if found is not None and named else f"address {_network(scope)}"
        wait = self._take(name)
        return _too_many(wait) if wait > 0 else None

    def _charged(self, scope: Scope, send: Send) -> Send:
        """A wrong key that is handed in at a public place costs what a wrong key costs."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._take(f"address {_network(scope)}", WRONG_KEY_COSTS)
            await send(message)

        return sent

    def _take(self, name: str, cost: float = 1.0) -> float:
        return self._pace.take(name, cost) if self._pace is not None else 0.0

    def _is_public(self, scope: Scope) -> bool:
        path = route(scope)
        named = path in self._pages or path.startswith(self._folders)
        return scope["type"] == "http" and (named or is_page(scope))

    async def _still(self, asked: Scope, found: Principal | None) -> bool:
        try:
            return found is None or await self._who.principal(asked) == found
        except (Unauthenticated, Forbidden):
            return False
        except WindtunnelError:  # nobody can say now
            return True


def _spoken(app: ASGIApp) -> ASGIApp:
    """A browser can send a key only as a subprotocol: it ends here, and what is spoken is ours."""

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        offered = list(scope.get("subprotocols", ()))
        scope["subprotocols"] = [one for one in offered if not one.startswith(PROTOCOL_KEY)]
        scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != b"sec-websocket-protocol"]

        async def sent(message: Message) -> None:
            if message["type"] == "websocket.accept" and not message.get("subprotocol"):
                message = {**message, "subprotocol": PROTOCOL if PROTOCOL in offered else None}
            await send(message)

        await app(scope, receive, sent)

    return socket


def _network(scope: Scope) -> str:
    """An address as the pace knows it: of the newer kind, everybody has 2^64."""
    text = address(scope)
    found = ip(text)
    return found.exploded[:19] if isinstance(found, IPv6Address) and not found.is_loopback else text


def _too_many(wait: float) -> Problem:
    seconds = max(1, math.ceil(wait))
    return Problem(
        429,
        "too_many",
        "more requests than this server takes from one",
        f"try again in {seconds} s; rate in [serve] of windtunnel.toml sets the pace",
        headers=(("retry-after", str(seconds)),),
    )
