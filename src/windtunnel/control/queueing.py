"""The executor that goes through the queue: batches are put there whole, and workers play them.

Nothing of a job crosses but names: a world is found by its own, and whoever plays cannot be handed objects.
What is watched is the queue; what came out of a run is read from its journal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from windtunnel.config import Workspace
from windtunnel.control.carrying import TookTooLong, error_from_plain
from windtunnel.control.catalog import open_store
from windtunnel.control.crew import Crew
from windtunnel.control.executor import Done, Job
from windtunnel.control.limits import Limits
from windtunnel.control.queue import Ending, Queue, Ticket
from windtunnel.errors import UsageError, WindtunnelError, WrongState
from windtunnel.run.player import Observer

POLL_SECONDS = 0.03
SURE_SECONDS = 1.0  # all that is still open is asked for, whatever was told
ALONE_SECONDS = 15.0  # with nobody who works, or sees to it that somebody does
PAGE = 1000


class QueueExecutor:
    """Plays by the hands of workers. An observer sees nothing: streams follow the journals."""

    def __init__(
        self,
        workspace: Workspace,
        queue: Queue,
        *,
        limits: Limits | None = None,
        priority: int = 0,
        seconds: float = 24 * 3600.0,
    ) -> None:
        """`seconds`: how long a batch is waited for at most."""
        self._workspace, self._queue = workspace, queue
        self._limits, self._priority, self._seconds = limits, priority, seconds

    async def play(self, jobs: Sequence[Job], observer: Observer | None = None) -> list[Done]:  # noqa: ARG002
        """Put the jobs into the queue in their order, and wait until all have left it."""
        tickets = [self._ticket(job) for job in jobs]
        if len({ticket.run_id for ticket in tickets}) < len(tickets):
            raise UsageError("a run stands twice in one batch", where="queue")
        after = await asyncio.to_thread(self._queue.last_ending)
        await asyncio.to_thread(self._queue.put, tickets)
        ended = await self._ends({job.run_id for job in jobs}, after)
        return await asyncio.to_thread(lambda: [self._done(job, ended.get(job.run_id)) for job in jobs])

    def _ticket(self, job: Job) -> Ticket:
        if job.players:
            raise UsageError(
                "players are objects of this process, and a worker is another one",
                where=job.run_id,
                remedy="seat them by name in the scenario, or play the run in this process",
            )
        return Ticket(
            job.run_id, job.location, job.world.name, priority=self._priority, stop_after=job.stop_after,
            budget=job.budget, limits=self._limits, seen=job.seen,
        )  # fmt: skip

    async def _ends(self, wanted: set[str], after: int) -> dict[str, Ending]:
        """How each left the queue, as far as it did in time."""
        ended: dict[str, Ending] = {}
        deadline = time.monotonic() + self._seconds
        sure = idle = time.monotonic()
        while wanted - ended.keys() and time.monotonic() < deadline:
            page = await asyncio.to_thread(self._queue.endings, after, PAGE)
            for ending in page:
                after = max(after, ending.number)
                if ending.run_id in wanted:
                    ended[ending.run_id] = ending
            if time.monotonic() - sure >= SURE_SECONDS:
                sure = time.monotonic()
                await asyncio.to_thread(self._surely, wanted, ended)
                if await asyncio.to_thread(self._somebody_works):
                    idle = sure
                elif sure - idle > ALONE_SECONDS:
                    raise WrongState(
                        "nobody works the queue: there is no server, and no worker",
                        where=str(self._workspace.root),
                        remedy="windtunnel serve",
                    )
            if len(page) < PAGE:
                await asyncio.sleep(POLL_SECONDS)
        return ended

    def _surely(self, wanted: set[str], ended: dict[str, Ending]) -> None:
        """Those that stand in the queue no more have left it, even if that was not seen."""
        missing = sorted(wanted - ended.keys())
        there = self._queue.known(missing)
        for run_id in missing:
            if run_id not in there and (found := self._queue.ending_of(run_id)) is not None:
                ended[run_id] = found

    def _somebody_works(self) -> bool:
        crew = Crew(self._queue.database)
        now = self._queue.database.now()
        return any(now - worker.beat < ALONE_SECONDS for worker in crew.workers()) or crew.any_leader()

    def _done(self, job: Job, ending: Ending | None) -> Done:
        store = open_store(job.location, self._workspace, read_only=True)
        try:
            row = store.run(job.run_id)
        finally:
            store.close()
        error: WindtunnelError | None = None
        if ending is None:
            error = TookTooLong(
                f"run {job.run_id} was not over after {self._seconds:g} seconds",
                where="queue",
                remedy="it goes on",
            )
        elif ending.error is not None:
            told: dict[str, Any] = ending.error
            error = error_from_plain(told)
        return Done(job, row, error)
