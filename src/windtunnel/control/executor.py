"""What plays runs. One interface, which takes batches; today one executor, which plays in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, field

from windtunnel.config import Workspace
from windtunnel.control.catalog import open_store
from windtunnel.errors import WindtunnelError
from windtunnel.journal import RunRow
from windtunnel.models.hub import Hub
from windtunnel.run.clock import Clock
from windtunnel.run.player import Observer
from windtunnel.run.session import play_run
from windtunnel.world import World

CONCURRENCY = 5  # runs at a time, unless windtunnel.toml says otherwise


class Job(Struct):
    """A run to be played. `world` is the object here; executors in other processes find it by name."""

    location: str
    run_id: str
    world: World
    players: Mapping[str, Any] = field(default_factory=dict)
    stop_after: int | None = None
    budget: float | None = None  # in dollars, set for the run from now on
    seen: int | None = None  # its last operation when this was decided: who stopped it since is heard


class Done(Struct):
    job: Job
    row: RunRow
    error: WindtunnelError | None = None


class Executor(Protocol):
    async def play(self, jobs: Sequence[Job], observer: Observer | None = None) -> list[Done]:
        """Play the jobs, several at once; what goes wrong with one is told in its own result."""
        ...


def hub_of(workspace: Workspace | None) -> Hub:
    """Where the runs of a workspace ask their models and call their tools."""
    if workspace is None:
        return Hub()
    return Hub(
        lambda: workspace.settings.models,
        environ=workspace.environ,
        home=workspace.runs.parent,
        tools=lambda: workspace.settings.mcp,
    )


class LocalExecutor:
    """Plays in this process, up to `concurrency` runs at a time."""

    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        concurrency: int = CONCURRENCY,
        clock: Clock | None = None,
    ) -> None:
        self._workspace, self._concurrency, self._clock = workspace, concurrency, clock

    async def play(self, jobs: Sequence[Job], observer: Observer | None = None) -> list[Done]:
        limit = asyncio.Semaphore(self._concurrency)
        hub = hub_of(self._workspace)

        async def one(job: Job) -> Done:
            async with limit:
                return await self._play(job, observer, hub)

        try:
            return list(await asyncio.gather(*(one(job) for job in jobs)))
        finally:
            await hub.aclose()

    async def _play(self, job: Job, observer: Observer | None, hub: Hub) -> Done:
        store = open_store(job.location, self._workspace)
        try:
            row = await play_run(
                store,
                job.world,
                job.run_id,
                players=job.players,
                clock=self._clock,
                observer=observer,
                stop_after=job.stop_after,
                hub=hub,
                budget=job.budget,
                seen=job.seen,
            )
            return Done(job, row)
        except WindtunnelError as error:
            return Done(job, store.run(job.run_id), error)
        finally:
            store.close()
