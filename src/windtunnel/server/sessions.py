"""Logins that last: a row in the database, and a signed cookie that names it.

The cookie says nothing by itself: who revokes the row ends the login, in every server on the same database.
Of its token only a hash is kept. Which roles a login has is read at each request: from the settings, so that
who is taken out of `allow` has lost them when the server starts again, or from the key that began it, with
which it ends."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.types import Scope

from windtunnel.config.serve import OAuth
from windtunnel.control.access import Key, Keys, Principal, Role, read_roles
from windtunnel.errors import UsageError
from windtunnel.journal.database import Database
from windtunnel.server.asking import values

if TYPE_CHECKING:
    from itsdangerous import Signer

COOKIE = "wt_session"
KEY = "key"  # instead of a provider: this login was begun with a key
MOST = 10_000  # logins kept at once: the oldest go first
TABLES = (
    """CREATE TABLE session(digest {blob} PRIMARY KEY, provider TEXT NOT NULL, subject TEXT NOT NULL,
    login TEXT NOT NULL, matched TEXT NOT NULL, created {real} NOT NULL, expires {real} NOT NULL);
    CREATE TABLE session_key(id {int} PRIMARY KEY, secret {blob} NOT NULL)""",
)


class Identity(Struct, frozen=True):
    """Who logged in, as the provider says it. `subject` never changes hands there, `login` may. `matched` are
    the entries of `allow` that let them in."""

    provider: str
    subject: str
    login: str
    matched: tuple[str, ...]

    @property
    def name(self) -> str:
        """The colon is in no key's name: nobody can be taken for somebody else. Who came with a key has its
        name."""
        return self.login if self.provider == KEY else f"{self.provider}:{self.login}"


class Sessions:
    """`keys`: those that a login may be begun with."""

    def __init__(
        self, database: Database, oauth: Mapping[str, OAuth], *, seconds: float, keys: Keys | None = None
    ) -> None:
        self._database, self._oauth, self._seconds, self._keys = database, oauth, seconds, keys
        for name, provider in oauth.items():
            for entry, words in provider.allow.items():
                _checked_roles(words, f"oauth.{name}.allow.{entry}")
        database.lay("sessions", TABLES)
        self._signer = _signer(_secret(database))

    @property
    def elsewhere(self) -> bool:
        """Whether people can come with accounts elsewhere."""
        return bool(self._oauth)

    def begin(self, key: Key) -> tuple[str, int]:
        """A login of whoever holds this key."""
        return self.create(Identity(KEY, key.key_id, key.name, ()), until=key.expires)

    def create(self, identity: Identity, *, until: float | None = None) -> tuple[str, int]:
        """The value of a new cookie, and for how many seconds it is good: not beyond `until`."""
        token, now = secrets.token_urlsafe(32), self._database.now()
        ends = now + self._seconds if until is None else min(now + self._seconds, until)
        with self._database.transaction() as rows:
            rows.rows("DELETE FROM session WHERE expires<=?", [now])
            rows.rows(
                "DELETE FROM session WHERE digest IN"
                " (SELECT digest FROM session ORDER BY created DESC LIMIT ? OFFSET ?)",
                [MOST, MOST - 1],
            )
            rows.rows(
                "INSERT INTO session(digest, provider, subject, login, matched, created, expires)"
                " VALUES(?,?,?,?,?,?,?)",
                [
                    _digest(token),
                    identity.provider,
                    identity.subject,
                    identity.login,
                    "\n".join(identity.matched),
                    now,
                    ends,
                ],
            )
        return self._signer.sign(token).decode(), int(ends - now)

    def check(self, cookie: str, via: str = "rest") -> Principal | None:
        """Whose login this is; None if it is none, or no longer."""
        token = self._token(cookie)
        if token is None:
            return None
        found = self._database.rows(
            "SELECT provider, subject, login, matched FROM session WHERE digest=? AND expires>?",
            [_digest(token), self._database.now()],
        )
        if not found:
            return None
        provider, subject, login, matched = found[0]
        if provider == KEY:
            return self._keys.holder(subject, via) if self._keys is not None else None
        roles = self.roles(provider, matched.split("\n"))
        return Principal(Identity(provider, subject, login, ()).name, roles, via) if roles else None

    def roles(self, provider: str, matched: list[str]) -> frozenset[Role]:
        """What these entries of `allow` give today."""
        known = self._oauth[provider].allow if provider in self._oauth else {}
        return frozenset(Role(word) for entry in matched for word in known.get(entry, ()))

    def revoke(self, cookie: str) -> bool:
        token = self._token(cookie)
        gone = token and self._database.rows(
            "DELETE FROM session WHERE digest=? RETURNING login", [_digest(token)]
        )
        return bool(gone)

    def revoke_all(self, name: str) -> int:
        """End every login of a principal; how many there were."""
        provider, _, login = name.partition(":")
        sql = "DELETE FROM session WHERE provider=? AND login=? RETURNING login"
        return len(self._database.rows(sql, [provider, login]))

    def _token(self, cookie: str) -> str | None:
        from itsdangerous import BadSignature  # noqa: PLC0415 - late: only where people log in

        try:
            return self._signer.unsign(cookie[:512]).decode()
        except (BadSignature, ValueError):
            return None


def _checked_roles(words: tuple[str, ...], where: str) -> None:
    try:
        read_roles(words)
    except UsageError as error:
        raise UsageError(error.message, where=where, remedy=error.remedy) from None


def _secret(database: Database) -> bytes:
    """What signs cookies: made once, the same for every server on this database."""
    database.rows(
        "INSERT INTO session_key(id, secret) VALUES(1,?) ON CONFLICT(id) DO NOTHING",
        [secrets.token_bytes(32)],
    )
    return bytes(database.rows("SELECT secret FROM session_key WHERE id=1")[0][0])


def _signer(secret: bytes) -> Signer:
    from itsdangerous import Signer  # noqa: PLC0415

    return Signer(secret, salt="windtunnel.session", digest_method=hashlib.sha256, key_derivation="hmac")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# --- cookies ---


def cookie_name(scope: Scope, plain: str = COOKIE) -> str:
    """Over https a name that a browser takes from this very host only."""
    return f"__Host-{plain}" if secure(scope) else plain


def secure(scope: Scope) -> bool:
    return scope.get("scheme") in ("https", "wss")


def read_cookie(scope: Scope, plain: str = COOKIE) -> str | None:
    """The cookie of that name; None where there are two, one of which somebody else has set."""
    wanted = cookie_name(scope, plain)
    pairs = [part.strip().partition("=") for header in values(scope, "cookie") for part in header.split(";")]
    found = [said for name, _, said in pairs if name == wanted]
    return found[0].strip('"') if len(found) == 1 else None


def set_cookie(scope: Scope, text: str, seconds: int, plain: str = COOKIE) -> str:
    """A Set-Cookie header: of no use to scripts, and not sent along by other sites' forms."""
    bound = "; Secure" if secure(scope) else ""
    name = cookie_name(scope, plain)
    return f"{name}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{bound}"
