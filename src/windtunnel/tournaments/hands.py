"""Who plays matches: one interface, and processes of this machine behind it.

A hand (hand.py) is crash-only. One that dies, or holds a match for too long, is replaced; what it played goes
on from its journal in another, and a match that ends two of them is over: its process cannot be had a third
time.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import msgspec
from msgspec import structs

from windtunnel.config import Workspace
from windtunnel.control.carrying import ProcessDied, error_from_plain
from windtunnel.errors import StorageError, WindtunnelError
from windtunnel.tournaments.hand import AT_ONCE, HANGS_SECONDS, Reply, over_time
from windtunnel.tournaments.model import Outcome
from windtunnel.tournaments.playing import NotNow, Order

AHEAD = 4 * AT_ONCE  # orders in a hand: played, on their way to the disk, and to be played next
CHUNK = 1 << 20
GRACE_SECONDS = 5.0  # beyond what a match may take: then its process goes
MOST_STILLBORN = 5
DEATHS = 2  # of processes, in the middle of the same match


class Failed(Exception):
    """A match that came to no outcome, and will not: `seat` is whose decision that was, where it is known."""

    def __init__(self, error: WindtunnelError, seat: str = "") -> None:
        super().__init__(error.message)
        self.error, self.seat = error, seat


class Hands(Protocol):
    async def play(self, order: Order) -> Outcome:
        """The outcome; `NotNow` where it cannot be had at the moment, `Failed` where it never will."""
        ...

    def early(self, orders: Iterator[Order]) -> None:
        """What will be asked for next, so that nobody is idle while it is not: play of it what there is time
        for. Whoever asks for it then has its outcome. What was said so before is forgotten."""
        ...

    def stop(self, why: WindtunnelError) -> None:
        """Play nothing any more: whoever waits is told so with `NotNow`."""
        ...

    async def aclose(self) -> None: ...


class Waiting:
    """An order on its way: who waits for it, and what became of its processes."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.began = 0.0  # 0: not yet
        self.deaths = 0
        self.alone = False  # a process died under it: it gets the next one for itself

    @property
    def put_off(self) -> bool:
        """It could not be played at the moment, which may be long ago."""
        return self.outcome.done() and isinstance(self.outcome.exception(), NotNow)

    def settle(self, found: Outcome | Exception) -> None:
        if self.outcome.done():
            return
        if isinstance(found, Exception):
            self.outcome.set_exception(found)
            self.outcome.exception()  # mark as seen: it may be early, and never asked for
        else:
            self.outcome.set_result(found)


