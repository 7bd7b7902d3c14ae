"""Who sits where: from a scenario's agents to actors that decide, each with its role and its context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.agents import Asked, Rule
from windtunnel.codec import body_decoder
from windtunnel.errors import ScenarioError, WorldError
from windtunnel.run.context import Frame, RunContext
from windtunnel.scenario import KINDS as IN_FILES
from windtunnel.world import Action, Actor, Agent, AgentSpec, Role, Scenario, World

REMOTE_SECONDS = 600.0
KINDS = (*IN_FILES, "python")


class Seat:
    """One actor of the run with everything that is asked of it in a turn."""

    __slots__ = (
        "actions", "actor", "agent", "context", "deadline", "decide", "id", "memories", "role", "spec",
    )  # fmt: skip

    def __init__(self, spec: AgentSpec, role: Role, agent: Agent, context: RunContext) -> None:
        self.spec, self.role, self.agent, self.context = spec, role, agent, context
        self.id, self.actor = spec.id, context.who
        self.actions = frozenset(role.actions)
        self.decide = agent.decide
        # What is kept for it, by the path of the context that keeps it: the role's memory, and its own.
        own: Mapping[str, type] = getattr(agent, "memories", {})
        self.memories = {f"{spec.id}/{member}": memory for member, memory in own.items()}
        if role.memory is not None:
            self.memories[spec.id] = role.memory
        self.deadline = spec.deadline
        if spec.kind == "remote" and spec.deadline is None:
            self.deadline = REMOTE_SECONDS  # nobody is waited for without an end


class Cast:
    """Everyone who plays. `decoder` reads a whole turn's actions at once, typed."""

    def __init__(self, world: World, scenario: Scenario, frame: Frame, players: Mapping[str, Any]) -> None:
        self.seats: dict[str, Seat] = {}
        for given in scenario.agents:
            spec = _with_role(given, world)
            if spec.id in self.seats:
                raise ScenarioError(f"two agents are called {spec.id!r}", where="agents")
            role = world.roles[spec.role]
            agent = _handed_in(spec, players) or _agent(spec, role, world, scenario)
            context = RunContext(frame, Actor(spec.id, spec.role, spec.size), spec)
            self.seats[spec.id] = Seat(spec, role, _as_agent(agent), context)
        self._everyone = list(self.seats.values())
        self.actors = [seat.actor for seat in self._everyone]
        self._one_role = len(world.roles) == 1
        actions: Any = _action_union(world)
        self.decoder = body_decoder(dict[str, actions])
        self.memories = {path: kept for seat in self._everyone for path, kept in seat.memories.items()}
        self.consolidates = [seat for seat in self.seats.values() if hasattr(seat.agent, "consolidate")]

    def called(self, actors: Sequence[Actor] | None) -> tuple[Sequence[Actor], list[Seat]]:
        """Those whom the engine lets act, each with its seat."""
        if actors is None:
            return self.actors, self._everyone
        seats = []
        for actor in actors:
            if (seat := self.seats.get(actor.id)) is None:
                known = ", ".join(self.seats)
                raise WorldError(
                    f"the engine lets {actor.id!r} act, who has no seat",
                    remedy=f"the scenario seats: {known}",
                )
            seats.append(seat)
        return actors, seats

    def within_roles(self, actions: Mapping[str, Any]) -> bool:
        """Whether everyone did what their own role may do."""
        if self._one_role:
            return True
        return all(type(action) in self.seats[who].actions for who, action in actions.items())


def _with_role(spec: AgentSpec, world: World) -> AgentSpec:
    if not spec.role and len(world.roles) == 1:
        return msgspec.structs.replace(spec, role=next(iter(world.roles)))
    if spec.role not in world.roles:
        raise ScenarioError(
            f"{world.name} has no role {spec.role!r}",
            where=f"agents.{spec.id}.role",
            remedy=f"its roles: {', '.join(world.roles)}",
        )
    return spec


def _handed_in(spec: AgentSpec, players: Mapping[str, Any]) -> Any:
    """Code from Python, by the name it was handed in under: `model` if a fork changed it, else the seat."""
    return players.get(spec.model or spec.id) if spec.kind == "python" else None


def _agent(spec: AgentSpec, role: Role, world: World, scenario: Scenario) -> Agent:
    names = [action.__name__ for action in role.actions]
    if spec.kind == "rule":
        return Rule(spec, role)
    if spec.kind == "llm":
        from windtunnel.agents.llm import Llm  # noqa: PLC0415 - rules and people need none of it

        return Llm(spec, role, world, scenario)
    if spec.kind == "team":
        from windtunnel.run.team_seat import TeamSeat  # noqa: PLC0415 - as above

        return TeamSeat(spec, role, world, scenario)
    if spec.kind == "human":
        return Asked("ask", names)
    if spec.kind == "remote":
        return Asked("listen", names)
    if spec.kind == "python":
        raise ScenarioError(
            f"agent {spec.id!r} was handed in from Python, and is not here now",
            where=f"agents.{spec.id}",
            remedy="give it again: agents={...}",
        )
    raise ScenarioError(
        f"an agent of kind {spec.kind!r} is not known",
        where=f"agents.{spec.id}.kind",
        remedy=f"kinds: {', '.join(KINDS)}",
    )


class _Function:
    def __init__(self, decide: Any) -> None:
        self.decide = decide


def _as_agent(given: Any) -> Agent:
    if hasattr(given, "decide"):
        agent: Agent = given
        return agent
    if callable(given):
        return _Function(given)
    raise ScenarioError(f"{given!r} is no agent", remedy="give a function or an object with `decide`")


def _action_union(world: World) -> Any:
    """All action types of the world as one tagged union, checked once."""
    kinds: dict[str, type[Action]] = {}
    for name, role in world.roles.items():
        if type(role.no_op) not in role.actions:
            raise WorldError(
                f"role {name!r}: its no_op is none of its actions", remedy="add its type to actions"
            )
        for action in role.actions:
            other = kinds.setdefault(action.__name__, action)
            if other is not action:
                raise WorldError(f"two action types are called {action.__name__!r}", remedy="rename one")
    union: Any = None
    for action in kinds.values():
        union = action if union is None else union | action
    return union
