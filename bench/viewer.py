"""Inspect's viewer, measured as our page is: what its first load takes, and how soon a new log is on the
screen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING
from urllib.request import urlopen

from bench.browsing import SECONDS, first_and_again, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A task of five questions to nobody (a mock's tokens would want the network), for each line of stdin.
EVALUATE = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.solver import solver
@solver
def answers():
    async def solve(state, generate):
        state.output = ModelOutput.from_content("mockllm/model", "an answer")
        return state
    return solve
asked = [Sample(input=f"question {at}", target="x") for at in range(5)]
for name in map(str.strip, sys.stdin):
    task = Task(dataset=asked, solver=[answers()], name=name)
    eval(task, model="mockllm/model", log_dir=sys.argv[1], display="none", log_format="eval")
    print("done", flush=True)
"""


@contextmanager
def evaluating(logs: Path) -> Iterator[Callable[[str], None]]:
    """Evaluates a task of that name, whose log lies in the folder then. One process: it is slow to start."""
    words = [sys.executable, "-c", EVALUATE, str(logs)]
    with subprocess.Popen(words, cwd=logs, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def evaluate(name: str) -> None:
            print(name, file=process.stdin, flush=True)
            while (line := process.stdout.readline()) != "done\n":  # type: ignore[union-attr]
                if not line:
                    raise RuntimeError("Inspect evaluates nothing here")

        yield evaluate
        process.stdin.close()


@contextmanager
def viewing(logs: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    words = [
        "-m",
        "inspect_ai",
        "view",
        "start",
        "--log-dir",
        str(logs),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (logs.parent / "view.log").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=logs, stdout=said, stderr=said, env={**os.environ}
        )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            with suppress(OSError), urlopen(url, timeout=5):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def measured(browser: Browser, folder: Path, repetitions: int) -> dict[str, list[float]]:
    logs = folder / "logs"
    logs.mkdir()
    found: dict[str, list[float]] = {}
    with evaluating(logs) as evaluate:
        for name in ("first", "second"):  # a folder with one log is shown as that log, and not as a list
            evaluate(name)
        with viewing(logs) as url:
            for _ in range(repetitions):
                for name, figure in first_and_again(browser, url, url, "text=first").items():
                    found.setdefault(name, []).append(figure)
            with window(browser) as page:
                page.goto(url, wait_until="networkidle")
                page.wait_for_selector("text=second")
                for at in range(repetitions):
                    evaluate(f"later{at}")
                    written = max(log.stat().st_mtime for log in logs.glob("*.eval"))
                    page.wait_for_selector(f"text=later{at}")
                    found.setdefault("shown_ms", []).append(1000 * (time.time() - written))
    return found