class LocalHands:
    """Processes of this machine, as many as are asked for."""

    def __init__(self, workspace: Workspace, *, processes: int = 0) -> None:
        self._workspace = workspace
        self._size = processes or len(os.sched_getaffinity(0))
        self._waiting: deque[Waiting] = deque()
        self._some = asyncio.Event()
        self._next: Iterator[Order] = iter(())
        self._early: dict[str, Waiting] = {}  # by the run: nobody asked for them yet
        self._stopped: WindtunnelError | None = None
        self._scratch = TemporaryDirectory(prefix="windtunnel-hands-")
        self._tending: list[asyncio.Task[None]] = []
        self._given: list[dict[str, Waiting]] = []  # to each hand, by the run
        self._stillborn = 0  # hands in a row that ended before they began anything

    async def play(self, order: Order) -> Outcome:
        if self._stopped is not None:
            raise NotNow(self._stopped)
        while len(self._tending) < self._size:
            at = len(self._tending)
            self._tending.append(asyncio.ensure_future(self._tend(Path(self._scratch.name) / f"{at}")))
        one = self._early.pop(order.run_id, None)
        if one is None or one.put_off:
            one = self._queued(order)
        try:
            return await one.outcome
        finally:
            one.outcome.cancel()  # nobody waits any more: it is not begun

    def _queued(self, order: Order) -> Waiting:
        one = Waiting(order)
        self._waiting.append(one)
        self._some.set()
        return one

    def early(self, orders: Iterator[Order]) -> None:
        self._next = orders

    def stop(self, why: WindtunnelError) -> None:
        """What was begun comes to its end: its answers may be on their way, and paid for."""
        self._stopped, self._next = self._stopped or why, iter(())
        begun = [one for mine in self._given for one in mine.values() if one.began]
        given = [one for mine in self._given for one in mine.values()]
        for one in [*self._waiting, *given]:
            if one not in begun:
                one.settle(NotNow(why))
        self._waiting.clear()

    async def aclose(self) -> None:
        for task in self._tending:
            task.cancel()
        await asyncio.gather(*self._tending, return_exceptions=True)
        self._scratch.cleanup()

    # --- one hand, and the next when it dies ---

    async def _tend(self, blame: Path) -> None:
        while True:
            await self._work()
            mine: dict[str, Waiting] = {}
            self._given.append(mine)
            try:
                process = await self._start(blame)
            except OSError as error:
                self.stop(StorageError(f"no process can be started: {error.strerror}"))
                return
            try:
                await self._served(process, mine)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self._given.remove(mine)
            code = process.returncode or 0
            in_vain = self._came_to_nothing(mine)
            self._bury(mine, code, blame)
            if in_vain:
                self.stop(_no_start(code))

    def _came_to_nothing(self, mine: dict[str, Waiting]) -> bool:
        """Whether hands end again and again before they have begun a match: no other would do better."""
        stillborn = bool(mine) and not any(one.began for one in mine.values())
        self._stillborn = self._stillborn + 1 if stillborn else 0
        return self._stillborn >= MOST_STILLBORN

    async def _work(self) -> None:
        while not self._waiting:
            self._some.clear()
            await self._some.wait()

    async def _start(self, blame: Path) -> asyncio.subprocess.Process:
        blame.write_bytes(b"")  # noqa: ASYNC240 - a file of no bytes, on this machine
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "windtunnel.tournaments.hand", str(self._workspace.root), str(blame),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip

    async def _served(self, process: asyncio.subprocess.Process, mine: dict[str, Waiting]) -> None:
        """Hand out orders and take in what comes back, until the process ends or has to."""
        assert process.stdin is not None
        assert process.stdout is not None
        decode, rest = msgspec.json.Decoder(Reply).decode_lines, b""
        reading = asyncio.ensure_future(process.stdout.read(CHUNK))
        try:
            while True:
                self._hand_out(process.stdin, mine)
                waking: set[asyncio.Future[Any]] = {reading}
                if not self._waiting:  # else it has its share, and takes more as it comes to an end of that
                    waking.add(asyncio.ensure_future(self._some.wait()))
                await asyncio.wait(waking, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                for one in waking - {reading}:
                    one.cancel()
                if reading.done():
                    chunk = reading.result()
                    if not chunk:
                        return
                    lines, _, rest = (rest + chunk).rpartition(b"\n")
                    for reply in decode(lines):  # at once, so that those who wait for them write at once
                        self._heard(reply, mine)
                    reading = asyncio.ensure_future(process.stdout.read(CHUNK))
                if self._late(mine):
                    return
        finally:
            reading.cancel()

    def _hand_out(self, orders: asyncio.StreamWriter, mine: dict[str, Waiting]) -> None:
        lines: list[bytes] = []
        if len(self._waiting) < AHEAD:
            for order in islice(self._next, AHEAD):
                self._early[order.run_id] = self._queued(order)
        every = len(self._waiting) + sum(map(len, self._given))
        share = min(AHEAD, -(-every // self._size))  # of few matches each hand gets some
        while self._waiting and len(mine) < share:
            if mine and (self._waiting[0].alone or any(one.alone for one in mine.values())):
                break
            one = self._waiting.popleft()
            if one.outcome.done():
                continue
            mine[one.order.run_id] = one
            lines.append(msgspec.json.encode(one.order))
        if lines:
            orders.write(b"\n".join(lines) + b"\n")
        if not self._waiting:
            self._some.clear()

    def _heard(self, reply: Reply, mine: dict[str, Waiting]) -> None:
        if reply.began:
            mine[reply.run_id].began = time.monotonic()
            return
        one = mine.pop(reply.run_id)
        if reply.outcome is not None:
            one.settle(reply.outcome)
            return
        assert reply.error is not None
        error = error_from_plain(reply.error)
        one.settle(NotNow(error) if reply.not_now else Failed(error))

    def _late(self, mine: dict[str, Waiting]) -> bool:
        now = time.monotonic()
        return any(
            one.began and now - one.began > one.order.seconds + HANGS_SECONDS + GRACE_SECONDS
            for one in mine.values()
        )

    def _bury(self, mine: dict[str, Waiting], code: int, blame: Path) -> None:
        """The process is gone. Whose decision that was is written down, if it was one of code. Where it is
        not,
        each match that had begun is played alone from now on, until it is known which one it is."""
        run_id, _, seat = blame.read_bytes().decode(errors="replace").strip().partition(" ")
        open_ = [one for one in mine.values() if not one.outcome.done()]
        begun = [one for one in open_ if one.began]
        guilty = [one for one in begun if one.order.run_id == run_id] or (begun if len(begun) == 1 else [])
        for one in reversed(open_):
            late = bool(one.began) and time.monotonic() - one.began > one.order.seconds
            one.alone = one.alone or bool(one.began)
            one.order = structs.replace(one.order, fresh=False)
            one.began = 0.0
            if one in guilty:
                one.deaths += 1
                if late or one.deaths >= DEATHS:
                    error = over_time(one.order) if late else _died(one.order, code)
                    one.settle(Failed(error, seat if seat in one.order.seats else ""))
                    continue
            self._waiting.appendleft(one)
        self._some.set()


def _no_start(code: int) -> StorageError:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return StorageError(
        f"the processes that play matches end as they start ({how})",
        remedy="windtunnel doctor; the log of the worker has what they said",
    )


def _died(order: Order, code: int) -> ProcessDied:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ProcessDied(
        f"its process ended {DEATHS} times in the middle of it ({how})", where=order.run_id,
        remedy="a strategy may end its process, or take too much memory",
    )  # fmt: skip
