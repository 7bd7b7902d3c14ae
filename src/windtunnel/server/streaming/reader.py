"""The thread that reads the journals of the runs that somebody follows, and words what it finds.

One reader for all of them, one store for each run however many clients there are: asking a store whether
anybody wrote costs microseconds, and the loop that serves the clients never waits for a disk. What it finds
goes to the loop in small pieces, in order. It only reads: a run that is followed is not slowed by it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from windtunnel.control.follow import Follower, Position, Row
from windtunnel.control.telling import Teller
from windtunnel.errors import NotFound, StorageError, WindtunnelError
from windtunnel.journal import RunRow, Store
from windtunnel.server.streaming.lane import Lane, Spoken, spoken_of

AT_ONCE = 50  # rows that go to the loop together
PIECES = 8  # of one run, before the others have their turn
STILL_SECONDS = 2.0  # how often it is asked whether the store is still the one that was opened


class Opener(Protocol):
    """How the store of a run is opened to be read."""

    def __call__(self, run_id: str) -> AbstractContextManager[Store]: ...


class Followed:
    """One run that is followed: the thread's own."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.lanes: list[Lane] = []
        self.fresh: list[Lane] = []
        self.follower: Follower | None = None
        self.teller: Teller | None = None
        self.at = Position()
        self.file: tuple[int, int] | None = None
        self.looked = 0.0
        self.stack = ExitStack()

    def start(self, opener: Opener) -> None:
        store = self.stack.enter_context(opener(self.run_id))
        self.follower = Follower(store, self.run_id)
        self.teller = Teller(store, self.run_id)
        self.at = self.follower.at
        self.file = _file(store.location)

    def still(self) -> None:
        """A store that was put back from a copy, or went: what was opened is then no longer what is there."""
        now = time.monotonic()
        if now - self.looked < STILL_SECONDS:
            return
        self.looked = now
        assert self.follower is not None
        location = self.follower.store.location
        if self.file is not None and _file(location) != self.file:
            raise NotFound(
                f"the store of run {self.run_id} was replaced or removed",
                where=location,
                remedy="subscribe anew",
            )

    def close(self) -> None:
        self.stack.close()


def _file(location: str) -> tuple[int, int] | None:
    try:
        found = os.stat(location)  # noqa: PTH116 - a location may be no path
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


class Reader:
    def __init__(self, opener: Opener, poll: float) -> None:
        self._opener, self._poll = opener, poll
        self._runs: dict[str, Followed] = {}
        self._wishes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- from the loop ---

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="windtunnel-streams", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        self._stop = True
        self._wake.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 10)

    def add(self, lane: Lane) -> None:
        self._wish(lambda: self._add(lane))

    def remove(self, lane: Lane) -> None:
        self._wish(lambda: self._remove(lane))

    def _wish(self, wish: Callable[[], None]) -> None:
        self._wishes.put(wish)
        self._wake.set()

    # --- in the thread ---

    def _work(self) -> None:
        try:
            while not self._stop:
                self._wake.clear()
                self._obey()
                for run in list(self._runs.values()):
                    self._turn(run)
                self._wake.wait(self._poll if self._runs else None)
        finally:
            for run in self._runs.values():
                run.close()

    def _obey(self) -> None:
        while True:
            try:
                wish = self._wishes.get_nowait()
            except queue.Empty:
                return
            wish()

    def _add(self, lane: Lane) -> None:
        run = self._runs.setdefault(lane.run_id, Followed(lane.run_id))
        run.fresh.append(lane)

    def _remove(self, lane: Lane) -> None:
        run = self._runs.get(lane.run_id)
        if run is None:
            return
        for lanes in (run.lanes, run.fresh):
            if lane in lanes:
                lanes.remove(lane)
        if not run.lanes and not run.fresh:
            self._runs.pop(lane.run_id).close()

    def _turn(self, run: Followed) -> None:
        try:
            if run.follower is None:
                run.start(self._opener)
            self._welcome(run)
            run.still()
            for _ in range(PIECES):
                assert run.follower is not None
                rows = run.follower.poll()
                if not rows:
                    break
                self._say(run, rows, run.follower.run)
        except WindtunnelError as error:
            self._fail(run, error)
        except Exception as error:  # noqa: BLE001 - a damaged row must not end everybody's streams
            self._fail(run, StorageError(f"run {run.run_id} cannot be read: {error}"))

    def _welcome(self, run: Followed) -> None:
        assert run.follower is not None
        fresh, run.fresh = run.fresh, []
        for lane in fresh:
            run.lanes.append(lane)
            self._post(lane.open, run.at, run.follower.run)

    def _say(self, run: Followed, rows: list[Row], now: RunRow) -> None:
        assert run.teller is not None
        for begin in range(0, len(rows), AT_ONCE):
            piece = rows[begin : begin + AT_ONCE]
            start = run.at
            for lane in run.lanes:
                spoken: list[Spoken] = []
                at = start
                for row in piece:
                    at = at.after(row)
                    message = run.teller.tell(row, now, lane.view, at)
                    spoken.append(spoken_of(row, at, message, lane.channel))
                self._post(lane.say, spoken, now)
            for row in piece:
                run.at = run.at.after(row)

    def _fail(self, run: Followed, error: WindtunnelError) -> None:
        self._runs.pop(run.run_id, None)
        for lane in (*run.lanes, *run.fresh):
            self._post(lane.fail, error)
        run.close()

    def _post(self, what: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop ended before us
            self._stop = True
