"""/api/approvals: what waits for people, and their votes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from windtunnel.server import types
from windtunnel.server.rest.careful import CarefulRoute
from windtunnel.server.rest.common import PROBLEMS, Ask, Limit, Who

routes = APIRouter(prefix="/api", responses=PROBLEMS, route_class=CarefulRoute, tags=["approvals"])
Id = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z_-]{1,80}(\.[0-9]{1,9})?:[^/\\\x00-\x1f\x7f]{1,300}$",
        description="An approval's id, as the list shows it",
        examples=["4k2v9h0a7c:hold:12.validate.aldland.0"],
    ),
]


@routes.get("/approvals", operation_id="list_approvals", summary="What waits for people")
async def approvals(
    ask: Ask,
    who: Who,
    status: Annotated[
        Literal["waiting", "approved", "denied", "expired"], Query(description="Which of them")
    ] = "waiting",
    run_id: Annotated[str | None, Query(pattern=types.RUN_ID, description="Those of one run")] = None,
    limit: Limit = 100,
) -> types.Approvals:
    """Actions in plain words, with their money, risk, reason, and the votes so far. What waits longest comes
    first; of what was decided, the newest."""
    return await ask.deciding.approvals(who, status, run_id, limit)


@routes.get("/approvals/{approval_id}", operation_id="get_approval", summary="One of them")
async def approval(ask: Ask, who: Who, approval_id: Id) -> types.Approval:
    """As it stands now."""
    return await ask.deciding.approval(who, approval_id)


@routes.post("/approvals/{approval_id}/approve", operation_id="approve", summary="Approve an action")
async def approve(
    ask: Ask, who: Who, approval_id: Id, request: types.VoteRequest | None = None
) -> types.Approval:
    """A vote is bound to the action as it waits now. High risks need two different people."""
    return await ask.deciding.approve(who, approval_id, request or types.VoteRequest())


@routes.post("/approvals/{approval_id}/reject", operation_id="reject", summary="Deny an action")
async def reject(
    ask: Ask, who: Who, approval_id: Id, request: types.VoteRequest | None = None
) -> types.Approval:
    """The first denial decides."""
    return await ask.deciding.reject(who, approval_id, request or types.VoteRequest())
