"""The tables of a store in PostgreSQL, and how a store is given them.

What each column means stands in docs/journal.md, which holds for both kinds of store. Bodies are text, never
JSONB: what is hashed must come back byte for byte. Text is ordered byte by byte, whatever the database's own
order is. `id` is the order of arrival.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from windtunnel.errors import NotFound, VersionMismatch
from windtunnel.journal.postgres_link import MAKING, MARKS, Link

if TYPE_CHECKING:
    from windtunnel.journal.postgres_link import Db

FORMAT = 3  # what stands in its rows: as in a file of this format. Files of later ones have bundles
SCHEMA = "journal"
MAKERS_WAIT = f"SELECT pg_advisory_xact_lock({MAKING})"

TABLES = """
CREATE TABLE run(
    run_id TEXT PRIMARY KEY, world TEXT NOT NULL, scenario TEXT NOT NULL, mode TEXT NOT NULL,
    seed bigint NOT NULL, status TEXT NOT NULL, turn bigint NOT NULL, turns bigint NOT NULL,
    head_seq bigint NOT NULL, head_hash bytea, op_seq bigint NOT NULL, op_hash bytea,
    parent TEXT, parent_seq bigint, parent_turn bigint, branch bigint NOT NULL,
    created double precision NOT NULL, updated double precision NOT NULL, tags TEXT NOT NULL, reason TEXT,
    pruned double precision
) WITH (fillfactor = 70);
CREATE INDEX run_by_parent ON run(parent) WHERE parent IS NOT NULL;

CREATE TABLE entry(
    run_id TEXT NOT NULL, seq bigint NOT NULL, turn bigint NOT NULL, phase TEXT NOT NULL, kind TEXT NOT NULL,
    actor TEXT NOT NULL, body TEXT NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL,
    CONSTRAINT entry_by_run PRIMARY KEY (run_id, seq)
);
CREATE INDEX entry_turning ON entry(run_id, seq) WHERE phase = 'fork';
CREATE INDEX entry_scored ON entry(run_id, turn) WHERE kind = 'scored';

CREATE TABLE operation(
    run_id TEXT NOT NULL, seq bigint NOT NULL, at double precision NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL,
    CONSTRAINT operation_by_run PRIMARY KEY (run_id, seq)
);

CREATE TABLE effect(
    run_id TEXT NOT NULL, turn bigint NOT NULL, phase TEXT NOT NULL, actor TEXT NOT NULL, idx bigint NOT NULL,
    kind TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, result TEXT,
    asked double precision NOT NULL, answered double precision, attempts bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT effect_by_place PRIMARY KEY (run_id, turn, phase, actor, idx)
);
CREATE INDEX effect_waiting ON effect(run_id, turn) WHERE result IS NULL;

CREATE TABLE text(hash bytea PRIMARY KEY, body TEXT NOT NULL);

CREATE TABLE inbox(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, sender TEXT NOT NULL, at double precision NOT NULL, taken bigint
);
CREATE INDEX inbox_by_turn ON inbox(run_id, taken);

