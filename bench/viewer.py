"""Inspect's viewer, measured as our page is: what its first load takes, and how soon a new log is on the
screen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from bench.browsing import SECONDS, first_and_again, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EVALUATE = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.solver import generate
asked = [Sample(input=f"question {at}", target="x") for at in range(5)]
task = Task(dataset=asked, solver=[generate()], name=sys.argv[1])
eval(task, model="mockllm/model", log_dir=sys.argv[2], display="none", log_format="eval")
"""


def evaluate(name: str, logs: Path) -> None:
    """A task of five questions to a model that is none; its log lies in the folder."""
    subprocess.run([sys.executable, "-c", EVALUATE, name, str(logs)], check=True, timeout=120, cwd=logs)


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
    evaluate("first", logs)
    found: dict[str, list[float]] = {}
    with viewing(logs) as url:
        for _ in range(repetitions):
            for name, figure in first_and_again(browser, url, url, "text=first").items():
                found.setdefault(name, []).append(figure)
        with window(browser) as page:
            page.goto(url, wait_until="networkidle")
            page.wait_for_selector("text=first")
            for at in range(repetitions):
                name = f"later{at}"
                evaluate(name, logs)
                written = max(log.stat().st_mtime for log in logs.glob("*.eval"))
                page.wait_for_selector(f"text={name}")
                found.setdefault("shown_ms", []).append(1000 * (time.time() - written))
    return found
