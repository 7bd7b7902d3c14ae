"""Who one is, as a page asks it: which ways in there are, the way in with a key, and the way out.

A page keeps no key: it hands one in once, and goes on with a cookie that no script can read. Such a login has
the name and the roles of its key and ends with it. What is handed in is never written down, and a wrong key
costs like everywhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from windtunnel.control.access import NOBODY, Key, Keys, Principal
from windtunnel.control.audit import DONE, Audit
from windtunnel.errors import Unauthenticated, UsageError, WindtunnelError
from windtunnel.server.asking import BY, principal_of
from windtunnel.server.problems import problem_of
from windtunnel.server.sessions import KEY, Sessions, read_cookie, set_cookie

LONGEST = 1024  # bytes of what a key is handed in with
FRESH = {"cache-control": "no-store"}


class Account:
    """The routes that are there whether or not people can come with accounts elsewhere. `providers`: where
    they can."""

    def __init__(self, keys: Keys, sessions: Sessions, audit: Audit, providers: Sequence[str] = ()) -> None:
        self._keys, self._sessions, self._audit = keys, sessions, audit
        self._known = tuple(providers)

    def routes(self) -> list[Route]:
        return [
            Route("/auth/providers", self._providers, methods=["GET"]),
            Route("/auth/key", self._enter, methods=["POST"]),
            Route("/auth/logout", self._leave, methods=["POST"]),
            Route("/auth/me", me, methods=["GET"]),
        ]

    async def _providers(self, request: Request) -> Response:
        """Accounts elsewhere, and whether there is a key that could be given."""
        root = request.scope.get("root_path", "")
        items = [{"name": name, "login": f"{root}/auth/login/{name}"} for name in self._known]
        key = await asyncio.to_thread(self._keys.any)
        return JSONResponse({"items": items, "key": key}, headers=FRESH)

    async def _enter(self, request: Request) -> Response:
        try:
            key = await self._given(await _handed_in(request))
        except WindtunnelError as error:
            await asyncio.to_thread(self._refused, error)
            return answer(error)
        if old := read_cookie(request.scope):
            await asyncio.to_thread(self._sessions.revoke, old)
        cookie, seconds = await asyncio.to_thread(self._sessions.begin, key)
        who = Principal(key.name, frozenset(key.roles), "rest")
        await asyncio.to_thread(self._audit.append, who, "login", KEY, DONE, {"key_id": key.key_id})
        return JSONResponse(told(who, by="login"), headers={
            "set-cookie": set_cookie(request.scope, cookie, seconds), **FRESH,
        })  # fmt: skip

    async def _given(self, secret: str) -> Key:
        key = await asyncio.to_thread(self._keys.find, secret)
        if key is None:
            raise Unauthenticated(
                "this key is not good, or no longer",
                where="key",
                remedy="look whether all of it was copied; windtunnel keys list tells which there are",
            )
        if key.successor is not None:
            raise Unauthenticated(
                "this key was replaced", where="key", remedy="give the one that took its place"
            )
        return key

    def _refused(self, error: WindtunnelError) -> None:
        self._audit.denied_stranger(Principal(NOBODY, frozenset(), "rest"), "login", KEY, error.message)

    async def _leave(self, request: Request) -> Response:
        cookie = read_cookie(request.scope)
        gone = cookie is not None and await asyncio.to_thread(self._sessions.revoke, cookie)
        if gone:
            await asyncio.to_thread(self._audit.append, principal_of(request.scope), "logout")
        return Response(status_code=204, headers={"set-cookie": set_cookie(request.scope, "", 0)})


async def _handed_in(request: Request) -> str:
    """The key of a body `{"key": "wt_…"}`; whatever else stands there is refused unread and unsaid."""
    remedy = 'send {"key": "wt_…"} as application/json'
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UsageError("a key is handed in as JSON", where="key", remedy=remedy)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise UsageError("this is longer than any key", where="key", remedy=remedy)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or set(found) != {"key"} or not isinstance(found["key"], str):
        raise UsageError("a key is handed in alone", where="key", remedy=remedy)
    return found["key"].strip()


async def me(request: Request) -> Response:
    """Who asks, as this server knows them; also of use where nobody can log in."""
    try:
        who = principal_of(request.scope)
    except Unauthenticated as error:
        return answer(error)
    return JSONResponse(told(who, by=str(request.scope.get(BY, ""))), headers=FRESH)


def told(who: Principal, *, by: str) -> dict[str, object]:
    """`by`: `key` or `login`, which have a name; or nothing: then a name may be given with each request."""
    return {"name": who.name, "named": who.named, "roles": sorted(who.roles), "via": who.via, "by": by}


def answer(error: WindtunnelError) -> Response:
    problem = problem_of(error)
    headers = {**FRESH, **dict(problem.headers)}
    return Response(problem.body(), problem.status, headers, "application/problem+json")
