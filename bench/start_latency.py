"""Start latency: from the wish to play a scenario to its first journalled turn, beside a bare process start.

What a server does for it, without the server: a desk makes the run, its ticket is queued, a warm worker
takes it up and commits. Then a batch of short runs goes through the same queue, on as many workers as
there are cores; what counts is how many are over in a second, with their stores made beforehand.

Then the same through the door (`over_rest`): from a POST to the first journalled turn, and short runs that
are posted, made, queued and played in a second.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from bench import over_rest
from bench.measure import Result, cheaper, scratch

WORLD, TURNS = "harbour", 10
SCENARIO = f"{WORLD}/{WORLD}/scenarios/first.yaml"
SECONDS = 120.0
SETTINGS = '[[worlds]]\nname = "harbour"\npath = "harbour"\n[runs]\nidle_seconds = 60\n'


@contextmanager
def workspace(folder: Path) -> Iterator[Any]:
    """A workspace with a small world by path, and a manager that works in a thread."""
    from windtunnel.config import Workspace
    from windtunnel.control.manager import Manager

    made = [sys.executable, "-m", "windtunnel", "new", "world", WORLD]
    subprocess.run(made, cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL)
    (folder / "windtunnel.toml").write_text(SETTINGS)
    here, end = Workspace(folder), threading.Event()
    manager = Manager(here)
    thread = threading.Thread(target=_manage, args=(manager, end), daemon=True)
    thread.start()
    try:
        yield here
    finally:
        end.set()
        thread.join(30)
        manager.resign()
        _send_home(manager)


def _manage(manager: Any, end: threading.Event) -> None:
    while not end.wait(0.05):
        manager.tick()


def _send_home(manager: Any) -> None:
    from windtunnel.control.spawning import kill

    for worker in manager.workers():
        kill(worker.owner)


async def measured(here: Any, single: int, batch: int) -> dict[str, float]:
    from windtunnel.control.desks import Desks
    from windtunnel.control.queue import open_queue

    desks, queue = Desks(here), open_queue(here)
    scenario = {"scenario": SCENARIO, "turns": TURNS}
    await _one(desks, queue, scenario)  # desk and worker are warm from here on
    whole, queued = [], []
    for _ in range(single):
        begin = time.perf_counter()
        made = await _made(desks, scenario)
        put = time.perf_counter()
        await _first_turn(queue, made)
        whole.append(1000 * (time.perf_counter() - begin))
        queued.append(1000 * (time.perf_counter() - put))
    runs = [await _made(desks, scenario) for _ in range(batch)]
    begin = time.perf_counter()
    queue.put([_ticket(run) for run in runs])
    await _over(queue, [run["run_id"] for run in runs])
    took = time.perf_counter() - begin
    await desks.aclose()
    return {"whole": median(whole), "queued": median(queued), "a_second": batch / took}


async def _one(desks: Any, queue: Any, scenario: dict[str, Any]) -> None:
    made = await _made(desks, scenario)
    await _first_turn(queue, made)


async def _made(desks: Any, scenario: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = await desks.call(WORLD, "create", scenario)
    return made


def _ticket(run: dict[str, Any]) -> Any:
    from windtunnel.control.queue import Ticket

    return Ticket(run["run_id"], run["location"], run["world"], seen=run["op_seq"])


async def _first_turn(queue: Any, run: dict[str, Any]) -> None:
    """Put it, and watch its journal until a turn is in it."""
    from windtunnel.journal import SqliteStore

    queue.put([_ticket(run)])
    store, end = SqliteStore(run["location"], read_only=True), time.monotonic() + SECONDS
    try:
        while store.run(run["run_id"]).turn < 1:
            if time.monotonic() > end:
                raise TimeoutError("the run was not taken up")
            await asyncio.sleep(0.001)
    finally:
        store.close()


async def _over(queue: Any, names: list[str]) -> None:
    end = time.monotonic() + SECONDS
    while queue.known(names):
        if time.monotonic() > end:
            raise TimeoutError("the runs are not over")
        await asyncio.sleep(0.01)


def bare(repetitions: int) -> float:
    """Milliseconds to start a process that does nothing."""
    took = []
    for _ in range(repetitions + 1):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=60)
        took.append(1000 * (time.perf_counter() - begin))
    return median(took[1:])


def run(*, smoke: bool = False) -> Result:
    single, batch = (2, 4) if smoke else (30, 200)
    peer = bare(1 if smoke else 15)
    with scratch() as folder, workspace(folder) as here, suppress(KeyboardInterrupt):
        found = asyncio.run(measured(here, single, batch))
        rest = over_rest.measured(folder, {"scenario": SCENARIO, "turns": TURNS}, single, batch)
    more = {"from_put": found["queued"], "runs_a_second": found["a_second"], "turns": TURNS, "batch": batch}
    more |= rest
    ours = found["whole"]
    return Result(
        "start-latency", ours, peer, "python -c pass", cheaper(ours, peer), "ms", single, more,
        target="20 short runs a second through the queue, on 2 cores",
        what="create, put, and the first journalled turn, with a warm desk and a warm worker",
    )  # fmt: skip
