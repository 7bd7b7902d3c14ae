"""Heads kept outside the journal, so that a cut tail shows.

Beside `x.sqlite` lies `x.heads`: a text file that gains one line for every commit of a run:

    run_id seq hash op_seq op_hash [signature]

The last line of a run tells where its two chains stood. A line is written after its commit, so the file may
lag behind the journal by a commit and never runs ahead of it. A torn last line is ignored. With a signing
key (Ed25519) each line is signed, so that whoever can write here still cannot invent a head.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from windtunnel.errors import StorageError

COMPACT_BYTES = 1 << 20


class Head(NamedTuple):
    seq: int
    hash: bytes
    op_seq: int
    op_hash: bytes
    signature: str = ""

    def line(self, run_id: str) -> str:
        return f"{run_id} {self.seq} {self.hash.hex()} {self.op_seq} {self.op_hash.hex()}"


def heads_path(store: str | Path) -> Path:
    return Path(store).with_suffix(".heads")


def append_heads(path: Path, heads: Iterable[tuple[str, Head]]) -> None:
    text = "".join(f"{head.line(run_id)} {head.signature}".rstrip() + "\n" for run_id, head in heads)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # A line torn by a crash must not swallow the next one: start on a line of our own.
            torn = os.fstat(handle).st_size and not _ends_clean(path)
            os.write(handle, ("\n" + text if torn else text).encode())
        finally:
            os.close(handle)
    except OSError as error:
        raise StorageError(
            f"the head of the run cannot be written: {error.strerror}",
            where=str(path),
            remedy="make room or mend the permissions, then resume the run",
        ) from None


def _ends_clean(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_heads(path: Path) -> dict[str, Head]:
    """The last head of each run; lines that are not whole are passed over."""
    if not path.exists():
        return {}
    found: dict[str, Head] = {}
    for line in path.read_text(errors="replace").splitlines():
        parts = line.split()
        if len(parts) not in (5, 6):
            continue
        try:
            head = Head(
                int(parts[1]), bytes.fromhex(parts[2]), int(parts[3]), bytes.fromhex(parts[4]), *parts[5:]
            )
        except ValueError:
            continue
        if len(head.hash) == len(head.op_hash) == 32:
            found[parts[0]] = head
    return found


def compact_heads(path: Path) -> None:
    """Keep only the last line of each run, once the file has grown. Call it when nobody writes."""
    if not path.exists() or path.stat().st_size < COMPACT_BYTES:
        return
    heads = read_heads(path)
    fresh = path.with_suffix(".heads.new")
    fresh.write_text("".join(f"{h.line(run_id)} {h.signature}".rstrip() + "\n" for run_id, h in heads.items()))
    os.replace(fresh, path)
