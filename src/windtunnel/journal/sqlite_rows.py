"""The rows of a SQLite store: how they are written and read, and what must be true before they are."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

import apsw
import msgspec

from windtunnel.errors import (
    LeaseHeld,
    LeaseLost,
    NotFound,
    StorageError,
    UsageError,
    WrongState,
)
from windtunnel.journal.heads import Head
from windtunnel.journal.lease import here
from windtunnel.journal.model import Batch, Effect, Mail, RunRow, Status
from windtunnel.journal.schema import ADDED, FORMAT
from windtunnel.journal.store import Lease, Owner

BUSY_SECONDS = 30.0
LOOK_SECONDS = 0.0005
PAGE_BYTES = 8192
NAMED = 100  # runs that a beginning of their ids may find

RUN = ",".join(RunRow.__struct_fields__)
ENTRY = (
    "INSERT INTO entry(run_id,seq,turn,phase,kind,actor,body,prev,hash)"
    " VALUES(?,?,?,?,?,?,CAST(? AS TEXT),?,?)"
)
OPERATION = "INSERT INTO operation(run_id,seq,at,kind,body,prev,hash) VALUES(?,?,?,?,?,?,?)"
EFFECT = (
    "INSERT INTO effect VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(run_id,turn,phase,actor,idx) DO UPDATE"
    " SET result=excluded.result, answered=excluded.answered, attempts=excluded.attempts"
)
LAST_ARRIVED = "SELECT turn,phase,actor,idx,answered FROM arrival WHERE run_id=? ORDER BY number DESC LIMIT ?"
CHECKPOINT = "INSERT OR REPLACE INTO checkpoint VALUES(?,?,?,?,?,?)"
BUNDLE = "INSERT INTO bundle VALUES(?,CAST(? AS TEXT),?)"
SEGMENT = "INSERT OR IGNORE INTO segment VALUES(?,?,?,?,?)"
TEXT = "INSERT OR IGNORE INTO text VALUES(?,?)"
ARRIVAL = "INSERT INTO arrival VALUES(?,?,?,?,?,?,?)"
LAST_NUMBER = "SELECT coalesce(max(number),0) FROM arrival WHERE run_id=?"
EFFECT_COLUMNS = (
    "turn,phase,actor,idx,kind,key,CAST(request AS BLOB),CAST(result AS BLOB),asked,answered,attempts"
)
MAIL = "id,kind,CAST(body AS BLOB),sender,at,taken"
INSERT_RUN = f"INSERT INTO run({RUN}) VALUES({','.join('?' * len(RunRow.__struct_fields__))})"
OF_A_RUN = ("entry", "bundle", "operation", "effect", "inbox", "checkpoint", "segment", "arrival")


class Transaction:
    """BEGIN IMMEDIATE … COMMIT, rolled back on any error. Not to `wait`: a BusyError while another writes."""

    def __init__(self, db: apsw.Connection, *, wait: bool = True) -> None:
        self.db, self._wait = db, wait

    def __enter__(self) -> apsw.Connection:
        if self._wait:
            self.db.execute("BEGIN IMMEDIATE")
            return self.db
        self.db.set_busy_handler(None)
        try:
            self.db.execute("BEGIN IMMEDIATE")
        finally:
            wait_for_others(self.db, BUSY_SECONDS)
        return self.db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.db.execute("COMMIT")
        finally:
            if (
                self.db.in_transaction
            ):  # also after a COMMIT that failed: the next BEGIN must not trip over it
                with suppress(apsw.Error):  # the first error is the one that tells
                    self.db.execute("ROLLBACK")


def wait_for_others(db: apsw.Connection, seconds: float) -> None:
    """How long to wait where another writes. SQLite's own way of waiting sleeps longer each time, soon for
    longer than most commits take: whoever waits for one would sleep through the next."""
    until = 0.0

    def busy(tried: int) -> bool:
        nonlocal until
        now = time.monotonic()
        until = until if tried else now + seconds
        time.sleep(LOOK_SECONDS)
        return now < until

    db.set_busy_handler(busy)


def become_wal(db: apsw.Connection) -> None:
    """SQLite does not wait for others while it changes to WAL, so we do. A new file gets larger pages first:
    a turn is appended to a table and its indexes, and fewer pages touched are fewer pages written twice."""
    db.execute(f"PRAGMA page_size={PAGE_BYTES}")
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def bring_up(db: apsw.Connection) -> None:
    """Give an older store the tables of today. From then on an older Windtunnel refuses it, rather than show
    hashes where texts should stand."""
    if db.pragma("user_version") == FORMAT:
        return
    with Transaction(db):
        version = db.pragma("user_version")  # another process may have been faster
        for since, sql in ADDED.items():
            if version < since:
                db.execute(sql)
        db.pragma("user_version", max(version, FORMAT))


def run_row(row: Any) -> RunRow:
    try:
        return RunRow(*(*row[:5], Status(row[5]), *row[6:]))
    except ValueError:
        raise StorageError(
            f"the row of run {row[0]} says {row[5]!r}, which is no status",
            remedy="put a `windtunnel backup` of the store back",
        ) from None


def run_values(row: RunRow) -> list[Any]:
    values = [getattr(row, name) for name in RunRow.__struct_fields__]
    values[5] = str(row.status)
    return values


def check_new(db: apsw.Connection, row: RunRow, where: str) -> None:
    """What a run must be to stand in this store."""
    if not row.run_id or any(mark.isspace() or not mark.isprintable() for mark in row.run_id):
        raise UsageError(f"{row.run_id!r} is no run id: it may hold no blanks", where=where)
    sql = "SELECT (SELECT 1 FROM run WHERE run_id=?), (SELECT mode FROM run LIMIT 1)"
    found: Any = db.execute(sql, [row.run_id]).fetchone()
    taken, mode = found
    if taken:
        raise WrongState(f"there is a run {row.run_id} already", where=where, remedy="choose another run id")
    if mode not in (None, row.mode):
        raise WrongState(
            f"this store holds {mode} runs, and run {row.run_id} is {row.mode}",
            where=where,
            remedy="name another store: one store holds one mode",
        )
    if row.parent is not None and db.execute("SELECT pruned FROM run WHERE run_id=?", [row.parent]).get:
        raise WrongState(f"run {row.parent} was pruned: nothing can be forked from it", where=where)


def check_playable(db: apsw.Connection, run_id: str, where: str) -> None:
    for (pruned,) in db.execute("SELECT pruned FROM run WHERE run_id=?", [run_id]):
        if pruned is None:
            return
        raise WrongState(f"run {run_id} was pruned: only its head is left", where=where)
    raise NotFound(f"no run {run_id} in this store", where=where, remedy="windtunnel runs")


def held_error(run_id: str, owner: Owner, where: str) -> LeaseHeld:
    gone = "" if here(owner) else f"; if {owner.host} is gone for good: windtunnel resume {run_id} --force"
    return LeaseHeld(
        f"run {run_id} is being played by process {owner.pid} on {owner.host}",
        where=where,
        remedy=f"windtunnel pause {run_id}{gone}",
    )


def read_effect(row: Sequence[Any]) -> Effect:
    return Effect(*row)


def read_lease(db: apsw.Connection, run_id: str) -> Lease | None:
    sql = "SELECT run_id,fence,CAST(owner AS BLOB),beat FROM lease WHERE run_id=?"
    for row in db.execute(sql, [run_id]):
        raw: Any = row[2]
        try:
            owner = msgspec.json.decode(raw, type=Owner | None)
            return Lease(str(row[0]), int(row[1]), owner, int(row[3]))
        except ValueError as error:  # msgspec's and Unicode's errors are ValueErrors
            raise StorageError(
                f"the lease of run {run_id} cannot be read: {error}",
                where=db.filename,
                remedy="put a `windtunnel backup` of the store back",
            ) from None
    return None


def check_fence(db: apsw.Connection, run_id: str, fence: int, where: str) -> None:
    held = read_lease(db, run_id)
    if held is None or held.fence != fence or held.owner is None:
        raise LeaseLost(
            f"another process took run {run_id} over",
            where=where,
            remedy=f"windtunnel show {run_id} tells who plays it now",
        )


def write_batch(db: apsw.Connection, batch: Batch, where: str, *, again: bool = False) -> Head:
    """`again`: the commit before this one is in doubt, and may have arrived."""
    check_fence(db, batch.run_id, batch.fence, where)
    write_rows(db, batch)
    if batch.effects:
        arrived = [(*effect.place, effect.result is not None) for effect in batch.effects]
        if again:
            told = set(db.execute(LAST_ARRIVED, [batch.run_id, len(arrived)]))
            arrived = [one for one in arrived if one not in told]
        last: Any = db.execute(LAST_NUMBER, [batch.run_id]).get
        db.executemany(ARRIVAL, [(batch.run_id, last + n, *one) for n, one in enumerate(arrived, 1)])
    return advance(db, batch)


def write_letter(db: apsw.Connection, row: RunRow, mail: Mail) -> None:
    """A letter of a run from another store: the number of its row is this store's own."""
    values = (row.run_id, mail.kind, mail.body.decode(), mail.sender, mail.at, mail.taken)
    db.execute("INSERT INTO inbox(run_id,kind,body,sender,at,taken) VALUES(?,?,?,?,?,?)", values)


