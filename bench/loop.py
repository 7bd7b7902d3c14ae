"""The loop that `durable-turns` and others play: twenty agents, about 2 KB of state as JSON.

In a turn each agent sees its own wealth and energy, decides to work or to rest, is checked, and the world
applies what was decided. The arithmetic is written once, in `choose`, `may` and `grown`, and is the same
for ours, for the crowd and for the peer.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from windtunnel.world import (
    ACCEPT,
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
    Verdict,
    World,
    reject,
)

AGENTS = 20
TIRED, RATE, COST, RECOVERY, CEILING = 0.25, 1.0001, 0.01, 0.05, 1.1


def choose(energy: float) -> float:
    """The decision: the rate to work at, or 0 to rest."""
    return RATE if energy > TIRED else 0.0


def may(rate: float) -> bool:
    """The check."""
    return rate <= CEILING


def birth(number: int) -> dict[str, Any]:
    return {
        "wealth": 100.25 + number, "energy": 0.5 + number / 7, "x": number, "y": 2 * number,
        "mood": 0.123456789, "trades": 0,
    }  # fmt: skip


def names() -> list[str]:
    return [f"agent-{number:02d}" for number in range(AGENTS)]


# --- one by one -------------------------------------------------------------------------------------


class Work(Action, frozen=True):
    rate: float


class Rest(Action, frozen=True):
    pass


class One(msgspec.Struct):
    wealth: float
    energy: float
    x: int
    y: int
    mood: float
    trades: int


class Many(msgspec.Struct):
    step: int
    agents: dict[str, One]


class Seen(msgspec.Struct):
    wealth: float
    energy: float


class Rules(Engine[Many]):
    def start(self, scenario: Scenario, context: Context) -> Many:
        return Many(0, {agent.id: One(**birth(number)) for number, agent in enumerate(scenario.agents)})

    def observe(self, state: Many, actor: Actor) -> Seen:
        one = state.agents[actor.id]
        return Seen(one.wealth, one.energy)

    def apply(
        self, state: Many, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Many]:
        for who, action in decided.items():
            one = state.agents[who]
            if type(action) is Work:
                one.wealth *= action.rate
                one.energy -= COST
                one.trades += 1
            else:
                one.energy += RECOVERY
        state.step += 1
        return Applied(state)

    def score(self, state: Many) -> Mapping[str, Any]:
        return {who: {"wealth": one.wealth} for who, one in state.agents.items()}

    def over(self, state: Many) -> str | None:
        return None


class Judge:
    def check(self, state: Many, actor: Actor, action: Action, context: Context) -> Verdict:
        if type(action) is Work and not may(action.rate):
            return reject(f"at most {CEILING}")
        return ACCEPT


REST = Rest()


def policy(seen: Seen, context: Context) -> Action:
    rate = choose(seen.energy)
    return Work(rate) if rate else REST


def world(engine: Engine[Many] | None = None) -> World:
    role = Role((Work, Rest), REST, {"steady": policy})
    return World("loop", engine or Rules(), Many, {"worker": role}, Judge())


def scenario(turns: int) -> Scenario:
    return Scenario("loop", "bench", turns=turns, agents=tuple(AgentSpec(name) for name in names()))


class Dying(Rules):
    """Kills its own process in the middle of a turn, as a power cut would."""

    def __init__(self, turn: int) -> None:
        self.turn = turn

    def apply(
        self, state: Many, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Many]:
        if context.turn == self.turn:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().apply(state, decided, events, context)


# --- as a crowd -------------------------------------------------------------------------------------

Floats = NDArray[np.float64]


class WorkAll(Action, frozen=True):
    rate: NDArray[np.float64]


class Crowd(msgspec.Struct):
    step: int
    wealth: NDArray[np.float64]
    energy: NDArray[np.float64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    mood: NDArray[np.float64]
    trades: NDArray[np.int64]


class SeenAll(msgspec.Struct):
    wealth: NDArray[np.float64]
    energy: NDArray[np.float64]


class CrowdRules(Engine[Crowd]):
    def start(self, scenario: Scenario, context: Context) -> Crowd:
        born = [birth(number) for number in range(AGENTS)]
        return Crowd(0, *(np.array([one[name] for one in born]) for name in born[0]))

    def observe(self, state: Crowd, actor: Actor) -> SeenAll:
        return SeenAll(state.wealth, state.energy)

    def apply(
        self, state: Crowd, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Crowd]:
        rate = decided["crowd"].rate
        works = rate > 0.0
        state.wealth[works] *= rate[works]
        state.energy += np.where(works, -COST, RECOVERY)
        state.trades += works
        state.step += 1
        return Applied(state)

    def score(self, state: Crowd) -> Mapping[str, Any]:
        return {"crowd": {"wealth": state.wealth}}

    def over(self, state: Crowd) -> str | None:
        return None


class CrowdJudge:
    def check(self, state: Crowd, actor: Actor, action: Any, context: Context) -> Verdict:
        return ACCEPT if action.rate.max() <= CEILING else reject(f"at most {CEILING}")


def crowd_policy(seen: SeenAll, context: Context) -> Action:
    return WorkAll(np.where(seen.energy > TIRED, RATE, 0.0))


def crowd_world() -> World:
    role = Role((WorkAll,), WorkAll(np.zeros(AGENTS)), {"steady": crowd_policy})
    return World("crowd-loop", CrowdRules(), Crowd, {"worker": role}, CrowdJudge())


def crowd_scenario(turns: int) -> Scenario:
    return Scenario("crowd-loop", "bench", turns=turns, agents=(AgentSpec("crowd", size=AGENTS),))