CREATE TABLE lease(
    run_id TEXT PRIMARY KEY, fence bigint NOT NULL, owner TEXT NOT NULL, beat bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE checkpoint(
    run_id TEXT NOT NULL, turn bigint NOT NULL, seq bigint NOT NULL, state bytea NOT NULL,
    memory TEXT NOT NULL, deferred TEXT NOT NULL, CONSTRAINT checkpoint_by_turn PRIMARY KEY (run_id, turn)
);

CREATE TABLE segment(
    run_id TEXT NOT NULL, hash bytea NOT NULL, prev bytea NOT NULL, count bigint NOT NULL,
    items bytea NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT segment_by_hash PRIMARY KEY (run_id, hash)
);

CREATE VIEW metric AS
    SELECT entry.run_id, entry.turn, agent.key AS agent, item.key AS name,
        CASE json_typeof(item.value)
            WHEN 'number' THEN (item.value #>> '{}')::double precision
            WHEN 'object' THEN (item.value ->> 'mean')::double precision
        END AS value
    FROM entry, json_each(entry.body::json -> 'metrics') AS agent, json_each(agent.value) AS item
    WHERE entry.kind = 'scored';

CREATE VIEW decision AS
    SELECT entry.run_id, entry.turn, item.key AS actor, item.value AS action
    FROM entry, json_each(entry.body::json -> 'actions') AS item WHERE entry.kind = 'decided';
"""

# A row for each time an effect was asked or answered, numbered by run: as in a file of format 3.
ARRIVALS = """
CREATE TABLE arrival(
    run_id TEXT NOT NULL, number bigint NOT NULL, turn bigint NOT NULL, phase TEXT NOT NULL,
    actor TEXT NOT NULL, idx bigint NOT NULL, answered boolean NOT NULL,
    CONSTRAINT arrival_by_number PRIMARY KEY (run_id, number)
);
"""

# What each version of the layout adds, the oldest first. A later Windtunnel adds steps.
STEPS = (TABLES, ARRIVALS, MARKS)

META = "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_TEXT = re.compile(r"\bTEXT\b")


def statements(sql: str) -> str:
    return _TEXT.sub('text COLLATE "C"', sql)


def make(link: Link) -> None:
    """Lay the tables, or bring older ones up to date. Several processes may do it at the same time."""
    with link.transaction(MAKERS_WAIT) as db:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        db.execute(statements(META))
        known = dict(db.execute("SELECT key, value FROM meta").fetchall())
        _refuse_newer(known, link.location)
        for step in STEPS[int(known.get("layout", 0)) :]:
            db.execute(statements(step))
        fresh = {"store": secrets.token_hex(8), **known, "format": str(FORMAT), "layout": str(len(STEPS))}
        _write(db, fresh)


def _write(db: Db, values: dict[str, str]) -> None:
    sql = "INSERT INTO meta VALUES(%s,%s) ON CONFLICT(key) DO UPDATE SET value=excluded.value"
    for pair in values.items():
        db.execute(sql, pair)


def check(link: Link) -> dict[str, str] | None:
    """What the store says of itself; None if it wants tables, or newer ones."""
    sql = "SELECT to_regclass('meta') IS NOT NULL"
    if link.ask(sql) != [(True,)]:
        return None
    known: dict[str, str] = dict(link.ask("SELECT key, value FROM meta"))
    _refuse_newer(known, link.location)
    return known if known.get("layout") == str(len(STEPS)) and known.get("format") == str(FORMAT) else None


def _refuse_newer(known: dict[str, str], where: str) -> None:
    version, layout = int(known.get("format", FORMAT)), int(known.get("layout", 0))
    if version > FORMAT or layout > len(STEPS):
        raise VersionMismatch(
            f"this store has format {version}.{layout}; this Windtunnel reads up to {FORMAT}.{len(STEPS)}",
            where=where,
            remedy="open it with the Windtunnel that wrote it",
        )


def missing(where: str) -> NotFound:
    return NotFound(
        "this database holds no Windtunnel store",
        where=where,
        remedy="windtunnel run makes one at its first run",
    )


# --- what a store looks like, for who asks whether it was altered ---

_DESCRIBED = """
SELECT 'table ' || c.relname,
    string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' '
        || coalesce(o.collname, '') || a.attidentity::text, ', ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation o ON o.oid = a.attcollation
WHERE c.relnamespace = {space} AND c.relkind IN ('r', 'p', 'f') GROUP BY c.relname
UNION ALL SELECT 'view ' || relname, pg_get_viewdef(oid) FROM pg_class
    WHERE relnamespace = {space} AND relkind IN ('v', 'm')
UNION ALL SELECT 'index ' || c.relname, i.indrelid::regclass::text || ' ' || i.indisunique::text || ' '
        || i.indisvalid::text || ' ' || pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = {space}
UNION ALL SELECT 'trigger ' || t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = {space} AND NOT t.tgisinternal
UNION ALL SELECT 'rule ' || r.rulename || ' of ' || c.relname, pg_get_ruledef(r.oid) FROM pg_rewrite r
    JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = {space} AND r.rulename <> '_RETURN'
"""
_QUALIFIED = re.compile(r"\b(?:journal|pg_temp_?\d*)\.")

Described = dict[str, str]


def described(link: Link) -> Described:
    """The store as it is, told by the server itself."""
    return _plain(link.ask(_DESCRIBED.format(space="'journal'::regnamespace")))


@cache
def as_made(url: str) -> Described:
    """The store as this version makes it, told by the same server: made among the temporary tables of a
    session of its own, and rolled back."""
    link = Link(url, "pg_temp")
    try:
        with suppress(Undone), link.transaction() as db:
            for sql in (META, *STEPS):
                db.execute(statements(sql))
            made = _plain(db.execute(_DESCRIBED.format(space="pg_my_temp_schema()")).fetchall())
            raise Undone
        return made
    finally:
        link.close()


class Undone(Exception):
    """Nothing of it stays."""


def _plain(rows: list[tuple[str, str]]) -> Described:
    return {name: _QUALIFIED.sub("", text) for name, text in rows}
