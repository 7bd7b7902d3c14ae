"""The fault lab as a test sees it: folders with a run in each, lives of processes, what must hold after."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from tests.faults.jobs import RUN, Job, aside
from tests.faults.outside import Outside
from tests.faults.server import Ended
from windtunnel.journal import GENESIS, Effect, SqliteStore, Status
from windtunnel.journal.heads import heads_path, read_heads
from windtunnel.journal.model import entry_hash, operation_hash
from windtunnel.journal.texts import whole

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
KILLED = 9


class Life(NamedTuple):
    """What became of a child."""

    killed: bool
    told: dict[str, Any]


class Server:
    """Holds the fork server. One for a session of tests."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.faults.server"]
        path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        environment = {**os.environ, "PYTHONPATH": path}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self._open: Job | None = None

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._open is not None:
            os.kill(self.pid(self._open), signal.SIGKILL)
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process.stdout.close()

    def live(self, job: Job) -> Life:
        """One life, from a fork to its end."""
        self.start(job)
        return self.end(job)

    def start(self, job: Job) -> None:
        """Begin a life, and do not wait for its end."""
        assert self._process.stdin is not None
        if self._open is not None:  # left over by a test that failed
            os.kill(self.pid(self._open), signal.SIGKILL)
            self.end(self._open)
        self._open = job
        Path(job.told).unlink(missing_ok=True)
        Path(job.pid).unlink(missing_ok=True)
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()

    def pid(self, job: Job) -> int:
        """The process that lives, once it has begun."""
        return wait_for(lambda: int(text) if (text := _text(Path(job.pid))).endswith("\n") else 0)

    def end(self, job: Job) -> Life:
        assert self._process.stdout is not None
        out = Path(job.told)
        line, self._open = self._process.stdout.readline(), None
        assert line, "the fork server is gone"
        ended = msgspec.json.decode(line, type=Ended)
        told = json.loads(out.read_text()) if out.exists() and not ended.signal else {}
        assert "traceback" not in told, told["traceback"]
        assert ended.signal in (0, KILLED), f"the child ended by signal {ended.signal}"
        return Life(ended.signal == KILLED, told)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def wait_for(look: Callable[[], T], seconds: float = 30.0) -> T:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing came within {seconds:g} s"
        time.sleep(0.002)
    return found


class State(NamedTuple):
    """What a store holds of the run, read by a connection of its own."""

    status: Status
    turn: int
    head: bytes
    history: list[tuple[int, bytes]]
    operations: list[tuple[int, bytes]]
    effects: dict[str, Effect]
    inbox: list[tuple[int, str, str, int | None]]

    @property
    def answered(self) -> set[str]:
        return {key for key, effect in self.effects.items() if effect.result is not None}


def look(folder: Path) -> State:
    store = SqliteStore(folder / "store.sqlite")
    try:
        row = store.run(RUN)
        mail: Any = store._db.execute("SELECT id, kind, sender, taken FROM inbox ORDER BY id").fetchall()
        return State(
            row.status,
            row.turn,
            row.head_hash,
            [(entry.seq, entry.hash) for entry in store.entries(RUN)],
            [(operation.seq, operation.hash) for operation in store.operations(RUN)],
            {effect.key: whole(store, effect) for effect in store.effects(RUN)},
            mail,
        )
    finally:
        store.close()


class Case:
    """A folder with one run in it."""

    def __init__(self, server: Server, folder: Path, world: str, turns: int = 0, **about: Any) -> None:
        self.server, self.folder, self.world, self.turns, self.about = server, folder, world, turns, about
        folder.mkdir(parents=True, exist_ok=True)
        self.aside = aside(folder)
        self.aside.mkdir(exist_ok=True)

    def job(self, do: str, **more: Any) -> Job:
        return Job(
            do=do, folder=str(self.folder), world=self.world, turns=self.turns, **{**self.about, **more}
        )

    def begin(self) -> Case:
        self.server.live(self.job("begin"))
        return self

    def play(self, **more: Any) -> Life:
        return self.server.live(self.job("play", **more))

    def copy(self, to: Path) -> Case:
        shutil.copytree(self.folder, to)
        return Case(self.server, to, self.world, self.turns, **self.about)

    @property
    def outside(self) -> Outside:
        return Outside(self.aside / "outside.log")

    def look(self) -> State:
        return look(self.folder)

    def promises(self) -> list[dict[str, Any]]:
        path = self.aside / "witness.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    # --- what must hold ---

    def sound(self) -> State:
        """The store holds together by itself and with what was promised."""
        state = self.look()
        rehash(self.folder)
        seqs, ops = {seq for seq, _ in state.history}, {seq for seq, _ in state.operations}
        for promise in self.promises():
            assert promise["seq"] == -1 or promise["seq"] in seqs, "a committed entry is lost"
            assert promise["op"] == -1 or promise["op"] in ops, "a committed operation is lost"
            assert set(promise["intents"]) <= state.effects.keys(), "a committed intent is lost"
            assert set(promise["results"]) <= state.answered, "a committed result is lost"
        return state

    def survives(self, before: State, clean: State) -> State:
        """After another life: the past is still there, and if it ended, it ended as one never stopped."""
        state = self.sound()
        assert state.history[: len(before.history)] == before.history, "history changed under the crash"
        assert state.operations[: len(before.operations)] == before.operations
        for key in before.answered:
            assert state.effects[key].result == before.effects[key].result
        if state.status is Status.COMPLETED:
            assert state.head == clean.head, "the head differs from that of a run never stopped"
            assert state.history == clean.history
        return state


def rehash(folder: Path) -> None:
    """Both chains by their own rule, the row and the file of heads; then `verify`, once there is one."""
    path = folder / "store.sqlite"
    store = SqliteStore(path)
    try:
        assert store._db.pragma("integrity_check") == "ok"
        row, prev, seq = store.run(RUN), GENESIS, -1
        for entry in store.entries(RUN):
            assert (entry.seq, entry.prev) == (seq + 1, prev)
            assert entry_hash(prev, *entry[:6]) == entry.hash
            prev, seq = entry.hash, entry.seq
        assert (row.head_seq, row.head_hash) == (seq, prev)
        prev, seq = GENESIS, -1
        for op in store.operations(RUN):
            assert (op.seq, op.prev) == (seq + 1, prev)
            assert operation_hash(prev, op.seq, op.at, op.kind, op.body) == op.hash
            prev, seq = op.hash, op.seq
        assert (row.op_seq, row.op_hash or GENESIS) == (seq, prev)
        if head := read_heads(heads_path(path)).get(RUN):
            hashes = [entry.hash for entry in store.entries(RUN, head.seq - 1, head.seq)]
            assert hashes == [head.hash], "the file of heads tells of a head the journal does not have"
        if importlib.util.find_spec("windtunnel.journal.verify"):
            found = importlib.import_module("windtunnel.journal.verify").verify(store, RUN)
            assert found.intact, found
    finally:
        store.close()
