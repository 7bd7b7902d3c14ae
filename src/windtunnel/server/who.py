"""From a connection to a principal: a key, a login, or whoever sits at this machine.

A server that only this machine reaches and that has no keys is open: who comes is `local`, with all roles,
and may give a name (`X-Windtunnel-As`), because two votes need two. What was passed on by a proxy is never
local. A key that is wrong is refused, never taken for none. A key in an address (`?key=`) ends in histories
and in the logs of whatever stands between: it is taken over loopback only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.types import Scope

from windtunnel.config.serve import Serve
from windtunnel.control.access import ANYONE, LOCAL, Keys, Principal, Role, check_name
from windtunnel.errors import Forbidden, Unauthenticated, UsageError
from windtunnel.server.asking import BY, FORWARDED, address, is_loopback, value, values, via
from windtunnel.server.sessions import Sessions, read_cookie

FLAG = "--open-to-everyone"
AS = "x-windtunnel-as"
PROTOCOL, PROTOCOL_KEY = "windtunnel", "windtunnel.key."  # of a WebSocket: what we speak, and a key beside it
_LOOK_EVERY = 1.0  # seconds: how soon a first key closes a server that was open


class Shown(NamedTuple):
    """What somebody showed to say who they are."""

    kind: str
    text: str


def only_here(host: str, serve: Serve) -> bool:
    """Whether nobody but this machine can mean this server. A proxy before it, or another name of its own,
    brings others."""
    return is_loopback(host) and not serve.proxy and all(is_loopback(name) for name in serve.hosts)


def check_bind(
    host: str, keys: Keys, open_to_everyone: bool, *, logins: bool = False, serve: Serve | None = None
) -> None:
    """Refuse to listen where others can come while nobody is asked who they are."""
    if open_to_everyone or logins or keys.any() or only_here(host, serve or Serve()):
        return
    behind = " behind a proxy or under another name" if is_loopback(host) else ""
    raise UsageError(
        f"others could reach {host}{behind}, and there are no keys: everybody could do everything",
        where="serve.host",
        remedy=f"windtunnel keys create NAME --role admin; or set [oauth.github]; or, if you mean it, {FLAG}",
    )


class Who:
    """Keys and sessions are asked in threads: a database that is busy must not stop the streams."""

    def __init__(
        self,
        keys: Keys,
        sessions: Sessions | None,
        *,
        here: bool,
        open_to_everyone: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys, self._sessions = keys, sessions
        self._here, self._everyone, self._clock = here, open_to_everyone, clock
        elsewhere = sessions is not None and sessions.elsewhere
        self._closed, self._looked = elsewhere or keys.any(), clock()

    async def principal(self, scope: Scope) -> Principal:
        """Who asks; Unauthenticated if that cannot be said."""
        shown = self.shown(scope)
        scope[BY] = ""
        if shown is not None and shown.kind == "key":
            found = await asyncio.to_thread(self._keys.check, shown.text, via(scope))
            if found is None:
                raise Unauthenticated("this key is not good, or no longer", remedy="windtunnel keys list")
            scope[BY] = "key"
        else:
            found = await self._without_key(scope, shown)
        if (wanted := value(scope, AS)) is not None and wanted != found.name:
            if found.named:
                raise Forbidden(
                    f"{found.name} cannot be {wanted[:64]!r}",
                    remedy=f"leave {AS} out: a key and a login have a name",
                )
            found = Principal(check_name(wanted), found.roles, found.via)
        return found

    async def _without_key(self, scope: Scope, shown: Shown | None) -> Principal:
        if shown is not None and self._sessions is not None:
            found = await asyncio.to_thread(self._sessions.check, shown.text, via(scope))
            if found is not None:
                scope[BY] = "login"
                return found
        if self._everyone:
            return Principal(ANYONE, frozenset(Role), via(scope))
        if await self._is_open() and self._from_here(scope):
            return Principal(LOCAL, frozenset(Role), via(scope))
        said = "this login has ended" if shown is not None else "this needs a key or a login"
        raise Unauthenticated(
            said,
            remedy="send the header Authorization: Bearer wt_…; windtunnel keys create NAME makes one",
        )

    def shown(self, scope: Scope) -> Shown | None:
        """What the request shows; the clearest word first."""
        given = values(scope, "authorization")
        if len(given) > 1:
            raise Unauthenticated("there are two Authorization headers", remedy="send one")
        if given:
            scheme, _, text = given[0].strip().partition(" ")
            if scheme.lower() != "bearer" or not text.strip():
                raise Unauthenticated("this Authorization is no Bearer key", remedy="Bearer wt_…")
            return Shown("key", text.strip())
        if values(scope, "x-api-key"):
            return Shown("key", value(scope, "x-api-key") or "")
        for protocol in scope.get("subprotocols", ()):
            if protocol.startswith(PROTOCOL_KEY):
                return Shown("key", protocol.removeprefix(PROTOCOL_KEY))
        if key := self._in_address(scope):
            return Shown("key", key)
        cookie = read_cookie(scope)
        return Shown("session", cookie) if cookie else None

    def _in_address(self, scope: Scope) -> str | None:
        query = bytes(scope.get("query_string", b""))
        if b"=" not in query:
            return None
        try:
            found = parse_qs(query.decode("latin-1"), max_num_fields=100).get("key", [])
        except ValueError:
            return None
        found = [text for text in found if text.startswith("wt_")]  # others may call something else `key`
        if not found:
            return None
        if not self._from_here(scope):
            raise Unauthenticated(
                "a key in an address is taken over loopback only: addresses are written down on the way",
                remedy=f"Authorization: Bearer wt_…, or the subprotocol {PROTOCOL_KEY}wt_… of a WebSocket",
            )
        return found[0]

    def _from_here(self, scope: Scope) -> bool:
        return self._here and not scope.get(FORWARDED) and is_loopback(address(scope) or "localhost")

    async def _is_open(self) -> bool:
        """Whether this server asks nobody. It may close while it runs; it opens only by a new start."""
        if not self._here:
            return False
        if not self._closed and self._clock() - self._looked >= _LOOK_EVERY:
            self._closed, self._looked = await asyncio.to_thread(self._keys.any), self._clock()
        return not self._closed
