"""What each provider of logins wants to hear, and how it says who somebody is.

Nothing of a reply is believed but its fields: replies are bounded, redirects not followed, and an error says
who was asked, never what came back, which may hold a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from windtunnel.config.serve import OAuth
from windtunnel.errors import Unauthenticated, UsageError
from windtunnel.server.asking import is_loopback
from windtunnel.server.sessions import Identity

if TYPE_CHECKING:
    import httpx

SECONDS = 10.0
_MOST = 256 << 10
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}", re.ASCII)


class Addresses(Struct, frozen=True):
    authorize: str
    token: str
    api: str


class Provider(Protocol):
    addresses: Addresses

    def scopes(self, oauth: OAuth) -> str: ...
    async def identity(
        self, client: httpx.AsyncClient, api: str, token: str, oauth: OAuth
    ) -> Identity | None:
        """Who holds this token, with the entries of `allow` that fit; None if none does."""
        ...


class GitHub:
    addresses = Addresses(
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com",
    )

    def scopes(self, oauth: OAuth) -> str:
        return "read:org" if any(entry.startswith("org:") for entry in oauth.allow) else ""

    async def identity(
        self, client: httpx.AsyncClient, api: str, token: str, oauth: OAuth
    ) -> Identity | None:
        user = await fetch(client, f"{api}/user", token)
        login, number = user.get("login"), user.get("id")
        if not isinstance(login, str) or not isinstance(number, int) or isinstance(number, bool):
            raise _strange()
        matched = [entry for entry in oauth.allow if entry.lower() in (login.lower(), f"id:{number}")]
        orgs = [entry for entry in oauth.allow if entry.startswith("org:")]
        matched += [entry for entry in orgs if await self._member(client, api, token, entry[4:])]
        return _identity("github", str(number), login, matched)

    @staticmethod
    async def _member(client: httpx.AsyncClient, api: str, token: str, org: str) -> bool:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,39}", org):
            return False
        url = f"{api}/user/memberships/orgs/{org}"
        found = await fetch(client, url, token, missing=(403, 404))
        return found.get("state") == "active"  # one that was invited is none yet


class Google:
    addresses = Addresses(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://openidconnect.googleapis.com",
    )

    def scopes(self, oauth: OAuth) -> str:
        return "openid email"

    async def identity(
        self, client: httpx.AsyncClient, api: str, token: str, oauth: OAuth
    ) -> Identity | None:
        user = await fetch(client, f"{api}/v1/userinfo", token)
        subject, email = user.get("sub"), user.get("email")
        if not isinstance(subject, str) or not isinstance(email, str):
            raise _strange()
        if user.get("email_verified") is not True:
            return None
        # `hd` says that a Workspace vouches for the account; an address alone anybody may have had once.
        mine = {email.lower(), f"id:{subject}", f"domain:{user.get('hd') or ''}".lower()}
        matched = [entry for entry in oauth.allow if entry.lower() in mine and entry != "domain:"]
        return _identity("google", subject, email.lower(), matched)


PROVIDERS: Mapping[str, Provider] = {"github": GitHub(), "google": Google()}


def addresses(name: str, oauth: OAuth) -> Addresses:
    """Where a provider is asked: over https, or on this machine."""
    own = PROVIDERS[name].addresses
    found = Addresses(
        (oauth.authorize_url or own.authorize).rstrip("/"),
        (oauth.token_url or own.token).rstrip("/"),
        (oauth.api_url or own.api).rstrip("/"),
    )
    for url in (found.authorize, found.token, found.api):
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise UsageError(
                f"{url} is not https: secrets would go over it in the open", where=f"oauth.{name}"
            )
    return found


async def fetch(
    client: httpx.AsyncClient, url: str, token: str, *, missing: tuple[int, ...] = ()
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "windtunnel"}
    return await ask(client, "GET", url, headers=headers, missing=missing)


async def ask(
    client: httpx.AsyncClient, method: str, url: str, *, missing: tuple[int, ...] = (), **words: Any
) -> dict[str, Any]:
    """One object of a provider; an empty one for a status of `missing`."""
    import httpx  # noqa: PLC0415 - late: only where people log in

    at = urlsplit(url).hostname
    try:
        async with client.stream(method, url, timeout=SECONDS, follow_redirects=False, **words) as reply:
            if reply.status_code in missing:
                return {}
            body = b""
            async for piece in reply.aiter_bytes():
                body += piece
                if len(body) > _MOST:
                    raise Unauthenticated(f"{at} said more than a login takes")
            if reply.status_code != 200:
                raise Unauthenticated(f"{at} answered {reply.status_code}", remedy="log in again")
    except httpx.HTTPError as error:
        raise Unauthenticated(
            f"{at} does not answer: {type(error).__name__}", remedy="try again later"
        ) from None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _strange() from None
    if not isinstance(found, dict):
        raise _strange()
    return found


def _identity(provider: str, subject: str, login: str, matched: list[str]) -> Identity | None:
    if not _LOGIN.fullmatch(login):
        raise _strange()
    return Identity(provider, subject[:128], login, tuple(matched)) if matched else None


def _strange() -> Unauthenticated:
    return Unauthenticated("the provider of this login answered what nobody here understands")
