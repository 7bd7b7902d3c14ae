"""The words in which the index of runs is kept and asked: its tables, its questions, its cursors.

Only text and values are made here; nothing is read or written. Every question starts from the one index that
fits it: two databases then answer alike, whatever they believe about the numbers of their rows.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.journal import RunRow, Status

ROOM = "index"
RUN_COLUMNS = RunRow.__struct_fields__
# `said` is the status as the journal has it (`status` is what is true: a dead run is crashed), `holder` who
# plays it, `counted` the operation up to which `spend` is summed, `known` whether it was read from a journal
# or only told, `words` what a search looks into, `calls` how often its models were asked.
OWN_COLUMNS = ("location", "said", "holder", "spend", "counted", "wake", "known", "words", "calls")
COLUMNS = (*RUN_COLUMNS, *OWN_COLUMNS)

TABLES = """
CREATE TABLE listed(
    run_id TEXT NOT NULL, world TEXT NOT NULL, scenario TEXT NOT NULL, mode TEXT NOT NULL,
    seed {int} NOT NULL, status TEXT NOT NULL, turn {int} NOT NULL, turns {int} NOT NULL,
    head_seq {int} NOT NULL, head_hash {blob}, op_seq {int} NOT NULL, op_hash {blob},
    parent TEXT, parent_seq {int}, parent_turn {int}, branch {int} NOT NULL,
    created {real} NOT NULL, updated {real} NOT NULL, tags TEXT NOT NULL, reason TEXT, pruned {real},
    location TEXT NOT NULL, said TEXT NOT NULL, holder TEXT NOT NULL, spend {int} NOT NULL,
    counted {int} NOT NULL, wake {real}, known {int} NOT NULL, words TEXT NOT NULL,
    PRIMARY KEY(run_id, location)
);
CREATE INDEX listed_here ON listed(location);
CREATE INDEX listed_created ON listed(created, run_id, location);
CREATE INDEX listed_updated ON listed(updated, run_id, location);
CREATE INDEX listed_world ON listed(world, created, run_id, location);
CREATE INDEX listed_world_updated ON listed(world, updated, run_id, location);
CREATE INDEX listed_world_status ON listed(world, status, created, run_id, location);
CREATE INDEX listed_status ON listed(status, created, run_id, location);
CREATE INDEX listed_status_updated ON listed(status, updated, run_id, location);
CREATE INDEX listed_scenario ON listed(scenario, created, run_id, location);
CREATE INDEX listed_scenario_updated ON listed(scenario, updated, run_id, location);
CREATE INDEX listed_scenario_status ON listed(scenario, status, created, run_id, location);
CREATE INDEX listed_parent ON listed(parent);
CREATE INDEX listed_pruned ON listed(status) WHERE pruned IS NOT NULL;
CREATE INDEX listed_wake ON listed(wake) WHERE wake IS NOT NULL;
CREATE TABLE listed_tag(
    tag TEXT NOT NULL, created {real} NOT NULL, run_id TEXT NOT NULL, location TEXT NOT NULL,
    PRIMARY KEY(tag, created, run_id, location)
);
CREATE INDEX listed_tag_of ON listed_tag(run_id, location);
CREATE TABLE listed_store(location TEXT PRIMARY KEY, stamp TEXT NOT NULL, problem TEXT, remedy TEXT);
CREATE INDEX listed_store_again ON listed_store(location) WHERE stamp='';
CREATE TABLE listed_look(id {int} PRIMARY KEY, token TEXT NOT NULL, held TEXT NOT NULL)
"""
# Every store is read anew: nothing that stands here tells how often models were asked.
CALLS = """
ALTER TABLE listed ADD COLUMN calls {int} NOT NULL DEFAULT 0;
UPDATE listed SET known=0, counted=-1;
UPDATE listed_store SET stamp='';
DELETE FROM listed_look
"""
STEPS = (TABLES, CALLS)

PUT = f"INSERT INTO listed({','.join(COLUMNS)}) VALUES({','.join('?' * len(COLUMNS))})"
_CHANGES = ",".join(f"{name}=excluded.{name}" for name in COLUMNS if name not in ("run_id", "location"))
REPLACE = f"{PUT} ON CONFLICT(run_id,location) DO UPDATE SET {_CHANGES}"
# Who tells may be late: a row never goes back by that. What only a journal knows stays as it was.
_TOLD = ",".join(f"{name}=excluded.{name}" for name in (*RUN_COLUMNS[1:], "said", "holder", "known", "words"))
TELL = (
    f"{PUT} ON CONFLICT(run_id,location) DO UPDATE SET {_TOLD}"
    " WHERE excluded.updated>listed.updated AND excluded.op_seq>=listed.op_seq"
)
PUT_TAG = "INSERT INTO listed_tag(tag,created,run_id,location) VALUES(?,?,?,?) ON CONFLICT DO NOTHING"
PUT_STORE = (
    "INSERT INTO listed_store(location,stamp,problem,remedy) VALUES(?,?,?,?) ON CONFLICT(location)"
    " DO UPDATE SET stamp=excluded.stamp, problem=excluded.problem, remedy=excluded.remedy"
)

PUT_LOOK = (
    "INSERT INTO listed_look(id,token,held) VALUES(1,?,?) ON CONFLICT(id)"
    " DO UPDATE SET token=excluded.token, held=excluded.held"
)


class Filter(Struct, frozen=True, kw_only=True):
    """Which runs, and in what order: the newest first, by when they were made or last written. All that is
    named must hold. `since` and `until` are times of making; `text` is looked for in id, scenario, tags and
    reason, whatever its case."""

    world: str = ""
    scenario: str = ""
    status: str = ""
    tag: str = ""
    text: str = ""
    since: float | None = None
    until: float | None = None
    parent: str = ""
    order: Literal["created", "updated"] = "created"


Place = tuple[float, str, str]  # of a row in the order: its time, its run, its store
Question = tuple[str, list[Any]]


def words_of(row: RunRow) -> str:
    return "\n".join((row.run_id, row.scenario, *tags_of(row), row.reason or "")).lower()


def tags_of(row: RunRow) -> list[str]:
    """The tags of a run; none if they cannot be read: a list of runs must not fail because of one."""
    try:
        return msgspec.json.decode(row.tags, type=list[str])
    except msgspec.MsgspecError:
        return []


def _source(asked: Filter) -> str:
    """CROSS JOIN: SQLite then starts from the tag, whose rows stand in order."""
    if not asked.tag:
        return "listed AS l"
    return "listed_tag AS t CROSS JOIN listed AS l"


def _conditions(asked: Filter) -> tuple[list[str], list[Any]]:
    said: list[str] = []
    values: list[Any] = []

    def add(condition: str, *more: Any) -> None:
        said.append(condition)
        values.extend(more)

    led = bool(asked.tag or asked.parent)  # then no index of the others may be preferred
    if asked.tag:
        add("t.tag=?", asked.tag)
        add("l.run_id=t.run_id AND l.location=t.location")
    if asked.parent:
        add("l.parent=?", asked.parent)
    for name in ("scenario", "world"):
        if value := getattr(asked, name):
            add(f"l.{name}=?" if not led else f"(l.{name}||'')=?", value)
            led = True
    if asked.status:
        free = not (asked.tag or asked.parent) and (asked.order == "created" or not led)
        add("l.status=?" if free else "(l.status||'')=?", asked.status)
    made = "t.created" if asked.tag else "l.created"
    if asked.since is not None:
        add(f"{made}>=?", asked.since)
    if asked.until is not None:
        add(f"{made}<?", asked.until)
    if asked.text:
        add("l.words LIKE ? ESCAPE '!'", f"%{_plain(asked.text.lower())}%")
    return said, values


def _plain(text: str) -> str:
    """Text in which LIKE finds no marks of its own."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _order(asked: Filter) -> tuple[str, str]:
    """The table that has a list in order, and the column it is ordered by."""
    table = "t" if asked.tag and asked.order == "created" else "l"
    return table, f"{table}.{asked.order}"


