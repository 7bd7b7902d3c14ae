"""The fork server: a process without threads that has everything imported and forks a child for each job.

Started by `tests.faults.lab`. Jobs come as lines of JSON on stdin; what became of each child goes to stdout.
A child that does not end in time is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import import_module

import msgspec

from tests.faults import jobs

PATIENCE = 120.0


class Ended(msgspec.Struct):
    signal: int
    code: int


def serve() -> None:
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        job = msgspec.json.decode(line, type=jobs.Job)
        if job.url:  # what asks models takes a second to load: here once, and not in every child
            import_module("windtunnel.models.dialect")
            import_module("pydantic_ai.models.openai")
            import_module("windtunnel.models.wire")
        pid = os.fork()
        if pid == 0:
            sys.stdin.close()
            jobs.in_child(job, jobs.run)
        status = _wait(pid, job.kill_after)
        ended = Ended(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, status >> 8)
        sys.stdout.buffer.write(msgspec.json.encode(ended) + b"\n")
        sys.stdout.buffer.flush()


def _wait(pid: int, kill_after: float | None) -> int:
    """The child's wait status; killed at its moment, or when patience ends."""
    deadline = time.monotonic() + (PATIENCE if kill_after is None else kill_after)
    pause = 0.0002
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1]
        time.sleep(pause)
        if kill_after is None:
            pause = min(0.005, pause * 2)


if __name__ == "__main__":
    serve()