def write_run(db: apsw.Connection, row: RunRow, pieces: Iterable[Batch]) -> None:
    for piece in pieces:
        write_rows(db, piece)
    db.execute(f"INSERT OR REPLACE {INSERT_RUN.removeprefix('INSERT')}", run_values(row))


def write_rows(db: apsw.Connection, batch: Batch) -> None:
    run_id = batch.run_id
    if batch.entries:
        db.executemany(ENTRY, [(run_id, *entry) for entry in batch.entries])
    if batch.bundle:
        db.execute(BUNDLE, (run_id, *batch.bundle))
    if batch.operations:
        db.executemany(
            OPERATION, [(run_id, *op[:3], op.body.decode(), op.prev, op.hash) for op in batch.operations]
        )
    if batch.texts:
        db.executemany(TEXT, [(hash, body.decode()) for hash, body in batch.texts.items()])
    if batch.effects:
        db.executemany(EFFECT, [effect_values(run_id, effect) for effect in batch.effects])
    if batch.arrivals:
        db.executemany(ARRIVAL, [(run_id, *arrival) for arrival in batch.arrivals])
    for c in batch.checkpoints:
        db.execute(CHECKPOINT, (run_id, c.turn, c.seq, c.state, c.memory.decode(), c.deferred.decode()))
    if batch.segments:
        db.executemany(SEGMENT, [(run_id, *segment) for segment in batch.segments])
    if batch.taken:
        db.executemany("UPDATE inbox SET taken=? WHERE id=?", batch.taken)


def drop_texts(db: apsw.Connection, *, but: Collection[bytes]) -> int:
    loose = [row for row in db.execute("SELECT hash FROM text") if row[0] not in but]
    db.executemany("DELETE FROM text WHERE hash=?", loose)
    return len(loose)


def advance(db: apsw.Connection, batch: Batch) -> Head:
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
    row: Any = db.execute(sql, values).fetchone()
    return Head(*row)


def effect_values(run_id: str, effect: Effect) -> tuple[Any, ...]:
    e = effect
    result = None if e.result is None else e.result.decode()
    where = (run_id, e.turn, e.phase, e.actor, e.idx, e.kind, e.key)
    return (*where, e.request.decode(), result, e.asked, e.answered, e.attempts)
