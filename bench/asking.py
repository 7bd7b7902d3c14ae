"""A world in which to ask a model: each agent has one question a turn and says what was answered.

Each question takes the whole path of a run: an effect of kind `model`, its intent durable in the store before
the call, the gateway (route, purse, lane, breaker) around the call, its attempt noted among the operations,
its reply durable before it is used, all of it sealed into history at the end of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.playing import RUN, fresh
from windtunnel.journal import RunRow, SqliteStore
from windtunnel.models.hub import Hub
from windtunnel.models.talk import Ask, Message
from windtunnel.run.begin import begin
from windtunnel.run.player import Player
from windtunnel.run.session import play_run
from windtunnel.world import (
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


class Say(Action, frozen=True):
    text: str


class Heard(msgspec.Struct):
    """How much each has said."""

    said: dict[str, int]


class Rules(Engine[Heard]):
    def start(self, scenario: Scenario, context: Context) -> Heard:
        return Heard({agent.id: 0 for agent in scenario.agents})

    def observe(self, state: Heard, actor: Actor) -> int:
        return state.said[actor.id]

    def apply(
        self, state: Heard, decided: Decided, events: Sequence[Event], context: Context
    ) -> Applied[Heard]:
        for who, action in decided.items():
            state.said[who] += len(action.text)
        return Applied(state)

    def score(self, state: Heard) -> Mapping[str, Mapping[str, float]]:
        return {who: {"wealth": float(said)} for who, said in state.said.items()}

    def over(self, state: Heard) -> str | None:
        return None


class Asker:
    """An agent: its question is an effect of the run."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def decide(self, seen: int, context: Context) -> Say:
        reply = await context.ask(self._ask)
        return Say(reply.text)


def world() -> World:
    return World("asking", Rules(), Heard, {"asker": Role((Say,), Say(""), {})})


def scenario(agents: int, turns: int) -> Scenario:
    seats = tuple(AgentSpec(f"agent-{number:02d}", kind="python") for number in range(agents))
    return Scenario("asking", "bench", turns=turns, agents=seats, concurrency=agents)


class Asking:
    """One run: begun in a fresh store, its models asked through the hub with an account of its own."""

    def __init__(self, path: Path, hub: Hub, ask: Ask, agents: int, turns: int) -> None:
        self._hub = hub
        self.store = SqliteStore(fresh(path), create=True)
        asked = scenario(agents, turns)
        self._players = {seat.id: Asker(ask) for seat in asked.agents}
        self._world = world()
        self._player: Player  # known when the run is taken up
        begin(self.store, self._world, asked, RUN, players=self._players)

    async def play(self) -> RunRow:
        return await play_run(
            self.store, self._world, RUN, players=self._players, hub=self._hub, observer=self._observe
        )

    def _observe(self, player: Player) -> None:
        self._player = player

    def said(self) -> int:
        """The characters of all answers, as the world counted them."""
        return sum(self._player.frame.state.said.values())

    @property
    def purse(self) -> Any:
        """The run's account."""
        return self._player.calls.accounts()[0]

    def spent(self) -> int:
        money: int = self.purse.spent.money
        return money


def question(model: str, system: str, prompt: str) -> Ask:
    return Ask(model, (Message("system", system), Message("user", prompt)))
