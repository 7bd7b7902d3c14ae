"""Who may do what: roles, principals, and the keys that name them.

Every door asks `may` before a verb, with a principal that it made from a key, a session or the terminal. Of a
key only the SHA-256 of its secret is kept (32 random bytes need no slow hash): the secret is shown once, when
it is made, and nothing here can show it again. Nothing here knows what a verb does, nor how a request looks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from windtunnel.errors import Forbidden, NotFound, StorageError, UsageError, WrongState
from windtunnel.journal.database import Database, Row, Rows


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


# A role holds those it stands for. An operator who starts runs cannot vote on what they do.
HOLDS = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.VIEWER, Role.OPERATOR}),
    Role.APPROVER: frozenset({Role.VIEWER, Role.APPROVER}),
    Role.ADMIN: frozenset(Role),
}
# Who has no name of their own: came over loopback, came to a server open to everyone, was not let in.
LOCAL, ANYONE, NOBODY = "local", "anyone", "nobody"
RESERVED = frozenset({LOCAL, ANYONE, NOBODY, "schedule", "windtunnel"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
TOKEN = re.compile(r"wt_([0-9a-z]{10})_([0-9A-Za-z]{43})", re.ASCII)
USED_EVERY = 600.0  # seconds: when a key was last used is known this coarsely, so that reading does not write
DAY = 86_400.0
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NO_DIGEST = hashlib.sha256(b"nobody").digest()

TABLES = (
    """CREATE TABLE api_key(key_id TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL,
    created {real} NOT NULL, expires {real}, used {real}, revoked {real}, successor TEXT,
    digest {blob} NOT NULL);
    CREATE INDEX api_key_name ON api_key(name)""",
)
COLUMNS = "key_id, name, roles, created, expires, used, revoked, successor"


class Principal(Struct, frozen=True):
    """Who asks. `via` is the door: rest, stream, mcp, cli, schedule."""

    name: str
    roles: frozenset[Role]
    via: str = "cli"

    @property
    def named(self) -> bool:
        """Whether this is somebody in particular. Two votes need two such names."""
        return self.name not in RESERVED


def may(principal: Principal, role: Role) -> None:
    """Pass, or raise Forbidden with what is needed."""
    if any(role in HOLDS[held] for held in principal.roles):
        return
    has = ", ".join(sorted(principal.roles)) or "none"
    raise Forbidden(
        f"{principal.name} may not do this: it needs the role {role}, and has {has}",
        remedy=f"ask an admin for a key with that role: windtunnel keys create NAME --role {role}",
        needs=str(role),
        has=sorted(map(str, principal.roles)),
        principal=principal.name,
    )


def here(name: str = "", via: str = "cli") -> Principal:
    """Whoever sits at this machine, with the rights of whoever owns the files: all of them."""
    return Principal(check_name(name) if name else LOCAL, frozenset(Role), via)


def read_roles(words: Iterable[str]) -> frozenset[Role]:
    found = set()
    for word in words:
        if word not in set(Role):
            raise UsageError(f"there is no role {word!r}", where="role", remedy=f"one of: {', '.join(Role)}")
        found.add(Role(word))
    if not found:
        raise UsageError("a key needs a role", where="role", remedy=f"one or more of: {', '.join(Role)}")
    return frozenset(found)


def check_name(name: str) -> str:
    """A name that can stand in logs and votes, and be nobody else's."""
    if not NAME.fullmatch(name):
        remedy = "letters, digits, and . _ @ - inside, at most 64"
        raise UsageError(f"{name[:80]!r} is no name", where="name", remedy=remedy)
    if name.lower() in RESERVED:
        raise UsageError(f"the name {name!r} is taken by Windtunnel itself", where="name")
    return name


class Key(Struct, frozen=True):
    """What is known of a key: all but its secret."""

    key_id: str
    name: str
    roles: tuple[Role, ...]
    created: float
    expires: float | None = None
    used: float | None = None
    revoked: float | None = None
    successor: str | None = None

    def state(self, now: float) -> str:
        """valid, replaced (its time of grace runs), expired, revoked."""
        if self.revoked is not None:
            return "revoked"
        if self.expires is not None and self.expires <= now:
            return "expired"
        return "replaced" if self.successor else "valid"


