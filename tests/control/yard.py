"""A workspace with a toy world, runs of it, and a manager that works in a process or a thread of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from windtunnel.config import Workspace
from windtunnel.control import Control, Found, history
from windtunnel.control.catalog import as_it_is
from windtunnel.control.crew import Crew, WorkerInfo
from windtunnel.control.limits import Limits, begun_with
from windtunnel.control.manager import Manager
from windtunnel.control.places import Readers
from windtunnel.control.queue import Queue, Ticket, open_queue
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import find_world
from windtunnel.journal import Status
from windtunnel.journal.lease import lives
from windtunnel.scenario import inline_scenario
from windtunnel.world import Scenario, World

HERE = Path(__file__).parent
PATIENCE = 60.0  # of a test, on a machine that does other things too
MANAGER = """
import asyncio, sys
from pathlib import Path
from windtunnel.config import Workspace
from windtunnel.control.manager import Manager
from windtunnel.control.places import Readers
asyncio.run(Manager(Workspace(Path(sys.argv[1]))).run())
"""


def until(what: Callable[[], Any], seconds: float = PATIENCE, why: str = "") -> Any:
    """Wait for something to be so; what it is then."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"not in {seconds} seconds: {why}"
        time.sleep(0.04)
    return found


class Yard:
    def __init__(self, root: Path, settings: str = "", worlds: str = "", url: str = "") -> None:
        root.mkdir(parents=True, exist_ok=True)
        toyland = f'[[worlds]]\nname = "toyland"\npath = "{HERE / "toyland"}"\n'
        runs = f"[runs]\nidle_seconds = 5\nworkers = 2\n{settings}\n"
        store = f'[store]\nurl = "{url}"\n' if url else ""
        (root / "windtunnel.toml").write_text(toyland + worlds + runs + store)
        self.workspace = Workspace(root)
        self.control = Control(self.workspace, Worlds(self.workspace))
        self.queue: Queue = open_queue(self.workspace)
        self.readers = Readers(self.workspace)

    @property
    def world(self) -> World:
        return find_world("toyland", self.workspace)

    # --- runs ---

    def create(
        self,
        policy: str = "add",
        turns: int = 5,
        seed: int = 1,
        *,
        path: Path | None = None,
        limits: Limits | None = None,
        **settings: Any,
    ) -> Found:
        said = begun_with(limits, None)
        scenario = self.scenario(policy, turns, seed, **settings)
        return self.control.create(self.world, scenario, path=path, said=said)

    def scenario(self, policy: str = "add", turns: int = 5, seed: int = 1, **settings: Any) -> Scenario:
        agent = {"id": "ann", "policy": policy, "settings": settings}
        plain = {"world": "toyland", "turns": turns, "seed": seed, "agents": [agent]}
        return inline_scenario(plain, self.world)

    def put(self, *found: Found, **terms: Any) -> None:
        self.queue.put([self.ticket(one, **terms) for one in found])

    @staticmethod
    def ticket(found: Found, **terms: Any) -> Ticket:
        given: Mapping[str, Any] = {"seen": found.row.op_seq, **terms}
        return Ticket(found.row.run_id, found.location, found.row.world, **given)

    def found(self, found: Found) -> Found:
        """The run as it is now."""
        with self.readers.opened(found.location) as store:
            return Found(found.location, as_it_is(store, store.run(found.row.run_id)))

    def row(self, found: Found) -> Any:
        return self.found(found).row

    def statuses(self, *found: Found) -> list[str]:
        return [str(self.row(one).status) for one in found]

    def settled(self, *found: Found, seconds: float = PATIENCE) -> list[str]:
        """Wait until the queue is done with all of them; their statuses."""
        names = [one.row.run_id for one in found]
        until(lambda: not self.queue.known(names), seconds, f"{self.queue.depth()}")
        return self.statuses(*found)

    def operations(self, found: Found, kind: str) -> list[dict[str, Any]]:
        return [one["body"] for one in history.operations(found) if one["kind"] == kind]

    def sound(self, found: Found) -> bool:
        told = self.control.verify(found.address)
        return bool(told.intact and told.complete is not False)

    def head(self, policy: str = "add", turns: int = 5, seed: int = 1, **settings: Any) -> bytes:
        """Where a run ends that nobody disturbs."""
        found = self.create(policy, turns, seed, **settings)
        (done,) = asyncio.run(self.control.play([found]))
        assert done.row.status is Status.COMPLETED
        return done.row.head_hash

    # --- workers ---

    def workers(self) -> list[WorkerInfo]:
        return [one for one in Crew(self.queue.database).workers() if lives(one.owner)]

    def player_of(self, found: Found) -> WorkerInfo | None:
        """The worker that has taken a run up."""
        standing = self.queue.find(found.row.run_id)
        if standing is None or standing.ready or self.row(found).status is not Status.RUNNING:
            return None
        return next((one for one in self.workers() if one.name == standing.worker), None)

    @contextmanager
    def managed(self) -> Iterator[Manager]:
        """A manager in a thread; in the end no worker is left."""
        manager, end = Manager(self.workspace), threading.Event()
        thread = threading.Thread(target=_manage, args=(manager, end), daemon=True)
        thread.start()
        try:
            yield manager
        finally:
            end.set()
            thread.join(30)
            manager.resign()
            manager.close()
            self.clear()

    @contextmanager
    def server(self) -> Iterator[subprocess.Popen[bytes]]:
        """A manager in a process."""
        command = [sys.executable, "-c", MANAGER, str(self.workspace.root)]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def clear(self) -> None:
        for worker in self.workers():
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            until(lambda worker=worker: not lives(worker.owner))  # type: ignore[misc]

    def close(self) -> None:
        self.clear()
        self.readers.close()
        self.queue.database.close()


def _manage(manager: Manager, end: threading.Event) -> None:
    while not end.wait(0.05):
        manager.tick()
