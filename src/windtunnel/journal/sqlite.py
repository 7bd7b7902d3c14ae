"""A store in one SQLite file, through APSW.

WAL with `synchronous=FULL`: a commit that returned is on the disk. A commit that failed is in doubt (the
rows may be there or not), so the connection is thrown away, the file opened again and looked at; what is
missing is written once more, and if that fails too the error says what to mend.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from windtunnel.codec import Segment
from windtunnel.errors import LeaseHeld, LeaseLost, NotFound, StorageError, VersionMismatch
from windtunnel.journal.heads import Head, append_heads, compact_heads, heads_path
from windtunnel.journal.lease import lives
from windtunnel.journal.model import Batch, Checkpoint, Effect, Entry, Mail, Operation, RunRow, Status
from windtunnel.journal.schema import FORMAT, TABLES
from windtunnel.journal.signing import Signer
from windtunnel.journal.store import Lease, Owner

BUSY_SECONDS = 30.0

_RUN = ",".join(RunRow.__struct_fields__)
_ENTRY = (
    "INSERT INTO entry(run_id,seq,turn,phase,kind,actor,body,prev,hash) VALUES(?,?,?,?,?,?,CAST(? AS TEXT),?,?)"
)
_OPERATION = "INSERT INTO operation(run_id,seq,at,kind,body,prev,hash) VALUES(?,?,?,?,?,?,?)"
_EFFECT = (
    "INSERT INTO effect VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(run_id,turn,phase,actor,idx) DO UPDATE"
    " SET result=excluded.result, answered=excluded.answered, attempts=excluded.attempts"
)
_CHECKPOINT = "INSERT OR REPLACE INTO checkpoint VALUES(?,?,?,?,?,?)"
_SEGMENT = "INSERT OR IGNORE INTO segment VALUES(?,?,?,?,?)"
_EFFECT_COLUMNS = "turn,phase,actor,idx,kind,key,request,result,asked,answered,attempts"


class SqliteStore:
    def __init__(
        self,
        path: str | Path,
        *,
        create: bool = False,
        read_only: bool = False,
        signer: Signer | None = None,
        vfs: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.heads = heads_path(path)
        self._signer, self._vfs, self._read_only = signer, vfs, read_only
        self._seen = -1
        if not create and not self.path.exists():
            raise NotFound("there is no store here", where=str(path), remedy="windtunnel runs lists what there is")
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open()

    # --- opening ---

    def _open(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY if self._read_only else apsw.SQLITE_OPEN_READWRITE
        if not self._read_only and not self.path.exists():
            flags |= apsw.SQLITE_OPEN_CREATE
        try:
            db = apsw.Connection(str(self.path), flags=flags, vfs=self._vfs)
            db.set_busy_timeout(int(BUSY_SECONDS * 1000))
            if not self._read_only:
                db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4000")
            self._check_format(db)
        except apsw.Error as error:
            raise self._storage_error(error) from None
        return db

    def _check_format(self, db: apsw.Connection) -> None:
        version = db.pragma("user_version")
        if version == 0 and not self._read_only:
            with db:  # a savepoint: two processes may create the same store at once
                db.execute("BEGIN IMMEDIATE") if not db.in_transaction else None
                if db.pragma("user_version") == 0:
                    db.execute(TABLES)
                    db.pragma("user_version", FORMAT)
        elif version > FORMAT:
            db.close()
            raise VersionMismatch(
                f"this journal has format {version}; this Windtunnel reads up to {FORMAT}",
                where=str(self.path),
                remedy="open it with the newer Windtunnel that wrote it",
            )
        elif version == 0:
            db.close()
            raise NotFound("this file is no Windtunnel store", where=str(self.path))

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
        if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
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
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                compact_heads(self.heads)
        except apsw.Error:
            pass  # a reader holds the WAL, or the disk is full: nothing is lost, the WAL stays
        finally:
            self._db.close()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        try:
            yield from self._db.execute(sql, values)
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def _write(self, sql: str, values: Sequence[Any]) -> list[Any]:
        try:
            with self._immediate() as db:
                return db.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def _immediate(self) -> _Transaction:
        return _Transaction(self._db)

    # --- runs ---

    def add_run(self, row: RunRow) -> None:
        values = [getattr(row, name) for name in RunRow.__struct_fields__]
        values[5] = str(row.status)
        self._write(f"INSERT INTO run({_RUN}) VALUES({','.join('?' * len(values))})", values)

    def run(self, run_id: str) -> RunRow:
        for row in self._rows(f"SELECT {_RUN} FROM run WHERE run_id=?", [run_id]):
            return _run_row(row)
        raise NotFound(f"no run {run_id} in this store", where=self.location, remedy="windtunnel runs")

    def runs(self) -> list[RunRow]:
        return [_run_row(row) for row in self._rows(f"SELECT {_RUN} FROM run ORDER BY created, run_id")]

    def children(self, run_id: str) -> list[RunRow]:
        rows = self._rows(f"SELECT {_RUN} FROM run WHERE parent=? ORDER BY created, run_id", [run_id])
        return [_run_row(row) for row in rows]

    def set_parent(self, run_id: str, parent: str | None) -> None:
        self._write("UPDATE run SET parent=? WHERE run_id=?", [parent, run_id])

    def set_status(self, run_id: str, status: Status, at: float) -> None:
        self._write("UPDATE run SET status=?, updated=? WHERE run_id=?", [str(status), at, run_id])

    # --- the writer ---

    def acquire(self, run_id: str, owner: Owner, *, force: bool = False) -> int:
        try:
            with self._immediate() as db:
                held = _lease(db, run_id)
                if held and held.owner and not force and lives(held.owner):
                    raise LeaseHeld(
                        f"run {run_id} is being played by process {held.owner.pid} on {held.owner.host}",
                        where=self.location,
                        remedy=f"windtunnel pause {run_id}",
                    )
                fence = (held.fence if held else 0) + 1
                db.execute(
                    "INSERT OR REPLACE INTO lease VALUES(?,?,?,0)", (run_id, fence, json.dumps(owner))
                )
        except apsw.Error as error:
            raise self._storage_error(error) from None
        return fence

    def release(self, run_id: str, fence: int) -> None:
        self._write("UPDATE lease SET owner='null' WHERE run_id=? AND fence=?", [run_id, fence])

    def lease(self, run_id: str) -> Lease | None:
        return _lease(self._db, run_id)

    def commit(self, batches: Sequence[Batch]) -> None:
        heads = self._commit_durably(batches)
        if self._signer:
            heads = [
                (run_id, head._replace(signature=self._signer.sign(head.line(run_id)))) for run_id, head in heads
            ]
        append_heads(self.heads, heads)

    def _commit_durably(self, batches: Sequence[Batch]) -> list[tuple[str, Head]]:
        for last_try in (False, True):
            try:
                with self._immediate() as db:
                    return [(batch.run_id, _write_batch(db, batch, self.location)) for batch in batches]
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
        try:
            self._db.close(True)
        except apsw.Error:
            pass
        self._db = self._open()
        self._seen = -1

    def _committed(self, batches: Sequence[Batch]) -> list[tuple[str, Head]] | None:
        """The heads, if a commit whose answer was lost did arrive after all."""
        heads = []
        for batch in batches:
            row = self.run(batch.run_id)
            seq = batch.entries[-1].seq if batch.entries else row.head_seq
            op_seq = batch.operations[-1].seq if batch.operations else row.op_seq
            if row.head_seq < seq or row.op_seq < op_seq or not (batch.entries or batch.operations):
                return None
            heads.append((batch.run_id, Head(row.head_seq, row.head_hash, row.op_seq, row.op_hash)))
        return heads

    # --- mail ---

    def post(self, run_id: str, kind: str, body: bytes, sender: str, at: float) -> int:
        sql = "INSERT INTO inbox(run_id,kind,body,sender,at) VALUES(?,?,?,?,?) RETURNING id"
        (row,) = self._write(sql, [run_id, kind, body.decode(), sender, at])
        return int(row[0])

    def mail(self, run_id: str, *, taken_in: int | None = None) -> list[Mail]:
        sql = (
            "SELECT id,kind,body,sender,at,taken FROM inbox"
            " WHERE run_id=? AND (taken IS NULL OR taken=?) ORDER BY id"
        )
        return [Mail(r[0], r[1], r[2].encode(), *r[3:]) for r in self._rows(sql, [run_id, taken_in])]

    def changed(self) -> bool:
        seen, self._seen = self._seen, self._db.pragma("data_version")
        return seen != self._seen

    # --- readers ---

    def entries(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[Entry]:
        sql = (
            "SELECT seq,turn,phase,kind,actor,CAST(body AS BLOB),prev,hash FROM entry"
            " WHERE run_id=? AND seq>? AND seq<=? ORDER BY seq"
        )
        last = upto if upto is not None else 1 << 62
        return (Entry._make(row) for row in self._rows(sql, [run_id, after, last]))

    def turning_points(self, run_id: str) -> list[Entry]:
        sql = (
            "SELECT seq,turn,phase,kind,actor,CAST(body AS BLOB),prev,hash FROM entry"
            " WHERE run_id=? AND phase='fork' ORDER BY seq"
        )
        return [Entry._make(row) for row in self._rows(sql, [run_id])]

    def operations(self, run_id: str, after: int = -1) -> Iterator[Operation]:
        sql = (
            "SELECT seq,at,kind,CAST(body AS BLOB),prev,hash FROM operation WHERE run_id=? AND seq>? ORDER BY seq"
        )
        return (Operation._make(row) for row in self._rows(sql, [run_id, after]))

    def effects(self, run_id: str, turn: int | None = None) -> list[Effect]:
        which, values = ("", [run_id]) if turn is None else (" AND turn=?", [run_id, turn])
        sql = f"SELECT {_EFFECT_COLUMNS} FROM effect WHERE run_id=?{which} ORDER BY turn, rowid"
        return [_effect(row) for row in self._rows(sql, values)]

    def waiting(self, run_id: str) -> list[Effect]:
        sql = f"SELECT {_EFFECT_COLUMNS} FROM effect WHERE run_id=? AND result IS NULL ORDER BY turn, rowid"
        return [_effect(row) for row in self._rows(sql, [run_id])]

    def checkpoint(self, run_id: str, upto: int) -> Checkpoint | None:
        sql = (
            "SELECT turn,seq,state,CAST(memory AS BLOB),CAST(deferred AS BLOB) FROM checkpoint"
            " WHERE run_id=? AND turn<=? ORDER BY turn DESC LIMIT 1"
        )
        return next((Checkpoint(*row) for row in self._rows(sql, [run_id, upto])), None)

    def checkpoints(self, run_id: str) -> Iterator[Checkpoint]:
        sql = (
            "SELECT turn,seq,state,CAST(memory AS BLOB),CAST(deferred AS BLOB) FROM checkpoint"
            " WHERE run_id=? ORDER BY turn"
        )
        return (Checkpoint(*row) for row in self._rows(sql, [run_id]))

    def segment(self, run_id: str, hash: bytes) -> Segment | None:
        sql = "SELECT hash,prev,count,items FROM segment WHERE run_id=? AND hash=?"
        return next((Segment._make(row) for row in self._rows(sql, [run_id, hash])), None)

    def segments(self, run_id: str) -> Iterator[Segment]:
        sql = "SELECT hash,prev,count,items FROM segment WHERE run_id=? ORDER BY rowid"
        return (Segment._make(row) for row in self._rows(sql, [run_id]))

    def scored(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
        sql = (
            "SELECT turn,CAST(body AS BLOB) FROM entry"
            " WHERE run_id=? AND kind='scored' AND turn>? AND turn<=? ORDER BY turn"
        )
        return iter(self._rows(sql, [run_id, after, upto if upto is not None else 1 << 62]))

    # --- keeping ---

    def erase(self, run_id: str, at: float) -> None:
        try:
            with self._immediate() as db:
                for table in ("entry", "operation", "effect", "inbox", "lease", "checkpoint", "segment"):
                    db.execute(f"DELETE FROM {table} WHERE run_id=?", [run_id])
                db.execute("UPDATE run SET pruned=?, updated=? WHERE run_id=?", [at, at, run_id])
            self._db.execute("VACUUM")
        except apsw.Error as error:
            raise self._storage_error(error) from None

    def backup(self, to: SqliteStore | Path) -> None:
        """A whole copy while runs go on, by SQLite's online backup."""
        target = apsw.Connection(str(to if isinstance(to, Path) else to.path))
        try:
            deadline = time.monotonic() + 600
            with target.backup("main", self._db, "main") as copy:
                while not copy.done:
                    if time.monotonic() > deadline:
                        raise StorageError("the backup did not end within ten minutes", where=self.location)
                    copy.step(1000)
            target.execute("PRAGMA journal_mode=WAL; PRAGMA wal_checkpoint(TRUNCATE)")
        except apsw.Error as error:
            raise self._storage_error(error) from None
        finally:
            target.close()


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, rolled back on any error."""

    def __init__(self, db: apsw.Connection) -> None:
        self.db = db

    def __enter__(self) -> apsw.Connection:
        self.db.execute("BEGIN IMMEDIATE")
        return self.db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.db.execute("COMMIT")
        elif self.db.in_transaction:
            try:
                self.db.execute("ROLLBACK")
            except apsw.Error:
                pass  # the first error is the one that tells


def _run_row(row: Sequence[Any]) -> RunRow:
    return RunRow(*row[:5], Status(row[5]), *row[6:])


def _effect(row: Sequence[Any]) -> Effect:
    result = None if row[7] is None else row[7].encode()
    return Effect(*row[:6], row[6].encode(), result, *row[8:])


def _lease(db: apsw.Connection, run_id: str) -> Lease | None:
    for row in db.execute("SELECT run_id,fence,owner,beat FROM lease WHERE run_id=?", [run_id]):
        owner = json.loads(row[2])
        return Lease(row[0], row[1], Owner(*owner) if owner else None, row[3])
    return None


def _write_batch(db: apsw.Connection, batch: Batch, where: str) -> Head:
    run_id = batch.run_id
    held = _lease(db, run_id)
    if held is None or held.fence != batch.fence or held.owner is None:
        raise LeaseLost(
            f"another process took run {run_id} over",
            where=where,
            remedy=f"windtunnel show {run_id} tells who plays it now",
        )
    if batch.entries:
        db.executemany(_ENTRY, [(run_id, *entry) for entry in batch.entries])
    if batch.operations:
        db.executemany(
            _OPERATION, [(run_id, *op[:3], op.body.decode(), op.prev, op.hash) for op in batch.operations]
        )
    if batch.effects:
        db.executemany(_EFFECT, [_effect_values(run_id, effect) for effect in batch.effects])
    for c in batch.checkpoints:
        db.execute(_CHECKPOINT, (run_id, c.turn, c.seq, c.state, c.memory.decode(), c.deferred.decode()))
    if batch.segments:
        db.executemany(_SEGMENT, [(run_id, *segment) for segment in batch.segments])
    if batch.taken:
        db.executemany("UPDATE inbox SET taken=? WHERE id=?", batch.taken)
    return _advance(db, batch)


def _advance(db: apsw.Connection, batch: Batch) -> Head:
    entry = batch.entries[-1] if batch.entries else None
    operation = batch.operations[-1] if batch.operations else None
    columns = "head_seq=coalesce(?,head_seq), head_hash=coalesce(?,head_hash), op_seq=coalesce(?,op_seq),"
    columns += " op_hash=coalesce(?,op_hash), status=coalesce(?,status), turn=coalesce(?,turn),"
    columns += " turns=coalesce(?,turns), reason=?, updated=?"
    values = (
        entry and entry.seq, entry and entry.hash, operation and operation.seq, operation and operation.hash,
        batch.status and str(batch.status), batch.turn, batch.turns, batch.reason, batch.at, batch.run_id,
    )  # fmt: skip
    sql = f"UPDATE run SET {columns} WHERE run_id=? RETURNING head_seq, head_hash, op_seq, op_hash"
    (row,) = db.execute(sql, values).fetchall()
    return Head(*row)


def _effect_values(run_id: str, effect: Effect) -> tuple[Any, ...]:
    e = effect
    result = None if e.result is None else e.result.decode()
    where = (run_id, e.turn, e.phase, e.actor, e.idx, e.kind, e.key)
    return (*where, e.request.decode(), result, e.asked, e.answered, e.attempts)
