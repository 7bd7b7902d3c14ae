"""What there is to play, schedules, keys, the audit log, and the state of the installation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from windtunnel.server import types
from windtunnel.server.rest.careful import CarefulRoute
from windtunnel.server.rest.common import PROBLEMS, After, Ask, Limit, Who

routes = APIRouter(prefix="/api", responses=PROBLEMS, route_class=CarefulRoute)
# World and scenario are looked up among those there are; a name is never made part of a path.
NAME = r"^[0-9A-Za-z_][0-9A-Za-z_.-]*$"
WorldPath = Annotated[str, Path(max_length=100, pattern=NAME, examples=["economy"])]
NamePath = Annotated[str, Path(max_length=100, pattern=NAME, examples=["growth"])]
SchedulePath = Annotated[str, Path(pattern=types.SCHEDULE_NAME, examples=["nightly"])]
KeyPath = Annotated[
    str, Path(pattern=types.KEY_NAME, examples=["kim"], description="Whose key, or a key's id")
]


@routes.get("/worlds", operation_id="list_worlds", summary="Worlds", tags=["worlds"])
async def worlds(ask: Ask, who: Who) -> types.Worlds:
    """What is installed, with its scenarios; a world that is broken says why."""
    return await ask.operating.worlds(who)


@routes.get("/worlds/{world}", operation_id="get_world", summary="One world", tags=["worlds"])
async def world(ask: Ask, who: Who, world: WorldPath) -> types.WorldDetail:
    """Its roles and their policies, what it shows first, its panels, and the schema of its scenarios."""
    return await ask.operating.world(who, world)


@routes.get("/scenarios", operation_id="list_scenarios", summary="Scenarios", tags=["worlds"])
async def scenarios(
    ask: Ask, who: Who, world: Annotated[str | None, Query(max_length=100)] = None
) -> types.Scenarios:
    """Of all worlds, or of one."""
    return await ask.operating.scenarios(who, world)


@routes.get("/scenarios/{world}/{name}", operation_id="get_scenario", summary="One scenario", tags=["worlds"])
async def scenario(ask: Ask, who: Who, world: WorldPath, name: NamePath) -> types.ScenarioDetail:
    """Its text, and the JSON schema of such files."""
    return await ask.operating.scenario(who, f"{world}/{name}")


@routes.get("/models", operation_id="list_models", summary="Models", tags=["operations"])
async def models(ask: Ask, who: Who) -> types.Models:
    """Which can be asked, at what price, and how their breakers stand. Never a key."""
    told = await ask.operating.models(who)
    for one in told["accounts"]:  # the journal counts in micro-dollars
        one["spent"], one["reserved"] = one["micro_dollars"] / 1e6, one["reserved_micro_dollars"] / 1e6
    return types.Models.model_validate(told)


@routes.get("/schedules", operation_id="list_schedules", summary="Schedules", tags=["schedules"])
async def schedules(ask: Ask, who: Who) -> types.ScheduleList:
    """Each with its last run, its next, and its errors."""
    return await ask.planning.list(who)


@routes.post(
    "/schedules", status_code=201, operation_id="add_schedule", summary="Plan something", tags=["schedules"]
)
async def add(ask: Ask, who: Who, request: types.ScheduleRequest) -> types.Schedule:
    """By cron or by interval; it runs once at once, unless told otherwise."""
    return await ask.planning.add(who, request.name, request)


@routes.get("/schedules/{name}", operation_id="get_schedule", summary="One schedule", tags=["schedules"])
async def schedule(ask: Ask, who: Who, name: SchedulePath) -> types.Schedule:
    """With its latest firings."""
    return await ask.planning.get(who, name)


@routes.post(
    "/schedules/{name}/enable", operation_id="enable_schedule", summary="Go on with it", tags=["schedules"]
)
async def enable(ask: Ask, who: Who, name: SchedulePath) -> types.Schedule:
    """Its count of errors starts anew."""
    return await ask.planning.enable(who, name)


@routes.post(
    "/schedules/{name}/disable", operation_id="disable_schedule", summary="Stop it", tags=["schedules"]
)
async def disable(ask: Ask, who: Who, name: SchedulePath) -> types.Schedule:
    """It stays in the list, and fires no more."""
    return await ask.planning.disable(who, name)


@routes.delete(
    "/schedules/{name}",
    status_code=204,
    operation_id="remove_schedule",
    summary="Remove it",
    tags=["schedules"],
)
async def remove(ask: Ask, who: Who, name: SchedulePath) -> None:
    """What it started stays."""
    await ask.planning.remove(who, name)


@routes.get("/keys", operation_id="list_keys", summary="Keys", tags=["operations"])
async def keys(ask: Ask, who: Who) -> types.KeyList:
    """Names, roles and expiry; never a secret."""
    return await ask.keeping.list(who)


@routes.post("/keys", status_code=201, operation_id="create_key", summary="Make a key", tags=["operations"])
async def create_key(ask: Ask, who: Who, request: types.KeyRequest) -> types.NewKey:
    """The secret is told once, now."""
    return await ask.keeping.create(who, request.name, request)


@routes.post(
    "/keys/{name}/rotate", operation_id="rotate_key", summary="Change its secret", tags=["operations"]
)
async def rotate_key(ask: Ask, who: Who, name: KeyPath) -> types.NewKey:
    """The old secret is good for a little longer, so that nobody is locked out."""
    return await ask.keeping.rotate(who, name)


@routes.delete(
    "/keys/{name}", status_code=204, operation_id="revoke_key", summary="Revoke it", tags=["operations"]
)
async def revoke_key(ask: Ask, who: Who, name: KeyPath) -> None:
    """At once."""
    await ask.keeping.revoke(who, name)


@routes.get("/audit", operation_id="audit_log", summary="Who did what", tags=["operations"])
async def audit(
    ask: Ask,
    who: Who,
    verb: Annotated[str | None, Query(max_length=100)] = None,
    after: After = None,
    limit: Limit = 100,
) -> types.AuditPage:
    """Every verb that changed something, and every refusal; newest first."""
    return await ask.operating.audit_log(who, after, limit, verb)


@routes.get("/system", operation_id="get_system", summary="Is it well?", tags=["operations"])
async def system(ask: Ask, who: Who) -> types.System:
    """Workers, queue and store."""
    return await ask.operating.system(who)


@routes.get("/me", operation_id="who_am_i", summary="Who am I?", tags=["operations"])
async def me(who: Who) -> types.Me:
    """The name and the roles that this request has."""
    return types.Me(name=who.name, roles=sorted(str(role) for role in who.roles), via=who.via)
