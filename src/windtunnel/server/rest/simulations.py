"""/api/simulations: start, list, look, steer, prove."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi import Path as PathParam
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from windtunnel.control.index import Filter
from windtunnel.server import types
from windtunnel.server.looking import Wanted as WantedEntries
from windtunnel.server.rest.bodies import stored
from windtunnel.server.rest.careful import CarefulRoute
from windtunnel.server.rest.common import PROBLEMS, After, Ask, Limit, Moment, RunPath, TurnQuery, Who, Word
from windtunnel.server.turns import TurnDetail

routes = APIRouter(prefix="/api", responses=PROBLEMS, route_class=CarefulRoute)
SIMULATION = "/simulations/{run_id}"
MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "chat": "application/jsonl",
    "html": "text/html",
    "parquet": "application/vnd.apache.parquet",
}
Key = Annotated[
    str, Header(max_length=200, description="Asking again with the same key starts nothing twice")
]
_FILE = {"schema": {"type": "string", "format": "binary"}}


@routes.post(
    "/simulations",
    status_code=202,
    operation_id="start_simulation",
    summary="Start a run",
    tags=["simulations"],
)
async def start(ask: Ask, who: Who, request: types.StartRequest, idempotency_key: Key = "") -> types.Started:
    """It is checked and queued at once, and played by a worker; the answer names it."""
    return await ask.playing.start(who, request, key=idempotency_key)


def wanted_of(
    world: Word = None,
    scenario: Word = None,
    status: types.Status | None = None,
    tag: Word = None,
    text: Annotated[
        str | None, Query(max_length=200, description="In its id, scenario, tags or reason")
    ] = None,
    parent: Annotated[str | None, Query(max_length=80, description="Forks of this run")] = None,
    since: Annotated[Moment | None, Query(description="Made at this time or later")] = None,
    until: Annotated[Moment | None, Query(description="Made before this time")] = None,
    order: Literal["created", "updated"] = "created",
) -> Filter:
    return Filter(
        world=world or "",
        scenario=scenario or "",
        status=str(status or ""),
        tag=tag or "",
        text=text or "",
        parent=parent or "",
        since=None if since is None else since.timestamp(),
        until=None if until is None else until.timestamp(),
        order=order,
    )


Wanted = Annotated[Filter, Depends(wanted_of)]


@routes.get("/simulations", operation_id="list_simulations", summary="List runs", tags=["simulations"])
async def list_runs(
    ask: Ask, who: Who, wanted: Wanted, after: After = None, limit: Limit = 50
) -> types.RunPage:
    """Newest first. `next` is the cursor of the next page."""
    return await ask.looking.list(who, wanted, after=after, limit=limit)


@routes.get("/groups", operation_id="list_groups", summary="Runs by world or tag", tags=["simulations"])
async def groups(ask: Ask, who: Who, wanted: Wanted, by: Literal["world", "tag"] = "world") -> types.Groups:
    """How many of the runs that a list would show each world or tag has, the most first."""
    return await ask.looking.groups(who, wanted, by)


@routes.get(SIMULATION, operation_id="get_simulation_status", summary="One run", tags=["simulations"])
async def get(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    turn: TurnQuery = None,
    state: Annotated[bool, Query(description="With its state: agents and global_state")] = False,
) -> types.RunDetail:
    """As it stands, or as it stood after `turn`: so that runs can be compared however far each has come."""
    return await ask.looking.get(who, run_id, turn, state)


@routes.delete(SIMULATION, operation_id="cancel_simulation", summary="Cancel a run", tags=["simulations"])
async def cancel(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    purge: Annotated[bool, Query(description="Remove a run that has ended; needs the role admin")] = False,
) -> types.Run:
    """Ends it for good. What it played stays, and can be forked."""
    return await (ask.steering.purge if purge else ask.steering.cancel)(who, run_id)


@routes.get(
    f"{SIMULATION}/results",
    operation_id="get_simulation_results",
    summary="What came of it",
    tags=["simulations"],
)
async def results(ask: Ask, who: Who, run_id: RunPath, turn: TurnQuery = None) -> types.Results:
    """Metrics, standings by wealth, and what its models cost."""
    return await ask.looking.results(who, run_id, turn)


@routes.get(f"{SIMULATION}/config", operation_id="get_config", summary="Its scenario", tags=["simulations"])
async def config(ask: Ask, who: Who, run_id: RunPath) -> dict[str, object]:
    """The scenario as its first entry has it; of a fork, as it was changed."""
    return await ask.looking.config(who, run_id)


@routes.get(f"{SIMULATION}/state", operation_id="get_state", summary="Its state", tags=["simulations"])
async def state(ask: Ask, who: Who, run_id: RunPath, turn: TurnQuery = None) -> types.State:
    """Computed again from the nearest checkpoint, by a helper process."""
    return await ask.looking.state(who, run_id, turn)


@routes.get(
    f"{SIMULATION}/panels", operation_id="get_panels", summary="Its world's page", tags=["simulations"]
)
async def panels(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    turn: TurnQuery = None,
    panel: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="Only the one of this id")
    ] = None,
) -> types.PanelPage:
    """As its world lays it out, with the data after `turn`, computed again by a helper process. What is wrong
    with one panel is said in its place. Texts within `data` came out of the run: they are data."""
    return await ask.looking.panels(who, run_id, turn, panel)


@routes.get(f"{SIMULATION}/entries", operation_id="get_entries", summary="Its history", tags=["simulations"])
async def entries(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    after: Annotated[
        int, Query(ge=-1, lt=1 << 62, description="The number of the last entry that is known")
    ] = -1,
    turn: TurnQuery = None,
    kind: Word = None,
    actor: Word = None,
    phase: Word = None,
    text: Annotated[str | None, Query(max_length=200, description="Somewhere in its body")] = None,
    limit: Limit = 200,
) -> types.EntryPage:
    """Entry by entry as it was written, with the past that a fork shares. A search may give a page not
    full, or empty, with a `next`: it has looked through as much as one request may."""
    return await ask.looking.entries(who, run_id, after, limit, WantedEntries(turn, kind, actor, text, phase))


@routes.get(
    f"{SIMULATION}/turns/{{turn}}", operation_id="get_turn", summary="One of its turns", tags=["simulations"]
)
async def turn(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    turn: Annotated[
        int, PathParam(ge=0, lt=1 << 62, description="Counted from 1; 0 is the start", examples=[7])
    ],
    agent: Annotated[str | None, Query(max_length=200, description="Only this one")] = None,
    texts: Annotated[bool, Query(description="With prompts and replies: what agents wrote is data")] = False,
) -> TurnDetail:
    """Each decision with what was seen, asked, answered, judged, what came of it, and what it cost."""
    return await ask.looking.turn(who, run_id, turn, agent, texts)


@routes.get(
    f"{SIMULATION}/leaps", operation_id="get_leaps", summary="Where its curves leap", tags=["simulations"]
)
async def leaps(ask: Ask, who: Who, run_id: RunPath, agent: Word = None, name: Word = None) -> types.Leaps:
    """For each curve the turn in which it moved most; the headline's, unless others are named."""
    return await ask.looking.leaps(who, run_id, agent, name)


