"""A small shop for the tests of this room: work pays, gifts come from outside, long days are held."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from windtunnel.world import (
    ACCEPT,
    WORLD,
    Action,
    Applied,
    EffectKind,
    Engine,
    Event,
    Role,
    World,
    hold,
    reject,
)


class Work(Action, frozen=True):
    hours: float


class Rest(Action, frozen=True):
    pass


class Parameters(Struct):
    wage: float = 1.0
    luck: float = 1.0


class Shop(Struct):
    wealth: dict[str, float]
    days: int = 0


class Rules(Engine[Shop]):
    def start(self, scenario, context):
        return Shop({agent.id: 10.0 for agent in scenario.agents})

    def observe(self, state, actor):
        return {"wealth": state.wealth[actor.id], "day": state.days}

    def apply(self, state, decided, events, context):
        told = []
        for who, action in decided.items():
            if isinstance(action, Work):
                luck = context.parameters.luck * context.chance(who).uniform(0, 1)
                state.wealth[who] += action.hours * context.parameters.wage + luck
        for event in events:
            if event.kind == "gift":
                state.wealth[event.body["to"]] += event.body["amount"]
                told.append(Event("thanks", event.body, actor=event.body["to"]))
        state.days += 1
        return Applied(state, told)

    def score(self, state):
        scores: dict[str, dict[str, Any]] = {who: {"wealth": wealth} for who, wealth in state.wealth.items()}
        scores[WORLD] = {"total": sum(state.wealth.values()), "days": state.days}
        return scores

    def over(self, state):
        return None


class Judge:
    def check(self, state, actor, action, context):
        if isinstance(action, Work) and action.hours > 100:
            return reject("nobody works that long")
        if isinstance(action, Work) and action.hours > 24:
            return hold("a long day", risk="high")
        return ACCEPT


async def quote(request, call):
    return {"price": request["of"] * 2}


def steady(observation, context):
    return Work(1.0)


def lazy(observation, context):
    return Rest()


def shop(**changes: Any) -> World:
    given: dict[str, Any] = {
        "name": "shop",
        "engine": Rules(),
        "state": Shop,
        "roles": {"worker": Role((Work, Rest), Rest(), {"steady": steady, "lazy": lazy})},
        "validator": Judge(),
        "parameters": Parameters,
        "effects": {"quote": EffectKind(quote)},
        "headline": ("total",),
    }
    return World(**{**given, **changes})
