"""The verbs over the installation: worlds, models, keys, the audit log, workers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from windtunnel.control.access import Principal, Role
from windtunnel.control.audit import Filters
from windtunnel.control.crew import worst
from windtunnel.errors import NotFound, UsageError
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside
from windtunnel.words import suggest

KEPT_SECONDS = 30.0  # what is installed changes seldom


class Operating:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.audit = ground, ground.audit
        self._known: tuple[float, list[types.WorldInfo]] | None = None

    # --- what there is to play ---

    @verb("list_worlds", Role.VIEWER)
    async def worlds(self, who: Principal) -> types.Worlds:
        """The worlds that are installed, with their scenarios."""
        found = await self._installed()
        return types.Worlds(worlds=found)

    @verb("list_scenarios", Role.VIEWER)
    async def scenarios(self, who: Principal, world: str | None = None) -> types.Scenarios:
        """The scenarios of a world, or of all."""
        known = await self._installed()
        if world is not None and world not in {one.name for one in known}:
            raise NotFound(
                f"there is no world {world!r}",
                where="world",
                remedy=suggest(world, [one.name for one in known]),
            )
        found = [one for info in known if world in (None, info.name) for one in info.scenarios]
        return types.Scenarios(scenarios=found)

    @verb("get_world", Role.VIEWER)
    async def world(self, who: Principal, name: str) -> types.WorldDetail:
        """One world: its roles and policies, its headline, its panels, and the schema of its scenarios."""
        about = await self.ground.desks.call(name, "describe")
        return types.WorldDetail(
            name=about["name"],
            version=about.get("version") or "",
            description=about.get("description") or "",
            roles=[types.RoleInfo(name=role, **known) for role, known in about["roles"].items()],
            headline=about["headline"],
            queries=about["queries"],
            panels=about["panels"],
            scenarios=[one["name"] for one in about["scenarios"]],
            json_schema=await self.ground.desks.call(name, "schema"),
        )

    @verb("get_scenario", Role.VIEWER)
    async def scenario(self, who: Principal, name: str) -> types.ScenarioDetail:
        """A scenario as it is written, and the schema of such files."""
        world = name.partition("/")[0]
        about = await self.ground.desks.call(world, "describe")
        path = next((one["path"] for one in about["scenarios"] if one["name"] == name), None)
        if path is None:
            known = [one["name"] for one in about["scenarios"]]
            raise NotFound(f"there is no scenario {name!r}", where="scenario", remedy=suggest(name, known))
        return types.ScenarioDetail(
            name=name,
            world=world,
            text=await aside(Path(path).read_text, "utf-8"),
            json_schema=await self.ground.desks.call(world, "schema"),
        )

    @verb("list_models", Role.VIEWER)
    async def models(self, who: Principal) -> dict[str, Any]:
        """Which models can be asked, at what price, and how their breakers stand. Never a key."""
        (told,) = await self.ground.errands.run("models")
        stands: dict[str, list[str]] = {}  # the process that was asked has asked no model
        for worker in await aside(self.ground.manager.workers):
            for one in worker.models:
                stands.setdefault(one.deployment, []).append(one.breaker)
        return {
            **told,
            "deployments": [
                {**one, "breaker": worst(stands.get(one["name"], [one["breaker"]]))}
                for one in told["deployments"]
            ],
        }

    async def _installed(self) -> list[types.WorldInfo]:
        """Read in processes of their own, and kept for a moment: importing worlds takes a while."""
        if self._known is None or time.monotonic() - self._known[0] > KEPT_SECONDS:
            worlds, scenarios = (
                await self.ground.errands.run("worlds"),
                await self.ground.errands.run("scenarios"),
            )
            known = {one["name"]: types.ScenarioInfo.model_validate(one) for one in scenarios}
            found = [
                types.WorldInfo.model_validate(
                    {**one, "scenarios": [known[name] for name in one["scenarios"] if name in known]}
                )
                for one in worlds
            ]
            self._known = time.monotonic(), found
        return self._known[1]

    # --- who may, and who did ---

    @verb("audit_log", Role.ADMIN)
    async def audit_log(
        self, who: Principal, after: str | None = None, limit: int = 100, verb_name: str | None = None
    ) -> types.AuditPage:
        """Who did what, and what was refused; newest first."""
        asked = Filters(verb=verb_name, newest=True)
        page = await aside(self.audit.page, number(after, "after"), limit, asked)
        return types.AuditPage(
            entries=[
                types.AuditEntry(
                    seq=one.seq,
                    at=datetime.fromtimestamp(one.at, UTC),
                    who=one.who,
                    via=one.via,
                    verb=one.verb,
                    target=one.target,
                    outcome=one.outcome,
                    detail=one.detail,
                    request_id=one.request,
                )
                for one in page.items
            ],
            next=None if page.next is None else str(page.next),
        )

    @verb("get_system", Role.VIEWER)
    async def system(self, who: Principal) -> types.System:
        """Workers, queue and store: is it well?"""
        ground = self.ground
        counts, depth = await aside(ground.index.counts), await aside(ground.queue.depth)
        workers, now = await aside(ground.manager.workers), ground.database.now()
        return types.System(
            version=version("windtunnel"),
            ready=True,
            runs={str(status): number for status, number in counts.items()},
            queue=sum(one.ready for one in depth.values()),
            workers=[
                types.Worker(
                    name=one.name,
                    world=one.world,
                    pid=one.pid,
                    host=one.host,
                    state=one.state,
                    runs=[play.run_id for play in one.playing],
                    played=one.played,
                    lag=one.lag,
                    beat_seconds=max(0.0, now - one.beat),
                    memory_mb=one.rss_mb,
                )
                for one in workers
            ],
            store=ground.database.location,
        )


def number(cursor: str | None, name: str) -> int | None:
    """A cursor that is a number."""
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 18:
        raise UsageError(f"{cursor[:40]!r} is no cursor", where=name, remedy="send `next` of the page before")
    return int(cursor)
