"""The audit log: who did what, when, through which door, and who was refused.

Append-only: there is no verb that changes or removes an entry, and each entry's hash is made over the hash
before it and the stored bytes, so that `verify` finds what was changed, left out or cut off. It says that
something was changed, not by whom: who may write the database can write a whole new chain, which only a
head kept elsewhere shows.

No secrets and nothing long: what looks like a key is struck out, texts are cut, and refusals of strangers
are written at a bounded pace, the rest of them counted.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.control.access import Principal
from windtunnel.errors import UsageError
from windtunnel.journal.database import Database, Row

BEGUN, DONE, DENIED, FAILED = "begun", "done", "denied", "failed"
OUTCOMES = (BEGUN, DONE, DENIED, FAILED)
HIDDEN = "[hidden]"
GENESIS = bytes(32)
LIMIT = 1_000  # entries of one page
SHORT, LONG, DETAIL = 128, 512, 2_048
STRANGERS_A_MINUTE = 60
_BATCH = 1_000
_SECRET_NAME = re.compile(
    r"secret|passw(or)?d|token(?!s)|authorization|cookie|credential|signature|verifier|^key$"
    r"|(api|private|signing)[-_]?key",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"\bwt_[0-9A-Za-z]+_[0-9A-Za-z]+|\b(?:sk|pk|ghp|gho|ghs|github_pat|xox[abp])[-_][\w-]{12,}"
    r"|\bAIza[\w-]{20,}|(?<=\bBearer )\S+|(?<=\bBasic )\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*",
    re.IGNORECASE,
)

# The request that is served now: whoever takes it in sets it, and entries and log lines carry it.
REQUEST: ContextVar[str] = ContextVar("windtunnel_request", default="")

TABLES = (
    """CREATE TABLE audit(seq {int} PRIMARY KEY, at {real} NOT NULL, who TEXT NOT NULL, verb TEXT NOT NULL,
    target TEXT NOT NULL, outcome TEXT NOT NULL, body TEXT NOT NULL, prev {blob} NOT NULL,
    hash {blob} NOT NULL);
    CREATE INDEX audit_who ON audit(who, seq);
    CREATE INDEX audit_verb ON audit(verb, seq);
    CREATE INDEX audit_target ON audit(target, seq);
    CREATE TABLE audit_head(id {int} PRIMARY KEY, seq {int} NOT NULL, hash {blob} NOT NULL)""",
)


class Entry(Struct, frozen=True):
    seq: int
    at: float
    who: str
    via: str
    verb: str
    target: str
    outcome: str
    request: str = ""
    detail: dict[str, Any] = {}


class Filters(Struct, frozen=True):
    """`newest` turns the order round; `after` of a page is then the entry below which to go on."""

    who: str | None = None
    verb: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: float | None = None
    until: float | None = None
    newest: bool = False


class Page(Struct, frozen=True):
    items: list[Entry]
    next: int | None = None


class Head(Struct, frozen=True):
    """Where the chain ends: to be kept elsewhere by who wants to prove more."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


class Verdict(Struct, frozen=True):
    entries: int
    problem: str | None = None

    @property
    def intact(self) -> bool:
        return self.problem is None


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._strangers = _Pace(STRANGERS_A_MINUTE)
        database.lay("audit", TABLES)

    def append(
        self,
        principal: Principal,
        verb: str,
        target: str = "",
        outcome: str = DONE,
        detail: Mapping[str, Any] | None = None,
        *,
        request: str | None = None,
    ) -> Entry:
        """Write one entry; it is durable when this returns."""
        if outcome not in OUTCOMES:
            raise UsageError(f"{outcome!r} is no outcome", where="audit", remedy=", ".join(OUTCOMES))
        said = {
            "who": _cut(principal.name, SHORT),
            "via": _cut(principal.via, 16),
            "verb": _cut(verb, 64),
            "target": _cut(scrub_text(target), LONG),
            "outcome": outcome,
            "request": _cut(REQUEST.get() if request is None else request, 64),
            "detail": bounded(detail or {}),
        }
        with self._database.transaction() as rows:
            at, head = self._database.now(), self._head(rows)
            entry = msgspec.convert({"seq": head.seq + 1, "at": at, **said}, Entry)
            body = json.dumps(msgspec.to_builtins(entry), ensure_ascii=True, separators=(",", ":"))
            made = _hash(head.hash, body)
            rows.rows(
                "INSERT INTO audit(seq, at, who, verb, target, outcome, body, prev, hash)"
                " VALUES(?,?,?,?,?,?,?,?,?)",
                [entry.seq, at, entry.who, entry.verb, entry.target, outcome, body, head.hash, made],
            )
            rows.rows(
                "INSERT INTO audit_head(id, seq, hash) VALUES(1,?,?)"
                " ON CONFLICT(id) DO UPDATE SET seq=excluded.seq, hash=excluded.hash",
                [entry.seq, made],
            )
        return entry

    def denied_stranger(self, principal: Principal, verb: str, target: str, why: str) -> Entry | None:
        """A refusal of somebody who did not say who they are: at most so many a minute, the others counted,
        so that a flood of them cannot fill the disk."""
        more = self._strangers.take(self._database.now())
        if more is None:
            return None
        detail = {"why": why} | ({"more": more} if more else {})
        return self.append(principal, verb, target, DENIED, detail)

    def page(self, after: int | None = None, limit: int = 100, filters: Filters | None = None) -> Page:
        """Entries past `after` in the order asked for, and where to go on."""
        asked = filters or Filters()
        if not 1 <= limit <= LIMIT:
            raise UsageError(f"a page has 1 to {LIMIT} entries", where="limit")
        where, values = _conditions(asked, after)
        order = "DESC" if asked.newest else "ASC"
        found = self._database.rows(
            f"SELECT body FROM audit {where} ORDER BY seq {order} LIMIT ?", [*values, limit + 1]
        )
        items = [msgspec.json.decode(body, type=Entry) for (body,) in found[:limit]]
        return Page(items, items[-1].seq if len(found) > limit else None)

    def head(self) -> Head:
        return self._head(self._database)

    def verify(self, expected: Head | None = None) -> Verdict:
        """Whether the chain holds from its first entry to its head, and passes through `expected`."""
        end, seq, before = self.head(), 0, GENESIS
        while found := self._database.rows(
            "SELECT seq, at, who, verb, target, outcome, body, prev, hash FROM audit"
            " WHERE seq>? AND seq<=? ORDER BY seq LIMIT ?",
            [seq, end.seq, _BATCH],
        ):
            for row in found:
                if problem := _problem(row, seq + 1, before):
                    return Verdict(seq, problem)
                seq, before = row[0], bytes(row[-1])
                if expected is not None and seq == expected.seq and before != expected.hash:
                    return Verdict(seq - 1, f"entry {seq} is not the one whose head was kept elsewhere")
        if (seq, before) != (end.seq, end.hash):
            return Verdict(seq, f"the log ends at entry {seq}, its head says {end.seq}")
        if expected is not None and expected.seq > seq:
            return Verdict(seq, f"the log ends at entry {seq}, the head kept elsewhere says {expected.seq}")
        return Verdict(seq)

    def _head(self, rows: Any) -> Head:
        found = rows.rows("SELECT seq, hash FROM audit_head WHERE id=1")
        return Head(found[0][0], bytes(found[0][1])) if found else Head(0, GENESIS)


