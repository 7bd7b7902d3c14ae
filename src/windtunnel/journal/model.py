"""The nouns of the journal: status, run row, entry, operation, effect, mail, batch.

An `Entry` is one line of history. Its hash is SHA-256 of the hash before it, a header line with its
place (`seq turn phase kind actor`), and its stored body; nothing is ever encoded twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field

from windtunnel.codec import Segment
from windtunnel.errors import WrongState
from windtunnel.hashing import digest

GENESIS = b"\0" * 32


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

    @property
    def playable(self) -> bool:
        """A run in this status may be taken up."""
        return Status.RUNNING in _NEXT[self] or self is Status.RUNNING

    def move(self, to: Status) -> Status:
        if to is not self and to not in _NEXT[self]:
            raise WrongState(f"a run that is {self} cannot become {to}")
        return to


_ALIVE = {
    Status.WAITING, Status.PAUSED, Status.COMPLETED, Status.FAILED, Status.CRASHED, Status.CANCELLED,
    Status.QUEUED,  # handed back by a worker that ends: another goes on with it
}  # fmt: skip
_NEXT: dict[Status, set[Status]] = {
    Status.QUEUED: {Status.RUNNING, Status.PAUSED, Status.CANCELLED, Status.FAILED},
    Status.RUNNING: _ALIVE,
    Status.WAITING: {Status.RUNNING, Status.PAUSED, Status.CANCELLED, Status.FAILED},
    Status.PAUSED: {Status.RUNNING, Status.CANCELLED},
    Status.CRASHED: {Status.RUNNING, Status.PAUSED, Status.CANCELLED, Status.FAILED},
    Status.FAILED: {Status.RUNNING},  # after its cause was mended, from its last good state
    Status.COMPLETED: set(),
    Status.CANCELLED: set(),
}


class RunRow(Struct, frozen=True):
    """A run as its store lists it: an index over its two chains, checked by `verify`."""

    run_id: str
    world: str
    scenario: str
    mode: str
    seed: int
    status: Status
    turn: int
    turns: int
    head_seq: int
    head_hash: bytes
    op_seq: int
    op_hash: bytes
    parent: str | None
    parent_seq: int | None
    parent_turn: int | None
    branch: int
    created: float
    updated: float
    tags: str
    reason: str | None
    pruned: float | None


class Entry(NamedTuple):
    seq: int
    turn: int
    phase: str
    kind: str
    actor: str
    body: bytes
    prev: bytes
    hash: bytes

    @property
    def place(self) -> str:
        who = f" of {self.actor}" if self.actor else ""
        return f"entry {self.seq} (turn {self.turn}, {self.phase}: {self.kind}{who})"


def entry_hash(prev: bytes, seq: int, turn: int, phase: str, kind: str, actor: str, body: bytes) -> bytes:
    return digest(prev + f"{seq} {turn} {phase} {kind} {actor}\n".encode() + body)


class Operation(NamedTuple):
    seq: int
    at: float
    kind: str
    body: bytes
    prev: bytes
    hash: bytes


def operation_hash(prev: bytes, seq: int, at: float, kind: str, body: bytes) -> bytes:
    return digest(b"%b%d %b %b\n%b" % (prev, seq, repr(at).encode(), kind.encode(), body))


Place = tuple[int, str, str, int]  # turn, phase, the actor's path, index in that path


class Effect(Struct):
    """One request to the outside, and its result once that is durable. `key` is the same on every retry.

    Both as they are stored: `texts.whole` gives them with their large texts in place."""

    turn: int
    phase: str
    actor: str
    idx: int
    kind: str
    key: str
    request: bytes
    result: bytes | None = None
    asked: float = 0.0
    answered: float | None = None
    attempts: int = 1

    @property
    def place(self) -> Place:
        return (self.turn, self.phase, self.actor, self.idx)

    @property
    def name(self) -> str:
        """How a person refers to it."""
        return f"{self.turn}.{self.phase}.{self.actor or 'world'}.{self.idx}"


class Arrival(NamedTuple):
    """That an effect was asked, or answered: where it stands, numbered from 1 as they became durable."""

    number: int
    turn: int
    phase: str
    actor: str
    idx: int
    answered: bool

    @property
    def place(self) -> Place:
        return (self.turn, self.phase, self.actor, self.idx)


class Mail(Struct, frozen=True):
    id: int
    kind: str
    body: bytes
    sender: str
    at: float
    taken: int | None


class Checkpoint(Struct, frozen=True):
    """The state after a turn, with the agents' memories and the actions that still wait for people."""

    turn: int
    seq: int
    state: bytes
    memory: bytes = b"{}"
    deferred: bytes = b"[]"


class Bundle(NamedTuple):
    """All entries of a run, from number 0 on: as JSON, and their hashes (bundles.py)."""

    lines: bytes
    hashes: bytes


class Batch(Struct):
    """What one commit makes durable for one run, all of it or nothing."""

    run_id: str
    fence: int
    entries: list[Entry] = field(default_factory=list)
    bundle: Bundle | None = None  # instead of entries: all those of a run that is over
    operations: list[Operation] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    texts: dict[bytes, bytes] = field(default_factory=dict)  # by hash: those that the effects name
    arrivals: list[Arrival] = field(default_factory=list)  # of a run from elsewhere; a store numbers its own
    taken: list[tuple[int, int]] = field(default_factory=list)  # (turn, mail id)
    status: Status | None = None
    reason: str | None = None
    turn: int | None = None
    turns: int | None = None
    at: float = 0.0
    size: int = 0  # about how many bytes it holds
