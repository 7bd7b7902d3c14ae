"""Writing a file whole or not at all: beside its place first, then moved there in one step.

A file of the same name is replaced, as whoever exports twice expects. Refused: writing over a store or what
belongs to one, whatever the file is called. After any error nothing half written is left behind.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from windtunnel.errors import StorageError, UsageError

_SQLITE = b"SQLite format 3\0"
_STORE_SUFFIXES = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".heads")


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """The file to write into; it takes its place when the block ends well."""
    _refuse_stores(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise _refusal(path, error) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """What this process lets others do with new files; a temporary file alone would be ours only."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("Umask:")[2].split()[0], 8)
    except (OSError, IndexError, ValueError):
        return 0o022


def _refuse_stores(path: Path) -> None:
    if path.is_dir():
        raise UsageError("this is a folder", where=str(path), remedy="name a file in it")
    if path.suffix in _STORE_SUFFIXES:
        raise UsageError(
            "an export never takes the place of a store", where=str(path), remedy="choose another name"
        )
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                raise UsageError("this file is a store", where=str(path), remedy="choose another name")


def _refusal(path: Path, error: OSError) -> StorageError | UsageError:
    where = str(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(
            "the disk is full: nothing was exported", where=where, remedy="make room, and try again"
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return UsageError(
            "there is no such folder", where=str(path.parent), remedy="make it, or name another"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UsageError(
            f"this cannot be written: {error.strerror}", where=where, remedy="name another place"
        )
    return StorageError(
        f"this cannot be written: {error.strerror or error}", where=where, remedy="name another place"
    )
