"""The moments at which a process can be killed.

In the child, the pieces of the run are wrapped so that each interesting moment calls `passed` with a name. A
plan then does one of three things with it: note it, kill this process there, or count every call and return
of Python (`sys.setprofile`) and kill at the n-th, which reaches moments that nobody thought of naming.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from windtunnel.journal import Batch, SqliteStore
from windtunnel.run import checkpoints, session
from windtunnel.run.player import Player
from windtunnel.run.tape import Tape


class _Plan:
    """What becomes of the moments that pass. One for a process."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        self.kill_at: int | None = None
        self.count = 0
        self.pace = 0.0


_plan = _Plan()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def passed(name: str) -> None:
    """A moment passes."""
    _plan.count += 1
    if _plan.pace and name == "phase.execute":
        time.sleep(_plan.pace)
    if _plan.seen is not None:
        _plan.seen.append(name)
    if _plan.kill_at is not None and _plan.count > _plan.kill_at:
        die()


def note_all() -> list[str]:
    """Only note the names of the moments, in their order."""
    _plan.seen = []
    return _plan.seen


def pace(seconds: float) -> None:
    """Make each turn take this long."""
    _plan.pace = seconds


def kill_at(moment: int) -> None:
    """Kill this process at the moment of this number, counted from 0."""
    _plan.kill_at = moment


def kill_at_call(number: int) -> None:
    """Kill this process at the n-th call or return of any function, Python's or C's."""
    left = number

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            die()

    sys.setprofile(profile)


def count_calls(work: Callable[[], Any]) -> int:
    """How many calls and returns the work takes."""
    calls = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def install() -> None:
    """Wrap the pieces of the run. Only ever in a child that ends soon."""
    _around(SqliteStore, "commit", "commit")
    _around(SqliteStore, "acquire", "acquire")
    _around(SqliteStore, "release", "release")
    _around(checkpoints, "write", "checkpoint")
    _around(session, "_take_up", "take-up")
    _around(Tape, "seal", "seal")
    enter = Player.enter

    def entered(self: Player, phase: str) -> None:
        passed(f"{'phase' if self.tape.live else 'recompute'}.{phase}")
        enter(self, phase)

    Player.enter = entered  # type: ignore[method-assign]
    _inside_commits()
    durable = Tape.durable

    async def made_durable(self: Tape, effect: Any, texts: Any = None) -> None:
        name = "intent" if effect.result is None else "result"
        passed(f"effect.before-{name}")
        await durable(self, effect, texts)
        passed(f"effect.after-{name}")

    Tape.durable = made_durable  # type: ignore[method-assign]


def _around(owner: Any, method: str, name: str) -> None:
    inner = getattr(owner, method)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        passed(f"{name}.before")
        result = inner(*args, **kwargs)
        passed(f"{name}.after")
        return result

    setattr(owner, method, wrapped)


def _inside_commits() -> None:
    """Between the commit of the rows and the line in the file of heads."""
    from windtunnel.journal import sqlite

    _around(sqlite, "append_heads", "heads")


def witness(path: Path) -> None:
    """Write down, outside the store, what each commit that returned has promised to keep."""
    commit = SqliteStore.commit

    def witnessed(self: SqliteStore, batches: Sequence[Batch]) -> None:
        commit(self, batches)
        promise = {
            "seq": max((entry.seq for batch in batches for entry in batch.entries), default=-1),
            "op": max((op.seq for batch in batches for op in batch.operations), default=-1),
            "results": [e.key for batch in batches for e in batch.effects if e.result is not None],
            "intents": [e.key for batch in batches for e in batch.effects],
        }
        with path.open("a") as file:
            file.write(json.dumps(promise) + "\n")

    SqliteStore.commit = witnessed  # type: ignore[method-assign]


def note_turns(path: Path) -> None:
    """Write down, outside the store, each turn that was played, durable or not."""
    seal = Tape.seal

    def sealed(self: Tape, turn: int, lines: Any, recorded: Any) -> int:
        size = seal(self, turn, lines, recorded)
        with path.open("a") as file:
            file.write(f"{turn}\n")
        return size

    Tape.seal = sealed  # type: ignore[method-assign]
