"""A world whose agents ask models: tellers who may move money, guests who may only talk, all of them heard.

And what a provider for tests answers to them: a word for each turn, which follows from the prompt alone, so
that a call asked again is answered the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from windtunnel.config.models import Breaker, Budgets, Deployment, Limit, Models, Price, Retry, Route
from windtunnel.testing.provider import Request
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

MONEY = 1.0  # dollars that a run of the fault lab may spend
START = 1000  # coins of each at the beginning
KEY = "BANK_KEY"  # the variable that holds the key of the bank's models
SECRET = "sk-bank-0123456789-never-to-be-seen"


class Transfer(Action, frozen=True):
    """Move coins of yours to somebody else."""

    to: str
    amount: Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class Say(Action, frozen=True):
    """Say something that everybody hears."""

    text: str


class State(msgspec.Struct):
    turn: int
    coins: dict[str, int]
    said: list[tuple[str, str]]


class Rules(Engine[State]):
    def start(self, scenario: Scenario, context: Context) -> State:
        return State(0, {agent.id: START for agent in scenario.agents}, [])

    def observe(self, state: State, actor: Actor) -> Any:
        said = [{"from": who, "text": text} for who, text in state.said[-4:]]
        return {"you": actor.id, "coins": state.coins[actor.id], "said": said}

    def apply(
        self, state: State, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[State]:
        state.turn += 1
        for who, action in decided.items():
            if isinstance(action, Transfer):
                state.coins[who] -= action.amount
                state.coins[action.to] += action.amount
            else:
                state.said.append((who, action.text[:200]))
        del state.said[:-8]
        return Applied(state)

    def score(self, state: State) -> Mapping[str, Any]:
        return {who: {"wealth": coins} for who, coins in state.coins.items()}

    def over(self, state: State) -> str | None:
        return None


class Auditor:
    def check(self, state: State, actor: Actor, action: Any, context: Context) -> Verdict:
        if isinstance(action, Transfer) and action.to not in state.coins:
            return reject(f"nobody is called {action.to!r}")
        return ACCEPT


def rich(state: State, actor: Actor, than: int = 0) -> int:
    """How many have more coins than that."""
    return sum(coins > than for coins in state.coins.values())


def bank(*, tools: bool = True) -> World:
    roles = {"teller": Role((Transfer, Say), Say("")), "guest": Role((Say,), Say(""))}
    return World("bank", Rules(), State, roles, Auditor(), queries={"rich": rich} if tools else {})


def scenario(
    tellers: int = 1, guests: int = 1, *, turns: int = 3, model: str = "first", **more: Any
) -> Scenario:
    """Seats `t1 …` and `g1 …`, each with a model. `llm` among the rest is the settings of all of them."""
    settings = {"llm": {"memory": {"recent": 2, "summary": 0}, "max_tokens": 64, **more.pop("llm", {})}}
    more = {"seed": 3, **more}
    seats = [(f"t{n + 1}", "teller") for n in range(tellers)] + [
        (f"g{n + 1}", "guest") for n in range(guests)
    ]
    agents = tuple(AgentSpec(who, role, kind="llm", settings=settings) for who, role in seats)
    return Scenario("bank", turns=turns, agents=agents, model=model, **more)


def models(
    url: str,
    *,
    money: float | None = None,
    workspace: float | None = None,
    timeout: float = 30.0,
    retry: Retry | None = None,
    provider: str = "openai-chat",
    concurrency: int = 20,
    names: Sequence[str] = ("first",),
) -> Models:
    """Deployments at one address, as a route `chain` too; a token costs a micro-dollar, in or out."""
    return Models(
        deployments={
            name: Deployment(
                f"{provider}:{name}-model",
                url=url,
                key=KEY,
                local=False,
                timeout=timeout,
                concurrency=concurrency,
            )
            for name in names
        },
        routes={"chain": Route(chain=tuple(names))},
        prices={name: Price(1, 1) for name in names},
        budgets=Budgets(run=Limit(money), workspace=Limit(workspace)),
        retry=retry or Retry(attempts=4, first_wait=0.01, longest_wait=0.05),
        breaker=Breaker(failures=1000, rest=0.05),
    )


def decision(action: Mapping[str, Any], why: str = "so it is") -> str:
    return json.dumps({"why": why, "action": action})


def civil(request: Request) -> str:
    """What a well-behaved model says: something that follows from its prompt."""
    turn = re.search(r"Turn (\d+) of", request.prompt)
    you = re.search(r"you: (\w+)", request.prompt)
    return decision({"type": "Say", "text": f"{you[1] if you else '?'} in turn {turn[1] if turn else '?'}"})
