"""How batches become rows in PostgreSQL. What is checked here is checked in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from windtunnel.errors import LeaseHeld, LeaseLost, NotFound, StorageError, UsageError, WrongState
from windtunnel.journal.bundles import entries_of
from windtunnel.journal.heads import Head
from windtunnel.journal.model import Batch, Effect, Entry, Mail, RunRow
from windtunnel.journal.store import Lease, Owner

if TYPE_CHECKING:
    from windtunnel.journal.postgres_link import Db

RUN = ",".join(RunRow.__struct_fields__)
INSERT_RUN = f"INSERT INTO run({RUN}) VALUES({','.join(['%s'] * len(RunRow.__struct_fields__))})"
REPLACE_RUN = f"{INSERT_RUN} ON CONFLICT(run_id) DO UPDATE SET " + ",".join(
    f"{name}=excluded.{name}" for name in RunRow.__struct_fields__
)
ENTRY_COLUMNS = "run_id,seq,turn,phase,kind,actor,body,prev,hash"
ENTRY = f"INSERT INTO entry({ENTRY_COLUMNS}) VALUES(%s,%s,%s,%s,%s,%s,%s,%s,%s)"
COPY_ENTRIES = f"COPY entry({ENTRY_COLUMNS}) FROM STDIN (FORMAT BINARY)"
ENTRY_TYPES = ("text", "int8", "int8", "text", "text", "text", "text", "bytea", "bytea")
OPERATION = "INSERT INTO operation(run_id,seq,at,kind,body,prev,hash) VALUES(%s,%s,%s,%s,%s,%s,%s)"
EFFECT = (
    "INSERT INTO effect(run_id,turn,phase,actor,idx,kind,key,request,result,asked,answered,attempts)"
    " VALUES(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) ON CONFLICT(run_id,turn,phase,actor,idx) DO UPDATE"
    " SET result=excluded.result, answered=excluded.answered, attempts=excluded.attempts"
)
CHECKPOINT = (
    "INSERT INTO checkpoint VALUES(%s,%s,%s,%s,%s,%s) ON CONFLICT(run_id,turn) DO UPDATE"
    " SET seq=excluded.seq, state=excluded.state, memory=excluded.memory, deferred=excluded.deferred"
)
SEGMENT = (
    "INSERT INTO segment(run_id,hash,prev,count,items) VALUES(%s,%s,%s,%s,%s)"
    " ON CONFLICT(run_id,hash) DO NOTHING"
)
TEXT = "INSERT INTO text VALUES(%s,%s) ON CONFLICT(hash) DO NOTHING"
ARRIVAL = "INSERT INTO arrival VALUES(%s,%s,%s,%s,%s,%s,%s)"
# The next numbers of the run: whoever commits for it holds its lease's row locked.
ARRIVED = (
    "INSERT INTO arrival SELECT %(run)s, last.number + one.ord, one.turn, one.phase, one.actor, one.idx,"
    " one.answered"
    " FROM (SELECT coalesce(max(number), 0) AS number FROM arrival WHERE run_id=%(run)s) AS last,"
    " unnest(%(turn)s::bigint[], %(phase)s::text[], %(actor)s::text[], %(idx)s::bigint[],"
    " %(answered)s::boolean[]) WITH ORDINALITY AS one(turn, phase, actor, idx, answered, ord)"
)
TAKEN = "UPDATE inbox SET taken=%s WHERE id=%s"
LETTER = "INSERT INTO inbox(run_id,kind,body,sender,at,taken) VALUES(%s,%s,%s,%s,%s,%s)"
# Locked until the commit: who takes the lease over waits for it, and what comes after is refused.
FENCE = "SELECT fence, owner FROM lease WHERE run_id=%s FOR NO KEY UPDATE"
ADVANCE = (
    "UPDATE run SET head_seq=coalesce(%s,head_seq), head_hash=coalesce(%s,head_hash),"
    " op_seq=coalesce(%s,op_seq), op_hash=coalesce(%s,op_hash), status=coalesce(%s,status),"
    " turn=coalesce(%s,turn), turns=coalesce(%s,turns), reason=%s, updated=%s WHERE run_id=%s"
    " RETURNING head_seq, head_hash, op_seq, op_hash"
)
NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
OF_A_RUN = ("entry", "operation", "effect", "inbox", "checkpoint", "segment", "arrival")
COPY_FROM = 24  # entries, from which on a COPY is cheaper than its two more messages


def write_batches(db: Db, batches: Sequence[Batch], where: str) -> list[tuple[str, Head]]:
    """All the batches of a commit: most of it goes to the server in one message, answered in one."""
    copied = [batch for batch in batches if len(batch.entries) >= COPY_FROM]
    with db.pipeline():
        fences = [db.execute(FENCE, [batch.run_id]) for batch in batches]
        for batch in batches:
            write_rows(db, batch, entries=len(batch.entries) < COPY_FROM)
            if batch.effects:
                db.execute(ARRIVED, _arrived(batch))
        heads = [db.execute(ADVANCE, _ends(batch)) for batch in batches]
    for batch, fence in zip(batches, fences, strict=True):
        _hold_fence(fence.fetchone(), batch.run_id, batch.fence, where)
    for batch in copied:
        copy_entries(db, batch.run_id, batch.entries)
    return [(batch.run_id, Head(*_row(head.fetchone()))) for batch, head in zip(batches, heads, strict=True)]


def check_fence(db: Db, run_id: str, fence: int, where: str) -> None:
    _hold_fence(db.execute(FENCE, [run_id]).fetchone(), run_id, fence, where)


def _hold_fence(row: Any, run_id: str, fence: int, where: str) -> None:
    if row is None or row[0] != fence or row[1] == "null":
        raise LeaseLost(
            f"another process took run {run_id} over",
            where=where,
            remedy=f"windtunnel show {run_id} tells who plays it now",
        )


def _row(row: Any) -> Any:
    assert row is not None
    return row


def write_rows(db: Db, batch: Batch, *, entries: bool = True) -> None:
    run_id, cursor = batch.run_id, db.cursor()
    if entries and batch.entries:
        cursor.executemany(ENTRY, [_entry(run_id, entry) for entry in batch.entries])
    if batch.operations:
        rows = [(run_id, *op[:3], op.body.decode(), op.prev, op.hash) for op in batch.operations]
        cursor.executemany(OPERATION, rows)
    if batch.texts:  # in one order, so that two who write the same texts do not wait for each other in a ring
        cursor.executemany(TEXT, [(hash, body.decode()) for hash, body in sorted(batch.texts.items())])
    if batch.effects:
        cursor.executemany(EFFECT, [_effect(run_id, effect) for effect in batch.effects])
    if batch.arrivals:
        cursor.executemany(ARRIVAL, [(run_id, *arrival) for arrival in batch.arrivals])
    for c in batch.checkpoints:
        db.execute(CHECKPOINT, (run_id, c.turn, c.seq, c.state, c.memory.decode(), c.deferred.decode()))
    if batch.segments:
        cursor.executemany(SEGMENT, [(run_id, *segment) for segment in batch.segments])
    if batch.taken:
        cursor.executemany(TAKEN, batch.taken)


def write_pieces(db: Db, pieces: Iterable[Batch]) -> None:
    for piece in pieces:
        entries = entries_of(piece)  # here all stand in rows
        write_rows(db, piece, entries=False)
        if len(entries) >= COPY_FROM:
            copy_entries(db, piece.run_id, entries)
        elif entries:
            db.cursor().executemany(ENTRY, [_entry(piece.run_id, entry) for entry in entries])


def copy_entries(db: Db, run_id: str, entries: Iterable[Entry]) -> None:
    with db.cursor().copy(COPY_ENTRIES) as copy:
        copy.set_types(ENTRY_TYPES)
        for entry in entries:
            copy.write_row(_entry(run_id, entry))


def _entry(run_id: str, entry: Entry) -> tuple[Any, ...]:
    seq, turn, phase, kind, actor, body, prev, hash = entry
    return (run_id, seq, turn, phase, kind, actor, body.decode(), prev, hash)


def _effect(run_id: str, effect: Effect) -> tuple[Any, ...]:
    e = effect
    result = None if e.result is None else e.result.decode()
    where = (run_id, e.turn, e.phase, e.actor, e.idx, e.kind, e.key)
    return (*where, e.request.decode(), result, e.asked, e.answered, e.attempts)


def _arrived(batch: Batch) -> dict[str, Any]:
    effects = batch.effects
    return {
        "run": batch.run_id,
        "turn": [effect.turn for effect in effects],
        "phase": [effect.phase for effect in effects],
        "actor": [effect.actor for effect in effects],
        "idx": [effect.idx for effect in effects],
        "answered": [effect.result is not None for effect in effects],
    }


def _ends(batch: Batch) -> tuple[Any, ...]:
    entry = batch.entries[-1] if batch.entries else None
    operation = batch.operations[-1] if batch.operations else None
    return (
        entry and entry.seq, entry and entry.hash, operation and operation.seq, operation and operation.hash,
        batch.status and str(batch.status), batch.turn, batch.turns, storable(batch.reason), batch.at,
        batch.run_id,
    )  # fmt: skip


def run_values(row: RunRow) -> list[Any]:
    values = [getattr(row, name) for name in RunRow.__struct_fields__]
    values[5] = str(row.status)
    return [storable(value) if isinstance(value, str) else value for value in values]


def storable(text: str | None) -> str | None:
    """Words of people and errors, without the one character that PostgreSQL cannot hold. What is hashed is
    never changed: JSON has it escaped."""
    return text and text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def letter_values(row: RunRow, mail: Mail) -> tuple[Any, ...]:
    """A letter of a run from another store: the number of its row is this store's own."""
    return (row.run_id, mail.kind, mail.body.decode(), storable(mail.sender), mail.at, mail.taken)


