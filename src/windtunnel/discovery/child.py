"""A world by path, described by a process of its own, so that nothing it does can hurt who asks.

The child's answer has a channel of its own: what a world prints while it is imported goes to stderr. A child
that does not answer within the time limit is killed with everything it started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import BinaryIO

import msgspec
from msgspec import Struct

from windtunnel.discovery.sources import WorldSource
from windtunnel.errors import WorldError
from windtunnel.world import World

LIMIT_SECONDS = 30.0
_MAX_ANSWER = 16 << 20


class ScenarioInfo(Struct, frozen=True):
    """A scenario of a world, or why it cannot be played."""

    name: str
    path: str
    title: str = ""
    description: str = ""
    turns: int | None = None
    agents: int | None = None
    error: str | None = None


class Description(Struct, frozen=True):
    """What a world says of itself once it is imported."""

    version: str
    description: str
    roles: tuple[str, ...]
    scenarios_folder: str
    scenarios: tuple[ScenarioInfo, ...]


class Answer(Struct, frozen=True):
    description: Description | None = None
    message: str = ""
    where: str | None = None
    remedy: str | None = None
    calls_itself: str | None = None


def describe(world: World, scenarios: tuple[ScenarioInfo, ...]) -> Description:
    return Description(world.version, world.description, tuple(world.roles), world.scenarios, scenarios)


def ask(source: WorldSource, limit: float = LIMIT_SECONDS) -> Description:
    """What a path world says of itself; WorldError if it cannot be imported, or not in time."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "windtunnel.discovery",
        "describe",
        msgspec.json.encode(source).decode(),
    ]
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        code = _run(command, answer, errors, limit)
        if code is None:
            raise WorldError(
                f"{source.target} is not imported after {limit:g} seconds",
                where=source.origin,
                remedy="leave work, servers and downloads out of the module's top level",
            )
        answer.seek(0)
        raw = answer.read(_MAX_ANSWER)
        try:
            answered = msgspec.json.decode(raw, type=Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _silent(source, code, _last_line(errors)) from None
    if answered.description is None:
        raise WorldError(
            answered.message, where=answered.where, remedy=answered.remedy, calls_itself=answered.calls_itself
        )
    return answered.description


def _run(command: list[str], answer: BinaryIO, errors: BinaryIO, limit: float) -> int | None:
    """The exit code, or None if the time was up. Nothing of the child stays behind."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=answer, stderr=errors, start_new_session=True
    )
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _silent(source: WorldSource, code: int, said: str) -> WorldError:
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return WorldError(
        f"the process that imported {source.target} ended {how}" + (f": {said}" if said else ""),
        where=source.origin,
        remedy=f'python -c "import {source.target.partition(":")[0]}" in its folder shows more',
    )


def _last_line(errors: BinaryIO) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - 4096))
    lines = errors.read(4096).decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
