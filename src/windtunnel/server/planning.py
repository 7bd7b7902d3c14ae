"""The verbs over schedules: what is done again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windtunnel.control.access import Principal, Role
from windtunnel.control.schedule import Firing, Schedule, Wanted
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside


class Planning:
    """`does` are the verbs a schedule may name, as the scheduler calls them."""

    def __init__(self, ground: Ground, does: Mapping[str, Any]) -> None:
        self.ground, self.audit, self.does = ground, ground.audit, does

    @verb("list_schedules", Role.VIEWER)
    async def list(self, who: Principal) -> types.ScheduleList:
        """Each with its last run, its next, and its errors."""
        found = await aside(self.ground.schedules.list)
        return types.ScheduleList(schedules=[_told(one) for one in found])

    @verb("get_schedule", Role.VIEWER)
    async def get(self, who: Principal, name: str) -> types.Schedule:
        """One of them, with its latest firings."""
        found = await aside(self.ground.schedules.find, name)
        return _told(found, await aside(self.ground.schedules.history, name))

    @verb("add_schedule", Role.OPERATOR, writes=True)
    async def add(self, who: Principal, name: str, request: types.ScheduleRequest) -> types.Schedule:
        """Plan something again and again; it fires at once for the first time, unless told otherwise."""
        wanted = Wanted(
            name=name,
            when=request.when,
            zone=request.zone,
            verb=request.do,
            arguments=request.arguments,
            overlap=request.overlap,
            first_now=request.first_now,
            limit_seconds=request.limit_seconds,
        )
        return _told(await aside(self.ground.schedules.add, wanted, self.does, by=who.name))

    @verb("enable_schedule", Role.OPERATOR, writes=True)
    async def enable(self, who: Principal, name: str) -> types.Schedule:
        """Go on with one that was stopped; its count of errors starts anew."""
        return _told(await aside(self.ground.schedules.enable, name))

    @verb("disable_schedule", Role.OPERATOR, writes=True)
    async def disable(self, who: Principal, name: str) -> types.Schedule:
        """It stays in the list and fires no more."""
        return _told(await aside(self.ground.schedules.disable, name, by=who.name))

    @verb("remove_schedule", Role.OPERATOR, writes=True)
    async def remove(self, who: Principal, name: str) -> types.Schedule:
        """Take it away; what it started stays."""
        return _told(await aside(self.ground.schedules.remove, name))


def _told(one: Schedule, firings: list[Firing] | None = None) -> types.Schedule:
    return types.Schedule(
        name=one.name,
        do=one.verb,
        arguments=one.arguments,
        when=one.time,
        zone=one.zone,
        enabled=one.enabled,
        disabled_because=one.off,
        last_run=types.moment(one.last_at),
        last_state=one.last_state,
        next_run=types.moment(one.next_at),
        upcoming=[_moment(at) for at in one.upcoming()],
        errors=one.errors,
        last_error=one.last_error,
        created_by=one.created_by,
        firings=[
            types.Firing(
                due=_moment(f.due),
                started=types.moment(f.begun),
                ended=types.moment(f.ended),
                state=str(f.state),
                outcome=f.outcome,
                reason=f.reason,
            )
            for f in firings or ()
        ],
    )


def _moment(seconds: float) -> Any:
    return types.moment(seconds)
