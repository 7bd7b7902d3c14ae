"""A workspace with servers that are killed, and runs that go at the pace a test wants."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.server.live import Live
from windtunnel.config import Workspace
from windtunnel.control import Control, Found
from windtunnel.control.crew import Crew, WorkerInfo
from windtunnel.control.queue import Queue, open_queue
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import find_world
from windtunnel.journal import RunRow, Status
from windtunnel.journal.lease import lives
from windtunnel.scenario import inline_scenario

HERE = Path(__file__).parent
HELD: dict[str, Any] = {
    "rules": [{"name": "big things", "types": ["Big"], "do": "hold", "approvers": 2, "reason": "it is big"}]
}
until = Live.until


class Tunnel:
    """`pace`: seconds of a turn, until `hurry`: so what is under way stays so, on a slow machine too."""

    def __init__(self, home: Path, toml: str = "", *, pace: float = 0.2, concurrency: int = 6) -> None:
        home.mkdir(parents=True, exist_ok=True)
        napland = f'[[worlds]]\nname = "napland"\npath = "{HERE / "napland"}"\n'
        runs = f"[runs]\nconcurrency = {concurrency}\nworkers = 2\nidle_seconds = 20\n"
        (home / "windtunnel.toml").write_text(napland + runs + toml)
        self.home, self.pace = home, home / "pace"
        self.pace.write_text(str(pace))
        self.workspace = Workspace(home)
        self.control = Control(self.workspace, Worlds(self.workspace))
        self.queue: Queue = open_queue(self.workspace)
        self.servers: list[Live] = []

    # --- servers ---

    def serve(self, *words: str, environ: dict[str, str] | None = None) -> Live:
        server = Live(self.home, *words, environ=environ)
        self.servers.append(server)
        return server.start()

    def close(self) -> None:
        """No process of it is left."""
        self.hurry()
        for server in self.servers:
            server.stop()
        for pid in pids(self.home):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.queue.database.close()

    def workers(self) -> list[WorkerInfo]:
        return [one for one in Crew(self.queue.database).workers() if lives(one.owner)]

    def leader(self) -> int | None:
        """The process that leads now."""
        held = self.queue.database.rows("SELECT owner, until FROM leader")
        return int(json.loads(held[0][0])[2]) if held and held[0][1] > self.queue.database.now() else None

    # --- runs ---

    def plain(self, turns: int, seed: int = 1, *, approvals: Any = None, **settings: Any) -> dict[str, Any]:
        agent = {"id": "ann", "policy": "naps", "settings": {"pace": str(self.pace), **settings}}
        plain = {"world": "napland", "turns": turns, "seed": seed, "agents": [agent]}
        return plain | ({"approvals": approvals} if approvals else {})

    def request(self, turns: int, seed: int = 1, **settings: Any) -> dict[str, Any]:
        """What is sent to start such a run."""
        return {"world": "napland", "text": json.dumps(self.plain(turns, seed, **settings), indent=1)}

    def hurry(self) -> None:
        """From here on nobody waits for a turn."""
        self.pace.unlink(missing_ok=True)

    def row(self, run_id: str) -> RunRow:
        return self.control.find(run_id).row

    def turns(self, runs: Sequence[str]) -> list[int]:
        return [self.row(run).turn for run in runs]

    def all_on(self, runs: Sequence[str], since: Sequence[int] = ()) -> list[int]:
        """Wait until each has come further; their turns."""
        before = since or [0] * len(runs)
        until(
            lambda: all(now > was for now, was in zip(self.turns(runs), before, strict=True)),
            "every run comes on",
        )
        return self.turns(runs)

    def heads(self, runs: Sequence[str]) -> list[bytes]:
        return [self.row(run).head_hash for run in runs]

    def undisturbed(self, many: Sequence[dict[str, Any]]) -> list[bytes]:
        """Where such runs end when they are played by hand, in a workspace where nothing is killed."""
        aside = Workspace(self.home / "aside")
        control, world = Control(aside, Worlds(self.workspace)), find_world("napland", self.workspace)
        made: list[Found] = [control.create(world, inline_scenario(plain, world)) for plain in many]
        done = asyncio.run(control.play(made, world=world))
        assert [one.row.status for one in done] == [Status.COMPLETED] * len(made)
        return [one.row.head_hash for one in done]

    def check_sound(self, *runs: str) -> None:
        for run in runs:
            told = self.control.verify(run)
            assert (told.intact, told.complete) == (True, True), (run, told)


def pids(home: Path, word: str = "windtunnel") -> list[int]:
    """Processes of this workspace whose command line names a module or command."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                named = any(word.encode() in one for one in words)
                if named and (os.fsencode(home) in words or (entry / "cwd").readlink() == home):
                    found.append(int(entry.name))
    return found


@contextmanager
def tunnel(home: Path, toml: str = "", **named: Any) -> Iterator[Tunnel]:
    made = Tunnel(home, toml, **named)
    try:
        yield made
    finally:
        made.close()


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listed(server: Live) -> dict[str, dict[str, Any]]:
    """All runs, as the server lists them, page by page."""
    found: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        page = httpx.get(f"{server.url}/api/simulations?limit=7{after}", timeout=60).json()
        for one in page["runs"]:
            assert one["run_id"] not in found, "a run is listed twice"
            found[one["run_id"]] = one
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"
