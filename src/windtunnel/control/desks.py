"""Desks: helper processes that run a world's code for a server, which never imports one itself.

A request goes to a warm process of its world (a second one is started while the first is busy) and comes back
as plain data, or as the error that was raised there. What takes longer than it may is killed with everything
it started, and the next request gets a fresh process. One that was killed while it only looked is replaced,
and asked once more. Desks die with the server.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.config import Workspace
from windtunnel.control.carrying import KILLED, ProcessDied, TookTooLong, error_from_plain
from windtunnel.control.logs import log_file, open_raw, shorten, tail
from windtunnel.errors import UsageError

DESK = "windtunnel.control.desk"
SECONDS = 60.0
# Verbs that change nothing, so that they may be done twice.
READS = frozenset(
    {
        "describe",
        "estimate",
        "observe",
        "panels",
        "query",
        "questions",
        "replay",
        "scenario",
        "schema",
        "state",
    }
)
EACH = 2  # processes of one world
MOST = 8  # processes in all
IDLE_SECONDS = 300.0
MOST_ANSWER = 256 << 20
Progress = Callable[[dict[str, Any]], None]
_numbers = count(1)


class Desks:
    """Belongs to one event loop."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        each: int = EACH,
        most: int = MOST,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """`modules`: by world, what its desk runs where that knows more verbs than all others."""
        self._workspace, self._each, self._most = workspace, each, most
        self._modules = dict(modules or {})
        self._open: dict[str, list[_Desk]] = {}
        self._freed = asyncio.Condition()

    async def call(
        self,
        world: str,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        seconds: float = SECONDS,
        progress: Progress | None = None,
    ) -> Any:
        """Have a verb done in a process that has the world. `seconds` are for all of it, waiting included."""
        if not world or "\0" in world or len(world) > 200:
            raise UsageError(f"{world[:60]!r} names no world", where="world", remedy="windtunnel worlds")
        request = {"verb": verb, "arguments": dict(arguments or {})}
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                answer = await self._answer(world, request, progress)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TookTooLong(
                f"{verb} was not done after {seconds:g} seconds",
                where=world,
                remedy="ask for less, or allow it more time",
                seconds=seconds,
            ) from None
        if "error" in answer:
            raise error_from_plain(answer["error"])
        return answer.get("ok")

    async def _answer(
        self, world: str, request: Mapping[str, Any], progress: Progress | None
    ) -> dict[str, Any]:
        """What a desk says to it; where one was killed over a look, what another says."""
        once = request["verb"] not in READS
        for last in (once, True):
            desk = await self._free(world)
            try:
                return await desk.ask(request, progress)
            except ProcessDied as error:
                if last or not error.data["killed"]:
                    raise
            finally:
                await self._back(desk)
        raise AssertionError("the second time is the last")

    def count(self) -> dict[str, int]:
        """How many processes each world has."""
        return {world: len(desks) for world, desks in self._open.items() if desks}

    async def aclose(self) -> None:
        for desks in self._open.values():
            for desk in desks:
                await desk.kill()
        self._open.clear()

    # --- which one ---

    async def _free(self, world: str) -> _Desk:
        async with self._freed:
            while True:
                await self._tidy()
                mine = self._open.setdefault(world, [])
                idle = next((desk for desk in mine if not desk.busy), None)
                if idle is None and len(mine) < self._each and await self._room():
                    idle = _Desk(self._workspace, world, self._modules.get(world, DESK))
                    mine.append(idle)
                if idle is not None:
                    idle.busy = True
                    break
                await self._freed.wait()
        try:
            await idle.start()
        except BaseException:
            await self._back(idle)
            raise
        return idle

    async def _tidy(self) -> None:
        """Those that died while nobody asked them are forgotten, those that nobody asks any more are
        ended."""
        now = time.monotonic()
        for desks in self._open.values():
            for desk in [d for d in desks if not d.busy and (d.dead or now - d.used > IDLE_SECONDS)]:
                desks.remove(desk)
                await desk.kill()

    async def _room(self) -> bool:
        every = [desk for desks in self._open.values() for desk in desks]
        if len(every) < self._most:
            return True
        idle = sorted((desk for desk in every if not desk.busy), key=lambda desk: desk.used)
        if not idle:
            return False
        self._open[idle[0].world].remove(idle[0])
        await idle[0].kill()
        return True

    async def _back(self, desk: _Desk) -> None:
        """After a request that was not answered nobody knows what the process is doing: it is ended."""
        if desk.asked is not None or desk.dead:
            with suppress(ValueError):
                self._open.get(desk.world, []).remove(desk)
            await desk.kill()
        desk.busy, desk.used = False, time.monotonic()
        async with self._freed:
            self._freed.notify_all()


class _Desk:
    def __init__(self, workspace: Workspace, world: str, module: str = DESK) -> None:
        self._home, self.world, self._module = workspace.root, world, module
        self.busy, self.used = False, time.monotonic()
        self.asked: int | None = None  # the request that is not answered yet
        self._process: asyncio.subprocess.Process | None = None
        self._log: Path | None = None
        self._logs = workspace.runs.parent / "logs"

    @property
    def dead(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        if self._process is not None:
            return
        self._log = log_file(self._logs, f"desk-{self.world}-{os.getpid()}-{next(_numbers)}", ".out")
        out = open_raw(self._log)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", self._module,
                "--home", str(self._home), "--world", self.world,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=out,
                cwd=str(self._home), start_new_session=True, limit=MOST_ANSWER,
            )  # fmt: skip
        finally:
            os.close(out)

    async def ask(self, request: Mapping[str, Any], progress: Progress | None) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        self.asked = number = next(_numbers)
        with suppress(ConnectionError):  # it died: reading says so
            process.stdin.write(msgspec.json.encode({"id": number, **request}) + b"\n")
            await process.stdin.drain()
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                raise UsageError(
                    f"the answer is larger than {MOST_ANSWER >> 20} MiB",
                    where=str(request["verb"]),
                    remedy="ask for less",
                ) from None
            if not line.endswith(b"\n"):
                raise await self._died(str(request["verb"]))
            message: dict[str, Any] = msgspec.json.decode(line)
            if message.get("id") != number:
                continue
            if "progress" in message:
                if progress is not None:
                    progress(message["progress"])
                continue
            self.asked = None
            if self._log is not None:
                shorten(self._log)
            return message

    async def _died(self, verb: str) -> ProcessDied:
        assert self._process is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 5)
        code = self._process.returncode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        said = tail(self._log) if self._log else []
        killed = code in (-signal.SIGKILL, -signal.SIGTERM)
        remedy = KILLED if killed else "mend the world; what it said last is in the data of this error"
        return ProcessDied(
            f"the process that ran the world {self.world!r} ended {how}" + (f": {said[-1]}" if said else ""),
            where=f"{self.world}, {verb}",
            remedy=remedy,
            log=said,
            killed=killed,
        )

    async def kill(self) -> None:
        """It and everything it started."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
        if self._log is not None and not tail(self._log, 1):
            self._log.unlink(missing_ok=True)