# --- what a run must be ---


def check_new(db: Db, row: RunRow, where: str) -> None:
    """What a run must be to stand in this store."""
    if not row.run_id or any(mark.isspace() or not mark.isprintable() for mark in row.run_id):
        raise UsageError(f"{row.run_id!r} is no run id: it may hold no blanks", where=where)
    if db.execute("SELECT 1 FROM run WHERE run_id=%s", [row.run_id]).fetchone():
        raise already(row, where)
    # The first run says which mode; others that come at the same moment wait for it.
    db.execute("INSERT INTO meta VALUES('mode',%s) ON CONFLICT(key) DO NOTHING", [row.mode])
    (mode,) = _row(db.execute("SELECT value FROM meta WHERE key='mode'").fetchone())
    if mode != row.mode:
        raise WrongState(
            f"this store holds {mode} runs, and run {row.run_id} is {row.mode}",
            where=where,
            remedy="name another store: one store holds one mode",
        )
    if row.parent is not None:  # locked: who prunes it meanwhile waits, and then finds its fork
        found = db.execute("SELECT pruned FROM run WHERE run_id=%s FOR SHARE", [row.parent]).fetchone()
        if found is not None and found[0] is not None:
            raise WrongState(f"run {row.parent} was pruned: nothing can be forked from it", where=where)