@routes.get(
    f"{SIMULATION}/operations",
    operation_id="get_operations",
    summary="What was done with it",
    tags=["simulations"],
)
async def operations(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    after: Annotated[
        int, Query(ge=-1, lt=1 << 62, description="The number of the last one that is known")
    ] = -1,
    limit: Limit = 200,
) -> types.OperationPage:
    """Pauses, workers, attempts, votes: a chain of its own beside history."""
    return await ask.looking.operations(who, run_id, after, limit)


@routes.get(f"{SIMULATION}/metrics", operation_id="get_metrics", summary="Its curves", tags=["simulations"])
async def metrics(
    ask: Ask,
    who: Who,
    run_id: RunPath,
    turn: TurnQuery = None,
    agent: Word = None,
    name: Word = None,
    points: Annotated[int, Query(ge=2, le=2000)] = 200,
    since: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only from this turn on")] = None,
    until: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only up to this turn")] = None,
) -> types.Curves:
    """Long runs are sampled to `points`, the first and the last turn always among them. `since` and `until`
    look closer: what lies between them is sampled."""
    return await ask.looking.metrics(who, run_id, turn, agent, name, points, since, until)


@routes.get(
    f"{SIMULATION}/checkpoints",
    operation_id="get_checkpoints",
    summary="Its checkpoints",
    tags=["simulations"],
)
async def checkpoints(ask: Ask, who: Who, run_id: RunPath) -> types.Checkpoints:
    """Where it can be taken up without being played from the beginning."""
    return await ask.looking.checkpoints(who, run_id)


@routes.post(f"{SIMULATION}/pause", operation_id="pause_simulation", summary="Pause a run", tags=["steering"])
async def pause(ask: Ask, who: Who, run_id: RunPath) -> types.Run:
    """It stops at the end of its turn."""
    return await ask.steering.pause(who, run_id)


@routes.post(
    f"{SIMULATION}/resume",
    status_code=202,
    operation_id="resume_simulation",
    summary="Go on with a run",
    tags=["steering"],
)
async def resume(
    ask: Ask, who: Who, run_id: RunPath, request: types.ResumeRequest | None = None
) -> types.Run:
    """One that was paused, waited, crashed, or failed and was mended."""
    return await ask.steering.resume(who, run_id, request or types.ResumeRequest())


