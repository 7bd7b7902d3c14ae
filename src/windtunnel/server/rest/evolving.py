"""/api/evolution: strategies made better by trying, and what of it people put in force."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from windtunnel.server import types
from windtunnel.server.rest.careful import CarefulRoute
from windtunnel.server.rest.common import PROBLEMS, After, Ask, Limit, RunPath, Who
from windtunnel.server.rest.simulations import Key

routes = APIRouter(prefix="/api/evolution", responses=PROBLEMS, route_class=CarefulRoute, tags=["evolution"])
Id = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,14}$", description="A proposal's number", examples=["3"])]
ONE = "/proposals/{proposal_id}"

# --- proposals: before what takes any word for a run's id ---


@routes.get("/proposals", operation_id="list_proposals", summary="Proposals")
async def proposals(
    ask: Ask,
    who: Who,
    status: Annotated[types.ProposalStanding | None, Query(description="Those that stand so")] = None,
    strategy: Annotated[
        str, Query(pattern=rf"^$|{types.STRATEGY}", max_length=64, description="Those of one strategy")
    ] = "",
    after: After = None,
    limit: Limit = 50,
) -> types.ProposalPage:
    """What evolutions found, the newest first. `next` is the cursor of the next page."""
    return await ask.evolving.proposed(who, status or "", strategy, after or "", limit)


@routes.get(ONE, operation_id="get_proposal", summary="One proposal")
async def proposal(ask: Ask, who: Who, proposal_id: Id) -> types.Proposal:
    """Its evidence with the runs that it is from, what differs, who said what, how many are needed."""
    return await ask.evolving.proposal(who, proposal_id)


@routes.post(f"{ONE}/approve", operation_id="approve_proposal", summary="Approve a proposal")
async def approve(
    ask: Ask, who: Who, proposal_id: Id, request: types.DecisionRequest | None = None
) -> types.Proposal:
    """The yes of whoever asks, by name; nobody counts twice, and a high risk needs two. The last one puts the
    candidate in force, in the place of the version that it was measured against."""
    return await ask.evolving.approve(who, proposal_id, request or types.DecisionRequest())


@routes.post(f"{ONE}/reject", operation_id="reject_proposal", summary="Reject a proposal")
async def reject(
    ask: Ask, who: Who, proposal_id: Id, request: types.DecisionRequest | None = None
) -> types.Proposal:
    """One no is the end of it."""
    return await ask.evolving.reject(who, proposal_id, request or types.DecisionRequest())


@routes.post(f"{ONE}/rollback", operation_id="rollback_proposal", summary="Take an applied one back")
async def rollback(
    ask: Ask, who: Who, proposal_id: Id, request: types.DecisionRequest | None = None
) -> types.Proposal:
    """Puts back in force what was before it."""
    return await ask.evolving.rollback(who, proposal_id, request or types.DecisionRequest())


# --- evolutions ---


@routes.get("", operation_id="list_evolutions", summary="Evolutions")
async def evolutions(ask: Ask, who: Who, after: After = None, limit: Limit = 50) -> types.EvolutionPage:
    """Newest first, each with what it proposed."""
    return await ask.evolving.list(who, after, limit)


@routes.post("", status_code=202, operation_id="start_evolution", summary="Start an evolution")
async def start(
    ask: Ask, who: Who, request: types.EvolutionRequest, idempotency_key: Key = ""
) -> types.Started:
    """As its file would say it. It is a run: /api/simulations/{run_id} pauses, resumes and cancels it."""
    return await ask.evolving.start(who, request, key=idempotency_key)


@routes.post("/estimate", operation_id="estimate_evolution", summary="What would one cost")
async def estimate(ask: Ask, who: Who, request: types.EvolutionRequest) -> types.Forecast:
    """How many matches it comes to, what their models may cost, how long they take. Nothing is paid."""
    return await ask.evolving.estimate(who, request)


@routes.get("/{run_id}", operation_id="get_evolution", summary="How one stands")
async def evolution(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    generation: Annotated[
        int | None, Query(ge=1, lt=1 << 31, description="Whose candidates are told; the last, if unsaid")
    ] = None,
) -> types.Evolution:
    """Its generations with the best gain and the mean, candidates, what the gate said, what was proposed."""
    return await ask.evolving.get(who, run_id, generation)


@routes.get("/{run_id}/matches", operation_id="list_evolution_matches", summary="Its matches")
async def matches(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    after: Annotated[
        int, Query(ge=0, lt=1 << 62, description="The number of the last match that is known")
    ] = 0,
    limit: Limit = 200,
) -> types.EvolutionMatchPage:
    """Those that came to an outcome. Each is a run of its own, by its `run_id`."""
    return await ask.evolving.matches(who, run_id, after, limit)
