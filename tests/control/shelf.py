"""A folder of stores for the index to look at: runs as their writers leave them, and files of any age."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from windtunnel.codec import encode_body
from windtunnel.control.index_scan import FolderStores, Knows, Read
from windtunnel.journal import (
    GENESIS,
    Batch,
    Effect,
    Operation,
    Owner,
    RunRow,
    SqliteStore,
    Status,
    operation_hash,
)
from windtunnel.journal.lease import this_process

PLAIN: dict[str, Any] = {
    "world": "pond", "scenario": "pond/calm", "mode": "simulated", "seed": 1, "status": Status.COMPLETED,
    "turn": 3, "turns": 3, "head_seq": -1, "head_hash": GENESIS, "op_seq": -1, "op_hash": GENESIS,
    "parent": None, "parent_seq": None, "parent_turn": None, "branch": 0, "created": 1000.0,
    "updated": 1000.0, "tags": "[]", "reason": None, "pruned": None,
}  # fmt: skip


def row(run_id: str, **changes: Any) -> RunRow:
    return RunRow(run_id=run_id, **{**PLAIN, **changes})


class Watched(FolderStores):
    """Which stores were opened, and how many of their runs were read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.opened: list[str] = []
        self.runs_read = 0

    def read(self, location: str, knows: Knows, since: str) -> Read:
        self.opened.append(location)
        found = super().read(location, knows, since)
        self.runs_read += len(found.seen)
        return found


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._age = 0

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"

    def put(self, *rows: RunRow) -> Path:
        """A store of these runs, named for the first, written long ago."""
        path = self.path(rows[0].run_id)
        store = SqliteStore(path, create=True)
        for one in rows:
            store.add_run(one)
        store.close()
        self.rest()
        return path

    def rest(self) -> None:
        """All files were written long ago, each at a time of its own."""
        for file in [*self.folder.iterdir(), self.folder]:
            self._age += 1
            os.utime(file, (1e9 + self._age, 1e9 + self._age))

    def write(
        self,
        run_id: str,
        status: Status,
        *,
        store: str = "",
        at: float = 2000.0,
        operations: list[tuple[str, dict[str, Any]]] | None = None,
        effects: list[Effect] | None = None,
        owner: Owner | None = None,
        keep: bool = False,
    ) -> None:
        """What a player commits; with `keep` the run stays its own."""
        opened = SqliteStore(self.path(store or run_id))
        fence = opened.acquire(run_id, owner or this_process())
        now = opened.run(run_id)
        seq, prev, made = now.op_seq, now.op_hash, []
        for kind, body in operations or []:
            seq, raw = seq + 1, encode_body(body)
            made.append(Operation(seq, at, kind, raw, prev, operation_hash(prev, seq, at, kind, raw)))
            prev = made[-1].hash
        batch = Batch(run_id, fence, operations=made, effects=effects or [], status=status, at=at)
        opened.commit([batch])
        if not keep:
            opened.release(run_id, fence)
        opened.close()


def approval(asked: float, seconds: float | None) -> Effect:
    hold: dict[str, Any] = {"reason": "large"} if seconds is None else {"expires_seconds": seconds}
    request = encode_body({"action": {"amount": 3}, "hold": hold})
    return Effect(1, "validate", "ana", int(asked), "approval", f"k{asked}", request, asked=asked)
