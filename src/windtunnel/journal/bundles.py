"""A short run's whole history as one row: the run came into its store when it was over. Should it be resumed
(one that failed may be), what follows stands in rows behind it. Hashed is what is hashed in rows; the view
`history` shows both in the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from windtunnel.errors import StorageError
from windtunnel.journal.model import GENESIS, Batch, Bundle, Entry

HASH_BYTES = 32

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[tuple[int, str, str, str, msgspec.Raw]]).decode


def bundled(entries: Sequence[Entry]) -> Bundle:
    """As JSON, one list for each entry from number 0 on, with its body as it is; and their hashes."""
    raw = msgspec.Raw
    lines = _encode([(e[1], e[2], e[3], e[4], raw(e[5])) for e in entries])
    return Bundle(lines, b"".join([e[7] for e in entries]))


def entries_of(batch: Batch) -> list[Entry]:
    """Also where they are bundled."""
    return batch.entries if batch.bundle is None else unbundled(*batch.bundle, where=f"run {batch.run_id}")


def unbundled(lines: bytes, hashes: bytes, *, where: str) -> list[Entry]:
    try:
        told = _decode(lines)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(str(error), where) from None
    if len(hashes) != HASH_BYTES * len(told):
        raise _unreadable(f"{len(told)} entries, and {len(hashes)} bytes of hashes", where)
    marks = range(0, len(hashes) + 1, HASH_BYTES)
    links = [GENESIS, *[hashes[start:end] for start, end in pairwise(marks)]]
    return [
        Entry(seq, turn, phase, kind, actor, bytes(body), links[seq], links[seq + 1])
        for seq, (turn, phase, kind, actor, body) in enumerate(told)
    ]


def _unreadable(what: str, where: str) -> StorageError:
    return StorageError(
        f"a bundle of entries cannot be read: {what}", where=where,
        remedy="put a `windtunnel backup` of the store back",
    )  # fmt: skip
