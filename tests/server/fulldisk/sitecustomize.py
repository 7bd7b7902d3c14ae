"""In every process that finds this first: the catalog's disk is full while the file FULL_DISK names is there.

Journals lie on another disk, so to speak."""

from __future__ import annotations

import os
from typing import Any

import apsw

MARK = os.environ.get("FULL_DISK", "")
SYSTEM = apsw.vfs_names()[0]


class _Disk(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("fullable", SYSTEM, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's word
        return _File(SYSTEM, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int]) -> None:
        super().__init__(base, name, flags)
        told = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "")
        self._fills = "catalog.sqlite" in told

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._fills and os.path.exists(MARK):  # noqa: PTH110 - asked at every write
            raise apsw.FullError("database or disk is full")
        super().xWrite(data, offset)


if MARK:
    disk = _Disk()  # kept for as long as the process lives
