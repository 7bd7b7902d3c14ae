"""The manager: starts workers, watches them, and sees to it that every run comes to its end without them.

It decides nothing that it must remember: what is to be played stands in the queue, who lives is asked of the
system, what a run has come to stands in its journal. So it may be killed at any moment; the next one, in this
server or another of the same machine, finds the workers that are there and goes on. It imports no world.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count

from windtunnel.config import Workspace
from windtunnel.control.burying import Cause, bury, fail_ticket, submitted
from windtunnel.control.crew import Crew, WorkerInfo
from windtunnel.control.database import open_database
from windtunnel.control.executor import CONCURRENCY
from windtunnel.control.logs import Journalist, log_file, sweep, tail
from windtunnel.control.queue import Queue, Standing, isolates, put_again
from windtunnel.control.spawning import Child, kill, kill_group
from windtunnel.errors import WindtunnelError
from windtunnel.journal import Owner
from windtunnel.journal.lease import lives, this_process

WORKER = "windtunnel.control.worker"
TICK_SECONDS = 0.05
WATCH_SECONDS = 0.5
LEAD_SECONDS = 2.0
TRIM_SECONDS = 60.0
STILL_SECONDS = 2.0  # more than the grace of a run, before a loop that stands still is ended
BUSY_SECONDS = 0.01
STARTING_SECONDS = 30.0  # a process that has not shown itself by then does not count as a worker any more
SHORT_SECONDS = 10.0  # one that ends sooner, having done nothing, says that its world cannot be played here
MOST_FAILED_STARTS = 3
_numbers = count(1)


class Manager:
    def __init__(self, workspace: Workspace, *, modules: Mapping[str, str] | None = None) -> None:
        """`modules`: by world, what its workers run where that is not what all others do."""
        self.workspace = workspace
        self._modules = dict(modules or {})
        self.settings = workspace.settings.runs
        self._database = open_database(workspace)
        self.queue = Queue(self._database, isolate=isolates(self.settings))
        self.crew = Crew(self._database)
        self._me: Owner = this_process()
        self._logs = workspace.runs.parent / "logs"
        self.log = Journalist(log_file(self._logs, "manager", ".jsonl"), manager=self._me.pid)
        self._children: dict[str, Child] = {}
        self._failed_starts: dict[tuple[str, str], int] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._leads = False
        self.trouble = ""  # why it cannot manage now
        self._led = self._watched = self._trimmed = -1e9

    # --- for others ---

    async def run(self) -> None:
        """Until it is cancelled. The workers stay."""
        try:
            while True:
                try:
                    await asyncio.to_thread(self.tick)
                    self.trouble = ""
                except WindtunnelError as error:  # the database is busy or full: the next moment tries again
                    self.trouble = f"runs are not seen to: {error}"
                    self.log.say("cannot manage", level="error", error=str(error))
                    await asyncio.sleep(1.0)
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self.resign()

    def workers(self) -> list[WorkerInfo]:
        """All that are known, of every machine."""
        return self.crew.workers()

    @property
    def leads(self) -> bool:
        return self._leads

    def resign(self) -> None:
        with suppress(WindtunnelError):
            self.crew.resign(self._me.host, self._me)
        self._leads = False

    def close(self) -> None:
        """After its last look."""
        self._database.close()

    # --- one look ---

    def tick(self) -> None:
        """Look at what changed, and at everything now and then."""
        now = time.monotonic()
        if now - self._led >= LEAD_SECONDS:
            self._lead()
            self._led = now
        if not self._leads:
            return
        due = now - self._watched >= WATCH_SECONDS
        if not due and not self._database.changed() and not self._ended_children():
            return
        workers = self.crew.workers(self._me.host)
        if due or self._ended_children():
            self._watched = now
            workers = self._watch(workers)
        self._hire(workers)
        if now - self._trimmed >= TRIM_SECONDS:
            self._trimmed = now
            self.queue.trim()
            sweep(self._logs)

    def _lead(self) -> None:
        fresh = not self._leads and not self.crew.ever_led()
        leads = self.crew.lead(self._me.host, self._me)
        if leads and not self._leads:
            self.log.say("leads", fresh=fresh)
            if fresh:
                self.restore()
        self._leads = leads

    def restore(self) -> int:
        """Put the runs that were made for the queue, and that nobody plays, into a queue which is new."""
        found = put_again(self.queue, submitted(self.workspace))
        self.log.say("restored", runs=found)
        return found

    # --- watching ---

    def _ended_children(self) -> list[str]:
        return [name for name, child in self._children.items() if child.poll() is not None]

    def _watch(self, workers: list[WorkerInfo]) -> list[WorkerInfo]:
        """Bury who is dead, kill who should be; those who are left."""
        known = {worker.name for worker in workers}
        living = []
        for worker in workers:
            cause = self._cause(worker)
            if cause is None:
                living.append(worker)
                continue
            self._end(worker, cause)
        for name in self._ended_children():
            child = self._children.pop(name)
            self._reaped(name, child, known)
        self._adopt_orphans({worker.name for worker in living})
        return living

    def _cause(self, worker: WorkerInfo) -> Cause | None:
        """Why a worker is over; None if it is not."""
        child = self._children.get(worker.name)
        code = child.poll() if child is not None else None
        if code is not None or not lives(worker.owner):
            what = "memory" if worker.memory_mb else "died"
            return Cause(what, code, memory_mb=worker.memory_mb)
        silent = self._silent(worker)
        if silent > self.settings.hung_seconds:
            return Cause("hung", seconds=silent)
        age = worker.tick_age + silent
        run_id = worker.stuck.run_id if worker.stuck else ""
        stack = worker.stuck.stack if worker.stuck else []
        grace = self.settings.grace_seconds + STILL_SECONDS
        if worker.tick_age > STILL_SECONDS:
            for play in worker.playing:
                if run_id in ("", play.run_id) and play.cancel > grace:
                    return Cause("cancelled", seconds=age, run_id=play.run_id, stack=stack)
                if run_id in ("", play.run_id) and play.over > grace:
                    return Cause("time", seconds=play.seconds, run_id=play.run_id, stack=stack)
        if age > self.settings.stuck_seconds:
            return Cause("stuck", seconds=age, run_id=run_id, stack=stack)
        return None

    def _silent(self, worker: WorkerInfo) -> float:
        """Seconds in which nothing was heard of it: by our own watch: a clock that jumps kills nobody."""
        now = time.monotonic()
        beat, seen = self._beats.get(worker.name, (0.0, now))
        if beat != worker.beat:
            self._beats[worker.name] = (worker.beat, now)
            return 0.0
        return now - seen

    def _end(self, worker: WorkerInfo, cause: Cause) -> None:
        """Kill it with everything it started, and see what becomes of its runs."""
        kill(worker.owner)
        child = self._children.pop(worker.name, None)
        if child is not None:
            child.wait(5)
            if cause.code is None:
                cause = cause._replace(code=child.code)
        claims = [one for one in self.queue.claimed() if one.worker == worker.name]
        self.log.say(
            "worker over", level="warning" if claims else "info", worker=worker.name, cause=cause.what,
            code=cause.code, runs=[one.ticket.run_id for one in claims], stuck=cause.stack,
        )  # fmt: skip
        left = bury(self.workspace, worker, cause, claims)
        self.queue.exchange(worker.name, worker.world, left=left)
        if len(left) == len(claims):  # else a store could not be asked: they are looked at again
            self.crew.dismiss(worker.name)
            self._beats.pop(worker.name, None)
        if child is not None:
            self._count_start(child, worker)

    def _reaped(self, name: str, child: Child, known: set[str]) -> None:
        """A child that ended without a row: it dismissed itself, or never came so far."""
        kill_group(child.pid)
        if name not in known and child.code != 0:
            self._count_start(child, None)
        else:
            self._failed_starts.pop((child.world, child.run_id), None)

    def _count_start(self, child: Child, worker: WorkerInfo | None) -> None:
        """A process that ended at once and did nothing will do so again."""
        key = (child.world, child.run_id)
        worked = worker is not None and (worker.state != "starting" or worker.played or worker.playing)
        if worked or time.monotonic() - child.since > SHORT_SECONDS:
            self._failed_starts.pop(key, None)
            return
        failed = self._failed_starts[key] = self._failed_starts.get(key, 0) + 1
        self._not_before[key] = time.monotonic() + 0.5 * 2**failed
        self.log.say("no start", level="error", world=child.world, run=child.run_id, times=failed,
                     said=tail(child.raw))  # fmt: skip
        if failed >= MOST_FAILED_STARTS:
            self._failed_starts.pop(key)
            self._give_up(child)

    def _give_up(self, child: Child) -> None:
        """No process of this world comes up: what waits for one is told so."""
        name = f"manager-{self._me.pid}"
        for one in self.queue.exchange(
            name, child.world, most=1000, concurrency=sys.maxsize, run_id=child.run_id
        ):
            left = fail_ticket(self.workspace, one, child.code, tail(child.raw))
            self.queue.exchange(name, child.world, left=[left])

    def _adopt_orphans(self, living: set[str]) -> None:
        """Runs that are claimed by nobody who is known: a worker's row was lost, or the last manager died
        between the two halves of a burial."""
        living = living | set(self._children) | {worker.name for worker in self.crew.workers()}
        by_worker: dict[str, list[Standing]] = {}
        for one in self.queue.claimed():
            if one.worker not in living:
                by_worker.setdefault(one.worker, []).append(one)
        for name, claims in by_worker.items():
            left = bury(self.workspace, None, Cause("died"), claims)
            self.queue.exchange(name, claims[0].ticket.world, left=left)

    # --- hiring ---

    def _hire(self, workers: list[WorkerInfo]) -> None:
        """Start the processes that the next runs need. A world with work always gets one; further ones only
        while those it has are busy computing, and there are fewer than the workspace says."""
        claimed = sum(depth.playing for depth in self.queue.depth().values())
        room = (self.settings.concurrency or CONCURRENCY) - claimed
        if room < 1:
            return
        limit = self.settings.workers or os.cpu_count() or 1
        rows = {worker.name for worker in workers}
        fresh = [child for name, child in self._children.items() if name not in rows and _is_fresh(child)]
        head = self.queue.ready(room)
        for one in head:
            if one.alone:
                run_id = one.ticket.run_id
                if not any(w.run_id == run_id for w in workers) and not any(
                    c.run_id == run_id for c in fresh
                ):
                    self._start(one.ticket.world, run_id)
        for world in dict.fromkeys(one.ticket.world for one in head if not one.alone):
            mine = [w for w in workers if w.world == world and not w.run_id and w.state != "leaving"]
            coming = any(c.world == world and not c.run_id for c in fresh)
            coming = coming or any(w.state == "starting" for w in mine)
            if coming:
                continue
            if not mine:
                self._retire(workers, limit)
                self._start(world)
            elif len(workers) + len(fresh) < limit and all(w.lag > BUSY_SECONDS for w in mine):
                self._start(world)

    def _retire(self, workers: list[WorkerInfo], limit: int) -> None:
        """Make room for a world that has no worker: an idle one of another world goes."""
        idle = [w for w in workers if not w.playing and not w.run_id and w.state == "ready"]
        if len(workers) >= limit and idle:
            oldest = min(idle, key=lambda worker: worker.since)
            if lives(oldest.owner):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(oldest.pid, signal.SIGTERM)

    def _start(self, world: str, run_id: str = "") -> None:
        if time.monotonic() < self._not_before.get((world, run_id), -1e9):
            return
        name = f"worker-{world}-{self._me.pid}-{next(_numbers)}-{int(time.time())}"  # ambient: a name
        raw = log_file(self._logs, name, ".out")
        arguments = ["--home", str(self.workspace.root), "--world", world, "--name", name]
        if run_id:
            arguments += ["--run", run_id]
        child = Child(self._modules.get(world, WORKER), arguments, raw, world=world, run_id=run_id)
        self._children[name] = child
        self.log.say("worker started", worker=name, pid=child.pid, run=run_id)


def _is_fresh(child: Child) -> bool:
    return child.poll() is None and time.monotonic() - child.since < STARTING_SECONDS
