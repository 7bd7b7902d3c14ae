"""Three worlds to break: one of plain rules, one that asks the outside, one that waits for people.

All of them keep enough (chance, memory, a growing log, events heard) that anything lost, doubled or shifted
shows in the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from tests.faults.outside import Outside
from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    AgentSpec,
    Applied,
    Call,
    Context,
    Decided,
    EffectKind,
    Engine,
    Event,
    Log,
    Role,
    Scenario,
    ScheduledEvent,
    Verdict,
    World,
    hold,
    reject,
)


class Move(Action, frozen=True):
    by: Annotated[int, msgspec.Meta(ge=-1000, le=1000)]


class Stay(Action, frozen=True):
    pass


class State(msgspec.Struct):
    turn: int
    at: dict[str, int]
    heard: list[str]
    ledger: Log[str]


class Memory(msgspec.Struct):
    moves: int = 0
    last: int = 0


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(0, {agent.id: 0 for agent in scenario.agents}, [], Log())

    def observe(self, state: State, actor: Actor) -> Any:
        return {"at": state.at[actor.id], "heard": len(state.heard)}

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        return move(state, decided, events, context)

    def score(self, state: State) -> Mapping[str, Any]:
        return {who: {"wealth": at} for who, at in state.at.items()}

    def over(self, state: State) -> str | None:
        return None


def move(state: State, decided: Decided, events: Sequence[Event], context: Context) -> Applied[State]:
    state.turn += 1
    for event in events:
        state.heard.append(
            f"{state.turn} {event.kind} {event.actor or ''} {msgspec.json.encode(event.body).decode()}"
        )
    for who, action in decided.items():
        if type(action) is Move:
            state.at[who] += action.by + context.chance("wind", who).below(5)
            state.ledger.append(f"{state.turn} {who} {state.at[who]}")
    return Applied(state, [Event("moved", sorted(decided))])


def wander(seen: Any, context: Context) -> Action:
    if context.memory is not None:
        context.memory.moves += 1
    return Move(context.chance("step").below(20) - 10)


def rules_world() -> World:
    role = Role((Move, Stay), Stay(), {"wander": wander}, memory=Memory)
    return World("rules", Rules(), State, {"mover": role})


def rules_scenario(turns: int = 60) -> Scenario:
    events = (ScheduledEvent(3, "gust", {"force": 2}),)
    return Scenario("rules", turns=turns, seed=5, agents=tuple(AgentSpec(x) for x in "abc"), events=events)


# --- the outside ------------------------------------------------------------------------------------


TERMS = "What is agreed here holds until the end of the day, and no longer. " * 20  # stored once, as a text


class Asks:
    """Decides by what the outside says; every third turn of something that must not happen twice."""

    def __init__(self, outside: Outside, kind: str, each: int) -> None:
        self.outside, self.kind, self.each = outside, kind, each

    async def decide(self, seen: Any, context: Any) -> Action:
        total = 0
        for part in range(2):
            total += await context.effect("quote", {"who": context.actor, "part": part})
            self.outside.used(context.turn, context.actor, part + 1)
        if context.turn % self.each == 0:
            asked = {"who": context.actor, "turn": context.turn, "terms": TERMS}
            total += await context.effect(self.kind, asked)
            self.outside.used(context.turn, context.actor, 3)
        context.memory.last = total
        return Move(total % 50)

    def consolidate(self, outcome: Any, context: Any) -> None:
        context.memory.moves += 1


class AskingRules(Rules):
    """Its engine asks too, in the middle of a change."""

    async def apply(  # type: ignore[override]
        self, state: State, decided: Decided, events: Sequence[Event], context: Any
    ) -> Applied[State]:
        applied = move(state, decided, events, context)
        if state.turn % 2 == 0:
            state.ledger.append(f"judge {await context.effect('quote', {'sum': sum(state.at.values())})}")
        return applied


def asking_world(outside: Outside) -> World:
    def kind(name: str, in_doubt: Any, *, looks: bool = False) -> EffectKind:
        async def perform(request: Any, call: Call) -> Any:
            return await outside.perform(name, request, call)

        async def look(request: Any, call: Call) -> Any:
            return await outside.look(name, request, call)

        return EffectKind(perform, in_doubt, look if looks else None)

    effects = {
        "quote": kind("quote", "retry"),
        "order": kind("order", "reconcile", looks=True),
        "wire": kind("wire", "hold"),
    }
    role = Role((Move, Stay), Stay(), {"wander": wander}, memory=Memory)
    return World("asking", AskingRules(), State, {"mover": role}, effects=effects)


def asking_players(outside: Outside) -> dict[str, Any]:
    return {"a": Asks(outside, "order", 2), "b": Asks(outside, "wire", 3), "c": Asks(outside, "order", 3)}


def asking_scenario(turns: int = 8) -> Scenario:
    agents = (*(AgentSpec(x, kind="python") for x in "abc"), AgentSpec("d"))
    return Scenario("asking", turns=turns, seed=6, agents=agents)


# --- people -----------------------------------------------------------------------------------------


class Judge:
    """Large moves wait for people: some stop the run, some only themselves."""

    def check(self, state: State, actor: Actor, action: Any, context: Any) -> Verdict:
        if actor.id == "a" and context.turn % 4 == 2:
            return hold("a large move", approvers=2, risk="high")
        if actor.id == "b" and context.turn % 3 == 1:
            return hold("later will do", "defer", expires_turns=4)
        if actor.id == "c" and context.turn % 5 == 3 and context.attempt == 1:
            return reject("not like this")
        return ACCEPT


def people_world() -> World:
    role = Role((Move, Stay), Stay(), {"wander": wander}, memory=Memory)
    return World("people", Rules(), State, {"mover": role}, Judge())


def people_scenario(turns: int = 8) -> Scenario:
    agents = (*(AgentSpec(x) for x in "abc"), AgentSpec("h", kind="human"))
    return Scenario("people", turns=turns, seed=7, agents=agents)


# --- nothing that grows -----------------------------------------------------------------------------


class Plain(msgspec.Struct):
    at: dict[str, int]


class PlainRules(Engine[Plain]):
    def start(self, scenario: Scenario, context: Context) -> Plain:
        return Plain({agent.id: 0 for agent in scenario.agents})

    def observe(self, state: Plain, actor: Actor) -> Any:
        return state.at[actor.id]

    def apply(
        self, state: Plain, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Plain]:
        for who, action in decided.items():
            state.at[who] = (state.at[who] + action.by) % 1000
        return Applied(state)

    def score(self, state: Plain) -> Mapping[str, Any]:
        return {who: {"wealth": at} for who, at in state.at.items()}

    def over(self, state: Plain) -> str | None:
        return None


def plain_world() -> World:
    role = Role((Move, Stay), Stay(), {"wander": wander})
    return World("plain", PlainRules(), Plain, {"mover": role})


def plain_scenario(turns: int) -> Scenario:
    return Scenario("plain", turns=turns, seed=8, agents=tuple(AgentSpec(x) for x in "abc"))
