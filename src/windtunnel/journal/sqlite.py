"""A store in one SQLite file, through APSW.

WAL with `synchronous=FULL`: a commit that returned is on the disk. A commit that failed is in doubt (the
rows may be there or not), so the connection is thrown away, the file opened again and looked at; what is
missing is written once more, and if that fails too the error says what to mend.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from windtunnel.errors import (
    LeaseLost,
    NotFound,
    StorageError,
    UsageError,
    VersionMismatch,
    WindtunnelError,
)
from windtunnel.journal.heads import Head, append_heads, compact_heads, head_of, heads_path, read_heads
from windtunnel.journal.lease import lives
from windtunnel.journal.model import Batch, Mail, RunRow, Status
from windtunnel.journal.schema import FORMAT, OLDEST, tables
from windtunnel.journal.signing import Signer
from windtunnel.journal.sqlite_keeping import SqliteKeeper
from windtunnel.journal.sqlite_rows import (
    BUSY_SECONDS,
    INSERT_RUN,
    MAIL,
    NAMED,
    RUN,
    Transaction,
    become_wal,
    bring_up,
    check_fence,
    check_new,
    check_playable,
    held_error,
    read_lease,
    run_row,
    run_values,
    wait_for_others,
    write_batch,
    write_letter,
    write_run,
)
from windtunnel.journal.store import Lease, Owner

CLOSE_SECONDS = 2  # how long closing waits for readers before it leaves the WAL to them
WAL_PAGES = 4000  # before they are copied into the file: those that many commits touch are then copied once


class SqliteStore(SqliteKeeper):
    def __init__(
        self,
        path: str | Path,
        *,
        create: bool = False,
        read_only: bool = False,
        resting: bool = False,
        signer: Signer | None = None,
        vfs: str | None = None,
    ) -> None:
        """`resting`: only read, as a file that nobody writes, with no trace beside it (a store that is read
        as usual gets a `-shm`). Refused while commits wait in its WAL; what it says holds only if the file
        was not written meanwhile, which the caller looks at."""
        self.path = Path(path)
        self.heads = heads_path(path)
        self._signer, self._vfs, self._read_only = signer, vfs, read_only or resting
        self._resting = resting
        self._seen = -1
        if self.heads == self.path:
            raise UsageError("a store cannot end in .heads: its heads file is called so", where=str(path))
        if not create and not self.path.exists():
            raise NotFound(
                "there is no store here", where=str(path), remedy="windtunnel runs lists what there is"
            )
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open(create=create)

    # --- opening ---

    def _open(self, *, create: bool = False) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY if self._read_only else apsw.SQLITE_OPEN_READWRITE
        if create and not self._read_only:
            flags |= apsw.SQLITE_OPEN_CREATE
        db = None
        try:
            db = (
                self._open_still()
                if self._resting
                else apsw.Connection(str(self.path), flags=flags, vfs=self._vfs)
            )
            wait_for_others(db, BUSY_SECONDS)
            try:
                self._check_format(db, create=create and not self._read_only)
            except (apsw.CantOpenError, apsw.ReadOnlyError):
                db.close(True)
                db = self._open_still()
                self._check_format(db, create=False)
            if not self._read_only:
                become_wal(db)
                db.execute("PRAGMA synchronous=FULL; PRAGMA cache_size=-4000")
                db.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
                bring_up(db)
        except apsw.Error as error:
            if db is not None:
                db.close(True)
            raise self._storage_error(error) from None
        except WindtunnelError:
            if db is not None:
                db.close(True)
            raise
        return db

    def _open_still(self) -> apsw.Connection:
        """Read where nothing may be written: SQLite cannot share memory there, so the file must rest."""
        wal = Path(f"{self.path}-wal")
        if not self._read_only or (wal.exists() and wal.stat().st_size):
            raise StorageError(
                "the store cannot be opened here: its last commits wait in a WAL, the folder is read-only",
                where=str(self.path),
                remedy="copy the store with its -wal file to a folder that can be written to",
            )
        name = f"file:{quote(str(self.path.absolute()))}?immutable=1"
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        return apsw.Connection(name, flags=flags, vfs=self._vfs)

    def _check_format(self, db: apsw.Connection, *, create: bool) -> None:
        if create and not db.pragma("schema_version"):
            become_wal(db)
            with Transaction(
                db
            ):  # two processes may create the same store at once: the first lays the tables
                if not db.pragma("schema_version"):
                    db.execute(tables(FORMAT))
                    db.pragma("user_version", FORMAT)
        ours = "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name IN ('run','entry','operation')"
        if db.execute(ours).get != 3:
            raise NotFound("this file is no Windtunnel store", where=str(self.path))
        version = db.pragma("user_version")
        if not OLDEST <= version <= FORMAT:
            raise VersionMismatch(
                f"this journal has format {version}; this Windtunnel reads formats {OLDEST} to {FORMAT}",
                where=str(self.path),
                remedy="open it with the Windtunnel that wrote it",
            )

    def _format(self) -> int:
        ((version,),) = self._rows("PRAGMA user_version")
        return int(version)

    def _storage_error(self, error: Exception) -> StorageError:
        where = str(self.path)
        if isinstance(error, apsw.FullError):
            return StorageError(
                "the disk is full", where=where, remedy="make room, then `windtunnel resume` the run"
            )
        if isinstance(error, apsw.BusyError):
            return StorageError(
                f"another process kept the store locked for {BUSY_SECONDS:.0f} seconds",
                where=where,
                remedy="end what holds it, then `windtunnel resume` the run",
            )
        if isinstance(error, apsw.NotADBError):
            return StorageError(
                "this file is no SQLite database, or its beginning is damaged",
                where=where,
                remedy="name a store, or put a `windtunnel backup` of it back",
            )
        if isinstance(error, apsw.CorruptError):
            return StorageError(
                f"the file is damaged: {error}", where=where, remedy="put a `windtunnel backup` of it back"
            )
        return StorageError(f"the store cannot be used: {error}", where=where, remedy="windtunnel doctor")

    @property
    def location(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Empty the WAL, so that a plain copy of the file is whole, and close."""
        try:
            if not self._read_only:
                wait_for_others(self._db, CLOSE_SECONDS)
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                compact_heads(self.heads)
        except (apsw.Error, StorageError):
            pass  # a reader holds the WAL, or the disk is full: nothing is lost, the WAL stays
        finally:
            with suppress(apsw.Error):  # closing moves the WAL too, and where it cannot, the WAL stays
                self._db.close(True)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        try:
            yield from self._db.execute(sql, values)
        except apsw.Error as error:
            raise self._storage_error(error) from None
        except UnicodeDecodeError as error:
            raise StorageError(f"a cell holds bytes that are no text: {error}", where=self.location) from None

    def _write(self, sql: str, values: Sequence[Any]) -> list[Any]:
        try:
            with self._immediate() as db:
                return db.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise self._storage_error(error) from None

    # --- runs ---

    def add_run(self, row: RunRow) -> None:
        try:
            with self._immediate() as db:
                check_new(db, row, self.location)
                db.execute(INSERT_RUN, run_values(row))
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def run(self, run_id: str) -> RunRow:
        for row in self._rows(f"SELECT {RUN} FROM run WHERE run_id=?", [run_id]):
            return run_row(row)
        raise NotFound(f"no run {run_id} in this store", where=self.location, remedy="windtunnel runs")

    def runs(self) -> list[RunRow]:
        return [run_row(row) for row in self._rows(f"SELECT {RUN} FROM run ORDER BY created, run_id")]

    def named(self, prefix: str) -> list[RunRow]:
        sql = f"SELECT {RUN} FROM run WHERE run_id>=? AND substr(run_id,1,?)=? ORDER BY run_id LIMIT {NAMED}"
        return [run_row(row) for row in self._rows(sql, [prefix, len(prefix), prefix])]

    def children(self, run_id: str) -> list[RunRow]:
        rows = self._rows(f"SELECT {RUN} FROM run WHERE parent=? ORDER BY created, run_id", [run_id])
        return [run_row(row) for row in rows]

    def set_status(self, run_id: str, status: Status, at: float) -> None:
        self._write("UPDATE run SET status=?, updated=? WHERE run_id=?", [str(status), at, run_id])

    # --- the writer ---

    def acquire(self, run_id: str, owner: Owner, *, force: bool = False) -> int:
        try:
            with self._immediate() as db:
                check_playable(db, run_id, self.location)
                held = read_lease(db, run_id)
                if held and held.owner and not force and lives(held.owner):
                    raise held_error(run_id, held.owner, self.location)
                fence = (held.fence if held else 0) + 1
                db.execute("INSERT OR REPLACE INTO lease VALUES(?,?,?,0)", (run_id, fence, json.dumps(owner)))
        except apsw.Error as error:
            raise self._storage_error(error) from None
        return fence

    def release(self, run_id: str, fence: int) -> None:
        self._write("UPDATE lease SET owner='null' WHERE run_id=? AND fence=?", [run_id, fence])

    def lease(self, run_id: str) -> Lease | None:
        return read_lease(self._db, run_id)

    def commit(self, batches: Sequence[Batch]) -> None:
        self._keep_heads(self._commit_durably(batches))

    def _keep_heads(self, heads: Sequence[tuple[str, Head]]) -> None:
        try:
            append_heads(self.heads, [(run_id, self._signed(run_id, head)) for run_id, head in heads])
        except StorageError as error:
            error.data["committed"] = True  # the heads lag behind, which is legal; the rows are there
            raise

    def _signed(self, run_id: str, head: Head) -> Head:
        return head._replace(signature=self._signer.sign(head.line(run_id))) if self._signer else head

    def head_outside(self, run_id: str) -> Head | None:
        return read_heads(self.heads).get(run_id)

    def _commit_durably(self, batches: Sequence[Batch]) -> list[tuple[str, Head]]:
        for last_try in (False, True):
            try:
                with self._immediate() as db:
                    return [
                        (batch.run_id, write_batch(db, batch, self.location, again=last_try))
                        for batch in batches
                    ]
            except (apsw.FullError, apsw.BusyError) as error:
                self._reopen()
                if found := self._committed(batches):
                    return found
                raise self._storage_error(error) from None
            except apsw.Error as error:
                if isinstance(error, apsw.ConstraintError):
                    raise LeaseLost("another writer was here", where=self.location) from None
                self._reopen()
                if found := self._committed(batches):
                    return found
                if last_try:
                    raise self._storage_error(error) from None
        raise AssertionError("unreachable")

    def _reopen(self) -> None:
        with suppress(apsw.Error):
            self._db.close(True)
        self._db = self._open()
        self._seen = -1

    def _committed(self, batches: Sequence[Batch]) -> list[tuple[str, Head]] | None:
        """The heads, if a commit whose answer was lost did arrive after all."""
        heads = []
        for batch in batches:
            held = self.lease(batch.run_id)
            if held is None or held.fence != batch.fence:
                return None  # whatever stands there, another wrote it
            row = self.run(batch.run_id)
            seq = batch.entries[-1].seq if batch.entries else row.head_seq
            op_seq = batch.operations[-1].seq if batch.operations else row.op_seq
            if row.head_seq < seq or row.op_seq < op_seq or not (batch.entries or batch.operations):
                return None
            heads.append(head_of(row))
        return heads

    # --- mail ---

    def post(self, run_id: str, kind: str, body: bytes, sender: str, at: float) -> int:
        self._seen = -1  # a player that shares this connection must see it too
        sql = "INSERT INTO inbox(run_id,kind,body,sender,at) VALUES(?,?,?,?,?) RETURNING id"
        (row,) = self._write(sql, [run_id, kind, body.decode(), sender, at])
        return int(row[0])

    def mail(self, run_id: str, *, taken_in: int | None = None) -> list[Mail]:
        sql = f"SELECT {MAIL} FROM inbox WHERE run_id=? AND taken IS NULL"
        values: list[Any] = [run_id]
        if taken_in is not None:  # a second search: for `taken IS NULL OR taken=?` SQLite would read all mail
            sql += f" UNION ALL SELECT {MAIL} FROM inbox WHERE run_id=? AND taken=?"
            values += [run_id, taken_in]
        sql += " ORDER BY id"
        return [Mail(*row) for row in self._rows(sql, values)]

    def letters(self, run_id: str) -> Iterator[Mail]:
        sql = f"SELECT {MAIL} FROM inbox WHERE run_id=? ORDER BY id"
        return (Mail(*row) for row in self._rows(sql, [run_id]))

    def changed(self) -> bool:
        seen, self._seen = self._seen, self._db.pragma("data_version")
        return seen != self._seen

    def stamp(self, run_id: str) -> object:  # noqa: ARG002 - a file only knows that it was written
        return self._db.pragma("data_version")

    # --- keeping ---

    def bring_in(
        self, row: RunRow, pieces: Iterable[Batch], letters: Iterable[Mail] = (), *, fence: int | None = None
    ) -> None:
        try:
            with self._immediate() as db:
                if fence is None:
                    check_new(db, row, self.location)
                else:
                    check_fence(db, row.run_id, fence, self.location)
                write_run(db, row, pieces)
                for mail in letters:
                    write_letter(db, row, mail)
        except apsw.Error as error:
            raise self._storage_error(error) from None
        self._keep_heads([head_of(row)])

    def bring_all(
        self, runs: Sequence[tuple[RunRow, Sequence[Batch]]], *, wait: bool = True
    ) -> Callable[[], None] | None:
        try:
            self._db.execute("PRAGMA synchronous=NORMAL")  # not waited for while the store is locked
            with Transaction(self._db, wait=wait) as db:
                for row, pieces in runs:
                    check_new(db, row, self.location)
                    write_run(db, row, pieces)
        except apsw.Error as error:
            if isinstance(error, apsw.BusyError) and not wait:
                return None
            raise self._storage_error(error) from None
        finally:
            if self._db.in_transaction:  # it could not even be rolled back, and no setting is taken in one
                self._reopen()
            self._db.execute("PRAGMA synchronous=FULL")
        return lambda: self._settle([head_of(row) for row, _ in runs])

    def _settle(self, heads: Sequence[tuple[str, Head]]) -> None:
        try:
            wal = os.open(f"{self.path}-wal", os.O_RDONLY)
            try:
                os.fsync(wal)  # of all that was written to it, by whomever
            finally:
                os.close(wal)
        except OSError as error:
            raise StorageError(
                f"the disk does not take what was written: {error.strerror}", where=self.location,
                remedy="windtunnel doctor",
            ) from None  # fmt: skip
        self._keep_heads(heads)
