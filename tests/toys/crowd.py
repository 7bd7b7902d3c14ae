"""Ten thousand households as one actor: arrays in, arrays out, a mask from the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from windtunnel.world import (
    ACCEPT,
    WORLD,
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
    allow,
    reject,
)

Floats = NDArray[np.float64]


class Pay(Action, frozen=True):
    """What each household gives into the pot."""

    amounts: Floats


class Keep(Action, frozen=True):
    pass


class State(msgspec.Struct):
    wealth: Floats
    round: int = 0


class Seen(msgspec.Struct):
    wealth: Floats


class Pot(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(100 * context.chance("birth").randoms(scenario.agents[0].size))

    def observe(self, state: State, actor: Actor) -> Seen:
        return Seen(state.wealth)

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        for who, action in decided.items():
            if type(action) is Pay:
                paid = action.amounts * decided.allowed[who]
                state.wealth -= paid
                state.wealth += paid.sum() / len(paid)
        state.round += 1
        return Applied(state)

    def score(self, state: State) -> Mapping[str, Any]:
        return {"all": {"wealth": state.wealth}, WORLD: {"total": state.wealth.sum()}}

    def over(self, state: State) -> str | None:
        return None


class Bank:
    """Who has not got it does not pay; who is written in no list cannot."""

    def check(self, state: State, actor: Actor, action: Action, context: Context) -> Verdict:
        if not isinstance(action, Pay):
            return ACCEPT
        if action.amounts.shape != (actor.size,) or action.amounts.dtype != np.float64:
            return reject(f"one amount for each of the {actor.size}")
        return allow((action.amounts >= 0) & (action.amounts <= state.wealth), "no more than there is")


def tenth(seen: Seen, context: Context) -> Action:
    wanted = context.chance("gift").randoms(len(seen.wealth)) * 20
    return Pay(wanted)


world = World(
    "crowd",
    Pot(),
    State,
    {"household": Role((Pay, Keep), Keep(), {"tenth": tenth})},
    Bank(),
    invariants={"no debts": lambda s: "a debt" if (s.wealth < -1e-9).any() else None},
    headline=("total",),
)