class Made(Struct, frozen=True):
    """A new key and the one sight of its secret, which no repr shows."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.key!r}, secret=[hidden])"


class Keys:
    """The keys of a workspace, kept in its database and seen by every server on it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.lay("access", TABLES)

    def create(self, name: str, roles: Iterable[str], *, seconds: float | None = None) -> Made:
        """A new key, which ends after so many seconds; without them, never."""
        check_name(name)
        held = read_roles(roles)
        if seconds is not None and not seconds > 0:
            raise UsageError("a key lasts longer than nothing", where="expires", remedy="such as 90d")
        now = self._database.now()
        with self._database.transaction() as rows:
            if any(key.name.lower() == name.lower() and key.state(now) == "valid" for key in _all(rows)):
                raise WrongState(
                    f"there is a key named {name!r}",
                    remedy=f"windtunnel keys rotate {name}, or choose another name",
                )
            return _insert(rows, name, held, now, None if seconds is None else now + seconds)

    def list(self) -> list[Key]:
        """Every key that ever was, oldest first."""
        return _all(self._database)

    def rotate(self, which: str, *, grace: float = DAY) -> Made:
        """A new secret for the same name and roles. The old one is good for `grace` seconds more. The new
        one lasts as long as the old one was made to."""
        if not 0 <= grace <= 366 * DAY:
            raise UsageError("the time of grace is from 0 to 366 days", where="grace")
        now = self._database.now()
        with self._database.transaction() as rows:
            old = _one(rows, which, now)
            lasts = None if old.expires is None else now + (old.expires - old.created)
            made = _insert(rows, old.name, frozenset(old.roles), now, lasts)
            ends = now + grace if old.expires is None else min(old.expires, now + grace)
            rows.rows(
                "UPDATE api_key SET expires=?, successor=? WHERE key_id=?",
                [ends, made.key.key_id, old.key_id],
            )
        return made

    def revoke(self, which: str) -> tuple[Key, ...]:
        """End a key now, by its id; or by its name, with all that were replaced and are still good."""
        now = self._database.now()
        with self._database.transaction() as rows:
            ended = [
                key
                for key in _all(rows)
                if which in (key.key_id, key.name) and key.state(now) in ("valid", "replaced")
            ]
            if not ended:
                raise _missing(which)
            values = [[now, key.key_id] for key in ended]
            rows.each("UPDATE api_key SET revoked=? WHERE key_id=?", values)
        return tuple(replace(key, revoked=now) for key in ended)

    def any(self) -> bool:
        """Whether keys are in use here. An expired one counts: it must not open the door that it locked."""
        return bool(self._database.rows("SELECT 1 FROM api_key WHERE revoked IS NULL LIMIT 1"))

    def check(self, secret: str, via: str = "rest") -> Principal | None:
        """Whose key this is; None if it is no key, or no longer. Takes as long for a wrong one."""
        key = self.find(secret)
        return None if key is None else Principal(key.name, frozenset(key.roles), via)

    def find(self, secret: str) -> Key | None:
        """The key with this secret, if it is good."""
        match = TOKEN.fullmatch(secret)
        if match is None:
            return None
        found = self._database.rows(f"SELECT {COLUMNS}, digest FROM api_key WHERE key_id=?", [match[1]])
        stored = bytes(found[0][-1]) if found else _NO_DIGEST
        same = hmac.compare_digest(stored, _digest(match[2]))
        if not (found and same):
            return None
        key, now = _key(found[0]), self._database.now()
        if key.state(now) not in ("valid", "replaced"):
            return None
        if key.used is None or now - key.used > USED_EVERY:
            with suppress(StorageError):  # a full disk must not lock people out
                self._database.rows("UPDATE api_key SET used=? WHERE key_id=?", [now, key.key_id])
        return key

    def holder(self, key_id: str, via: str = "rest") -> Principal | None:
        """Who came with this key before, and may still: not once it is replaced, revoked or expired. A time
        of grace is for programs that hold the old secret, not for what was begun with it."""
        found = self._database.rows(f"SELECT {COLUMNS} FROM api_key WHERE key_id=?", [key_id])
        key = _key(found[0]) if found else None
        if key is None or key.state(self._database.now()) != "valid":
            return None
        return Principal(key.name, frozenset(key.roles), via)


def _insert(rows: Rows, name: str, roles: frozenset[Role], now: float, expires: float | None) -> Made:
    key = Key(_key_id(), name, tuple(sorted(roles)), now, expires)
    secret = base62(secrets.token_bytes(32))
    rows.rows(
        "INSERT INTO api_key(key_id, name, roles, created, expires, digest) VALUES(?,?,?,?,?,?)",
        [key.key_id, name, " ".join(key.roles), now, expires, _digest(secret)],
    )
    return Made(key, f"wt_{key.key_id}_{secret}")


def _key_id() -> str:
    return "".join(secrets.choice(_DIGITS[:10] + _DIGITS[36:]) for _ in range(10))


def _one(rows: Rows, which: str, now: float) -> Key:
    """The key in use that has this id or this name."""
    good = [key for key in _all(rows) if key.state(now) == "valid" and which in (key.key_id, key.name)]
    if not good:
        raise _missing(which)
    return good[0]


def _missing(which: str) -> NotFound:
    return NotFound(f"no key in use is named {which[:80]!r}", remedy="windtunnel keys list")


def _all(rows: Rows) -> list[Key]:
    return [_key(row) for row in rows.rows(f"SELECT {COLUMNS} FROM api_key ORDER BY created, key_id")]


def _key(row: Row) -> Key:
    key_id, name, roles, *rest = row[:8]
    values: list[Any] = list(rest)
    return Key(key_id, name, tuple(Role(word) for word in roles.split()), *values)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def base62(raw: bytes) -> str:
    """32 bytes as 43 letters and digits, always as many."""
    number, out = int.from_bytes(raw), ""
    for _ in range(43):
        number, digit = divmod(number, 62)
        out = _DIGITS[digit] + out
    return out
