"""The run's history as the loop sees it: turns that are recorded are compared, new ones are written.

Resume, replay and a fork's past are the same thing: the loop plays on, and while the tape still has a
recorded turn, what was just computed must equal it, hash for hash. When the record ends, a resumed run
goes on writing and a replay stops.

Turns that can be recomputed are committed in groups (by time and bytes). An effect is not: `durable`
returns only when its row, and all history before it, is on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from windtunnel.codec import encode_body
from windtunnel.errors import Divergence, RunError, StorageError
from windtunnel.journal import GENESIS, Batch, Checkpoint, Effect, Entry, Status, Store, operation_hash
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.model import Operation, entry_hash
from windtunnel.run.clock import Clock
from windtunnel.run.entries import Line

GROUP_SECONDS = 0.25
GROUP_BYTES = 1 << 20
PIECE = 256  # entries of the record that are read at a time


class Tape:
    def __init__(self, lineage: Lineage, clock: Clock, *, fence: int | None) -> None:
        self.lineage, self.clock = lineage, clock
        self.store: Store = lineage.store
        self.run_id = lineage.row.run_id
        self.writes = fence is not None
        self.status = lineage.row.status
        self.turn = 0  # the last sealed turn
        self.live = False  # past the end of the record
        self._fence = fence or 0
        self._seq, self._prev = -1, GENESIS
        self._op_seq, self._op_prev = lineage.row.op_seq, lineage.row.op_hash or GENESIS
        self._record: Iterator[Entry] = iter(())
        self._next: Entry | None = None
        self._batch = Batch(self.run_id, self._fence)
        self._bytes = 0
        self._broken: StorageError | None = None
        self._flushed = clock.tick()
        self._waiting: list[asyncio.Future[None]] = []  # for a commit that is about to be made

    # --- the record ---

    def open(self, after: int = -1, upto: int | None = None) -> None:
        """Stand after entry `after`, with the record up to `upto` ahead."""
        if after >= 0:
            (last,) = self.lineage.entries(after - 1, after)
            self._seq, self._prev, self.turn = last.seq, last.hash, last.turn
        end = upto if upto is not None else self.lineage.row.head_seq
        self._record = self._read(after, end)
        self._advance()

    def _read(self, after: int, end: int) -> Iterator[Entry]:
        """The record, in pieces of which none is left half read: who shares this connection may write between
        two turns, and a reader that has not come to its end would hold it to how the store was before."""
        while after < end:
            piece = min(after + PIECE, end)
            yield from list(self.lineage.entries(after, piece))
            after = piece

    def _advance(self) -> Entry | None:
        self._next = next(self._record, None)
        self.live = self._next is None
        return self._next

    def take(self) -> list[Entry]:
        """The next recorded group: the start, a turn, a fork, a migration or the end. Empty when live."""
        if self._next is None:
            return []
        group = [first := self._next]
        following = self._advance()
        while following is not None and _together(first, following):
            group.append(following)
            following = self._advance()
        return group

    def ahead(self, phase: str, kind: str = "") -> bool:
        following = self._next
        return following is not None and following.phase == phase and kind in ("", following.kind)

    # --- sealing ---

    def seal(self, turn: int, lines: list[Line], recorded: list[Entry]) -> int:
        """Put a group of lines at the end of history: compare it with the record, or write it. Returns how
        many bytes their bodies have."""
        if recorded:
            self._compare(turn, lines, recorded)
            size = sum([len(body) for _, _, _, body in lines])
        else:
            if not self.writes:
                raise Divergence(
                    f"turn {turn} was played, but is not in the record",
                    remedy="the run was cut; windtunnel verify",
                )
            self._whole()
            size = self._append(turn, lines)
        self.turn = turn
        return size

    def _whole(self) -> None:
        """Once a commit has failed nothing more is written: an agent may have caught the error."""
        if self._broken is not None:
            raise self._broken

    def _append(self, turn: int, lines: list[Line]) -> int:
        seq, prev, size = self._seq, self._prev, 0
        append, make = self._batch.entries.append, tuple.__new__  # a named tuple's own takes twice as long
        for phase, kind, actor, body in lines:
            seq += 1
            hash = entry_hash(prev, seq, turn, phase, kind, actor, body)
            append(make(Entry, (seq, turn, phase, kind, actor, body, prev, hash)))
            prev = hash
            size += len(body)
        self._seq, self._prev, self._bytes = seq, prev, self._bytes + size
        self._batch.turn = turn
        return size

    def _compare(self, turn: int, lines: list[Line], recorded: list[Entry]) -> None:
        for entry, (phase, kind, actor, body) in zip(recorded, lines, strict=False):
            hash = entry_hash(self._prev, entry.seq, turn, phase, kind, actor, body)
            if hash != entry.hash or body != entry.body:
                whole = entry_hash(self._prev, *entry[:6]) == entry.hash
                raise _difference(entry, (phase, kind, actor, body)) if whole else _edited(entry)
            self._seq, self._prev = entry.seq, hash
        if len(lines) != len(recorded):
            longer = recorded[len(lines)] if len(recorded) > len(lines) else recorded[-1]
            raise Divergence(
                f"turn {turn} has {len(recorded)} recorded entries, and {len(lines)} when played again",
                where=longer.place,
                seq=longer.seq,
                turn=turn,
                phase=longer.phase,
                actor=longer.actor,
            )

    def adopt(self, recorded: list[Entry]) -> None:
        """Take over entries that are inputs, not results: how a run began, forked, was migrated."""
        for entry in recorded:
            if entry_hash(self._prev, *entry[:6]) != entry.hash:
                raise _edited(entry)
            self._seq, self._prev, self.turn = entry.seq, entry.hash, entry.turn

    @property
    def head(self) -> tuple[int, bytes]:
        return self._seq, self._prev

    # --- writing ---

    def operate(self, kind: str, /, **body: Any) -> None:
        """Add to the chain of operations: who did what to the run, when, how long it took."""
        raw, at = encode_body(body), float(self.clock.wall())
        self._op_seq += 1
        hash = operation_hash(self._op_prev, self._op_seq, at, kind, raw)
        self._batch.operations.append(Operation(self._op_seq, at, kind, raw, self._op_prev, hash))
        self._op_prev = hash

    def move(self, to: Status, reason: str | None = None) -> None:
        self.status = self.status.move(to)
        self._batch.status, self._batch.reason = to, reason

    def checkpoint(self, checkpoint: Checkpoint, segments: list[Any]) -> None:
        self._batch.checkpoints.append(checkpoint)
        self._batch.segments += segments
        self._bytes += len(checkpoint.state)

    def took(self, turn: int, mail_id: int) -> None:
        self._batch.taken.append((turn, mail_id))

    def group(self, now: float) -> bool:
        """Commit if the group is large or old enough; whether it did."""
        if self._bytes < GROUP_BYTES and now - self._flushed < GROUP_SECONDS:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Commit everything that is pending."""
        batch = self._batch
        self._flushed = self.clock.tick()
        if not self.writes or not _anything(batch):
            return
        batch.at, batch.size = self.clock.wall(), self._bytes
        self._whole()
        try:
            self.store.commit([batch])
        except StorageError as error:
            self._broken = error
            if error.data.get("committed"):
                self._batch, self._bytes = Batch(self.run_id, self._fence), 0
            raise
        self._batch, self._bytes = Batch(self.run_id, self._fence), 0

    async def durable(self, effect: Effect, texts: Mapping[bytes, bytes] | None = None) -> None:
        """Commit an effect with the texts it names, and with every other that arrived in the same moment."""
        if not self.writes:
            raise RunError("a replay writes nothing")
        self._batch.texts.update(texts or {})
        self._batch.effects.append(effect)
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush_soon)
        self._waiting.append(made := loop.create_future())
        await made

    def _flush_soon(self) -> None:
        waiting, self._waiting = self._waiting, []
        failed: Exception | None = None
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits for this commit
            failed = error
        for one in waiting:
            if one.done():  # cancelled meanwhile; what it asked for is written all the same
                continue
            if failed is None:
                one.set_result(None)
            else:
                one.set_exception(failed)
                one.exception()  # mark as seen: who waits raises it, but may be cancelled before that


