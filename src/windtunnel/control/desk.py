"""`python -m windtunnel.control.desk --home HOME --world NAME`: a process that runs a world's code for a
server.

One request is a line of JSON on stdin, its answer a line on what was stdout. Both are taken away before the
world is imported: what it prints goes to stderr, what it reads is empty. When the server's end is closed it
ends, also in the middle of its work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from windtunnel.config import Workspace
from windtunnel.control.carrying import error_to_plain
from windtunnel.control.desk_strategies import ADDING
from windtunnel.control.desk_verbs import VERBS, Known, Room, answer
from windtunnel.errors import RunError, WindtunnelError

PROGRESS_SECONDS = 0.2


class Request(msgspec.Struct):
    id: int
    verb: str
    arguments: Any = None


def main(known: Known = MappingProxyType({**VERBS, **ADDING})) -> None:
    """`known`: what this desk may be asked."""
    given = argparse.ArgumentParser()
    given.add_argument("--home", required=True)
    given.add_argument("--world", required=True)
    asked = given.parse_args()
    requests, answers = _own_channels()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, lines), daemon=True, name="requests").start()
    room = Room(Workspace(Path(asked.home)), asked.world)
    with asyncio.Runner() as runner:
        while True:
            runner.run(_serve(room, known, lines.get(), answers))


def _own_channels() -> tuple[int, int]:
    """Where requests come from and answers go: nobody else in this process can reach them by accident."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def _read(channel: int, lines: queue.SimpleQueue[bytes]) -> None:
    with os.fdopen(channel, "rb") as file:
        for line in file:
            lines.put(line)
    os._exit(0)  # the server is gone: nobody waits for what is being done


async def _serve(room: Room, known: Known, line: bytes, answers: int) -> None:
    request = msgspec.json.decode(line, type=Request)
    last = 0.0

    def progress(about: dict[str, Any]) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= PROGRESS_SECONDS:
            last = now
            _write(answers, {"id": request.id, "progress": about})

    try:
        told: dict[str, Any] = {"ok": await answer(room, request.verb, request.arguments, progress, known)}
        raw = _encoded({"id": request.id, **told})
    except WindtunnelError as error:
        raw = _encoded({"id": request.id, "error": error_to_plain(error)})
    except Exception as error:  # noqa: BLE001 - whatever a stranger's world does, the desk answers
        traceback.print_exc()
        said = RunError(f"{type(error).__name__}: {error}", where=f"{room.name}, {request.verb}")
        raw = _encoded({"id": request.id, "error": error_to_plain(said)})
    _send(answers, raw)


def _encoded(message: dict[str, Any]) -> bytes:
    return msgspec.json.encode(message, enc_hook=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _write(answers: int, message: dict[str, Any]) -> None:
    _send(answers, _encoded(message))


def _send(answers: int, raw: bytes) -> None:
    rest = memoryview(raw + b"\n")
    while rest:
        rest = rest[os.write(answers, rest) :]


if __name__ == "__main__":
    main()
