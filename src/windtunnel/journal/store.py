"""What a store can do, whichever database is behind it.

A store holds one or more runs. One writer of history for each run (the holder of its lease, whose
fencing number every commit carries), many writers of mail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from windtunnel.codec import Segment
from windtunnel.journal.heads import Head
from windtunnel.journal.model import (
    Arrival,
    Batch,
    Checkpoint,
    Effect,
    Entry,
    Mail,
    Operation,
    Place,
    RunRow,
    Status,
)


class Owner(NamedTuple):
    """Who holds a lease: enough to know whether that process still lives."""

    host: str
    boot: str
    pid: int
    started: str


class Lease(NamedTuple):
    run_id: str
    fence: int
    owner: Owner | None
    beat: int


class Store(Protocol):
    @property
    def location(self) -> str: ...

    # runs
    def add_run(self, row: RunRow) -> None: ...
    def run(self, run_id: str) -> RunRow: ...
    def runs(self) -> list[RunRow]: ...
    def named(self, prefix: str) -> list[RunRow]:
        """The runs whose ids begin so, at most a hundred."""
        ...

    def children(self, run_id: str) -> list[RunRow]: ...

    # the writer
    def acquire(self, run_id: str, owner: Owner, *, force: bool = False) -> int:
        """Take the lease and return its fencing number, or raise LeaseHeld."""
        ...

    def release(self, run_id: str, fence: int) -> None: ...
    def lease(self, run_id: str) -> Lease | None: ...
    def commit(self, batches: Sequence[Batch]) -> None:
        """Make the batches durable, all or none. On return they are on the disk."""
        ...

    def head_outside(self, run_id: str) -> Head | None:
        """The furthest head of a run that is kept outside of the store; None where none is."""
        ...

    # mail
    def post(self, run_id: str, kind: str, body: bytes, sender: str, at: float) -> int: ...
    def mail(self, run_id: str, *, taken_in: int | None = None) -> list[Mail]:
        """Mail nobody took yet; with `taken_in`, what a turn took as well."""
        ...

    def letters(self, run_id: str) -> Iterator[Mail]:
        """All mail of a run, taken or not."""
        ...

    def changed(self) -> bool:
        """Whether another connection wrote since the last call: the cheap question before `mail`."""
        ...

    def stamp(self, run_id: str) -> object:
        """What is another one after each commit of somebody else to this run, perhaps also without one: the
        cheap question of who follows it."""
        ...

    # readers (each over one run's own rows; `Lineage` joins a fork to its past)
    def entries(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[Entry]: ...
    def turning_points(self, run_id: str) -> list[Entry]:
        """The entries of phase `fork`: where a run's scenario or its types changed."""
        ...

    def operations(self, run_id: str, after: int = -1) -> Iterator[Operation]: ...
    def last_operation(self, run_id: str, kind: str) -> Operation | None: ...
    def count_operations(self, run_id: str, kind: str) -> int: ...
    def scored_seq(self, run_id: str, turn: int) -> int | None:
        """The number of a turn's `scored` entry."""
        ...

    def effects(self, run_id: str, turn: int | None = None, *, kind: str = "") -> list[Effect]: ...
    def waiting(self, run_id: str) -> list[Effect]: ...
    def effect(self, run_id: str, place: Place) -> Effect | None: ...
    def arrivals(self, run_id: str, after: int = 0, limit: int = -1) -> list[Arrival]:
        """What was asked and answered, in the order in which it became durable; every commit of an effect is
        one. A store of an older format that is only read has none."""
        ...

    def last_arrival(self, run_id: str) -> int: ...

    def effects_by_place(self, run_id: str) -> Iterator[Effect]:
        """All effects of a run by turn, phase, actor and index, as a stream."""
        ...

    def checkpoint(self, run_id: str, upto: int) -> Checkpoint | None: ...
    def checkpoints(self, run_id: str) -> Iterator[Checkpoint]: ...
    def segment(self, run_id: str, hash: bytes) -> Segment | None: ...
    def segments(self, run_id: str) -> Iterator[Segment]: ...
    def text(self, hash: bytes) -> bytes | None:
        """The body of a large text that effects name by its hash, as it stands here (`texts` proves it)."""
        ...

    def scored(self, run_id: str, after: int = -1, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The bodies of the `scored` entries by turn: where metrics are read from."""
        ...

    # keeping
    def bring_in(
        self, row: RunRow, pieces: Iterable[Batch], letters: Iterable[Mail] = (), *, fence: int | None = None
    ) -> None:
        """A whole run from elsewhere (`fence` None), or the missing past of one that is here: all or none."""
        ...

    def bring_all(
        self, runs: Sequence[tuple[RunRow, Sequence[Batch]]], *, wait: bool = True
    ) -> Callable[[], None] | None:
        """Several whole runs by one commit: all of them or none. They are there for everybody, and on the
        disk once what is returned was called, in any thread: others need not wait for that. None, and nothing
        was done: another writes just now, and who asks would not `wait`."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read inside is of one moment, whoever writes meanwhile. Only read inside."""
        ...

    def weigh(self, run_id: str) -> int:
        """About how many bytes a run takes; texts that runs share count for each of them."""
        ...

    def size(self) -> int:
        """How many bytes the whole store takes."""
        ...

    def sweep(self) -> int:
        """Drop the texts that no effect of the store names any more, and say how many went."""
        ...

    def shrink(self) -> None:
        """Give the room of what was erased back to the disk."""
        ...

    def altered(self) -> list[str]:
        """The tables and views that are not as this version makes them."""
        ...

    def erase(self, run_id: str, at: float) -> None:
        """Leave a tombstone: the run's row and head stay, everything else of it goes."""
        ...

    def set_status(self, run_id: str, status: Status, at: float) -> None: ...
    def close(self) -> None: ...
