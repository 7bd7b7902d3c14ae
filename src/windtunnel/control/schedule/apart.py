"""A firing in a process of its own, so that a world that hangs, or takes its process down, is one firing's
trouble and nobody else's: it is told to pause, and then killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from typing import Any

from windtunnel.config import HOME, Workspace
from windtunnel.control.schedule.scheduler import Verb, firing_now
from windtunnel.control.schedule.verbs import Work, works
from windtunnel.control.verbs import Control
from windtunnel.errors import RunError

PAUSE = 5.0  # seconds in which a process that was told to end may let its run pause
LINE = 1 << 20  # bytes
_SAID = 5  # last lines of standard error that an error may quote


def house_verbs(control: Control) -> dict[str, Verb]:
    """The verbs that need no server."""
    return {name: Apart(control.workspace, name, work) for name, work in works(control).items()}


class Apart:
    """One verb, for a scheduler. `check` is done here, the work over there."""

    def __init__(self, workspace: Workspace, name: str, work: Work) -> None:
        self._workspace, self._name, self.check = workspace, name, work.check

    async def __call__(self, arguments: dict[str, Any]) -> Any:
        now = firing_now()
        noted = now.firing.noted if now is not None else {}
        root = self._workspace.root.absolute()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "windtunnel.control.schedule.child",
            stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LINE, cwd=root,
            env={**os.environ, HOME: str(root)}, start_new_session=True,
        )  # fmt: skip
        said: deque[str] = deque(maxlen=_SAID)
        listening = asyncio.create_task(_listen(child, said))
        try:
            _send(child, {"verb": self._name, "arguments": arguments, "noted": noted})
            return await self._heard(child, listening, said)
        finally:
            await _end(child)
            listening.cancel()

    async def _heard(self, child: Process, listening: asyncio.Task[None], said: deque[str]) -> Any:
        assert child.stdout is not None
        now = firing_now()
        while line := await child.stdout.readline():
            told = json.loads(line)
            if "note" in told:
                if now is not None:
                    await asyncio.to_thread(now.note, told["note"])
                _send(child, {})
            elif "error" in told:
                error = told["error"]
                raise RunError(error["message"], where=error["where"], remedy=error["remedy"])
            else:
                return told["outcome"]
        code = await child.wait()
        await asyncio.wait((listening,), timeout=1.0)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        quoted = f": {' / '.join(said)}" if said else ""
        raise RunError(f"its process {how}{quoted}")


def _send(child: Process, line: dict[str, Any]) -> None:
    """A process that is gone takes nothing; that it is gone is seen where it is listened to."""
    assert child.stdin is not None
    if not child.stdin.is_closing():
        child.stdin.write(json.dumps(line).encode() + b"\n")


async def _listen(child: Process, said: deque[str]) -> None:
    """Take in what it prints, so that it never waits for us; the last lines are kept."""
    assert child.stderr is not None
    while True:
        try:
            line = await child.stderr.readline()
        except ValueError:  # a line beyond all bounds
            continue
        if not line:
            return
        if text := line.decode(errors="replace").strip():
            said.append(text[:300])


async def _end(child: Process) -> None:
    if child.returncode is None:
        assert child.stdin is not None
        child.stdin.close()  # nobody waits for it any more: it pauses, and goes
        try:
            await asyncio.wait_for(child.wait(), PAUSE)
        except TimeoutError:
            child.kill()
            await child.wait()
