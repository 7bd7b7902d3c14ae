"""A run that has not reached its store yet: kept in memory until a commit is worth it.

What a run decides by itself can be played again, so a crash may cost it: as a group of turns may, so may the
first moments of a run, its beginning with them. A short match is then one commit instead of seven. Whatever
came from outside must be durable before it is used: the first effect brings the run into its store, and from
there on this is nothing but that store.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import structs

from windtunnel.codec import Segment
from windtunnel.errors import LeaseHeld, StorageError
from windtunnel.journal.bundles import bundled, entries_of
from windtunnel.journal.model import Batch, Checkpoint, Effect, Entry, Mail, Operation, RunRow
from windtunnel.journal.store import Lease, Owner, Store

SECONDS = 1.0  # that a crash may cost: longer than a machine with much to do takes for those played together
BYTES = 4 << 20
FENCE = 1  # of the first who plays a run


class Draft:
    """The store of one run that is begun through it. Only whoever holds the draft knows of the run."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.location = store.location
        self._row: RunRow | None = None
        self._pieces: list[Batch] = []
        self._owner: Owner | None = None
        self._begun = time.monotonic()
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Whatever else a store is asked: the run is brought in first, and answers there."""
        self.publish()
        return getattr(self.store, name)

    @property
    def held(self) -> bool:
        """Whether the run is only here."""
        return self._row is not None

    def whole(self) -> tuple[RunRow, list[Batch]]:
        """All of a run that is only here."""
        assert self._row is not None
        return self._row, self._pieces

    def pack(self) -> None:
        """Nobody plays it any more. One that is over is bundled while all of it is still at hand."""
        assert self._row is not None
        assert self._owner is None
        entries = [entry for piece in self._pieces for entry in piece.entries]
        if self._row.status.ended and entries and entries[0].seq == 0:
            for piece in self._pieces:
                piece.entries = []
            self._pieces[0].bundle = bundled(entries)

    def let_go(self) -> None:
        """Another has brought it into the store."""
        self._row, self._pieces = None, []

    def publish(self) -> None:
        """Bring the run into its store, as far as it has come."""
        row = self._row
        if row is None:
            return
        try:
            self.store.bring_in(row, self._pieces)
        except StorageError as error:
            if not error.data.get("committed"):
                raise
        self.let_go()
        if self._owner is not None and self.store.acquire(row.run_id, self._owner) != FENCE:
            raise LeaseHeld(f"run {row.run_id} was taken up by somebody else", where=self.location)

    # --- the run as it begins and is written ---

    def bring_in(
        self, row: RunRow, pieces: Iterable[Batch], letters: Iterable[Mail] = (), *, fence: int | None = None
    ) -> None:
        assert self._row is None
        assert fence is None
        assert not list(letters)
        self._row, self._pieces = row, list(pieces)

    def run(self, run_id: str) -> RunRow:
        return self._row if self._row is not None else self.store.run(run_id)

    def acquire(self, run_id: str, owner: Owner, *, force: bool = False) -> int:
        if self._row is None:
            return self.store.acquire(run_id, owner, force=force)
        self._owner = owner
        return FENCE

    def release(self, run_id: str, fence: int) -> None:
        self._owner = None
        if self._row is None:
            self.store.release(run_id, fence)

    def lease(self, run_id: str) -> Lease | None:
        if self._row is None:
            return self.store.lease(run_id)
        return Lease(run_id, FENCE, self._owner, 0)

    def commit(self, batches: Sequence[Batch]) -> None:
        (batch,) = batches
        if self._row is not None:
            self._bytes += batch.size
            late = time.monotonic() - self._begun > SECONDS or self._bytes > BYTES
            if not (late or batch.effects or batch.texts or batch.taken):
                self._row = advanced(self._row, batch)
                self._keep(batch)
                return
            self.publish()
        self.store.commit(batches)

    def _keep(self, batch: Batch) -> None:
        """Behind what is here, as one piece: fewer statements when it is brought in."""
        last = self._pieces[-1]
        last.entries += batch.entries
        last.operations += batch.operations
        last.checkpoints += batch.checkpoints
        last.segments += batch.segments

    # --- what a loop that has just begun asks ---

    def mail(self, run_id: str, *, taken_in: int | None = None) -> list[Mail]:
        return [] if self._row is not None else self.store.mail(run_id, taken_in=taken_in)

    def changed(self) -> bool:
        return self._row is None and self.store.changed()

    def effects(self, run_id: str, turn: int | None = None, *, kind: str = "") -> list[Effect]:
        return [] if self._row is not None else self.store.effects(run_id, turn, kind=kind)

    def waiting(self, run_id: str) -> list[Effect]:
        return [] if self._row is not None else self.store.waiting(run_id)

    def checkpoint(self, run_id: str, upto: int) -> Checkpoint | None:
        if self._row is None:
            return self.store.checkpoint(run_id, upto)
        made = [one for piece in self._pieces for one in piece.checkpoints if one.turn <= upto]
        return max(made, key=lambda one: one.turn, default=None)

    def segment(self, run_id: str, hash: bytes) -> Segment | None:
        if self._row is None:
            return self.store.segment(run_id, hash)
        return next((one for piece in self._pieces for one in piece.segments if one.hash == hash), None)

    def entries(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[Entry]:
        if self._row is None:
            return self.store.entries(run_id, after, upto)
        every = [entry for piece in self._pieces for entry in entries_of(piece)]  # by number, from 0 on
        return iter(every[after + 1 : None if upto is None else upto + 1])

    def operations(self, run_id: str, after: int = -1) -> Iterator[Operation]:
        if self._row is None:
            return self.store.operations(run_id, after)
        return (one for piece in self._pieces for one in piece.operations if one.seq > after)

    def last_operation(self, run_id: str, kind: str) -> Operation | None:
        found = (
            [one for one in self.operations(run_id) if one.kind == kind] if self._row is not None else None
        )
        if found is None:
            return self.store.last_operation(run_id, kind)
        return found[-1] if found else None

    def scored(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
        if self._row is None:
            return self.store.scored(run_id, after, upto)
        last = self._row.turn if upto is None else upto
        return (
            (one.turn, one.body)
            for one in self.entries(run_id)
            if one.kind == "scored" and after < one.turn <= last
        )


def advanced(row: RunRow, batch: Batch) -> RunRow:
    """The row as a store would have it after the batch."""
    changes: dict[str, Any] = {"reason": batch.reason, "updated": batch.at}
    if batch.entries:
        changes |= {"head_seq": batch.entries[-1].seq, "head_hash": batch.entries[-1].hash}
    if batch.operations:
        changes |= {"op_seq": batch.operations[-1].seq, "op_hash": batch.operations[-1].hash}
    for name in ("status", "turn", "turns"):
        if (value := getattr(batch, name)) is not None:
            changes[name] = value
    return structs.replace(row, **changes)
