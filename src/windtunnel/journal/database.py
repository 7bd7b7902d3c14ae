"""A small database of rows beside the journals: what is shared by processes and is no run's own.

The catalog, the queue, schedules, keys and the audit log are tables in it. One dialect of SQL for SQLite and
PostgreSQL: values are `?`, types are written `{id} {int} {real} {blob}`, and each room lays its own tables
under a name and a version. A `Database` may be used from any thread, one statement or transaction at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import apsw

from windtunnel.errors import StorageError, VersionMismatch
from windtunnel.journal.sqlite_rows import BUSY_SECONDS, Transaction, become_wal, wait_for_others

Values = Sequence[Any]
Row = tuple[Any, ...]
TYPES = {"id": "INTEGER PRIMARY KEY AUTOINCREMENT", "int": "INTEGER", "real": "REAL", "blob": "BLOB"}
ROOMS = "CREATE TABLE IF NOT EXISTS room(name TEXT PRIMARY KEY, version {int} NOT NULL)"


class Rows(Protocol):
    """What may be asked of a database, and inside of a transaction."""

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """Run one statement and give what it finds (or what its RETURNING says)."""
        ...

    def each(self, sql: str, many: Sequence[Values]) -> None:
        """Run one statement for each of many values."""
        ...


class Database(Rows, Protocol):
    """A statement alone is a transaction of its own; several that belong together stand in `transaction`."""

    @property
    def location(self) -> str: ...
    def transaction(self) -> Any:
        """`with database.transaction() as rows:`. Writers wait for each other from its beginning on; nothing
        else of this process runs inside it."""
        ...

    def now(self) -> float:
        """The database's own clock, which all who share it agree on; it never goes back within a process."""
        ...

    def changed(self) -> bool:
        """Whether anybody may have written since the last call: the cheap question."""
        ...

    def lay(self, name: str, steps: Sequence[str]) -> None:
        """Bring the tables of a room up to date. `steps` are the statements of each version, oldest first:
        version 1 is `steps[0]`. A later Windtunnel adds steps; an older one refuses what it does not know."""
        ...

    def close(self) -> None: ...


class SqliteDatabase:
    """In one file. WAL and `synchronous=FULL`: what was written is on the disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._seen: tuple[int, int] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = apsw.Connection(str(path))
            wait_for_others(self._db, BUSY_SECONDS)
            become_wal(self._db)
            self._db.execute("PRAGMA synchronous=FULL; PRAGMA cache_size=-16000")
        except apsw.Error as error:
            raise self._told(error) from None

    @property
    def location(self) -> str:
        return str(self.path)

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        with self._lock:
            try:
                return self._db.execute(sql, tuple(values)).fetchall()
            except apsw.Error as error:
                raise self._told(error) from None

    def each(self, sql: str, many: Sequence[Values]) -> None:
        with self._lock:
            if not self._db.in_transaction:
                with self.transaction() as rows:
                    rows.each(sql, many)
                return
            try:
                self._db.executemany(sql, [tuple(values) for values in many])
            except apsw.Error as error:
                raise self._told(error) from None

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        with self._lock:
            try:
                with Transaction(self._db):
                    yield self
            except apsw.Error as error:
                raise self._told(error) from None

    def now(self) -> float:
        return time.time()  # ambient: one machine, one clock

    def changed(self) -> bool:
        with self._lock:
            seen, self._seen = self._seen, (self._db.pragma("data_version"), self._db.total_changes())
            return seen != self._seen

    def lay(self, name: str, steps: Sequence[str]) -> None:
        lay(self, name, steps, TYPES)

    def close(self) -> None:
        with self._lock, suppress(apsw.Error):
            self._db.close(True)

    def _told(self, error: apsw.Error) -> StorageError:
        if isinstance(error, apsw.FullError):
            return StorageError("the disk is full", where=self.location, remedy="make room and try again")
        if isinstance(error, (apsw.NotADBError, apsw.CorruptError)):
            return StorageError(
                f"the catalog is damaged: {error}",
                where=self.location,
                remedy="move the file away: what it knows of runs is rebuilt from their journals",
            )
        return StorageError(f"the catalog cannot be used: {error}", where=self.location)


def lay(database: Database, name: str, steps: Sequence[str], types: Mapping[str, str]) -> None:
    """`Database.lay`, for both kinds."""
    database.rows(ROOMS.format_map(types))
    known = database.rows("SELECT version FROM room WHERE name=?", [name])
    if known and known[0][0] == len(steps):
        return
    with database.transaction() as rows:
        known = rows.rows("SELECT version FROM room WHERE name=?", [name])  # another may have been faster
        version = known[0][0] if known else 0
        if version > len(steps):
            raise VersionMismatch(
                f"the tables of {name!r} have version {version}; this Windtunnel knows {len(steps)}",
                where=database.location,
                remedy="use the Windtunnel that wrote them, or a newer one",
            )
        for step in steps[version:]:
            for statement in step.format_map(types).split(";"):
                if statement.strip():
                    rows.rows(statement)
        rows.rows(
            "INSERT INTO room(name, version) VALUES(?,?)"
            " ON CONFLICT(name) DO UPDATE SET version=excluded.version",
            [name, len(steps)],
        )
