"""A real server in a process of its own, for tests that come in by its doors."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

SECONDS = 60.0
PLAYERS = {b"windtunnel.control.worker", b"windtunnel.tournaments.worker", b"windtunnel.evolution.worker"}


class Live:
    """`windtunnel serve` in a workspace. Its runs are played by workers, which are ended with it."""

    def __init__(self, home: Path, *words: str, environ: dict[str, str] | None = None) -> None:
        self.home, self.words = home, words
        self.environ = {
            **os.environ,
            "WINDTUNNEL_HOME": str(home),
            "WINDTUNNEL_OFFLINE": "1",
            **(environ or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.url, self._log = "", home / "server.log"

    def start(self) -> Live:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "windtunnel", "serve", "--json", "--port", "0", *self.words],
                env=self.environ, cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], SECONDS)[0]:
            raise AssertionError(f"the server says nothing: {self.log()}")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the server ended with {self.process.wait()}: {self.log()}")
        self.url = json.loads(line)["url"].replace("localhost", "127.0.0.1")
        self.until(self._answers, "the server answers")
        return self

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        return False

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        """As a crash would: nothing is tidied up."""
        assert self.process is not None
        self.process.kill()
        self._gone()

    def _gone(self, seconds: float | None = None) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.wait(seconds)
        self.process.stdout.close()

    def end(self, number: signal.Signals) -> int:
        """Ask it to end, and wait until it has; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        self._gone(30)
        return int(self.process.returncode)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self._gone(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def workers(self) -> list[int]:
        """The processes that play runs of this workspace, found by their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if PLAYERS & set(words) and os.fsencode(self.home) in words:
                        found.append(int(entry.name))
        return found

    def end_workers(self) -> None:
        for pid in self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @staticmethod
    def until(holds: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Wait for something; what it gave."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := holds():
                return found
            time.sleep(0.05)
        raise AssertionError(f"not after {seconds:g} seconds: {what}")

    # --- asking ---

    def client(self, **named: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, **named)

    def call(self, method: str, path: str, status: int = 200, **named: Any) -> Any:
        answer = httpx.request(method, f"{self.url}{path}", timeout=120, **named)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else answer.text

    def get(self, path: str, status: int = 200, **named: Any) -> Any:
        return self.call("GET", path, status, **named)

    def post(self, path: str, body: Any = None, status: int = 200, **named: Any) -> Any:
        return self.call("POST", path, status, json=body, **named)

    def start_run(self, **request: Any) -> str:
        run_id: str = self.post("/api/simulations", request, 202)["run_id"]
        return run_id

    def ended(self, run_id: str, status: str = "completed", seconds: float = SECONDS) -> dict[str, Any]:
        """The run, once it has this status."""

        def there() -> dict[str, Any] | None:
            found: dict[str, Any] = self.get(f"/api/simulations/{run_id}")
            if found["status"] != status and found["status"] in ("completed", "failed", "cancelled"):
                raise AssertionError(f"it is {found['status']}: {found['reason']}")
            return found if found["status"] == status else None

        found: dict[str, Any] = self.until(there, f"run {run_id} is {status}", seconds)
        return found


@contextmanager
def live(home: Path, *words: str, environ: dict[str, str] | None = None) -> Iterator[Live]:
    server = Live(home, *words, environ=environ).start()
    try:
        yield server
    finally:
        server.stop()
        server.end_workers()
