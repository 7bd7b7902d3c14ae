"""The conversation goes from member to member: whoever has it answers, or hands it over by calling a tool.

Each hand-over is a tool call with its result, so no provider ever sees a call without one, and whoever takes
over sees what the tools before have answered. Of several hand-overs in one answer the first counts. A person
may be a target: what they say goes back to whoever asked. The team ends with the first answer that hands
nothing over, at the limit of turns, or when the conversation only goes round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Message
from windtunnel.teams.members import HumanMember, Member
from windtunnel.teams.stage import Ending, Route, Spoken, Stage
from windtunnel.teams.team import MANAGER, Team
from windtunnel.words import suggest

PREFIX = "handoff_to_"


class Handoff(Team):
    pattern = "handoff"

    def __init__(
        self,
        members: Sequence[Member],
        *,
        start: str = "",
        routes: Mapping[str, Mapping[str, str] | Sequence[str]] | None = None,
        loop_after: int = 2,
        **shared: Any,
    ) -> None:
        """`routes`: who may hand over to whom, with when to; unsaid, everyone to everyone. `loop_after`: how
        often the same hand-over may come again with nothing new between (a tool's result, a person)."""
        super().__init__(members, **shared)
        self.start = start or next(iter(self.members))
        self._known(self.start, "start")
        self.loop_after = loop_after
        given = routes if routes is not None else {name: self._others(name) for name in self.members}
        self.routes = {name: self._routes(name, targets) for name, targets in given.items()}

    def _others(self, name: str) -> list[str]:
        return [other for other in self.members if other != name]

    def _known(self, name: str, where: str) -> None:
        if name not in self.members:
            raise ScenarioError(
                f"there is no member {name!r} to hand over to",
                where=f"{self.name}.{where}",
                remedy=suggest(name, self.members),
            )

    def _routes(self, source: str, targets: Mapping[str, str] | Sequence[str]) -> dict[str, Route]:
        self._known(source, f"routes.{source}")
        described = targets if isinstance(targets, Mapping) else dict.fromkeys(targets, "")
        routes = {}
        for target, when in described.items():
            self._known(target, f"routes.{source}.{target}")
            if target == source:
                raise ScenarioError(
                    f"{source!r} cannot hand over to itself",
                    where=f"{self.name}.routes.{source}.{target}",
                    remedy="delete this route",
                )
            told = when or self.members[target].description
            routes[PREFIX + target] = Route(target, f"Hand the conversation over to {target}. {told}".strip())
        return routes

    async def play(self, stage: Stage) -> Ending:
        current, asked_by = self.start, ""
        trail: list[tuple[str, str]] = []  # hand-overs since there was something new
        while True:  # bounded: next_round raises at the limit
            stage.next_round()
            member = self.members[current]
            spoken = await stage.turn(member, routes=self.routes.get(current, {}))
            if spoken.rechecked:
                trail.clear()
            following = self._following(member, spoken, asked_by)
            if not following:
                return Ending(spoken.value, "completed", f"{current} answered", spoken.text)
            if spoken.to:
                trail.append((current, following))
                if (
                    stage.lines[-1].message.role != "tool"
                ):  # a function handed over, without a call to show it
                    stage.add(MANAGER, Message("user", _said(current, following, spoken.why), name=MANAGER))
                if (reason := self._loop(trail)) is not None:
                    return self.cut_short(stage, reason)
            asked_by, current = current, following

    def _following(self, member: Member, spoken: Spoken, asked_by: str) -> str:
        """Who has the conversation now; nobody if this was the answer."""
        if spoken.to:
            target = self.find(spoken.to).name
            allowed = [route.target for route in self.routes.get(member.name, {}).values()]
            if target not in allowed:
                raise ScenarioError(
                    f"{member.name} handed over to {target}, and has no route there",
                    where=f"{self.name}.routes.{member.name}",
                    remedy=suggest(target, allowed),
                )
            return target
        return asked_by if isinstance(member, HumanMember) else ""

    def _loop(self, trail: Sequence[tuple[str, str]]) -> str | None:
        latest = trail[-1]
        if trail.count(latest) <= self.loop_after:
            return None
        path = " → ".join([*(source for source, _ in trail), latest[1]])
        return f"the conversation goes round with nothing new: {path}"


def _said(source: str, target: str, why: str) -> str:
    return f"{source} hands over to {target}" + (f": {why}" if why else ".")
