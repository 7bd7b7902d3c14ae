"""The verbs over tournaments. One is a run: it is paused, resumed and cancelled as runs are. It is begun, and
its standings are drawn up, by the desk of tournaments; a worker of its own plays it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from windtunnel.control import Found
from windtunnel.control.access import Principal, Role
from windtunnel.control.index import Filter, Listed
from windtunnel.errors import NotFound, WrongState
from windtunnel.journal import Status
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, of_run, where
from windtunnel.server.idempotency import Once
from windtunnel.server.steering import Steering

TOURNAMENT = "tournament"  # the world that such a run names
WORKER, DESK = "windtunnel.tournaments.worker", "windtunnel.tournaments.desk"
KEPT = 1000  # tournaments of which what never changes is remembered
DRAWN = 64  # and their standings, as they were last asked for
LATEST = 200  # tournaments that are looked through for a strategy's record


class Contesting:
    def __init__(self, ground: Ground, steering: Steering, once: Once) -> None:
        self.ground, self.audit, self.steering, self.once = ground, ground.audit, steering, once
        self._about: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._drawn: OrderedDict[str, tuple[str, types.TournamentStandings]] = OrderedDict()

    @verb("list_tournaments", Role.VIEWER)
    async def list(self, who: Principal, after: str | None = None, limit: int = 50) -> types.TournamentPage:
        """Tournaments, newest first."""
        await aside(self.ground.freshen)
        asked = Filter(world=TOURNAMENT)
        page = await aside(self.ground.index.page, asked, after=after, limit=limit, total=True)
        about = await self.about(page.items)
        found = [_info(one, about[one.run_id]) for one in page.items if one.run_id in about]
        return types.TournamentPage(tournaments=found, next=page.next, total=page.total or 0)

    @verb("start_tournament", Role.OPERATOR, writes=True)
    async def start(self, who: Principal, request: types.TournamentRequest, key: str = "") -> types.Started:
        """Start a tournament. It is checked and queued at once, and played in the background."""
        run_id = await aside(self.once.run_id, who, key, f"tournament {request.model_dump_json()}")
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
            turn=row.turn, max_turns=row.turns, url=f"/api/tournaments/{run_id}",
        )  # fmt: skip

    async def _begin(self, run_id: str, request: types.TournamentRequest) -> Found:
        asked = {"tournament": request.file(), "run_id": run_id, "tags": request.tags}
        with suppress(WrongState):  # the same request came twice at once, and the other one was faster
            await self.ground.desks.call(TOURNAMENT, "begin", asked)
        return await self.ground.find(run_id)

    @verb("get_tournament_standings", Role.VIEWER)
    async def standings(self, who: Principal, run_id: str) -> types.TournamentStandings:
        """How a tournament stands: places, ratings with their intervals, ranks as far as matches tell."""
        return (await self.drawn(run_id))[1]

    async def drawn(self, run_id: str) -> tuple[str, types.TournamentStandings]:
        """With a stamp that is another when anything of them is."""
        found = await self._found(run_id)
        name = found.row.run_id
        known = self._drawn.get(name)
        asked = {**of_run(found), "seen": known[0] if known else ""}
        told = await self.ground.desks.call(TOURNAMENT, "standings", asked, seconds=300)
        if told["standings"] is not None:
            self._drawn[name] = told["stamp"], _standings(told["standings"])
        elif known is not None:
            self._drawn[name] = known
        self._drawn.move_to_end(name)
        found_now = self._drawn[name]
        while len(self._drawn) > DRAWN:
            self._drawn.popitem(last=False)
        return found_now

    @verb("list_matches", Role.VIEWER)
    async def matches(self, who: Principal, run_id: str, after: int = 0, limit: int = 200) -> types.MatchPage:
        """The matches of a tournament that came to an outcome, each with the run that it is."""
        found = await self._found(run_id)
        asked = {**of_run(found), "after": after, "limit": limit}
        told = await self.ground.desks.call(TOURNAMENT, "matches", asked, seconds=120)
        for one in told["matches"]:
            one["cost"] = one.get("cost", 0) / 1e6
        more = None if told["next"] is None else str(told["next"])
        return types.MatchPage.model_validate({**told, "next": more})

    # --- for others ---

    async def record(self, name: str) -> Sequence[types.Entered]:
        """Of the latest tournaments those that a strategy of the registry entered, newest first."""
        await aside(self.ground.freshen)
        page = await aside(self.ground.index.page, Filter(world=TOURNAMENT), limit=LATEST)
        about = await self.about(page.items)
        return [
            types.Entered(
                run_id=one.run_id, title=about[one.run_id]["title"], status=types.Status(one.status),
                entrant=entrant["name"], version=entrant["version"].rpartition("@")[2],
                created=_moment(one.created),
            )
            for one in page.items
            for entrant in about.get(one.run_id, {}).get("entrants", ())
            if entrant["version"].rpartition("@")[0] == name
        ]  # fmt: skip

    async def about(self, runs: Sequence[Listed]) -> dict[str, dict[str, Any]]:
        """What never changes of these: title, format, entrants. Those that cannot be read are left out."""
        new = [
            {"run": one.run_id, "location": one.location}
            for one in runs
            if one.run_id not in self._about and one.pruned is None
        ]
        if new:
            for one in await self.ground.desks.call(TOURNAMENT, "about", {"runs": new}, seconds=120):
                self._about[one["run_id"]] = one
        told = {one.run_id: self._about[one.run_id] for one in runs if one.run_id in self._about}
        while len(self._about) > KEPT:
            self._about.popitem(last=False)
        return told

    async def _found(self, run_id: str) -> Found:
        found = await self.ground.find(run_id)
        if found.row.world != TOURNAMENT:
            raise NotFound(
                f"run {found.row.run_id} is no tournament", where="run_id",
                remedy="list_tournaments (GET /api/tournaments) tells which there are",
            )  # fmt: skip
        return found


def _info(one: Listed, about: dict[str, Any]) -> types.TournamentInfo:
    return types.TournamentInfo(
        run_id=one.run_id, title=about["title"], status=types.Status(one.status), format=about["format"],
        world=about["world"], entrants=len(about["entrants"]), rounds=one.turn, of_rounds=about["rounds"],
        created=_moment(one.created), updated=_moment(one.updated), reason=one.reason,
    )  # fmt: skip


def _standings(told: dict[str, Any]) -> types.TournamentStandings:
    """Money in dollars, and the drawing as what it is."""
    drawing = told.pop("drawing")
    seat = told.pop("seat", None)
    return types.TournamentStandings.model_validate(
        {
            **told,
            "cost": told.get("cost", 0) / 1e6,
            "lines": [{**line, "cost": line.get("cost", 0) / 1e6} for line in told["lines"]],
            "crosstable": drawing.get("rows", []),
            "bracket": drawing["rounds"] if "champion" in drawing else [],
            "seat": None if seat is None else dict(zip(("points", "low", "high"), seat, strict=True)),
        }
    )


def _moment(seconds: float) -> Any:
    return types.moment(seconds)
