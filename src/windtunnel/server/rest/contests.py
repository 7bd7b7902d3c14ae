"""/api/strategies and /api/tournaments: versions of ways to play, and who of them is better."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from windtunnel.server import types
from windtunnel.server.rest.careful import CarefulRoute
from windtunnel.server.rest.common import PROBLEMS, After, Ask, Limit, RunPath, Who
from windtunnel.server.rest.simulations import Key

routes = APIRouter(prefix="/api", responses=PROBLEMS, route_class=CarefulRoute)
NamePath = Annotated[str, Path(pattern=types.STRATEGY, examples=["thrift"])]
Which = Annotated[
    str, Query(pattern=types.WHICH, description="A number, a tag, or how its hash begins", examples=["1.0.0"])
]
ONE = "/strategies/{name}"


@routes.get("/strategies", operation_id="list_strategies", summary="Strategies", tags=["strategies"])
async def strategies(
    ask: Ask,
    who: Who,
    world: Annotated[str, Query(max_length=100, description="Those for one world")] = "",
    role: Annotated[str, Query(max_length=100, description="Those for one role")] = "",
    after: After = None,
    limit: Limit = 100,
) -> types.StrategyPage:
    """By name, each with the version in force."""
    return await ask.strategies.list(who, after or "", limit, world, role)


@routes.post(
    "/strategies",
    status_code=201,
    operation_id="add_strategy",
    summary="Register a strategy",
    tags=["strategies"],
)
async def add(ask: Ask, who: Who, request: types.StrategyRequest) -> types.StrategyAdded:
    """Its number follows from what changed. The same content again is the version that there is."""
    return await ask.strategies.add(who, str(request.strategy.get("strategy", ""))[:64], request)


@routes.get(ONE, operation_id="get_strategy", summary="One strategy", tags=["strategies"])
async def strategy(ask: Ask, who: Who, name: NamePath, version: Which | None = None) -> types.StrategyDetail:
    """The version in force, or another; all versions in their tree; the tournaments that it entered."""
    return await ask.strategies.get(who, name, version or "")


@routes.get(f"{ONE}/diff", operation_id="diff_strategies", summary="What changed", tags=["strategies"])
async def diff(ask: Ask, who: Who, name: NamePath, a: Which, b: Which) -> types.StrategyDiff:
    """Between two versions: field by field, and its instructions line by line."""
    return await ask.strategies.diff(who, name, a, b)


@routes.post(f"{ONE}/tag", operation_id="tag_strategy", summary="Tag a version", tags=["strategies"])
async def tag(ask: Ask, who: Who, name: NamePath, request: types.TagRequest) -> types.StrategyMove:
    """A tag stands at one version, and moves with the next call."""
    return await ask.strategies.tag(who, name, request)


@routes.post(
    f"{ONE}/rollback", operation_id="rollback_strategy", summary="Put back a version", tags=["strategies"]
)
async def rollback(
    ask: Ask, who: Who, name: NamePath, request: types.RollbackRequest | None = None
) -> types.StrategyMove:
    """What was in force before; again and again goes back further."""
    return await ask.strategies.rollback(who, name, request or types.RollbackRequest())


# --- tournaments ---


@routes.get("/tournaments", operation_id="list_tournaments", summary="Tournaments", tags=["tournaments"])
async def tournaments(ask: Ask, who: Who, after: After = None, limit: Limit = 50) -> types.TournamentPage:
    """Newest first. `next` is the cursor of the next page."""
    return await ask.contesting.list(who, after, limit)


@routes.post(
    "/tournaments",
    status_code=202,
    operation_id="start_tournament",
    summary="Start a tournament",
    tags=["tournaments"],
)
async def start(
    ask: Ask, who: Who, request: types.TournamentRequest, idempotency_key: Key = ""
) -> types.Started:
    """As its file would say it. It is a run: /api/simulations/{run_id} pauses, resumes and cancels it."""
    return await ask.contesting.start(who, request, key=idempotency_key)


@routes.post(
    "/tournaments/estimate",
    operation_id="estimate_tournament",
    summary="What would one cost",
    tags=["tournaments"],
)
async def estimate(ask: Ask, who: Who, request: types.TournamentRequest) -> types.Forecast:
    """How many matches it comes to, what their models may cost, how long they take. Nothing is paid."""
    return await ask.contesting.estimate(who, request)


@routes.get(
    "/tournaments/{run_id}",
    operation_id="get_tournament_standings",
    summary="How one stands",
    tags=["tournaments"],
)
async def standings(ask: Ask, who: Who, run_id: RunPath) -> types.TournamentStandings:
    """Places by its format, ratings with their intervals, and what to know before believing them."""
    return await ask.contesting.standings(who, run_id)


@routes.get(
    "/tournaments/{run_id}/matches",
    operation_id="list_matches",
    summary="Its matches",
    tags=["tournaments"],
)
async def matches(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    after: Annotated[
        int, Query(ge=0, lt=1 << 62, description="The number of the last match that is known")
    ] = 0,
    limit: Limit = 200,
) -> types.MatchPage:
    """Those that came to an outcome. Each is a run of its own, by its `run_id`."""
    return await ask.contesting.matches(who, run_id, after, limit)
