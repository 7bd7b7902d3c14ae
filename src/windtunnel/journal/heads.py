"""Heads kept outside the journal, so that a cut tail shows.

Beside `x.sqlite` lies `x.heads`: a text file that gains one line for every commit of a run:

    run_id seq hash op_seq op_hash [signature]

The furthest line of a run tells where its two chains stood (a chain with nothing in it stands at -1, with a
hash of zeros). A line is written after its commit, so the file may lag behind the journal by a commit and
never runs ahead of it. A torn line is ignored. With a signing key (Ed25519) each line is signed, so that
whoever can write here still cannot invent a head; but putting back an older state of both files is only
seen by who keeps a head elsewhere.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from windtunnel.errors import StorageError
from windtunnel.journal.model import GENESIS, RunRow

COMPACT_BYTES = 1 << 20


class Head(NamedTuple):
    seq: int
    hash: bytes
    op_seq: int
    op_hash: bytes
    signature: str = ""

    def line(self, run_id: str) -> str:
        hash, op_hash = self.hash or GENESIS, self.op_hash or GENESIS
        return f"{run_id} {self.seq} {hash.hex()} {self.op_seq} {op_hash.hex()}"


def heads_path(store: str | Path) -> Path:
    return Path(store).with_suffix(".heads")


def shard(folder: Path, run_id: str) -> Path:
    """Where the heads of a run are kept if its store is no file: a store may hold very many runs."""
    return folder / f"{sha256(run_id.encode()).hexdigest()[:2]}.heads"


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """The file, locked, and the one that the name still means (it may just have been compacted)."""
    for _ in range(1000):
        handle = os.open(path, flags, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            there = os.fstat(handle)
            try:
                same = os.path.samestat(there, path.stat())
            except FileNotFoundError:
                same = False
            if same:
                yield handle
                return
        finally:
            os.close(handle)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def head_of(row: RunRow) -> tuple[str, Head]:
    """Where a run stands, as its row has it."""
    return row.run_id, Head(row.head_seq, row.head_hash, row.op_seq, row.op_hash)


def append_heads(path: Path, heads: Iterable[tuple[str, Head]]) -> None:
    text = "".join(f"{head.line(run_id)} {head.signature}".rstrip() + "\n" for run_id, head in heads)
    try:
        with _opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as handle:
            # A line torn by a crash must not swallow the next one: start on a line of our own.
            size = os.fstat(handle).st_size
            torn = size and os.pread(handle, 1, size - 1) != b"\n"
            raw = ("\n" + text if torn else text).encode()
            whole, why = os.write(handle, raw) == len(raw), os.strerror(errno.ENOSPC)
    except OSError as error:
        whole, why = False, error.strerror or str(error)
    if not whole:
        raise StorageError(
            f"the head of the run cannot be written: {why}",
            where=str(path),
            remedy="make room or mend the permissions, then resume the run",
        )


def read_heads(path: Path) -> dict[str, Head]:
    """The furthest head of each run; lines that are not whole are passed over."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"the heads cannot be read: {error.strerror}", where=str(path)) from None
    found: dict[str, Head] = {}
    for line in text.split("\n"):
        if (read := _read_line(line)) is None:
            continue
        run_id, head = read
        known = found.get(run_id)
        if known is None or (head.seq, head.op_seq) >= (known.seq, known.op_seq):
            found[run_id] = head
    return found


def _read_line(line: str) -> tuple[str, Head] | None:
    parts = line.split(" ")
    if len(parts) not in (5, 6) or len(parts[-1]) not in (64, 128):
        return None
    try:
        hash, op_hash = bytes.fromhex(parts[2]), bytes.fromhex(parts[4])
        head = Head(int(parts[1]), hash, int(parts[3]), op_hash, *parts[5:])
    except ValueError:
        return None
    # Read back, it must be what was written: int() and fromhex() take more than we write.
    whole = len(hash) == len(op_hash) == 32 and head.line(parts[0]) == " ".join(parts[:5])
    return (parts[0], head) if whole else None


def compact_heads(path: Path) -> None:
    """Keep only the furthest line of each run, once the file has grown. Writers wait meanwhile."""
    try:
        if not path.exists() or path.stat().st_size < COMPACT_BYTES:
            return
        with _opened(path, os.O_RDWR):
            fresh = path.with_suffix(".heads.new")
            lines = (f"{h.line(run_id)} {h.signature}".rstrip() for run_id, h in read_heads(path).items())
            fresh.write_text("".join(f"{line}\n" for line in lines))
            fresh.replace(path)
    except OSError as error:
        raise StorageError(f"the heads cannot be compacted: {error.strerror}", where=str(path)) from None
