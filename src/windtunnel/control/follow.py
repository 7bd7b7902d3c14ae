"""Following a run: what its journal says since a cursor, nothing missed and nothing twice.

A run's news has three sources that only grow, each with numbers of its own: entries (with the past that a
fork shares), operations, and arrivals of effects. A `Position` is how far one has read each of them, and a
cursor is that position in text: it means the same in every process and after every restart, for it names
rows and no memory of a server. Order holds within a source; between sources rows stand as they were found.

Followers only read, in short snapshots. What was erased (a pruned run) and a cursor that is ahead of the run
(an older copy of its store was put back) are errors that say so, never a silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct, structs

from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import Arrival, Effect, Entry, Operation, RunRow, Store
from windtunnel.journal.lineage import NO_LIMIT, Lineage

Source: TypeAlias = Literal["entry", "operation", "effect"]
PIECE = 500  # rows read at once
PIECE_BYTES = 1 << 20
FROM_THE_START = "start"
_CURSOR = re.compile(r"([0-9a-f]{8})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})")
_UNCURSED = "subscribe with the cursor of a message of this run, with `start`, or with none"


class Position(Struct, frozen=True):
    """How many rows of each source were read. Positions of a run are ordered in part only: one may be ahead
    in its entries and behind in its effects."""

    entry: int = 0
    operation: int = 0
    effect: int = 0

    def covers(self, other: Position) -> bool:
        """Whether everything up to `other` was read."""
        return self.entry >= other.entry and self.operation >= other.operation and self.effect >= other.effect

    def knows(self, row: Row) -> bool:
        return bool(getattr(self, row.source) >= row.number)

    def after(self, row: Row) -> Position:
        source, number = row.source, row.number
        if source == "entry":
            return Position(number, self.operation, self.effect)
        if source == "operation":
            return Position(self.entry, number, self.effect)
        return Position(self.entry, self.operation, number)


NOWHERE = Position()


def write_cursor(run_id: str, at: Position) -> str:
    return f"{_mark(run_id)}.{at.entry}.{at.operation}.{at.effect}"


def read_cursor(run_id: str, cursor: str) -> Position:
    """The position that a cursor names. UsageError if it is none, or of another run."""
    if cursor == FROM_THE_START:
        return NOWHERE
    told = _CURSOR.fullmatch(cursor)
    if told is None:
        raise UsageError("this is no cursor", where="after", remedy=_UNCURSED)
    if told[1] != _mark(run_id):
        raise UsageError(f"this cursor is of another run than {run_id}", where="after", remedy=_UNCURSED)
    return Position(int(told[2]), int(told[3]), int(told[4]))


def _mark(run_id: str) -> str:
    return sha256(run_id.encode()).hexdigest()[:8]


class Told(NamedTuple):
    """An arrival, and the effect as it stands now: one that was asked may have its result by then."""

    arrival: Arrival
    effect: Effect


class Row(NamedTuple):
    """One piece of news. `number` counts the rows of its source from 1."""

    source: Source
    number: int
    thing: Entry | Operation | Told
    size: int


class News(NamedTuple):
    """What was read: the run's row as it was then, the rows, and where that leaves the reader."""

    run: RunRow
    rows: list[Row]
    at: Position


def head_of(store: Store, run_id: str) -> News:
    """Where a run stands now; no rows."""
    with store.snapshot():
        run = store.run(run_id)
        return News(run, [], Position(run.head_seq + 1, run.op_seq + 1, store.last_arrival(run_id)))


def read_news(
    store: Store,
    run_id: str,
    after: Position,
    *,
    upto: Position | None = None,
    most: int = PIECE,
    most_bytes: int = PIECE_BYTES,
) -> News:
    """The next rows of a run, about `most` of them or so many bytes; none if there is nothing new up to
    `upto`."""
    with store.snapshot():
        run = store.run(run_id)
        _check(run, after, store.location)
        rows: list[Row] = []
        at = after
        for row in _limited(_rows(store, run_id, after, upto, most), most, most_bytes):
            rows.append(row)
            at = at.after(row)
        return News(run, rows, at)


def _check(run: RunRow, after: Position, where: str) -> None:
    if after.entry > run.head_seq + 1 or after.operation > run.op_seq + 1:
        raise UsageError(
            f"this cursor is ahead of run {run.run_id}: an older copy of its store was put back",
            where=where,
            remedy="subscribe anew, without a cursor or with `start`",
        )
    if run.pruned is not None and after.entry <= run.head_seq:
        raise NotFound(f"run {run.run_id} was pruned: only its head is left", where=where)


def _rows(store: Store, run_id: str, after: Position, upto: Position | None, most: int) -> Iterator[Row]:
    """The effects of a turn before its entries, which seal them; operations last, they carry their time."""
    last = upto or Position(NO_LIMIT, NO_LIMIT, NO_LIMIT)
    arrivals = [one for one in store.arrivals(run_id, after.effect, most) if one.number <= last.effect]
    arrivals.reverse()
    for entry in Lineage(store, run_id).entries(after.entry - 1, last.entry - 1):
        while arrivals and arrivals[-1].turn <= entry.turn:
            yield from _told(store, run_id, arrivals.pop())
        yield Row("entry", entry.seq + 1, entry, len(entry.body))
    while arrivals:
        yield from _told(store, run_id, arrivals.pop())
    for operation in store.operations(run_id, after.operation - 1):
        if operation.seq >= last.operation:
            break
        yield Row("operation", operation.seq + 1, operation, len(operation.body))


def _told(store: Store, run_id: str, arrival: Arrival) -> Iterator[Row]:
    effect = store.effect(run_id, arrival.place)
    if effect is not None:  # a row that somebody took out: `verify` tells of it
        size = len(effect.request) + len(effect.result or b"")
        yield Row("effect", arrival.number, Told(arrival, effect), size)


def _limited(rows: Iterator[Row], most: int, most_bytes: int) -> Iterator[Row]:
    total = 0
    for row in islice(rows, most):
        yield row
        total += row.size
        if total >= most_bytes:
            return


class Follower:
    """One reader of one run's news, on a store of its own; not for two threads at once."""

    def __init__(self, store: Store, run_id: str, at: Position | None = None) -> None:
        self.store, self.run_id = store, run_id
        head = head_of(store, run_id)
        self.run = head.run
        self.at = head.at if at is None else at
        self._more = at is not None
        self._stamp: object = None

    def poll(self, most: int = PIECE) -> list[Row]:
        """What is new, or nothing. Asks the store only whether anybody wrote, where that is enough."""
        stamp = self.store.stamp(self.run_id)  # before reading: what comes meanwhile shows next time
        if stamp == self._stamp and not self._more:
            return []
        self._stamp = stamp
        news = read_news(self.store, self.run_id, self.at, most=most)
        self.run, self.at = news.run, news.at
        self._more = bool(news.rows)
        return news.rows


def ahead(one: Position, other: Position) -> Position:
    """The further of two positions, source by source."""
    return structs.replace(
        one,
        entry=max(one.entry, other.entry),
        operation=max(one.operation, other.operation),
        effect=max(one.effect, other.effect),
    )
