"""A run written by hand: turns, operations and effects at the pace of a test, in this process or in one
that can be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.codec import encode_body
from windtunnel.journal import (
    GENESIS,
    Batch,
    Effect,
    Entry,
    Operation,
    RunRow,
    SqliteStore,
    Status,
    entry_hash,
    operation_hash,
)
from windtunnel.journal.lease import this_process

ROW = RunRow(
    run_id="", world="toy", scenario="toy/one", mode="simulated", seed=1, status=Status.QUEUED, turn=0,
    turns=1000, head_seq=-1, head_hash=b"", op_seq=-1, op_hash=b"", parent=None, parent_seq=None,
    parent_turn=None, branch=0, created=1.0, updated=1.0, tags="[]", reason=None, pruned=None,
)  # fmt: skip


class Scribe:
    """The writer of one run; it goes on where the journal ends."""

    def __init__(self, path: Path, run_id: str, **row: Any) -> None:
        self.store = SqliteStore(path, create=True)
        self.run_id = run_id
        if run_id not in [row.run_id for row in self.store.runs()]:
            self.store.add_run(msgspec.structs.replace(ROW, run_id=run_id, created=time.time(), **row))
        found = self.store.run(run_id)
        self.fence = self.store.acquire(run_id, this_process())
        self.seq, self.prev = found.head_seq, found.head_hash or GENESIS
        self.op_seq, self.op_prev = found.op_seq, found.op_hash or GENESIS
        self.turn = found.turn
        self.batch = Batch(run_id, self.fence)

    def entry(self, phase: str, kind: str, body: Any = None, actor: str = "") -> None:
        raw = encode_body(body if body is not None else {})
        self.seq += 1
        hash = entry_hash(self.prev, self.seq, self.turn, phase, kind, actor, raw)
        self.batch.entries.append(Entry(self.seq, self.turn, phase, kind, actor, raw, self.prev, hash))
        self.prev = hash

    def operate(self, kind: str, status: Status | None = None, **body: Any) -> None:
        raw, at = encode_body(body), time.time()
        self.op_seq += 1
        hash = operation_hash(self.op_prev, self.op_seq, at, kind, raw)
        self.batch.operations.append(Operation(self.op_seq, at, kind, raw, self.op_prev, hash))
        self.op_prev = hash
        self.batch.status = status or self.batch.status

    def start(self) -> None:
        self.operate("started", Status.RUNNING)
        self.entry("start", "started", {"world": "toy", "scenario": {"name": "one"}})
        self.entry("start", "consolidated", {"state": "0" * 64})
        self.commit()

    def play(self, turns: int = 1, *, gdp: float = 1.0, say: str = "hello") -> None:
        """Turns of a full set of entries, each in a commit of its own."""
        for _ in range(turns):
            self.turn += 1
            self.entry("plan", "decided", {"actions": {"ann": {"type": "Say", "text": say}}})
            self.entry("validate", "judged", {"verdicts": "accept"})
            self.entry(
                "execute", "applied", {"events": [{"kind": "said", "body": say, "visible_to": ["ann"]}]}
            )
            metrics = {"world": {"gdp": gdp + self.turn}, "ann": {"wealth": 2.0}, "bob": {"wealth": 3.0}}
            self.entry("evaluate", "scored", {"metrics": metrics, "progress": [self.turn, None, "turn"]})
            self.entry("consolidate", "consolidated", {"state": "0" * 64})
            self.batch.turn = self.turn
            self.commit()

    def ask(self, actor: str = "ann", idx: int = 0, kind: str = "model", request: Any = None) -> Effect:
        raw = encode_body(request if request is not None else {"prompt": "what now?"})
        effect = Effect(self.turn + 1, "plan", actor, idx, kind, "key", raw, asked=time.time())
        self.batch.effects.append(effect)
        self.commit()
        return effect

    def answer(self, effect: Effect, result: Any = None) -> None:
        effect.result = encode_body(result if result is not None else {"ok": "buy"})
        effect.answered = time.time()
        self.batch.effects.append(effect)
        self.commit()

    def end(self, status: Status = Status.COMPLETED) -> None:
        if status is Status.COMPLETED:
            self.entry("end", "ended", {"reason": "all turns played", "turns": self.turn})
        self.operate(str(status), status)
        self.commit()

    def commit(self) -> None:
        self.batch.at = time.time()
        self.store.commit([self.batch])
        self.batch = Batch(self.run_id, self.fence)

    def close(self) -> None:
        self.store.release(self.run_id, self.fence)
        self.store.close()


def main(path: str, run_id: str, turns: int, pause: float) -> None:
    """Play on to a number of turns, each with an effect, slowly."""
    scribe = Scribe(Path(path), run_id)
    if scribe.seq < 0:
        scribe.start()
    else:
        scribe.operate("resumed", Status.RUNNING)
    while scribe.turn < turns:
        scribe.answer(scribe.ask(idx=0))
        scribe.play()
        time.sleep(pause)
    scribe.end()
    scribe.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
