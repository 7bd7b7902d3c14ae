"""A disk that fails when it is told to: an APSW VFS over the system's own.

It counts calls of the kinds it may fail (write, sync, truncate) and at the n-th does what the fault says. It
can also lose its power: whatever was written and not synced since is undone, in part and at random, and the
process dies. That is how a commit that returned too early shows.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from random import Random
from typing import Any, Literal

import apsw
import msgspec

NAME = "faulty"
SECTOR = 512

What = Literal["torn", "eio", "full", "sync-lost", "sync-kept", "truncate", "power", "count"]


class Fault(msgspec.Struct, omit_defaults=True):
    """What fails, at which call of its kind, and for how long.

    torn       half of a write arrives, then an error
    eio        a write fails
    full       the disk is full
    sync-kept  a sync fails, and what was written is there all the same
    sync-lost  a sync fails, and what was written since the last one is gone
    truncate   a truncation fails
    power      at the n-th call of any kind the machine stops
    """

    what: What
    at: int = 0
    times: int = 1_000_000  # how many calls of its kind fail from then on
    seed: int = 0


class _State:
    def __init__(self) -> None:
        self.fault = Fault("count")
        self.counts = {"write": 0, "sync": 0, "truncate": 0}
        self.unsynced: dict[str, list[tuple[int, bytes, int]]] = {}  # file: offset, bytes before, size before
        self.vfs: apsw.VFS | None = None


_state = _State()
_KIND = {
    "torn": "write", "eio": "write", "full": "write", "sync-lost": "sync", "sync-kept": "sync",
    "truncate": "truncate",
}  # fmt: skip


def install(fault: Fault) -> str:
    """Make the disk fail from here on; the name of the VFS."""
    _state.fault = fault
    _state.counts = dict.fromkeys(_state.counts, 0)
    _state.unsynced.clear()
    if _state.vfs is None:
        _state.vfs = _Disk()
    return NAME


def mend() -> None:
    _state.fault = Fault("count")


def calls() -> dict[str, int]:
    return dict(_state.counts)


def _due(kind: str) -> bool:
    """Count a call, and say whether it is one that fails."""
    fault, number = _state.fault, _state.counts[kind]
    _state.counts[kind] += 1
    if fault.what == "power":
        if sum(_state.counts.values()) > fault.at:
            cut_power(Random(fault.seed))
        return False
    return _KIND.get(fault.what) == kind and fault.at <= number < fault.at + fault.times


def cut_power(random: Random) -> None:
    """Undo a random part of what was not synced, sector by sector, and die."""
    for name, writes in _state.unsynced.items():
        path = Path(name)
        if not path.exists():
            continue
        whole = random.random() < 0.5  # often everything is lost, which is the plainest case
        with path.open("r+b") as file:
            for offset, before, size in reversed(writes):
                if whole or random.random() < 0.5:
                    file.seek(offset)
                    file.write(before)
                    file.truncate(max(size, offset) if whole else max(size, file.seek(0, os.SEEK_END)))
    os.kill(os.getpid(), signal.SIGKILL)


class _Disk(apsw.VFS):
    def __init__(self) -> None:
        self.base = ""
        super().__init__(NAME, self.base)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's word
        return _File(self.base, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int]) -> None:
        super().__init__(base, name, flags)
        self.name = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "")

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._remember(offset, len(data))
        if _due("write"):
            what = _state.fault.what
            if what == "torn":
                super().xWrite(data[: max(1, len(data) // 2)], offset)
            raise (
                apsw.FullError("database or disk is full")
                if what == "full"
                else apsw.IOError("disk I/O error")
            )
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if _due("sync"):
            if _state.fault.what == "sync-lost":
                self._lose()
            raise apsw.IOError("disk I/O error")
        super().xSync(flags)
        _state.unsynced.pop(self.name, None)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if _due("truncate"):
            raise apsw.IOError("disk I/O error")
        super().xTruncate(size)

    def _remember(self, offset: int, length: int) -> None:
        """What stands there now, in case it has to come back."""
        if not self.name:
            return
        size = super().xFileSize()
        before = b""
        if offset < size:
            try:
                before = super().xRead(min(length, size - offset), offset)
            except apsw.Error:
                before = b""
        _state.unsynced.setdefault(self.name, []).append((offset, before, size))

    def _lose(self) -> None:
        """What was not synced is gone, as after a failed sync whose pages the system forgets."""
        for offset, before, size in reversed(_state.unsynced.pop(self.name, [])):
            if before:
                super().xWrite(before, offset)
            if size < super().xFileSize():
                super().xTruncate(size)
