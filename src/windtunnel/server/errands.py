"""Long work that needs no warm process: a command of ours, in a process of its own.

Verifying or exporting a large run keeps a processor busy for a while, and listing worlds imports them;
neither
may happen in the process that serves streams. The command line does all of it already and speaks JSON, so the
server sends it on an errand. Names are found before: what a client wrote is never an option.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

import msgspec

from windtunnel.config import HOME, Workspace
from windtunnel.control.carrying import KILLED, ProcessDied, TookTooLong, error_from_plain
from windtunnel.errors import WindtunnelError

AT_ONCE = 2
MOST = 64 << 20  # bytes of an answer


class Errands:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self, command: str, *words: str, seconds: float = 120.0) -> list[Any]:
        """What `windtunnel COMMAND --json -- WORDS` prints, line by line. An error it tells is raised here;
        exit
        code 1 is an answer: what was checked does not hold."""
        async with self._room:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "windtunnel",
                command,
                "--json",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._workspace.root,
                env={**os.environ, HOME: str(self._workspace.root)},
                start_new_session=True,
            )
            try:
                out, err = await asyncio.wait_for(process.communicate(), seconds)
            except TimeoutError:
                raise TookTooLong(
                    f"{command} was not done after {seconds:g} seconds",
                    where=command,
                    remedy=f"windtunnel {command} at a terminal has no limit",
                ) from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
        if process.returncode is not None and process.returncode < 0:
            raise ProcessDied(
                f"the process that did {command} ended by signal {-process.returncode}",
                where=command,
                remedy=KILLED,
            )
        if process.returncode not in (0, 1, 4) or (not out and err):
            raise _told(command, err)
        return [msgspec.json.decode(line) for line in out[:MOST].splitlines() if line.strip()]


def _told(command: str, err: bytes) -> WindtunnelError:
    for line in reversed(err.splitlines()):
        with suppress(msgspec.DecodeError, TypeError, KeyError):
            return error_from_plain(msgspec.json.decode(line)["error"])
    said = err.decode(errors="replace").strip().splitlines()
    return WindtunnelError(f"{command} failed" + (f": {said[-1][:300]}" if said else ""), where=command)
