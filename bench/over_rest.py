"""What a client of the server waits for: from its POST to the first turn in the journal, and how many short
runs that it posts one after another are over in a second. Part of `start-latency`.

The server is a process of its own, as `windtunnel serve` starts it; the journal is watched in its file.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

SECONDS = 120.0
CLIENTS = 4


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server over a workspace."""
    command = [sys.executable, "-P", "-m", "windtunnel", "serve", "--json", "--port", "0"]
    environ = {**os.environ, "WINDTUNNEL_HOME": str(folder), "WINDTUNNEL_OFFLINE": "1"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log)
    try:
        assert server.stdout is not None
        if not select.select([server.stdout], [], [], SECONDS)[0]:
            raise TimeoutError("the server says nothing")
        yield str(json.loads(server.stdout.readline())["url"]).replace("localhost", "127.0.0.1")
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def measured(folder: Path, request: dict[str, Any], single: int, batch: int) -> dict[str, float]:
    import httpx

    with served(folder) as url, httpx.Client(base_url=url, timeout=SECONDS) as client:

        def post(_: int = 0) -> str:
            answer = client.post("/api/simulations", json=request)
            answer.raise_for_status()
            return str(answer.json()["run_id"])

        _first_turn(folder, post())  # desk and worker are warm from here on
        took = []
        for _ in range(single):
            begin = time.perf_counter()
            _first_turn(folder, post())
            took.append(1000 * (time.perf_counter() - begin))
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(post, range(CLIENTS)))  # now there is a second desk too
            _wait(lambda: client.get("/api/system").json()["queue"] == 0)
            before = _completed(client)
            begin = time.perf_counter()
            list(clients.map(post, range(batch)))
            posted = time.perf_counter() - begin
        _wait(lambda: _completed(client) >= before + batch)
        return {
            "post_to_turn": median(took),
            "posts_a_second": batch / posted,
            "rest_runs_a_second": batch / (time.perf_counter() - begin),
        }


def _completed(client: Any) -> int:
    return int(client.get("/api/simulations?status=completed&limit=1").json()["total"])


def _first_turn(folder: Path, run_id: str) -> None:
    from windtunnel.journal import SqliteStore

    store = SqliteStore(folder / ".windtunnel" / "runs" / f"{run_id}.sqlite", read_only=True)
    try:
        _wait(lambda: store.run(run_id).turn >= 1, 0.001)
    finally:
        store.close()


def _wait(met: Any, pause: float = 0.05) -> None:
    end = time.monotonic() + SECONDS
    while not met():
        if time.monotonic() > end:
            raise TimeoutError("the server is not done")
        time.sleep(pause)
