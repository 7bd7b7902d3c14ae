"""What a store says of its runs, for the index: read from the journal, as little of it as must be.

A store that rests is read as a plain file, so that looking at a hundred thousand of them leaves nothing
beside them. Whether a file changed is asked of the file system, never of the store.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import apsw
import msgspec
from msgspec import Struct, field

from windtunnel.codec import decode_body
from windtunnel.control.ids import tournament_of
from windtunnel.errors import StorageError, WindtunnelError
from windtunnel.journal import RunRow, SqliteStore, Status, Store
from windtunnel.journal.lease import lives
from windtunnel.run.calls import ATTEMPT, BALANCE, DOUBT

SUFFIX = ".sqlite"
# A file that was written a moment ago may be written again within one tick of the file system's clock, and
# look the same: it is read again next time.
RECENT_NS = 1_000_000_000
WHOLE_NS = 60 * RECENT_NS  # how long a folder that stands still is believed
MANY_HELD = 2000
TRIES = 3
# Whatever a file holds that calls itself a store: it is passed over, and named.
UNREADABLE = (WindtunnelError, OSError, apsw.Error, ValueError, TypeError, KeyError, AttributeError)


class Known(Struct):
    """What the index has of a run: enough to see whether the journal has more."""

    mark: tuple[Any, ...]
    spend: int
    counted: int
    calls: int = 0


class Seen(Struct):
    """A run as its store has it now."""

    row: RunRow  # with the status that is true
    said: str  # the status that is written
    holder: str = ""
    spend: int = 0
    counted: int = -1
    wake: float | None = None
    calls: int = 0


# What the index has of these runs of a store, or of all.
Knows = Callable[[Sequence[str] | None], dict[str, Known]]


class Read(Struct):
    """What is new in a store: the runs that are not as they are known, and the ids of those that are gone.
    `stamp`: how far that is, where the store itself tells what was written since."""

    seen: list[Seen]
    gone: list[str]
    stamp: str | None = None


class Looked(Struct):
    """What a look at the stores found: each with what changes when it is written, empty where nothing tells
    that. Unless `whole` it is only of those that may have changed, and no other is gone. `token` and `held`
    are given to the next look."""

    stamps: dict[str, str]
    whole: bool
    token: str = ""
    held: list[str] = field(default_factory=list)


class Stores(Protocol):
    """Where the journals lie. A location is a name that stays true when the workspace is moved. `sole`: there
    is but one store, so that without it there is no list, and its error is told."""

    sole: bool

    def look(self, token: str, again: Sequence[str]) -> Looked:
        """Which stores there are, or may have changed since the look that gave the token; `again` are those
        that are looked at in any case."""
        ...

    def read(self, location: str, knows: Knows, since: str) -> Read:
        """What is new in a store. `since`: its stamp when it was read last, or nothing."""
        ...

    def one(self, location: str, run_id: str) -> Seen | None:
        """One run as it is now."""
        ...

    def name(self, location: str) -> str | None:
        """The name of a store in the index, or None: it is none of these."""
        ...

    def location(self, name: str) -> str:
        """Where the store of this name lies."""
        ...

    def close(self) -> None: ...


class FolderStores:
    """The SQLite files of a folder."""

    sole = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = f"{folder}{os.sep}"  # a Path for each row of a page would cost as much as its query

    def name(self, location: str) -> str | None:
        path = Path(location).absolute()
        return path.name if path.parent == self.folder.absolute() and path.suffix == SUFFIX else None

    def location(self, name: str) -> str:
        return self._before + name

    def look(self, token: str, again: Sequence[str]) -> Looked:
        """Whoever writes a store makes a WAL beside it, and the folder changes. While it stands still, only
        those that had a WAL already can have been written; now and then all are looked at all the same, since
        a file may also be copied over another."""
        now = time.time_ns()  # ambient: ages of files
        folder = self._folder(now - RECENT_NS)
        if (
            folder
            and token.partition("/")[0] == folder
            and 0 <= now - int(token.partition("/")[2]) < WHOLE_NS
        ):
            recent = now - RECENT_NS
            return Looked({name: self._stamp(name, recent) for name in again}, False, token)
        found, held = self._all(now - RECENT_NS)
        return Looked(found, True, f"{folder}/{now}" if folder and len(held) <= MANY_HELD else "", held)

    def _folder(self, recent: int) -> str:
        try:
            folder = self.folder.stat()
        except OSError:
            return ""
        return "" if _just(folder, recent) else f"{folder.st_ino} {folder.st_mtime_ns}"

    def _stamp(self, name: str, recent: int) -> str:
        try:
            return _stamp((self.folder / name).stat(), _log(self.folder / f"{name}-wal"), recent)
        except OSError:
            return ""  # reading it says what is wrong

    def _all(self, recent: int) -> tuple[dict[str, str], list[str]]:
        files: dict[str, os.stat_result | None] = {}
        logs: dict[str, os.stat_result] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    try:
                        if entry.name.endswith(SUFFIX):
                            files[entry.name] = None
                            files[entry.name] = entry.stat()
                        elif entry.name.endswith(f"{SUFFIX}-wal"):
                            logs[entry.name.removesuffix("-wal")] = entry.stat()
                    except OSError:
                        continue  # gone since, or a link to nothing
        except (FileNotFoundError, NotADirectoryError):
            return {}, []
        found = {name: _stamp(file, logs.get(name), recent) if file else "" for name, file in files.items()}
        return found, [name for name in logs if name in files]

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, location: str, knows: Knows, since: str) -> Read:  # noqa: ARG002 - files do not tell
        known = knows(None)
        seen, there = self._read(location, known)
        return Read(seen, [run_id for run_id in known if run_id not in there])

    def one(self, location: str, run_id: str) -> Seen | None:
        seen, _ = self._read(location, {})
        return next((found for found in seen if found.row.run_id == run_id), None)

    def _read(self, location: str, known: Mapping[str, Known]) -> tuple[list[Seen], set[str]]:
        path = self.folder / location
        for _ in range(TRIES):
            before = _state(path)
            if before[-1]:  # commits wait in the WAL: it is in use, or was left by a crash
                break
            try:
                store = SqliteStore(path, resting=True)
            except StorageError:
                if _state(path) == before:
                    raise
                continue
            try:
                found = read_store(store, known)
            finally:
                store.close()
            if _state(path) == before:
                return found
        store = SqliteStore(path, read_only=True)
        try:
            return read_store(store, known)
        finally:
            store.close()


def _stamp(file: os.stat_result, log: os.stat_result | None, recent: int) -> str:
    """What changes when a store is written; an empty WAL is as good as none."""
    logged = log is not None and log.st_size
    if _just(file, recent) or (log and logged and _just(log, recent)):
        return ""
    own = f"{file.st_ino} {file.st_size} {file.st_mtime_ns}"
    return f"{own} {log.st_size} {log.st_mtime_ns}" if log and logged else own


def _log(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _just(file: os.stat_result, recent: int) -> bool:
    """Whether it was written so lately that a write after this look might not show."""
    return recent < file.st_mtime_ns < recent + 2 * RECENT_NS


def _state(path: Path) -> tuple[int, int, int, int]:
    """What must not change while a resting file is read; last the bytes that wait in its WAL."""
    try:
        waiting = os.stat(f"{path}-wal").st_size  # noqa: PTH116 - a hundred thousand times
    except FileNotFoundError:
        waiting = 0
    try:
        file = path.stat()
    except FileNotFoundError:
        return 0, 0, 0, 0
    return file.st_ino, file.st_size, file.st_mtime_ns, waiting


def read_store(store: Store, known: Mapping[str, Known]) -> tuple[list[Seen], set[str]]:
    """The runs that are not as they are known, and the ids of all, of one moment of the store."""
    with store.snapshot():
        rows = store.runs()
        return seen_of(store, rows, known), {row.run_id for row in rows}


def seen_of(store: Store, rows: Iterable[RunRow], known: Mapping[str, Known]) -> list[Seen]:
    """Those of these rows that are not as they are known. Runs that are played are always read: their lease
    is no part of their row. The matches of a tournament are not listed: they are found through it."""
    found = []
    for row in rows:
        if tournament_of(row.run_id):
            continue
        before = known.get(row.run_id)
        if row.status is Status.RUNNING or before is None or before.mark != mark(row):
            found.append(_seen(store, row, before))
    return found


def mark(row: RunRow) -> tuple[Any, ...]:
    """What cannot stay the same when a run is written."""
    return (str(row.status), row.turn, row.head_seq, row.op_seq, row.updated, row.pruned)


def _seen(store: Store, row: RunRow, before: Known | None) -> Seen:
    seen = Seen(row, str(row.status))
    if row.pruned is not None:
        if before is not None:
            seen.spend, seen.calls, seen.counted = before.spend, before.calls, before.counted
        return seen
    if row.status is Status.RUNNING:
        lease = store.lease(row.run_id)
        owner = lease.owner if lease else None
        seen.holder = msgspec.json.encode(owner).decode() if owner else ""
        if owner is None or not lives(owner):
            seen.row = msgspec.structs.replace(row, status=Status.CRASHED)
    seen.spend, seen.calls = _asked(store, row, before)
    seen.counted = row.op_seq
    if not row.status.ended:
        seen.wake = _wake(store, row.run_id)
    return seen


def _asked(store: Store, row: RunRow, before: Known | None) -> tuple[int, int]:
    """What its models cost, in micro-dollars, as its own account is told: a balance and what came since. And
    how often they were asked: each attempt that went out to a provider."""
    if before is not None and 0 <= before.counted <= row.op_seq:
        total, calls, after = before.spend, before.calls, before.counted
        all_counted = False
    else:
        balance = store.last_operation(row.run_id, BALANCE)
        total, after = 0, -1 if balance is None else balance.seq - 1
        calls, all_counted = store.count_operations(row.run_id, ATTEMPT), True
    for operation in store.operations(row.run_id, after=after):
        if operation.kind == BALANCE:
            total = int(decode_body(operation.body)["spent"][0])
        elif operation.kind in (ATTEMPT, DOUBT):
            total += int(decode_body(operation.body).get("cost", 0))
            calls += operation.kind == ATTEMPT and not all_counted
    return total, calls


def _wake(store: Store, run_id: str) -> float | None:
    """When the first of its waiting votes expires."""
    return min(_expiries(store, run_id), default=None)


def _expiries(store: Store, run_id: str) -> Iterable[float]:
    for effect in store.waiting(run_id):
        if effect.kind == "approval":
            seconds = decode_body(effect.request).get("hold", {}).get("expires_seconds")
            if seconds is not None:
                yield effect.asked + seconds


def problem(error: Exception) -> tuple[str, str | None]:
    """What is wrong with a store that cannot be read, and what to do."""
    if isinstance(error, WindtunnelError):
        return error.message, error.remedy
    if isinstance(error, OSError):
        return error.strerror or str(error), "mend the permissions of the file"
    return f"it cannot be understood: {error}", "put a `windtunnel backup` of it back"