def _where(asked: Filter, after: Place | None) -> Question:
    said, values = _conditions(asked)
    if after is not None:
        table, order = _order(asked)
        said.append(f"({order},{table}.run_id,{table}.location)<(?,?,?) AND {order}<=?")
        values += [*after, after[0]]
    return (f" WHERE {' AND '.join(said)}" if said else ""), values


def page(asked: Filter, columns: str, after: Place | None, limit: int) -> Question:
    """The rows of a page, from the one index that has them in order."""
    where, values = _where(asked, after)
    table, order = _order(asked)
    by = f"{order} DESC, {table}.run_id DESC, {table}.location DESC"
    picked = ",".join(f"l.{name}" for name in columns.split(","))
    return f"SELECT {picked} FROM {_source(asked)}{where} ORDER BY {by} LIMIT ?", [*values, limit]


def total(asked: Filter, after: Place | None = None) -> Question:
    where, values = _where(asked, after)
    return f"SELECT count(*) FROM {_source(asked)}{where}", values


def grouped(asked: Filter, by: Literal["world", "tag"], limit: int) -> Question:
    """How many runs of a filter each world or tag has, the most first. A run of three tags counts in each."""
    where, values = _where(asked, None)
    source, column = _source(asked), "l.world"
    if by == "tag":
        column = "t.tag"
        if not asked.tag:
            source = "listed_tag AS t JOIN listed AS l ON l.run_id=t.run_id AND l.location=t.location"
    order = f"GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT ?"
    return f"SELECT {column}, count(*) FROM {source}{where} {order}", [*values, limit]


