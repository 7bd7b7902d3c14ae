"""Runs moved between stores, forks made whole, and copies of stores in use.

What is copied is the stored bytes: nothing is hashed or encoded anew, so a run has the same head wherever it
lies. A fork that travels alone takes the past it shared with it: it then has all entries from 0 on, its
`forked` entry in the middle, and no parent. A run that does not verify is refused, so that no copy gives a
damaged journal a clean head. Each run arrives whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct, field

from windtunnel.errors import LeaseHeld, NotFound, StorageError, UsageError, WindtunnelError, WrongState
from windtunnel.journal.heads import heads_path
from windtunnel.journal.lease import lives, this_process
from windtunnel.journal.lineage import Lineage, Part
from windtunnel.journal.model import Batch, Checkpoint, Place, RunRow, Status
from windtunnel.journal.sqlite import SqliteStore
from windtunnel.journal.store import Store
from windtunnel.journal.texts import texts_named
from windtunnel.journal.verify import verify
from windtunnel.journal.witnesses import logs_of, segments_of

PIECE = 500  # rows that are in memory at once


class Merged(Struct):
    copied: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)  # they were there already
    refused: dict[str, str] = field(default_factory=dict)  # and why


def copy_run(source: Store, target: Store, run_id: str, *, whole: bool = True) -> bool:
    """Bring a run into another store. False if the same run is there already.

    With `whole` a fork brings its past along; without, its parent must be in the target.
    """
    with source.snapshot():
        return _copy_run(source, target, source.run(run_id), whole=whole)


def _copy_run(source: Store, target: Store, row: RunRow, *, whole: bool) -> bool:
    run_id = row.run_id
    if row.pruned is not None:
        raise WrongState(f"run {run_id} was pruned: only its head is left", where=source.location)
    if _is_there(target, row):
        return False
    verdict = verify(source, run_id)
    if not verdict.intact or verdict.complete is False:
        why = verdict.first_problem["message"] if verdict.first_problem else ""
        raise StorageError(
            f"run {run_id} does not verify, so it is not copied: {why}",
            where=source.location,
            remedy=f"windtunnel verify {run_id}",
        )
    lineage = Lineage(source, run_id)
    alone = row.parent is None or whole
    here = row if row.status is not Status.RUNNING else msgspec.structs.replace(row, status=Status.CRASHED)
    here = _orphan(here) if alone else here
    pieces = _pieces(lineage, lineage.parts if alone else lineage.parts[-1:])
    target.bring_in(here, pieces, source.letters(run_id))
    return True


def merge(source: Store, target: Store) -> Merged:
    """All runs of a store into another. A fork stays a fork if its parent is there too."""
    result = Merged()
    for row in _parents_first(source.runs()):
        try:
            whole = row.parent is None or not _shares(source, target, row)
            copied = copy_run(source, target, row.run_id, whole=whole)
            (result.copied if copied else result.same).append(row.run_id)
        except WindtunnelError as error:
            result.refused[row.run_id] = error.message
    return result


def make_whole(store: Store, run_id: str) -> bool:
    """Give a fork a copy of the past it shares, so that its parent may go. False if it has no parent."""
    row = store.run(run_id)
    if row.parent is None:
        return False
    fence = store.acquire(run_id, this_process())
    try:
        row = store.run(run_id)
        lineage = Lineage(store, run_id)
        store.bring_in(_orphan(row), _past(lineage), fence=fence)
    finally:
        store.release(run_id, fence)
    return True


def backup(store: str | Path, to: str | Path) -> Path:
    """A whole copy of a store and its heads while runs go on. Refuses to overwrite anything."""
    source, target = Path(store), Path(to)
    copies = (target, heads_path(target))
    for path in copies:
        if path.exists():
            raise UsageError("there is a file here already", where=str(path), remedy="name another file")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.part")
    opened = SqliteStore(source, read_only=True)
    try:
        # The heads first: what they name is then surely in the copy, which is taken after them.
        heads = opened.heads.read_bytes() if opened.heads.exists() else b""
        opened.backup(fresh)
        if heads:
            copies[1].write_bytes(heads)
        os.link(fresh, target)  # fails, where a rename would overwrite
    except FileExistsError:
        raise UsageError("there is a file here already", where=str(target)) from None
    except OSError as error:
        raise StorageError(f"the backup cannot be written: {error.strerror}", where=str(target)) from None
    finally:
        opened.close()
        with suppress(OSError):
            fresh.unlink()
    return target


# --- what is in the target ---


def _is_there(target: Store, row: RunRow) -> bool:
    try:
        there = target.run(row.run_id)
    except NotFound:
        return False
    if (there.head_seq, there.head_hash) != (row.head_seq, row.head_hash):
        raise WrongState(
            f"the target has another run {row.run_id}: its head is {there.head_seq}, not {row.head_seq}",
            where=target.location,
            remedy="verify both; keep the one that is right",
        )
    if there.pruned is not None:
        raise WrongState(f"run {row.run_id} was pruned in the target", where=target.location)
    return True


def _shares(source: Store, target: Store, row: RunRow) -> bool:
    """Whether the target has the very past that a fork shares."""
    assert row.parent is not None
    assert row.parent_seq is not None
    try:
        there = Lineage(target, row.parent)
    except NotFound:
        return False
    if any(part.row.pruned is not None for part in there.parts):
        return False
    seq = row.parent_seq
    ours = next(Lineage(source, row.parent).entries(seq - 1, seq), None)
    theirs = next(there.entries(seq - 1, seq), None)
    return ours is not None and theirs is not None and ours.hash == theirs.hash


def _parents_first(rows: list[RunRow]) -> list[RunRow]:
    known = {row.run_id: row for row in rows}
    done: dict[str, RunRow] = {}

    def visit(row: RunRow) -> None:
        line = [row]
        while (parent := line[-1].parent) in known and parent not in done and len(line) <= len(rows):
            line.append(known[str(parent)])
        for one in reversed(line):
            done.setdefault(one.run_id, one)

    for row in rows:
        visit(row)
    return list(done.values())


def _orphan(row: RunRow) -> RunRow:
    return msgspec.structs.replace(row, parent=None, parent_seq=None, parent_turn=None)


# --- pieces: all rows of a run, a few at a time ---


def _pieces(lineage: Lineage, parts: list[Part]) -> Iterator[Batch]:
    """All that makes the run, up to the head that its row named when the lineage was read."""
    row, run_id, store = lineage.row, lineage.row.run_id, lineage.store
    if len(parts) > 1:
        yield from _past(lineage)
    batch = Batch(run_id, 0)
    for entry in store.entries(run_id, -1, row.head_seq):
        batch.entries.append(entry)
        if len(batch.entries) >= PIECE:
            yield batch
            batch = Batch(run_id, 0)
    for operation in store.operations(run_id):
        if operation.seq <= row.op_seq:
            batch.operations.append(operation)
        if len(batch.operations) >= PIECE:
            yield batch
            batch = Batch(run_id, 0)
    yield batch
    known: set[bytes] = set()
    for effect in store.effects_by_place(run_id):
        if effect.turn <= row.turn + 1:
            yield Batch(run_id, 0, effects=[effect], texts=texts_named(store, effect, known))
    yield from _arrivals(store, run_id)
    mine = (point for point in store.checkpoints(run_id) if point.seq <= row.head_seq)
    yield from _states(lineage, run_id, mine)


def _arrivals(store: Store, run_id: str) -> Iterator[Batch]:
    """With their numbers: who followed the run here goes on where it lies next."""
    after = 0
    while found := store.arrivals(run_id, after, PIECE):
        yield Batch(run_id, 0, arrivals=found)
        after = found[-1].number


def _past(lineage: Lineage) -> Iterator[Batch]:
    """The shared past of a fork, as rows of its own; what it has of its own already stays as it is."""
    store, run_id, fork = lineage.store, lineage.row.run_id, lineage.row
    last_turn = fork.parent_turn if fork.parent_turn is not None else -1
    own: set[Place] = set()
    for effect in store.effects_by_place(run_id):
        if effect.turn > last_turn:
            break
        own.add(effect.place)
    batch = Batch(run_id, 0)
    for entry in lineage.entries(-1, fork.parent_seq if fork.parent_seq is not None else -1):
        batch.entries.append(entry)
        if len(batch.entries) >= PIECE:
            yield batch
            batch = Batch(run_id, 0)
    yield batch
    begins, known = -1, set[bytes]()
    for part in lineage.parts[:-1]:
        for effect in store.effects_by_place(part.row.run_id):
            if begins < effect.turn <= part.last_turn and effect.place not in own:
                yield Batch(run_id, 0, effects=[effect], texts=texts_named(store, effect, known))
        begins = part.last_turn
    taken = {point.turn for point in store.checkpoints(run_id) if point.turn <= last_turn}
    for part in lineage.parts[:-1]:
        shared = (
            point
            for point in store.checkpoints(part.row.run_id)
            if point.seq <= part.last_seq and point.turn <= part.last_turn and point.turn not in taken
        )
        yield from _states(lineage, run_id, shared)
    # The fork's own states may go on with Logs whose older parts lie with the parent.
    yield from _states(lineage, run_id, store.checkpoints(run_id), with_states=False)


def _states(
    lineage: Lineage, run_id: str, points: Iterator[Checkpoint], *, with_states: bool = True
) -> Iterator[Batch]:
    known: set[bytes] = set()
    for point in points:
        logs = logs_of(point.state)
        for hash, _ in logs:
            for segment in segments_of(lineage, hash, known):
                yield Batch(run_id, 0, segments=[segment])
        known = {hash for hash, _ in logs}
        if with_states:
            yield Batch(run_id, 0, checkpoints=[point])


def refuse_played(store: Store, run_id: str) -> None:
    held = store.lease(run_id)
    if held is not None and held.owner is not None and lives(held.owner):
        raise LeaseHeld(
            f"run {run_id} is being played by process {held.owner.pid} on {held.owner.host}",
            where=store.location,
            remedy=f"windtunnel pause {run_id}",
        )
