"""The world outside the run: a file to which each call that arrives is appended, with its idempotency key.

It answers as a good other side does: the same key gets the same answer, and it can be asked whether it has
seen a key. What it was asked stands in the file, whatever became of the process that asked.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from tests.faults.points import passed
from windtunnel.world import Call

STEER_TURN = 4  # an even one, in which the engine commits once more after the decisions


class Asked(NamedTuple):
    what: str  # perform, look (a reconciliation), or what must never happen: unsafe call, unsafe use
    kind: str
    key: str
    turn: int
    request: Any


class Outside:
    def __init__(self, path: Path, store: Path | None = None, steer: str = "") -> None:
        self.path, self._store, self._steer = path, store, steer

    def _write(self, what: str, kind: str, request: Any, call: Call) -> None:
        line = json.dumps([what, kind, call.key, call.turn, request]) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    async def perform(self, kind: str, request: Any, call: Call) -> Any:
        passed("effect.before-call")
        if not self._intended(call):
            self._write("unsafe call", kind, request, call)
        self._write("perform", kind, request, call)
        passed("effect.after-call")
        if self._steer and call.turn == STEER_TURN:
            self._post()
        return len(json.dumps(request)) * 7 + call.turn

    def _ask(self, sql: str, values: tuple[Any, ...]) -> int:
        """What another process would read from the store now: only what is committed."""
        db = apsw.Connection(str(self._store), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return int(db.execute(sql, values).get)
        finally:
            db.close()

    def _intended(self, call: Call) -> bool:
        """Whether the intent of a call is durable, and with it every turn before."""
        if self._store is None:
            return True
        there = self._ask("SELECT count(*) FROM effect WHERE key=?", (call.key,))
        return there == 1 and self._ask("SELECT max(turn) FROM entry WHERE 1=?", (1,)) == call.turn - 1

    def used(self, turn: int, actor: str, number: int) -> None:
        """An agent uses its n-th result of a turn: it must be durable by now."""
        sql = "SELECT count(*) FROM effect WHERE turn=? AND actor=? AND result IS NOT NULL"
        if self._store is not None and self._ask(sql, (turn, actor)) < number:
            self._write("unsafe use", actor, number, Call("", "simulated", turn, actor))

    def _post(self) -> None:
        """Somebody wishes to stop the run, in the middle of a turn."""
        assert self._store is not None
        passed("outside.steers")
        db = apsw.Connection(str(self._store))
        db.set_busy_timeout(10_000)
        if not db.execute("SELECT count(*) FROM inbox WHERE kind=?", [self._steer]).get:
            db.execute(
                "INSERT INTO inbox(run_id,kind,body,sender,at) SELECT run_id,?,'{}','olga',0.0 FROM run",
                [self._steer],
            )
        db.close()

    async def look(self, kind: str, request: Any, call: Call) -> Any:
        """What the other side knows of this key: its answer, or None if it never heard of it."""
        self._write("look", kind, request, call)
        known = any(asked.key == call.key and asked.what == "perform" for asked in self.heard())
        return len(json.dumps(request)) * 7 + call.turn if known else None

    def heard(self) -> list[Asked]:
        if not self.path.exists():
            return []
        return [Asked(*json.loads(line)) for line in self.path.read_text().splitlines()]

    def performed(self) -> Counter[str]:
        """How often each key was called for in earnest."""
        return Counter(asked.key for asked in self.heard() if asked.what == "perform")