def already(row: RunRow, where: str) -> WrongState:
    return WrongState(f"there is a run {row.run_id} already", where=where, remedy="choose another run id")


def check_playable(db: Db, run_id: str, where: str) -> None:
    found = db.execute("SELECT pruned FROM run WHERE run_id=%s", [run_id]).fetchone()
    if found is None:
        raise NotFound(f"no run {run_id} in this store", where=where, remedy="windtunnel runs")
    if found[0] is not None:
        raise WrongState(f"run {run_id} was pruned: only its head is left", where=where)


# --- leases ---


def read_lease(row: Sequence[Any] | None, where: str) -> Lease | None:
    if row is None:
        return None
    try:
        owner = msgspec.json.decode(row[2], type=Owner | None)
    except msgspec.DecodeError as error:
        raise StorageError(
            f"the lease of run {row[0]} cannot be read: {error}",
            where=where,
            remedy="windtunnel verify tells what else was changed",
        ) from None
    return Lease(str(row[0]), int(row[1]), owner, int(row[3]))


def held_error(lease: Lease, where: str, *, here: bool) -> LeaseHeld:
    owner, run_id = lease.owner, lease.run_id
    assert owner is not None
    gone = "" if here else f"; if {owner.host} is gone it may be taken in half a minute, by itself"
    return LeaseHeld(
        f"run {run_id} is being played by process {owner.pid} on {owner.host}",
        where=where,
        remedy=f"windtunnel pause {run_id}{gone}",
    )
