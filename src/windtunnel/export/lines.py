"""The journal as lines of JSON: every entry of history, the past a fork shares included, one object a line.

`body` is the stored text itself, never encoded again, so each line carries all that its hash covers.
Feedback follows history, and effects and operations where they are asked for; they say so in their first key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from windtunnel.export.story import effects_told
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.model import Entry, Operation
from windtunnel.run.feedback import feedback_of


def write_jsonl(lineage: Lineage, file: BinaryIO, *, effects: bool = False, operations: bool = False) -> None:
    encode = msgspec.json.encode
    file.writelines(encode(_entry(entry)) + b"\n" for entry in lineage.entries())
    file.writelines(
        encode({"feedback": given.of or "run", **msgspec.structs.asdict(given)}) + b"\n"
        for given in feedback_of(lineage)
    )
    if effects:
        file.writelines(
            encode({"effect": effect.name, **msgspec.structs.asdict(effect)}) + b"\n"
            for effect in effects_told(lineage)
        )
    if operations:
        file.writelines(encode(line) + b"\n" for line in _operations(lineage))


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq, "turn": entry.turn, "phase": entry.phase, "kind": entry.kind, "actor": entry.actor,
        "body": _stored(entry.body), "prev": entry.prev.hex(), "hash": entry.hash.hex(),
    }  # fmt: skip


def _operations(lineage: Lineage) -> Iterator[dict[str, Any]]:
    """The run's own: what was done to its parents is theirs."""
    operation: Operation
    for operation in lineage.store.operations(lineage.row.run_id):
        yield {
            "operation": operation.seq, "at": operation.at, "kind": operation.kind,
            "body": _stored(operation.body), "prev": operation.prev.hex(), "hash": operation.hash.hex(),
        }  # fmt: skip


def _stored(body: bytes) -> Any:
    """The text as it is; one that a hand has broken (a line break, no JSON) becomes a string instead."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")
    return body.decode(errors="replace") if b"\n" in body or b"\r" in body else msgspec.Raw(body)
