"""From a description to a team. Whatever is wrong in it is said here, with its place and the nearest name,
before anybody is asked anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.scenario.checking import check
from windtunnel.scenario.reading import Place, node_of
from windtunnel.teams import aggregate, managers
from windtunnel.teams.concurrent import Concurrent
from windtunnel.teams.groupchat import GroupChat
from windtunnel.teams.handoff import Handoff
from windtunnel.teams.magentic import Magentic
from windtunnel.teams.members import FunctionMember, HumanMember, Member, ModelMember
from windtunnel.teams.runtime import Asking
from windtunnel.teams.sequential import Sequential
from windtunnel.teams.spec import (
    AggregateSpec,
    ChatManagerSpec,
    ConcurrentSpec,
    GroupChatSpec,
    HandoffSpec,
    LeaderSpec,
    MagenticSpec,
    MemberSpec,
    SequentialSpec,
    TeamSpec,
)
from windtunnel.teams.team import Team
from windtunnel.teams.tools import Approve, FunctionTool
from windtunnel.words import suggest

MOST_NESTED = 5


def build_team(
    settings: Mapping[str, Any] | TeamSpec,
    *,
    name: str = "team",
    model: str = "",
    functions: Mapping[str, Callable[..., Any]] | None = None,
    tools: Mapping[str, FunctionTool] | None = None,
    offered: Collection[str] = (),
    approve: Approve | None = None,
    where: str = "settings",
) -> Team:
    """The team that `settings` describe. `functions`: those that it may name; `tools`: likewise; `offered`:
    names of tools that the runtime will bring (a world's queries). `model`: for whoever names none."""
    builder = _Builder(model, functions or {}, tools or {}, tuple(offered), approve)
    return builder.team(settings, name, where, 1)


def read_spec(settings: Mapping[str, Any], where: str) -> TeamSpec:
    """A description, typed. ScenarioError with the place of the first thing that does not fit."""
    check(node_of(dict(settings), Place(where)), TeamSpec, where)
    spec: TeamSpec = msgspec.convert(settings, TeamSpec, str_keys=True)
    return spec


class _Builder:
    def __init__(
        self,
        model: str,
        functions: Mapping[str, Callable[..., Any]],
        tools: Mapping[str, FunctionTool],
        offered: tuple[str, ...],
        approve: Approve | None,
    ) -> None:
        self.model, self.functions, self.tools = model, functions, tools
        self.offered, self.approve = offered, approve

    def team(self, settings: Mapping[str, Any] | TeamSpec, name: str, where: str, depth: int) -> Team:
        if depth > MOST_NESTED:
            raise ScenarioError(
                f"teams are nested more than {MOST_NESTED} deep", where=where, remedy="make it flatter"
            )
        spec = read_spec(settings, where) if isinstance(settings, Mapping) else settings
        members = [
            self.member(one, f"{where}.members.{position}", depth)
            for position, one in enumerate(spec.members)
        ]
        try:
            return self._made(spec, members, name, where)
        except ScenarioError as error:  # said of the team by its name: in a scenario it stands elsewhere
            place = error.where or where
            if place.startswith(f"{name}.") and not place.startswith(where):
                place = f"{where}{place.removeprefix(name)}"
            raise ScenarioError(error.message, where=place, remedy=error.remedy) from None

    def _made(self, spec: TeamSpec, members: list[Member], name: str, where: str) -> Team:
        shared: dict[str, Any] = {"name": name, "limits": spec.limits, "approve": self.approve}
        if isinstance(spec, SequentialSpec):
            return Sequential(
                members, passes=spec.passes, look_after=spec.look_after, again=spec.again, **shared
            )
        if isinstance(spec, ConcurrentSpec):
            made = self.aggregator(spec.aggregate, f"{where}.aggregate")
            return Concurrent(
                members,
                aggregate=made,
                policy=spec.policy,
                deadlines=spec.deadline,
                width=spec.width,
                **shared,
            )
        if isinstance(spec, GroupChatSpec):
            return GroupChat(members, manager=self.manager(spec.manager, f"{where}.manager"), **shared)
        if isinstance(spec, HandoffSpec):
            return Handoff(
                members, start=spec.start, routes=spec.routes, loop_after=spec.loop_after, **shared
            )
        assert isinstance(spec, MagenticSpec)
        return Magentic(
            members,
            asking=self.asking(spec.manager),
            prompts=spec.prompts,
            stalls=spec.stalls,
            resets=spec.resets,
            **shared,
        )

    def member(self, spec: MemberSpec, where: str, depth: int) -> Member:
        self._only_its_own(spec, where)
        if spec.kind == "human":
            return HumanMember(spec.name, description=spec.description, deadline=spec.deadline)
        if spec.kind == "function":
            function = self._function(spec.function, f"{where}.function")
            return FunctionMember(spec.name, function, description=spec.description, deadline=spec.deadline)
        if spec.kind == "team":
            team = self.team(spec.team or {}, spec.name, f"{where}.team", depth + 1)
            team.description, team.deadline = spec.description, spec.deadline
            return team
        return self._model(spec, where)

    def _model(self, spec: MemberSpec, where: str) -> ModelMember:
        for position, name in enumerate(spec.tools):
            if name not in self.tools and name not in self.offered:
                raise ScenarioError(
                    f"there is no tool {name!r}",
                    where=f"{where}.tools.{position}",
                    remedy=suggest(name, [*self.tools, *self.offered]),
                )
        for position, name in enumerate(spec.needs_approval):
            if name not in spec.tools:
                raise ScenarioError(
                    f"{spec.name} has no tool {name!r} to approve",
                    where=f"{where}.needs_approval.{position}",
                    remedy=suggest(name, spec.tools),
                )
        return ModelMember(
            spec.name,
            spec.instructions,
            description=spec.description,
            model=spec.model or self.model,
            tools=[self.tools.get(name, name) for name in spec.tools],
            needs_approval=spec.needs_approval,
            answer=spec.answer,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            task=spec.task,
            deadline=spec.deadline,
        )

    def _only_its_own(self, spec: MemberSpec, where: str) -> None:
        """Keys that another kind of member has would be read by nobody."""
        of_kind = {
            "model": ("instructions", "model", "tools", "needs_approval", "answer", "temperature"),
            "function": ("function",),
            "team": ("team",),
        }
        for kind, keys in of_kind.items():
            for key in keys:
                if spec.kind != kind and getattr(spec, key):
                    raise ScenarioError(
                        f"{spec.name} is of kind {spec.kind}, which has no {key}",
                        where=f"{where}.{key}",
                        remedy=f"delete it, or write kind: {kind}",
                    )
        if spec.kind in {"function", "team"} and not getattr(spec, spec.kind):
            raise ScenarioError(
                f"{spec.name} is of kind {spec.kind} and does not say which",
                where=f"{where}.{spec.kind}",
                remedy=f"add {spec.kind}: …",
            )

    def _function(self, name: str, where: str) -> Callable[..., Any]:
        if name not in self.functions:
            raise ScenarioError(
                f"there is no function {name!r}", where=where, remedy=suggest(name, self.functions)
            )
        return self.functions[name]

    def _rule(self, name: str, where: str) -> Callable[..., Any] | None:
        return self._function(name, where) if name else None

    def asking(self, spec: LeaderSpec) -> Asking:
        return Asking(
            spec.model or self.model,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            task=spec.task,
        )

    def manager(self, spec: ChatManagerSpec, where: str) -> managers.Manager:
        if spec.kind == "model":
            return managers.ModelManager(self.asking(spec.asks), prompts=spec.prompts)
        if spec.kind == "round_robin":
            return managers.RoundRobin(spec.laps)
        return managers.Functions(
            select=self._rule(spec.select, f"{where}.select"),
            terminate=self._rule(spec.terminate, f"{where}.terminate"),
            ask_user=self._rule(spec.ask_user, f"{where}.ask_user"),
            results=self._rule(spec.results, f"{where}.results"),
            laps=spec.laps,
        )

    def aggregator(self, spec: AggregateSpec, where: str) -> aggregate.Aggregator:
        if spec.kind in {"model", "judge"}:
            return aggregate.Model(self.asking(spec.asks), judge=spec.kind == "judge", prompts=spec.prompts)
        if spec.kind == "best":
            return aggregate.Best(self._function(spec.function, f"{where}.function"))
        if spec.kind == "function":
            return aggregate.Function(self._function(spec.function, f"{where}.function"))
        if spec.kind == "all":
            return aggregate.All()
        return aggregate.Vote() if spec.kind == "vote" else aggregate.Mean()
