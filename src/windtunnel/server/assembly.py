"""A server put together: one workspace, its rooms, and the doors over them. The only place that knows them
all.

Nothing here decides anything. What runs for long (manager, scheduler, streams) is started with the
application
and left with it; workers stay, and the next server finds them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from windtunnel.config import Workspace
from windtunnel.control import Control, Found, opened
from windtunnel.control.access import Keys, may
from windtunnel.control.audit import Audit
from windtunnel.control.catalog import UNUSABLE
from windtunnel.control.database import open_database
from windtunnel.control.desks import Desks
from windtunnel.control.index import Filter, open_index
from windtunnel.control.manager import Manager
from windtunnel.control.notify import Notifier, firing_of, notifier
from windtunnel.control.queue import Queue
from windtunnel.control.schedule import Scheduler, Schedules
from windtunnel.control.warming import warm
from windtunnel.errors import WindtunnelError
from windtunnel.journal import Status
from windtunnel.server import contesting, evolving
from windtunnel.server.account import Account
from windtunnel.server.announcing import Announcing
from windtunnel.server.app import application
from windtunnel.server.asking import principal_of
from windtunnel.server.counting import Counted, Patterns
from windtunnel.server.errands import Errands
from windtunnel.server.ground import Ground, found_of, no_world
from windtunnel.server.guard import guarded
from windtunnel.server.login import Login
from windtunnel.server.mcp.mounting import Mounted
from windtunnel.server.metrics import Metrics
from windtunnel.server.page import PageRoute
from windtunnel.server.sessions import Sessions
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.routes import routes
from windtunnel.server.verbs import all_verbs
from windtunnel.server.who import Who, check_bind, only_here

VERSION = version("windtunnel")
REFRESH_SECONDS = 2.0
RESCUE_SECONDS = 10.0
# By world, what plays its runs and what knows its verbs, where that is not what all others do.
WORKERS = {contesting.TOURNAMENT: contesting.WORKER, evolving.EVOLUTION: evolving.WORKER}
DESKS = {contesting.TOURNAMENT: contesting.DESK, evolving.EVOLUTION: evolving.DESK}
IMPORTS = {"/api/import": 1 << 30}  # a run is a file, and files are large


class Assembly:
    def __init__(self, workspace: Workspace) -> None:
        warm()
        workspace.runs.mkdir(parents=True, exist_ok=True)
        settings = workspace.settings
        self.workspace = workspace
        self.database = open_database(workspace)
        self.manager = Manager(workspace, modules=WORKERS)
        self.ground = Ground(
            workspace=workspace,
            database=self.database,
            control=Control(workspace, no_world),
            index=open_index(workspace),
            queue=Queue(self.database),
            desks=Desks(workspace, modules=DESKS),
            manager=self.manager,
            audit=Audit(self.database),
            keys=Keys(self.database),
            schedules=Schedules(self.database, settings.schedule),
            errands=Errands(workspace),
        )
        self.verbs = all_verbs(self.ground)
        self.scheduler = Scheduler(self.ground.schedules)
        self.outbox = notifier(workspace)
        self.hub = StreamHub(workspace, who=principal_of, may=may)
        self.announcing = Announcing(self.hub, self.verbs.contesting, self.verbs.evolving)
        self.gauges = Metrics(self.ground, lambda: self.hub.clients)

    # --- doors ---

    def app(self, host: str, *, open_to_everyone: bool = False) -> ASGIApp:
        """The whole, behind its guard."""
        settings, ground = self.workspace.settings, self.ground
        check_bind(host, ground.keys, open_to_everyone, logins=bool(settings.oauth), serve=settings.serve)
        sessions = Sessions(
            self.database, settings.oauth, seconds=settings.serve.session_hours * 3600, keys=ground.keys
        )
        ways = Account(ground.keys, sessions, ground.audit, tuple(settings.oauth)).routes()
        if settings.oauth:
            login = Login(
                self.database, settings.oauth, sessions, ground.audit, environ=self.workspace.environ
            )
            ways += login.routes()
        here = only_here(host, settings.serve)
        who = Who(ground.keys, sessions, here=here, open_to_everyone=open_to_everyone)
        self.mcp = Mounted(
            self.verbs,
            principal_of,
            version=VERSION,
            hosts=settings.serve.hosts if here else ("*",),
            origins=settings.serve.origins,
        )
        app = self.routed()
        app.router.routes += [self.mcp.route, *ways, PageRoute()]
        patterns = Patterns(app)
        return guarded(
            app,
            who,
            settings.serve,
            host=host,
            audit=ground.audit,
            larger=IMPORTS,
            around=lambda inside: Counted(inside, self.gauges, patterns),
        )

    def routed(self) -> FastAPI:
        """REST, streams and probes, which describe themselves; unguarded."""
        return application(
            self.verbs, self.running, [routes(self.hub)], version=VERSION,
            ready=self.problems, metrics=self.gauges.text,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything that goes on by itself, until the application ends."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.ground.desks.aclose)
            await self.hub.start()
            stack.push_async_callback(self.hub.stop)
            await stack.enter_async_context(self.mcp.running())
            for work in self.by_itself():
                task: asyncio.Task[None] = asyncio.create_task(work())
                stack.push_async_callback(_ended, task)
            yield

    def by_itself(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """Who works without being asked."""
        told = self.announcing
        tellers = (told.tournaments, told.evolutions, told.proposals)
        return (self.manager.run, self._schedule, self._refresh, self._notify, *tellers)

    async def _schedule(self) -> None:
        await self.scheduler.run(self.verbs.planning.does, self._alert)

    def _alert(self, event: str, about: dict[str, Any]) -> None:
        if self.outbox is not None:
            self.outbox.tell(event, firing_of(about), about)

    async def _notify(self) -> None:
        if self.outbox is not None:
            await self.outbox.run(self._sweep)

    def _sweep(self, outbox: Notifier) -> None:
        outbox.sweep(self._moved(outbox.swept), lambda found: opened(found, self.workspace, read_only=True))

    def _moved(self, since: float) -> Iterator[Found]:
        """Runs that were written since, and those that may expire or lie dead."""
        for one in self.ground.index.each(Filter(order="updated")):
            if one.updated < since:
                break
            yield found_of(one)
        for status in (Status.WAITING, Status.CRASHED):
            yield from (found_of(one) for one in self.ground.index.each(Filter(status=str(status))))

    async def _refresh(self) -> None:
        """Keep the index fresh, and take up the runs of which a waiting vote has expired, or which a server
        that was killed left between two steps."""
        rescued = -RESCUE_SECONDS
        while True:
            with suppress(*UNUSABLE, WindtunnelError):
                await asyncio.to_thread(self.ground.index.refresh)
                await self.verbs.steering.expire()
                if self.manager.leads and time.monotonic() - rescued >= RESCUE_SECONDS:
                    await self.verbs.steering.rescue()
                    rescued = time.monotonic()
            await asyncio.sleep(REFRESH_SECONDS)

    async def problems(self) -> list[str]:
        """What keeps the server from working; nothing, if it is well."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self.database.rows, "SELECT 1"), 5)
        except (WindtunnelError, TimeoutError) as error:
            return [f"the store does not answer: {error}"]
        return [why for why in (self.manager.trouble, self.scheduler.trouble) if why]

    def close(self) -> None:
        if self.outbox is not None:
            self.outbox.close()
        self.ground.index.close()
        self.manager.close()
        self.database.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
