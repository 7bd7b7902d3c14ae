"""The tables of the registry, and rows as versions."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.errors import StorageError
from windtunnel.journal.database import Row, Rows
from windtunnel.strategies.model import Strategy, content_hash
from windtunnel.strategies.versions import Version, VersionNumber

ROOM = "strategies"
# A version's row is written once and never again. `strategy_move` has every move of a head (its tag is '')
# and of a tag; where they stand now is in `strategy_mark`.
STEPS = [
    """
    CREATE TABLE strategy_version(
        id {id}, name TEXT NOT NULL, major {int} NOT NULL, minor {int} NOT NULL, patch {int} NOT NULL,
        hash TEXT NOT NULL, world TEXT NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
        actions TEXT, bump TEXT NOT NULL, parents TEXT NOT NULL, operator TEXT NOT NULL, why TEXT NOT NULL,
        who TEXT NOT NULL, made {real} NOT NULL, origin TEXT,
        UNIQUE(name, major, minor, patch));
    CREATE INDEX strategy_version_hash ON strategy_version(hash);
    CREATE INDEX strategy_version_name ON strategy_version(name, id);
    CREATE TABLE strategy_mark(
        name TEXT NOT NULL, tag TEXT NOT NULL, version {int} NOT NULL, PRIMARY KEY(name, tag));
    CREATE TABLE strategy_move(
        id {id}, name TEXT NOT NULL, tag TEXT NOT NULL, verb TEXT NOT NULL, version {int} NOT NULL,
        before {int}, why TEXT NOT NULL, who TEXT NOT NULL, made {real} NOT NULL);
    CREATE INDEX strategy_move_of ON strategy_move(name, tag, id)
    """
]
COLUMNS = "id,name,major,minor,patch,hash,body,actions,bump,parents,operator,why,who,made,origin"
HEAD = ""  # the tag of what is in force


class Move(Struct, frozen=True):
    """A head or a tag that was moved: `tag` is empty for the head. Numbers, oldest first."""

    id: int
    tag: str
    verb: str  # add, apply, rollback, tag
    number: str
    before: str | None
    why: str
    by: str
    at: float


def version_of(row: Row) -> Version:
    """The version of a row. One whose content is not what its hash says is refused."""
    key, name, major, minor, patch, hashed, body, actions, bump, parents, operator, why, who, made, origin = (
        row
    )
    label = f"{name}@{VersionNumber(major, minor, patch)}"
    try:
        strategy = msgspec.json.decode(body, type=Strategy)
    except msgspec.MsgspecError as error:
        raise StorageError(f"the strategy {label} cannot be read: {error}", where=label) from None
    if content_hash(strategy) != hashed:
        raise StorageError(
            f"the strategy {label} was changed after it was registered", where=label,
            remedy="bring the catalog back from a copy, or import the strategy again",
        )  # fmt: skip
    return Version(
        name=name,
        number=str(VersionNumber(major, minor, patch)),
        hash=hashed,
        strategy=strategy,
        bump=bump,
        parents=tuple(msgspec.json.decode(parents)),
        operator=operator,
        why=why,
        by=who,
        at=made,
        actions=None if actions is None else tuple(msgspec.json.decode(actions)),
        origin=None if origin is None else msgspec.json.decode(origin),
        id=key,
    )


def find(rows: Rows, where: str, values: Any, order: str = "id") -> list[Version]:
    found = rows.rows(f"SELECT {COLUMNS} FROM strategy_version WHERE {where} ORDER BY {order}", values)
    return [version_of(row) for row in found]


def moves_of(rows: Rows, name: str, tag: str | None = None) -> list[Move]:
    """The moves of a name's head and tags, or of one of them."""
    sql = (
        "SELECT m.id,m.tag,m.verb,v.major,v.minor,v.patch,b.major,b.minor,b.patch,m.why,m.who,m.made"
        " FROM strategy_move m JOIN strategy_version v ON v.id=m.version"
        " LEFT JOIN strategy_version b ON b.id=m.before WHERE m.name=?"
    )
    values: list[Any] = [name]
    if tag is not None:
        sql, values = f"{sql} AND m.tag=?", [name, tag]
    return [
        Move(
            key, moved, verb, str(VersionNumber(*number)),
            None if before[0] is None else str(VersionNumber(*before)), why, who, made,
        )
        for key, moved, verb, *rest in rows.rows(f"{sql} ORDER BY m.id", values)
        for number, before, (why, who, made) in [(rest[:3], rest[3:6], rest[6:])]
    ]  # fmt: skip
