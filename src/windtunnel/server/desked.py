"""What tournaments and evolutions have in common at the doors: each is a run of a world of ours, begun and
read by that world's desk, and played by a worker of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from windtunnel.control import Found
from windtunnel.control.access import Principal
from windtunnel.control.index import Filter, Listed, Page
from windtunnel.errors import NotFound, WrongState
from windtunnel.journal import Status
from windtunnel.server import types
from windtunnel.server.ground import Ground, aside, where
from windtunnel.server.idempotency import Once
from windtunnel.server.steering import Steering

KEPT = 1000  # of which what never changes is remembered


class Request(Protocol):
    """What a client sends to begin one."""

    tags: list[str]

    def file(self) -> dict[str, Any]: ...
    def model_dump_json(self) -> str: ...


class Desked:
    """`world`: the one that such a run names; `listed`: where a client finds which there are."""

    world: str
    path: str
    listed: str

    def __init__(self, ground: Ground, steering: Steering, once: Once) -> None:
        self.ground, self.audit, self.steering, self.once = ground, ground.audit, steering, once
        self._about: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def begun(self, who: Principal, request: Request, key: str) -> types.Started:
        """Made and queued; with a key, once."""
        run_id = await aside(self.once.run_id, who, key, f"{self.world} {request.model_dump_json()}")
        try:
            found = await self.ground.find(run_id) if key else await self._begin(run_id, request)
        except NotFound:
            found = await self._begin(run_id, request)
        if found.row.status is Status.QUEUED:
            await self.steering.enqueue([found])
            await aside(self.ground.index.note, where(found), found.row)
        row = found.row
        return types.Started(
            run_id=run_id, status=types.Status(row.status), world=row.world, scenario=row.scenario,
            turn=row.turn, max_turns=row.turns, url=f"{self.path}/{run_id}",
        )  # fmt: skip

    async def _begin(self, run_id: str, request: Request) -> Found:
        asked = {self.world: request.file(), "run_id": run_id, "tags": request.tags}
        with suppress(WrongState):  # the same request came twice at once, and the other one was faster
            await self.ground.desks.call(self.world, "begin", asked)
        return await self.ground.find(run_id)

    async def foretold(self, request: Request) -> types.Forecast:
        """What it comes to, rehearsed by its desk; nothing is kept."""
        asked = {self.world: request.file()}
        told = await self.ground.desks.call(self.world, "forecast", asked, seconds=120)
        return types.Forecast.model_validate({**told, "models": priced(told["models"])})

    async def page(self, after: str | None, limit: int) -> tuple[Page, dict[str, dict[str, Any]]]:
        """Runs of this kind, newest first, and what never changes of them."""
        await aside(self.ground.freshen)
        asked = Filter(world=self.world)
        page = await aside(self.ground.index.page, asked, after=after, limit=limit, total=True)
        return page, await self.about(page.items)

    async def about(self, runs: Sequence[Listed]) -> dict[str, dict[str, Any]]:
        """What never changes of these: titles and the like. Those that cannot be read are left out."""
        new = [
            {"run": one.run_id, "location": one.location}
            for one in runs
            if one.run_id not in self._about and one.pruned is None
        ]
        if new:
            for one in await self.ground.desks.call(self.world, "about", {"runs": new}, seconds=120):
                self._about[one["run_id"]] = one
        told = {one.run_id: self._about[one.run_id] for one in runs if one.run_id in self._about}
        while len(self._about) > KEPT:
            self._about.popitem(last=False)
        return told

    async def found(self, run_id: str) -> Found:
        found = await self.ground.find(run_id)
        if found.row.world != self.world:
            raise NotFound(
                f"run {found.row.run_id} is no {self.world}", where="run_id",
                remedy=f"{self.listed} tells which there are",
            )  # fmt: skip
        return found


def priced(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What models would cost, in dollars."""
    return [
        {**one, **{name: None if one[name] is None else one[name] / 1e6 for name in ("seen", "most")}}
        for one in models
    ]


def in_dollars(told: dict[str, Any]) -> dict[str, Any]:
    """A page of matches as a desk tells it, its money in dollars."""
    more = None if told["next"] is None else str(told["next"])
    matches = [{**one, "cost": one.get("cost", 0) / 1e6} for one in told["matches"]]
    return {**told, "matches": matches, "next": more}
