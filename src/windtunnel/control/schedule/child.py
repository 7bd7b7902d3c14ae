"""The process of one firing: `python -m windtunnel.control.schedule.child`, started by `apart`.

It reads one request from its standard input, does the work, and writes lines of JSON: what is to be noted,
and at last the outcome or the error. While the other end of its input is open somebody waits for it; when it
is closed it lets its run pause at the end of the turn, and goes. What a world prints goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO

from windtunnel.config import find_workspace
from windtunnel.control.schedule.verbs import Attempt, works
from windtunnel.control.verbs import Control
from windtunnel.control.worlds import Worlds
from windtunnel.errors import WindtunnelError

ALONE = 30.0  # seconds that a turn may take to end when nobody waits any more


def main() -> int:
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request = json.loads(sys.stdin.buffer.readline())

    def say(kind: str, value: Any) -> None:
        out.write(json.dumps({kind: value}).encode() + b"\n")

    workspace = find_workspace()
    control = Control(workspace, Worlds(workspace))
    attempt = Attempt(request["noted"], lambda noted: _noted(say, noted))
    signal.signal(signal.SIGTERM, lambda *_: attempt.stop())
    threading.Thread(target=_alone, args=(sys.stdin.buffer, attempt), daemon=True).start()
    try:
        work = works(control)[request["verb"]].work(request["arguments"], attempt)
        say("outcome", asyncio.run(work))
    except WindtunnelError as error:
        say("error", error.as_dict())
    return 0


def _noted(say: Any, noted: dict[str, Any]) -> None:
    """Nothing goes on before it is on the other side's disk: it says so with a line."""
    say("note", noted)
    _heard.wait()
    _heard.clear()


_heard = threading.Event()


def _alone(lifeline: BinaryIO, attempt: Attempt) -> None:
    while lifeline.readline():
        _heard.set()
    attempt.stop()
    _heard.set()
    threading.Event().wait(ALONE)
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