@routes.post(
    f"{SIMULATION}/fork",
    status_code=202,
    operation_id="fork_simulation",
    summary="Another course from a turn on",
    tags=["steering"],
)
async def fork(
    ask: Ask, who: Who, run_id: RunPath, request: types.ForkRequest, idempotency_key: Key = ""
) -> types.Forked:
    """What if: change an agent, a parameter, an instruction, from a turn on. Several branches come with
    controls."""
    return await ask.playing.fork(who, run_id, request, key=idempotency_key)


@routes.post(
    f"{SIMULATION}/replay", operation_id="replay_simulation", summary="Play it again", tags=["proof"]
)
async def replay(ask: Ask, who: Who, run_id: RunPath) -> types.Replayed:
    """From its recorded answers, held against its record: the same head, or the first entry that differs."""
    return await ask.playing.replay(who, run_id)


@routes.post(
    f"{SIMULATION}/verify", operation_id="verify_simulation", summary="Check its journal", tags=["proof"]
)
async def verify(ask: Ask, who: Who, run_id: RunPath) -> types.Verified:
    """Whether anything was changed or cut off."""
    return await ask.playing.verify(who, run_id)


@routes.post(f"{SIMULATION}/events", operation_id="send_event", summary="Send it an event", tags=["steering"])
async def event(ask: Ask, who: Who, run_id: RunPath, request: types.EventRequest) -> types.Run:
    """It reaches the world in the next turn."""
    return await ask.steering.event(who, run_id, request)


@routes.get(
    f"{SIMULATION}/answers", operation_id="list_questions", summary="What it asks of people", tags=["people"]
)
async def questions(ask: Ask, who: Who, run_id: RunPath) -> types.Questions:
    """Each with the schema of an answer."""
    return await ask.steering.questions(who, run_id)


@routes.post(f"{SIMULATION}/answers", operation_id="answer_question", summary="Answer it", tags=["people"])
async def answer(ask: Ask, who: Who, run_id: RunPath, request: types.AnswerRequest) -> types.Run:
    """An answer that does not fit is refused and costs nothing."""
    return await ask.steering.answer(who, run_id, request)


@routes.post(f"{SIMULATION}/feedback", operation_id="give_feedback", summary="Judge it", tags=["people"])
async def feedback(ask: Ask, who: Who, run_id: RunPath, request: types.FeedbackRequest) -> types.Run:
    """A score, a comment, or both; of the run or of one entry."""
    return await ask.steering.feedback(who, run_id, request)


@routes.get(
    f"{SIMULATION}/export",
    operation_id="export_simulation",
    summary="Take it along",
    tags=["proof"],
    response_class=FileResponse,
    responses={200: {"content": dict.fromkeys(sorted(set(MEDIA.values())), _FILE)}},
)
async def export(
    ask: Ask, who: Who, run_id: RunPath, to: Literal["csv", "parquet", "jsonl", "chat", "html"] = "jsonl"
) -> FileResponse:
    """As a table, as lines, as training data, or as one html page that opens offline."""
    folder = tempfile.TemporaryDirectory(prefix="windtunnel-export-")
    try:
        path = await ask.playing.export(who, run_id, to, Path(folder.name))
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        media_type=MEDIA[to],
        filename=path.name,
        background=BackgroundTask(folder.cleanup),
        content_disposition_type="attachment",
    )


_STORE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@routes.post(
    "/import",
    operation_id="import_simulations",
    summary="Bring runs in",
    tags=["proof"],
    openapi_extra={"requestBody": {"required": True, "content": _STORE}},
)
async def bring_in(ask: Ask, who: Who, request: Request) -> types.Imported:
    """The body is a store: the file of another workspace's run."""
    with tempfile.TemporaryDirectory(prefix="windtunnel-import-") as folder:
        path = await stored(request.stream(), Path(folder))
        return await ask.playing.bring_in(who, path)


@routes.post("/compare", operation_id="compare", summary="Runs side by side", tags=["simulations"])
async def compare(ask: Ask, who: Who, request: types.CompareRequest) -> types.Compared:
    """Metrics, differences to the first run, and where the histories part."""
    return await ask.looking.compare(who, request)


@routes.post("/estimate", operation_id="estimate", summary="What would it cost", tags=["simulations"])
async def estimate(ask: Ask, who: Who, request: types.StartRequest) -> types.Estimate:
    """A rehearsal with the house, priced as the models that would be asked."""
    return await ask.playing.estimate(who, request)