def matches(row: RunRow, asked: Filter) -> bool:
    """What the questions ask, of one row that no database holds."""
    return (
        all(
            getattr(asked, name) in ("", getattr(row, name))
            for name in ("world", "scenario", "status", "parent")
        )
        and (not asked.tag or asked.tag in tags_of(row))
        and asked.text.lower() in words_of(row)
        and (asked.since is None or row.created >= asked.since)
        and (asked.until is None or row.created < asked.until)
    )


def beginning(prefix: str, columns: str, limit: int) -> Question:
    """Runs whose id begins so. The bounds only make it fast: how a database sorts text is its own affair, so
    they are given where every one agrees, and `substr` decides."""
    sql, values = f"SELECT {columns} FROM listed WHERE substr(run_id,1,?)=?", [len(prefix), prefix]
    if prefix.isascii() and prefix.isalnum() and prefix == prefix.lower():
        sql, values = f"{sql} AND run_id>=?", [*values, prefix]
        stem = prefix.rstrip("z")
        if stem:
            following = "a" if stem[-1] == "9" else chr(ord(stem[-1]) + 1)
            sql, values = f"{sql} AND run_id<?", [*values, stem[:-1] + following]
    return f"{sql} ORDER BY run_id, location LIMIT ?", [*values, limit]


# --- cursors ---


def cursor(order: str, place: Place) -> str:
    raw = msgspec.json.encode([order, *place])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(text: str, order: str) -> Place:
    """Where a cursor stands. One of another order, or none of ours, is refused."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        kind, at, run_id, location = msgspec.json.decode(raw, type=tuple[str, float, str, str])
    except (binascii.Error, ValueError):
        raise UsageError(
            f"{text!r} is no cursor", where="after", remedy="give back `next` as it came"
        ) from None
    if kind != order:
        raise UsageError(
            f"this cursor is of a list ordered by {kind}",
            where="after",
            remedy=f"order by {kind}, or begin anew",
        )
    return at, run_id, location


def check_filter(asked: Filter) -> None:
    if asked.status and asked.status not in set(Status):
        raise UsageError(
            f"{asked.status!r} is no status", where="status", remedy=f"one of: {', '.join(map(str, Status))}"
        )
    if asked.order not in ("created", "updated"):
        raise UsageError(
            f"runs are not ordered by {asked.order!r}", where="order", remedy="created or updated"
        )
