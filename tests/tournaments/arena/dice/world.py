"""Dice for two: whoever throws higher takes a point. Skill is planted, so that who is better is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.world import (
    Action,
    Actor,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Role,
    Scenario,
    Verdict,
    World,
    accept,
    reject,
)


class Throw(Action, frozen=True, tag="throw"):
    pips: float


class Table(msgspec.Struct):
    money: dict[str, float]


class Seen(msgspec.Struct):
    money: dict[str, float]


class Rules(Engine[Table]):
    def start(self, scenario: Scenario, context: Context) -> Table:
        return Table({agent.id: 100.0 for agent in scenario.agents})

    def observe(self, state: Table, actor: Actor) -> Seen:
        return Seen(state.money)  # not a copy, as careless worlds do

    def apply(
        self, state: Table, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Table]:
        best = max(action.pips for action in decided.values())
        for who, action in decided.items():
            state.money[who] += 1.0 if action.pips == best else -1.0
        return Applied(state)

    def score(self, state: Table) -> Mapping[str, Any]:
        return {who: {"wealth": money, "losses": 100.0 - money} for who, money in state.money.items()}

    def over(self, state: Table) -> str | None:
        return None


class Judge:
    def check(self, state: Table, actor: Actor, action: Throw, context: Context) -> Verdict:
        return accept() if action.pips <= 20 else reject("no die has so many pips")


def dice(seen: Seen, context: Context) -> Throw:
    """What luck gives, and what its skill adds."""
    return Throw(context.chance().random() * 6 + float(context.settings.get("skill", 0.0)))


def greedy(seen: Seen, context: Context) -> Throw:
    """Asks for more than there is."""
    return Throw(1e6)


player = Role(actions=(Throw,), no_op=Throw(0.0), policies={"dice": dice, "greedy": greedy})
world = World(
    "dice", Rules(), Table, {"player": player}, validator=Judge(), version="1", scenarios="scenarios",
    headline=("wealth",),
)  # fmt: skip
