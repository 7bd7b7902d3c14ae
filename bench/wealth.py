"""The Boltzmann wealth exchange, three times: by rules, as a crowd, and in Mesa.

Everyone starts with 1. In a step each agent that has something gives 1 to a random other one. By rules and
in Mesa the agents act one after another; the crowd acts at once, in arrays. An agent of ours decides whether
to give; whom the coin reaches is chance, drawn by the world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from windtunnel.world import (
    WORLD,
    Action,
    Actor,
    AgentSpec,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Role,
    Scenario,
    World,
)

Coins = NDArray[np.int32]

# --- arrays -----------------------------------------------------------------------------------------


class Give(Action, frozen=True):
    who: NDArray[np.bool_]


class Purse(msgspec.Struct):
    wealth: NDArray[np.int32]


def gini(wealth: Coins) -> float:
    """Inequality, from how many have how much: integers up to the last division."""
    below = ranks = 0
    for amount, have in enumerate(np.bincount(wealth).tolist()):
        ranks += (
            amount * have * (2 * below + have + 1)
        )  # twice the sum of the ranks of those who have as much
        below += have
    count, total = wealth.size, int(wealth.sum())
    return ranks / (count * total) - (count + 1) / count


class CrowdRules(Engine[Purse]):
    def start(self, scenario: Scenario, context: Context) -> Purse:
        return Purse(np.ones(scenario.agents[0].size, np.int32))

    def observe(self, state: Purse, actor: Actor) -> Coins:
        return state.wealth

    def apply(
        self, state: Purse, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Purse]:
        wealth, gives = state.wealth, decided["crowd"].who
        others = context.chance("to").integers(wealth.size, int(np.count_nonzero(gives)))
        wealth -= gives
        wealth += np.bincount(others, minlength=wealth.size).astype(np.int32)
        return Applied(state)

    def score(self, state: Purse) -> Mapping[str, Any]:
        return {"crowd": {"wealth": state.wealth}, WORLD: {"gini": gini(state.wealth)}}

    def over(self, state: Purse) -> str | None:
        return None


def crowd_policy(wealth: Coins, context: Context) -> Give:
    return Give(wealth > 0)


def crowd_world() -> World:
    role = Role((Give,), Give(np.zeros(1, np.bool_)), {"give": crowd_policy})
    return World("boltzmann-crowd", CrowdRules(), Purse, {"trader": role})


def crowd_scenario(agents: int, turns: int) -> Scenario:
    return Scenario("boltzmann-crowd", "bench", turns=turns, agents=(AgentSpec("crowd", size=agents),))


# --- one by one -------------------------------------------------------------------------------------


class GiveOne(Action, frozen=True):
    pass


class Keep(Action, frozen=True):
    pass


class Purses(msgspec.Struct):
    wealth: dict[str, int]


class Rules(Engine[Purses]):
    def start(self, scenario: Scenario, context: Context) -> Purses:
        return Purses({agent.id: 1 for agent in scenario.agents})

    def observe(self, state: Purses, actor: Actor) -> int:
        return state.wealth[actor.id]

    def apply(
        self, state: Purses, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Purses]:
        wealth = state.wealth
        everyone = list(wealth)
        others = context.chance("to").integers(len(everyone), len(everyone)).tolist()
        for (who, action), other in zip(decided.items(), others, strict=True):
            if type(action) is GiveOne:
                wealth[who] -= 1
                wealth[everyone[other]] += 1
        return Applied(state)

    def score(self, state: Purses) -> Mapping[str, Any]:
        wealth = state.wealth
        metrics: dict[str, Any] = {who: {"wealth": coins} for who, coins in wealth.items()}
        metrics[WORLD] = {"gini": gini(np.fromiter(wealth.values(), np.int32, len(wealth)))}
        return metrics

    def over(self, state: Purses) -> str | None:
        return None


GIVE, KEEP = GiveOne(), Keep()


def policy(coins: int, context: Context) -> Action:
    return GIVE if coins > 0 else KEEP


def world() -> World:
    role = Role((GiveOne, Keep), KEEP, {"give": policy})
    return World("boltzmann", Rules(), Purses, {"trader": role})


def scenario(agents: int, turns: int) -> Scenario:
    seats = tuple(AgentSpec(f"a{number}") for number in range(agents))
    return Scenario("boltzmann", "bench", turns=turns, agents=seats)


# --- Mesa -------------------------------------------------------------------------------------------


def mesa_model(agents: int) -> Any:
    """The model as Mesa's own tutorial writes it, with a DataCollector for gini and every agent's wealth."""
    import mesa  # type: ignore[import-not-found, unused-ignore]

    class Trader(mesa.Agent):  # type: ignore[misc, unused-ignore]
        def __init__(self, model: Any) -> None:
            super().__init__(model)
            self.wealth = 1

        def exchange(self) -> None:
            if self.wealth > 0:
                other = self.random.choice(self.model.everyone)
                other.wealth += 1
                self.wealth -= 1

    class Exchange(mesa.Model):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__(seed=1)
            Trader.create_agents(self, agents)
            self.everyone = list(self.agents)
            self.data = mesa.DataCollector({"gini": mesa_gini}, {"wealth": "wealth"})

        def step(self) -> None:
            self.agents.shuffle_do("exchange")
            self.data.collect(self)

    return Exchange()


def mesa_gini(model: Any) -> float:
    wealth = sorted(agent.wealth for agent in model.agents)
    count = len(wealth)
    weighed = sum(w * (count - i) for i, w in enumerate(wealth))
    return float(1 + 1 / count - 2 * weighed / (count * sum(wealth)))
