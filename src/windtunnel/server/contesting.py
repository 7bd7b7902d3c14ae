"""The verbs over tournaments. One is a run: it is paused, resumed and cancelled as runs are. It is begun, and
its standings are drawn up, by the desk of tournaments; a worker of its own plays it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from windtunnel.control.access import Principal, Role
from windtunnel.control.index import Filter, Listed
from windtunnel.server import types
from windtunnel.server.desked import Desked, in_dollars
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, of_run
from windtunnel.server.idempotency import Once
from windtunnel.server.steering import Steering

TOURNAMENT = "tournament"  # the world that such a run names
WORKER, DESK = "windtunnel.tournaments.worker", "windtunnel.tournaments.desk"
DRAWN = 64  # tournaments of which the standings are remembered, as they were last asked for
LATEST = 200  # tournaments that are looked through for a strategy's record


class Contesting(Desked):
    world, path = TOURNAMENT, "/api/tournaments"
    listed = "list_tournaments (GET /api/tournaments)"

    def __init__(self, ground: Ground, steering: Steering, once: Once) -> None:
        super().__init__(ground, steering, once)
        self._drawn: OrderedDict[str, tuple[str, types.TournamentStandings]] = OrderedDict()

    @verb("list_tournaments", Role.VIEWER)
    async def list(self, who: Principal, after: str | None = None, limit: int = 50) -> types.TournamentPage:
        """Tournaments, newest first."""
        page, about = await self.page(after, limit)
        found = [_info(one, about[one.run_id]) for one in page.items if one.run_id in about]
        return types.TournamentPage(tournaments=found, next=page.next, total=page.total or 0)

    @verb("start_tournament", Role.OPERATOR, writes=True)
    async def start(self, who: Principal, request: types.TournamentRequest, key: str = "") -> types.Started:
        """Start a tournament. It is checked and queued at once, and played in the background."""
        return await self.begun(who, request, key)

    @verb("estimate_tournament", Role.VIEWER)
    async def estimate(self, who: Principal, request: types.TournamentRequest) -> types.Forecast:
        """What a tournament comes to: matches, what its models may cost, seconds. Nothing is paid."""
        return await self.foretold(request)

    @verb("get_tournament_standings", Role.VIEWER)
    async def standings(self, who: Principal, run_id: str) -> types.TournamentStandings:
        """How a tournament stands: places, ratings with their intervals, ranks as far as matches tell."""
        return (await self.drawn(run_id))[1]

    async def drawn(self, run_id: str) -> tuple[str, types.TournamentStandings]:
        """With a stamp that is another when anything of them is."""
        found = await self.found(run_id)
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
        found = await self.found(run_id)
        asked = {**of_run(found), "after": after, "limit": limit}
        told = await self.ground.desks.call(TOURNAMENT, "matches", asked, seconds=120)
        return types.MatchPage.model_validate(in_dollars(told))

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
