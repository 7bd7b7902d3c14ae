"""A world small enough to be read at a glance, with a knob for each thing the loop promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from windtunnel.errors import EffectFailed
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
    Role,
    Scenario,
    Verdict,
    World,
)


class Give(Action, frozen=True):
    amount: Annotated[int, msgspec.Meta(ge=0, le=100)]


class Rest(Action, frozen=True):
    pass


class State(msgspec.Struct):
    turn: int
    coins: dict[str, int]
    heard: list[str] = msgspec.field(default_factory=list)


class Seen(msgspec.Struct):
    coins: int


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(0, {agent.id: 100 for agent in scenario.agents})

    def observe(self, state: State, actor: Actor) -> Seen:
        return Seen(state.coins[actor.id])

    def apply(self, state: State, decided: Decided, events: Any, context: Context) -> Applied[State]:
        state.turn += 1
        state.heard += [f"{event.kind} {event.actor or ''}".strip() for event in events]
        for event in events:
            if event.kind == "approved":
                state.coins[event.actor] += 1000
        for who, action in decided.items():
            if type(action) is Give:
                state.coins[who] += action.amount + context.chance("luck", who).below(3)
        return Applied(state, [Event("turn", state.turn)])

    def score(self, state: State) -> Mapping[str, Any]:
        return {who: {"wealth": coins} for who, coins in state.coins.items()}

    def over(self, state: State) -> str | None:
        return None


def give(seen: Seen, context: Context) -> Action:
    return Give(context.chance("gift").below(10))


class Judge:
    """Judges by a function that a test hands in."""

    def __init__(self, rule: Callable[[State, Actor, Any, Context], Verdict]) -> None:
        self.rule = rule

    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        return self.rule(state, actor, action, context)


class Outside:
    """The world outside: counts what it was asked, and fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.fails: str | None = None
        self.crashes = 0

    @property
    def keys(self) -> list[str]:
        return [call.key for call in self.calls]

    async def quote(self, request: Any, call: Call) -> Any:
        self.calls.append(call)
        if self.crashes:
            self.crashes -= 1
            raise KeyboardInterrupt("the process died here")
        if self.fails:
            raise EffectFailed(self.fails)
        return len(self.calls)


class Memory(msgspec.Struct):
    thoughts: int = 0


class Asker:
    """Asks for a quote each turn and gives what it was told."""

    def __init__(self, per_turn: int = 1) -> None:
        self.per_turn = per_turn

    async def decide(self, seen: Seen, context: Context) -> Action:
        total = 0
        for number in range(self.per_turn):
            total += await context.effect("quote", {"turn": context.turn, "number": number})
        return Give(min(total, 100))


def make(
    rule: Callable[[State, Actor, Any, Context], Verdict] | None = None,
    *,
    engine: Any = None,
    memory: type | None = None,
    effects: Mapping[str, EffectKind] | None = None,
    **more: Any,
) -> World:
    role = Role((Give, Rest), Rest(), {"give": give}, memory=memory)
    return World(
        "toy", engine or Rules(), more.pop("state", State), {"giver": role},
        Judge(rule) if rule else None, effects=effects or {}, **more,
    )  # fmt: skip


def scene(*agents: AgentSpec | str, turns: int = 6, **more: Any) -> Scenario:
    seats = tuple(
        agent if isinstance(agent, AgentSpec) else AgentSpec(agent) for agent in agents or ("a", "b")
    )
    return Scenario("toy", "scene", turns=turns, agents=seats, **more)


def python(name: str, **more: Any) -> AgentSpec:
    return AgentSpec(name, kind="python", **more)


def always(verdict: Verdict, *, turn: int, actor: str = "a", attempt: int | None = None) -> Any:
    """A judge that says this once, and yes to everything else."""

    def rule(state: State, who: Actor, action: Any, context: Context) -> Verdict:
        mine = who.id == actor and context.turn == turn and attempt in (None, context.attempt)
        return verdict if mine else ACCEPT

    return rule