def _conditions(asked: Filters, after: int | None) -> tuple[str, list[Any]]:
    tests: list[tuple[str, Any]] = [
        ("who=?", asked.who), ("verb=?", asked.verb), ("target=?", asked.target),
        ("outcome=?", asked.outcome), ("at>=?", asked.since), ("at<?", asked.until),
        ("seq<?" if asked.newest else "seq>?", after),
    ]  # fmt: skip
    used = [(test, value) for test, value in tests if value is not None]
    where = f"WHERE {' AND '.join(test for test, _ in used)}" if used else ""
    return where, [value for _, value in used]


def _problem(row: Row, seq: int, before: bytes) -> str | None:
    number, at, who, verb, target, outcome, body, prev, hashed = row
    if number != seq:
        return f"entry {seq} is missing"
    if bytes(prev) != before:
        return f"entry {seq} does not follow the one before it"
    if bytes(hashed) != _hash(before, body):
        return f"entry {seq} was changed"
    try:
        entry = msgspec.json.decode(body, type=Entry)
    except msgspec.MsgspecError:
        return f"entry {seq} cannot be read"
    columns = (number, at, who, verb, target, outcome)
    if columns != (entry.seq, entry.at, entry.who, entry.verb, entry.target, entry.outcome):
        return f"entry {seq}: its columns are not what its body says"
    return None


def _hash(before: bytes, body: str) -> bytes:
    return hashlib.sha256(before + body.encode()).digest()


# --- no secrets, nothing long ---


def scrub_text(text: str) -> str:
    """A text without what looks like a key, wherever it stands."""
    return _SECRET_TEXT.sub(HIDDEN, text)


def secret_name(name: str) -> bool:
    """Whether what is called so is not to be shown."""
    return _SECRET_NAME.search(name) is not None


def bounded(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A detail that may be kept: scrubbed, cut, plain, and in all not longer than a page."""
    told: dict[str, Any] = {
        _cut(str(name), 64): HIDDEN if secret_name(str(name)) else _plain(value, 3)
        for name, value in list(detail.items())[:32]
    }
    while told and len(json.dumps(told)) > DETAIL:
        longest = max(told, key=lambda name: len(json.dumps(told[name])))
        if told[longest] == "…":
            told.popitem()
        else:
            told[longest] = "…"
    return told


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):  # what JSON has no number for is told as text
        return value if abs(value) < 1 << 53 else _cut(str(value), 64)
    if isinstance(value, Mapping) and depth:
        return {
            _cut(str(name), 64): HIDDEN if secret_name(str(name)) else _plain(item, depth - 1)
            for name, item in list(value.items())[:32]
        }
    if isinstance(value, (list, tuple, set, frozenset)) and depth:
        items = sorted(map(str, value)) if isinstance(value, (set, frozenset)) else list(value)
        return [_plain(item, depth - 1) for item in items[:32]]
    return _cut(scrub_text(str(value)[: 4 * LONG]), LONG)


def _cut(text: str, size: int) -> str:
    """At most so many characters, each of which a database and a log line can hold."""
    clean = "".join(mark if mark.isprintable() else "�" for mark in str(text)[: size + 1])
    return clean if len(clean) <= size else f"{clean[: size - 1]}…"


class _Pace:
    """So many a minute; says how many were left out since the last one that was let through."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute, self._lock = a_minute, threading.Lock()
        self._since, self._count, self._left_out = 0.0, 0, 0

    def take(self, now: float) -> int | None:
        with self._lock:
            if not 0 <= now - self._since < 60:
                self._since, self._count = now, 0
            if self._count >= self._a_minute:
                self._left_out += 1
                return None
            self._count += 1
            left_out, self._left_out = self._left_out, 0
            return left_out
