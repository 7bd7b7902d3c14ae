"""Logging in with an account elsewhere: OAuth2, authorization code with PKCE, for people with a browser.

Each attempt is a row with its own state and verifier, good once, for ten minutes, and for the browser that
began it. After it one goes on only to a path of this server. The provider's token is used to ask who somebody
is, and then forgotten. Where the browser is sent back to is made of the name by which it came, which the
guard has checked.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from windtunnel.config.serve import OAuth
from windtunnel.control.access import NOBODY, Principal
from windtunnel.control.audit import DONE, Audit
from windtunnel.errors import Forbidden, NotFound, Unauthenticated, UsageError, WindtunnelError
from windtunnel.journal.database import Database
from windtunnel.server.account import answer
from windtunnel.server.providers import PROVIDERS, addresses, ask
from windtunnel.server.sessions import Identity, Sessions, read_cookie, set_cookie

if TYPE_CHECKING:
    import httpx

ATTEMPT = "wt_login"  # the cookie that holds an attempt to the browser that began it
ATTEMPT_SECONDS = 600
MOST_ATTEMPTS = 1_000
_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,500}")
TABLES = (
    """CREATE TABLE login_attempt(state {blob} PRIMARY KEY, provider TEXT NOT NULL, verifier TEXT NOT NULL,
    browser {blob} NOT NULL, onward TEXT NOT NULL, created {real} NOT NULL)""",
)


class _Attempt(Struct, frozen=True):
    verifier: str
    onward: str


class Login:
    """The routes of going there and coming back."""

    def __init__(
        self,
        database: Database,
        oauth: Mapping[str, OAuth],
        sessions: Sessions,
        audit: Audit,
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._database, self._oauth = database, oauth
        self._sessions, self._audit = sessions, audit
        self._secrets = {name: _secret(name, one, environ) for name, one in oauth.items()}
        self._addresses = {name: addresses(name, one) for name, one in oauth.items()}
        database.lay("login", TABLES)

    def routes(self) -> list[Route]:
        return [
            Route("/auth/login/{provider}", self._begin, methods=["GET"]),
            Route("/auth/callback/{provider}", self._end, methods=["GET"], name="login_callback"),
        ]

    # --- there ---

    async def _begin(self, request: Request) -> Response:
        try:
            name = self._known(request)
            onward = safe_path(request.query_params.get("next", "/"))
        except WindtunnelError as error:
            return answer(error)
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)
        await asyncio.to_thread(self._remember, name, state, browser, _Attempt(verifier, onward))
        oauth = self._oauth[name]
        asked = {
            "response_type": "code",
            "client_id": oauth.client_id,
            "redirect_uri": self._back(request, name),
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        if scopes := PROVIDERS[name].scopes(oauth):
            asked["scope"] = scopes
        to = f"{self._addresses[name].authorize}?{urlencode(asked)}"
        headers = {"set-cookie": set_cookie(request.scope, browser, ATTEMPT_SECONDS, ATTEMPT)}
        return RedirectResponse(to, status_code=303, headers={**headers, "cache-control": "no-store"})

    def _remember(self, name: str, state: str, browser: str, attempt: _Attempt) -> None:
        now = self._database.now()
        with self._database.transaction() as rows:
            rows.rows("DELETE FROM login_attempt WHERE created<=?", [now - ATTEMPT_SECONDS])
            rows.rows(
                "DELETE FROM login_attempt WHERE state IN"
                " (SELECT state FROM login_attempt ORDER BY created DESC LIMIT ? OFFSET ?)",
                [MOST_ATTEMPTS, MOST_ATTEMPTS - 1],
            )
            rows.rows(
                "INSERT INTO login_attempt(state, provider, verifier, browser, onward, created)"
                " VALUES(?,?,?,?,?,?)",
                [_digest(state), name, attempt.verifier, _digest(browser), attempt.onward, now],
            )

    # --- and back ---

    async def _end(self, request: Request) -> Response:
        name = str(request.path_params["provider"])[:32]
        try:
            name = self._known(request)
            attempt = await self._taken(request, name)
            identity = await self._identity(request, name, attempt)
        except WindtunnelError as error:
            await asyncio.to_thread(self._refused, name, error)
            return answer(error)
        if old := read_cookie(request.scope):
            await asyncio.to_thread(self._sessions.revoke, old)
        cookie, seconds = await asyncio.to_thread(self._sessions.create, identity)
        roles = self._sessions.roles(name, list(identity.matched))
        who = Principal(identity.name, roles, "rest")
        await asyncio.to_thread(self._audit.append, who, "login", name, DONE, {"subject": identity.subject})
        root = request.scope.get("root_path", "")
        back = RedirectResponse(f"{root}{attempt.onward}", status_code=303)
        back.headers["cache-control"] = "no-store"
        back.headers.append("set-cookie", set_cookie(request.scope, cookie, seconds))
        back.headers.append("set-cookie", set_cookie(request.scope, "", 0, ATTEMPT))
        return back

    async def _taken(self, request: Request, name: str) -> _Attempt:
        """The attempt that this state belongs to, which is over with that."""
        state = request.query_params.get("state", "")
        browser = read_cookie(request.scope, ATTEMPT) or ""
        found = await asyncio.to_thread(
            self._database.rows,
            "DELETE FROM login_attempt WHERE state=? RETURNING provider, verifier, browser, onward, created",
            [_digest(state)],
        )
        for provider, verifier, held, onward, created in found:
            fresh = self._database.now() - created < ATTEMPT_SECONDS
            if provider == name and fresh and secrets.compare_digest(bytes(held), _digest(browser)):
                return _Attempt(verifier, onward)
        raise Unauthenticated("this login was not begun here, or is over", remedy=f"/auth/login/{name}")

    async def _identity(self, request: Request, name: str, attempt: _Attempt) -> Identity:
        code = request.query_params.get("code", "")
        if not 0 < len(code) <= 2048:
            raise Unauthenticated(f"{name} did not let you in", remedy=f"/auth/login/{name}")
        oauth, at = self._oauth[name], self._addresses[name]
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back(request, name),
            "client_id": oauth.client_id,
            "client_secret": self._secrets[name],
            "code_verifier": attempt.verifier,
        }
        async with await asyncio.to_thread(_client) as client:
            given = await ask(client, "POST", at.token, data=asked, headers={"Accept": "application/json"})
            token = given.get("access_token")
            if not isinstance(token, str) or str(given.get("token_type", "bearer")).lower() != "bearer":
                raise Unauthenticated(f"{name} did not accept this login", remedy=f"/auth/login/{name}")
            identity = await PROVIDERS[name].identity(client, at.api, token, oauth)
        if identity is None or not self._sessions.roles(name, list(identity.matched)):
            raise Forbidden(
                "this account is not among those who may log in here",
                remedy=f"an admin adds it to allow in [oauth.{name}] of windtunnel.toml",
            )
        return identity

    def _refused(self, name: str, error: WindtunnelError) -> None:
        self._audit.denied_stranger(Principal(NOBODY, frozenset(), "rest"), "login", name, error.message)

    def _known(self, request: Request) -> str:
        name = str(request.path_params["provider"])
        if name not in self._oauth:
            known = ", ".join(self._oauth) or "none"
            raise NotFound(f"there is no login with {name[:32]!r}", remedy=f"there are: {known}")
        return name

    @staticmethod
    def _back(request: Request, name: str) -> str:
        root = request.scope.get("root_path", "")
        return f"{request.url.scheme}://{request.url.netloc}{root}/auth/callback/{name}"


def _client() -> httpx.AsyncClient:
    """One for each login, which are rare; made in a thread, because it reads certificates."""
    import httpx  # noqa: PLC0415 - late: only where people log in

    return httpx.AsyncClient()


def safe_path(onward: str) -> str:
    """A path of this server; everything that a browser could take for another place is refused."""
    if not _PATH.fullmatch(onward):
        raise UsageError("one goes on to a path of this server", where="next", remedy="such as next=/")
    return onward


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(_digest(verifier)).rstrip(b"=").decode()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _secret(name: str, oauth: OAuth, environ: Mapping[str, str]) -> str:
    if name not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise UsageError(f"there is no provider {name!r}", where=f"oauth.{name}", remedy=f"one of: {known}")
    found = environ.get(oauth.client_secret_env, "")
    if not found:
        raise UsageError(
            f"{oauth.client_secret_env} is not set",
            where=f"oauth.{name}.client_secret_env",
            remedy="set it in the environment, or in the .env beside windtunnel.toml",
        )
    return found
