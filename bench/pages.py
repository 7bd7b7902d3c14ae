"""A run that is written a turn at a time, for those who follow it: an entry and a commit for each event."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from windtunnel.codec import encode_body
from windtunnel.journal import GENESIS, Batch, Entry, RunRow, SqliteStore, Status, entry_hash
from windtunnel.journal.lease import this_process


class Pages:
    def __init__(self, folder: Path) -> None:
        self.run_id = f"bench{time.monotonic_ns():x}"
        self._store = SqliteStore(folder / f"{self.run_id}.sqlite", create=True)
        now = time.time()
        self._store.add_run(
            RunRow(
                self.run_id, "bench", "bench", "simulated", 1, Status.RUNNING, 0, 1000, -1, b"", -1, b"",
                None, None, None, 0, now, now, "[]", None, None,
            )
        )  # fmt: skip
        self._fence = self._store.acquire(self.run_id, this_process())
        self._turn, self._prev = 0, GENESIS

    def turn(self, metrics: dict[str, Any]) -> None:
        self._turn += 1
        body = encode_body({"metrics": {"world": metrics}})
        place = (self._turn - 1, self._turn, "evaluate", "scored", "")
        hash = entry_hash(self._prev, *place, body)
        entry = Entry(*place, body, self._prev, hash)
        self._prev = hash
        self._store.commit(
            [Batch(self.run_id, self._fence, entries=[entry], turn=self._turn, at=time.time())]
        )

    def close(self) -> None:
        self._store.release(self.run_id, self._fence)
        self._store.close()