def _together(first: Entry, entry: Entry) -> bool:
    """Forks, migrations and the end stand alone; the start and the turns are groups."""
    alone = ("fork", "end")
    if first.phase in alone or entry.phase in alone:
        return False
    return first.turn == entry.turn


def _anything(batch: Batch) -> bool:
    return bool(
        batch.entries or batch.operations or batch.effects or batch.checkpoints or batch.taken or batch.status
    )


def _edited(entry: Entry) -> Divergence:
    return Divergence(
        f"{entry.place} was changed: its hash does not match its content",
        where=f"turn {entry.turn}, {entry.phase}",
        remedy="windtunnel verify tells what else was",
        seq=entry.seq,
        turn=entry.turn,
        phase=entry.phase,
        actor=entry.actor,
    )


def _difference(entry: Entry, played: Any) -> Divergence:
    phase, kind, actor, body = played
    return Divergence(
        f"played again, {entry.place} differs from its record",
        where=f"turn {entry.turn}, {entry.phase}" + (f", {entry.actor}" if entry.actor else ""),
        remedy="the world, an agent or a library changed since, or something outside `context` was used",
        seq=entry.seq,
        turn=entry.turn,
        phase=entry.phase,
        actor=entry.actor,
        recorded=entry.body.decode(errors="replace"),
        played=body.decode(errors="replace"),
        played_kind=f"{phase} {kind} {actor}".strip(),
    )
