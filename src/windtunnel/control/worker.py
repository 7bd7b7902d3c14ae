"""`python -m windtunnel.control.worker --home HOME --world NAME [--run ID]`: a process that plays runs of one
world.

It claims tickets and plays many runs in one event loop, in turns. Everything it knows is in the journals and
in the queue, so it may be killed at any moment. It outlives the server that started it; asked to end
(SIGTERM) it hands its runs back at the end of their turn, and others go on with them. With `--run` it plays
that run alone.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import math
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from windtunnel.config import Workspace
from windtunnel.config.runs import Runs
from windtunnel.control.crew import BREAKERS, Crew, Play, WorkerInfo, joined
from windtunnel.control.database import open_database
from windtunnel.control.executor import CONCURRENCY, hub_of
from windtunnel.control.limits import effective
from windtunnel.control.logs import RUN, Journalist, log_file, open_raw, take_over_prints
from windtunnel.control.playing import Playing
from windtunnel.control.pulse import TASK, Pulse, virtual_mb
from windtunnel.control.queue import Left, Queue
from windtunnel.control.verdicts import refused
from windtunnel.control.warming import warm
from windtunnel.control.worlds import Worlds
from windtunnel.errors import StorageError, WindtunnelError
from windtunnel.journal.lease import this_process
from windtunnel.models.hub import Asked, Hub
from windtunnel.world import World

POLL_SECONDS = 0.03
LOOK_SECONDS = 0.5  # at the latest, the queue is looked at again
BUSY_SECONDS = 0.01  # a loop that is later than this is busy with computing
PATIENCE_SECONDS = 5.0  # for so long a busy worker leaves what waits to others
ORPHAN_SECONDS = 5.0  # an idle worker whom no manager watches ends after so long
LEAVE_SECONDS = 20.0  # for the turns that are under way when it is asked to end
MEMORY_SLACK_MB = 512


class Worker:
    plays: type[Playing] = Playing  # what has a run in its hands

    def __init__(self, workspace: Workspace, world: str, name: str, run_id: str = "") -> None:
        self.workspace, self.name, self.run_id = workspace, name, run_id
        self.world_name = world
        self.settings: Runs = workspace.settings.runs
        warm()  # a thread beats beside the loop
        self.log = Journalist(log_file(workspace.runs.parent / "logs", name, ".jsonl"), worker=name)
        self._database = open_database(workspace)
        self.queue = Queue(self._database)
        self._me, self._since, self._state = this_process(), time.time(), "starting"  # ambient: for people
        self._crew = Crew(open_database(workspace))  # of the thread that beats: it waits for nobody
        self._raw = log_file(workspace.runs.parent / "logs", name, ".out")
        self.pulse = Pulse(self._crew, self._describe, self._raw)
        self._playing: dict[str, Playing] = {}
        self._left: list[Left] = []
        self._played = 0
        self._lag = 0.0
        self._wake = asyncio.Event()
        self._stopping = 0.0
        self._idle_since = self._claimed_at = self._looked = time.monotonic()
        self._hub: Hub | None = None
        self._asked: list[Asked] = []  # of hubs that were left
        self._claimed_once = False

    # --- how it stands ---

    def _describe(self) -> WorkerInfo:
        """Asked by the thread that beats."""
        playing = list(self._playing.values())
        if time.monotonic() - self.pulse.tick > ORPHAN_SECONDS / 2:  # nobody reads the mail now
            for one in playing:
                one.look_for_cancel()
        return WorkerInfo(
            self.name, self.world_name, self._me.host, self._me.boot, self._me.pid, self._me.started,
            self._since, run_id=self.run_id, state=self._state, lag=round(self._lag, 4), played=self._played,
            playing=[
                Play(p.run_id, p.turn, round(p.total, 2), round(p.over, 2), round(p.cancel_age, 2))
                for p in playing
            ],
            limit_mb=self.pulse.memory_mb or 0, log=str(self._raw), models=self._models(),
        )  # fmt: skip

    def _models(self) -> list[Asked]:
        hub = self._hub
        return joined([*self._asked, *(hub.asked() if hub is not None else ())])

    # --- its life ---

    def run(self) -> None:
        self.pulse.start()
        self.log.say("begun", world=self.world_name, pid=self._me.pid, alone=self.run_id)
        try:
            world = Worlds(self.workspace)(self.world_name)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's module does
            self._cannot_load(error)
        else:
            if self.pulse.memory_mb:
                bound_memory(self.pulse.memory_mb)
            self._state = "ready"
            asyncio.run(self._work(world))
        self.pulse.stop()
        with suppress(WindtunnelError):
            self._crew.dismiss(self.name)
        self.log.say("ended", played=self._played)

    def _cannot_load(self, error: Exception) -> None:
        """The world cannot be imported: what waits for it is told so, and is not tried for ever."""
        known = (
            error if isinstance(error, WindtunnelError) else StorageError(f"{type(error).__name__}: {error}")
        )
        self.log.say("world cannot be loaded", level="error", error=str(known))
        for standing in self.queue.exchange(
            self.name, self.world_name, most=1000, concurrency=sys.maxsize, run_id=self.run_id
        ):
            self._left.append(refused(self.workspace, standing, known))
        self.queue.exchange(self.name, self.world_name, left=self._left)

    async def _work(self, world: World) -> None:
        loop = asyncio.get_running_loop()
        self.pulse.loop = loop
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                self.pulse.tick = time.monotonic()
                self._take(world)
                if self._is_over():
                    break
                await self._nap()
        finally:
            watch.cancel()
            with suppress(WindtunnelError):
                self.queue.exchange(self.name, self.world_name, left=self._left)
            if self._hub is not None:
                await self._hub.aclose()

    async def _nap(self) -> None:
        """Until something left, or for a moment; and how late the loop came back from it."""
        before = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        if not self._wake.is_set():
            late = max(0.0, time.monotonic() - before - POLL_SECONDS)
            self._lag = 0.7 * self._lag + 0.3 * late
        self._wake.clear()

    def _leave(self) -> None:
        self._stopping = self._stopping or time.monotonic()
        self._state = "leaving"
        for one in self._playing.values():
            one.hand_back()
        self._wake.set()

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._playing or self._left:
            self._idle_since = now
            if self._stopping and now - self._stopping > LEAVE_SECONDS:
                for one in self._playing.values():
                    one.cut("queue")
            return False
        if self._stopping:
            return True
        idle = now - self._idle_since
        if self.run_id:
            return self._claimed_once or (idle > ORPHAN_SECONDS and self.queue.find(self.run_id) is None)
        if self._hub is not None and idle > LOOK_SECONDS:
            hub, self._hub = self._hub, None  # what is set up anew meanwhile counts for the runs to come
            left = (structs.replace(one, breaker=BREAKERS[0]) for one in hub.asked())  # the next asks at once
            self._asked = joined([*self._asked, *left])
            asyncio.get_running_loop().create_task(hub.aclose())
        if idle > ORPHAN_SECONDS and now - self._looked > LOOK_SECONDS and not self._crew.led(self._me.host):
            return True
        return idle > self.settings.idle_seconds

    # --- taking runs ---

    def _take(self, world: World) -> None:
        """Hand in what left and claim more; a worker that is busy computing lets others go first."""
        now = time.monotonic()
        most = self._appetite(now)
        left: list[Left] = []
        try:
            if not self._left and (most < 1 or not self._may_wait()):
                return
            left, self._left = self._left, []
            claimed = self.queue.exchange(
                self.name,
                self.world_name,
                left=left,
                most=most,
                concurrency=self._concurrency,
                run_id=self.run_id,
            )
        except StorageError as error:  # the database is busy, or its disk is full: it is tried again
            self._left = left + self._left
            self.log.say("queue", level="warning", error=str(error))
            return
        for standing in claimed:
            self._claimed_at, self._claimed_once = now, True
            if self._hub is None:
                self._hub = hub_of(Workspace(self.workspace.root))
            one = self.plays(self.workspace, world, standing)
            self._playing[one.run_id] = one
            one.task = asyncio.create_task(self._play(one, self._hub), name=TASK + one.run_id)

    @property
    def _concurrency(self) -> int:
        return self.settings.concurrency or CONCURRENCY

    def _appetite(self, now: float) -> int:
        """How many more runs it wants. A share at a time, so that idle workers get theirs."""
        if self._stopping:
            return 0
        if self.run_id:
            return int(not self._claimed_once)
        share = math.ceil(self._concurrency / (self.settings.workers or os.cpu_count() or 1))
        free = self._concurrency - len(self._playing)
        if self._playing and self._lag > BUSY_SECONDS and len(self._playing) >= share:
            return 1 if now - self._claimed_at > PATIENCE_SECONDS and free > 0 else 0
        return min(share, free)

    def _may_wait(self) -> bool:
        now = time.monotonic()
        if not self._database.changed() and now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        return self.queue.waits(self.world_name, self.run_id)

    async def _play(self, one: Playing, hub: Hub) -> None:
        RUN.set(one.run_id)
        try:
            left = await one.play(hub)
        except BaseException as error:  # noqa: BLE001 - also SystemExit: a world's code ends no worker
            left = one.broken(error)
        self.log.say("left", status=left.status, error=left.error, turn=one.turn)
        del self._playing[one.run_id]
        self._left.append(left)
        self._played += 1
        self._wake.set()

    async def _watch(self) -> None:
        """Once a second: runs that are past their time, or that do not obey."""
        while True:
            await asyncio.sleep(1.0)
            for one in list(self._playing.values()):
                with suppress(WindtunnelError):  # a store that does not answer is asked again
                    one.watch()


def bound_memory(limit_mb: int) -> None:
    """A backstop behind the watch: a single allocation far over the limit is refused by the system."""
    most = int(virtual_mb() + limit_mb + MEMORY_SLACK_MB) << 20
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(kind: type[Worker] = Worker) -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--home", required=True)
    given.add_argument("--world", required=True)
    given.add_argument("--name", required=True)
    given.add_argument("--run", default="")
    asked = given.parse_args()
    with suppress(OSError):
        os.setsid()  # started by hand: what is killed later is this and what it started
    os.chdir(asked.home)
    worker = kind(Workspace(Path(asked.home)), asked.world, asked.name, asked.run)
    raw = open_raw(worker._raw)
    os.dup2(raw, 1)
    os.dup2(raw, 2)
    faulthandler.enable(raw)
    take_over_prints(worker.log)
    standing = worker.queue.find(asked.run) if asked.run else None
    if standing is not None:
        limits = effective(standing.ticket.limits, worker.settings)
        worker.pulse.memory_mb = limits.memory_mb
    worker.run()


if __name__ == "__main__":
    main()
