"""Who plays, as it is said in Python: policies by name, functions, objects, or whole seats.

`agents={"ada": "careful", "bob": decide}` changes the seats of a scenario that has them, and makes the seats
of one that has none (a World made in a notebook). What was handed in as code is not in the journal: a run
played by it is replayed by giving it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from windtunnel.errors import ScenarioError, UsageError
from windtunnel.scenario import is_model
from windtunnel.words import suggest
from windtunnel.world import Agent, AgentSpec, Policy, Scenario, World

Seating: TypeAlias = str | Policy | Agent | AgentSpec | tuple[str, Any]
Players: TypeAlias = dict[str, Any]

PEOPLE = ("human", "remote")  # kinds that may stand where a policy is named


def seats_of(world: World, agents: Mapping[str, Any] | None) -> tuple[AgentSpec, ...]:
    """The seats of a scenario that is made here: as given, or one for each role."""
    if agents is None:
        return tuple(AgentSpec(role, role=role) for role in world.roles)
    return tuple(AgentSpec(name, role=_role(world, name, given)) for name, given in agents.items())


class Handed(msgspec.Struct, frozen=True):
    """Code that was handed in, by the name under which the cast finds it."""

    name: str


def handed_in(agents: Mapping[str, Any] | None, players: Players, at: str = "") -> dict[str, Any]:
    """The agents with all code put into `players`. `at` names the fork, if it is one: the code that plays
    from there on has a name of its own, and the past keeps its players."""
    named: dict[str, Any] = {}
    for name, given in (agents or {}).items():
        role, plays = _pair(name, given)
        if not isinstance(plays, (str, AgentSpec)):
            plays = _hand_in(name, plays, players, at)
        named[name] = (role, plays) if role else plays
    return named


def _pair(name: str, given: Any) -> tuple[str, Any]:
    if not isinstance(given, tuple):
        return "", given
    if len(given) != 2 or not isinstance(given[0], str):
        raise UsageError("a pair is (role, who plays it)", where=f"agents.{name}")
    return given


def _hand_in(seat: str, given: Any, players: Players, at: str) -> Handed:
    if isinstance(given, type) or not (callable(given) or hasattr(given, "decide")):
        what = f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"
        raise UsageError(
            f"{what} is no agent",
            where=f"agents.{seat}",
            remedy="give a policy's name, a function of (observation, context), or an object with `decide`",
        )
    name = f"{seat}@{at}" if at else seat
    while at and name in players:
        name += "+"
    players[name] = given
    return Handed(name)


def seated(scenario: Scenario, world: World, agents: Mapping[str, Any]) -> Scenario:
    """The scenario with these agents in their seats."""
    if not agents:
        return scenario
    seats = {seat.id: seat for seat in scenario.agents}
    for name, given in agents.items():
        if name not in seats:
            raise ScenarioError(
                f"the scenario seats no {name!r}", where="agents", remedy=suggest(name, list(seats))
            )
        role, plays = _pair(name, given)
        seat = msgspec.structs.replace(seats[name], role=_role(world, name, given)) if role else seats[name]
        seats[name] = _seat(seat, plays)
    return msgspec.structs.replace(scenario, agents=tuple(seats.values()))


def _role(world: World, name: str, given: Any) -> str:
    if isinstance(given, tuple):
        role = str(given[0])
    elif isinstance(given, AgentSpec):
        role = given.role
    else:
        role = ""
    if role in world.roles:
        return role
    if role:
        raise ScenarioError(
            f"{world.name} has no role {role!r}", where=f"agents.{name}", remedy=suggest(role, world.roles)
        )
    if len(world.roles) == 1:
        return next(iter(world.roles))
    having = [role for role, one in world.roles.items() if isinstance(given, str) and given in one.policies]
    if len(having) == 1:
        return having[0]
    first = next(iter(world.roles))
    raise ScenarioError(
        f"{world.name} has several roles: say which one {name!r} plays", where=f"agents.{name}",
        remedy=f"as in agents={{{name!r}: ({first!r}, ...)}}",
    )  # fmt: skip


def _seat(seat: AgentSpec, plays: Any) -> AgentSpec:
    if isinstance(plays, AgentSpec):
        return msgspec.structs.replace(plays, id=seat.id, role=plays.role or seat.role)
    if isinstance(plays, Handed):
        other = plays.name if plays.name != seat.id else ""
        return msgspec.structs.replace(seat, kind="python", policy="", model=other)
    if plays in PEOPLE:
        return msgspec.structs.replace(seat, kind=plays, policy="", model="")
    if plays == "llm" or is_model(plays):
        return msgspec.structs.replace(seat, kind="llm", model="" if plays == "llm" else plays)
    return msgspec.structs.replace(seat, kind="rule", policy=plays, model="")


def said(given: Any) -> str:
    """An agent in words, for the record of a change."""
    _, plays = _pair("", given)
    if isinstance(plays, str):
        return plays
    return f"python {plays.name}" if isinstance(plays, Handed) else plays.policy or plays.kind


def overrides(given: Mapping[str, Any] | Sequence[str] | None) -> list[str]:
    """`set=` as the command line writes it: {"tax": 0.2} or ["tax=0.2"]."""
    if given is None:
        return []
    if isinstance(given, (list, tuple)):
        return [str(one) for one in given]
    if not isinstance(given, Mapping):
        raise UsageError(
            f"set is a dict or a list, not {given!r}"[:120], remedy='set={"tax": 0.2} or set=["tax=0.2"]'
        )
    return [f"{path}={msgspec.json.encode(value).decode()}" for path, value in _flat(given, "")]


def _flat(given: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in given.items():
        here = f"{path}.{key}" if path else str(key)
        found += _flat(value, here) if isinstance(value, Mapping) and value else [(here, value)]
    return found
