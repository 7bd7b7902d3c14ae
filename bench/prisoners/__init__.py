"""The prisoners' dilemma with talk, ten rounds for two: each says something, then each chooses, both at the
same time. A match has as many moves as that of the peer. Found by its path, as a stranger's world is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from windtunnel.world import Action, Actor, Applied, Context, Decided, Engine, Event, Role, Scenario, World

ROUNDS = 10
BOTH, ALONE, CHEATED, NEITHER = 3.0, 5.0, 0.0, 1.0


class Say(Action, frozen=True, tag="say"):
    text: str


class Choose(Action, frozen=True, tag="choose"):
    cooperate: bool


class Table(msgspec.Struct):
    points: dict[str, float]
    said: dict[str, str]
    chosen: list[dict[str, bool]]
    talking: bool = True


class Seen(msgspec.Struct):
    talking: bool
    said: dict[str, str]
    chosen: list[dict[str, bool]]


class Rules(Engine[Table]):
    def start(self, scenario: Scenario, context: Context) -> Table:
        return Table({agent.id: 0.0 for agent in scenario.agents}, {}, [])

    def observe(self, state: Table, actor: Actor) -> Seen:
        return Seen(state.talking, state.said, state.chosen)

    def apply(self, state: Table, decided: Decided, events: list[Event], context: Context) -> Applied[Table]:
        if state.talking:
            state.said = {who: action.text for who, action in decided.items() if isinstance(action, Say)}
        else:
            chosen = {who: isinstance(action, Choose) and action.cooperate for who, action in decided.items()}
            for who, payoff in earned(chosen).items():
                state.points[who] += payoff
            state.chosen.append(chosen)
        state.talking = not state.talking
        return Applied(state)

    def score(self, state: Table) -> Mapping[str, Any]:
        return {who: {"wealth": points} for who, points in state.points.items()}

    def over(self, state: Table) -> str | None:
        return "all rounds are played" if len(state.chosen) == ROUNDS else None


def earned(chosen: Mapping[str, bool]) -> dict[str, float]:
    (first, one), (second, other) = chosen.items()
    if one == other:
        return dict.fromkeys(chosen, BOTH if one else NEITHER)
    return {first: CHEATED if one else ALONE, second: CHEATED if other else ALONE}


def scripted(seen: Seen, context: Context) -> Say | Choose:
    cooperates = context.chance().below(2) == 0
    if seen.talking:
        return Say("[cooperate]" if cooperates else "[defect]")
    return Choose(cooperates)


world = World(
    "prisoners",
    Rules(),
    Table,
    {"player": Role((Say, Choose), Say(""), {"scripted": scripted})},
    headline=("wealth",),
)
