"""How the economy is played in these tests: through the whole run (`play`), or bare (`Table`), where only the
engine, its validator and its checks take part, so that thousands of turns take a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from windtunnel.chance import Chance
from windtunnel.codec import StateCodec
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.lease import this_process
from windtunnel.journal.lineage import Lineage
from windtunnel.run.begin import begin
from windtunnel.run.clock import Clock
from windtunnel.run.player import Player
from windtunnel.run.tape import Tape
from windtunnel.scenario import load_scenario
from windtunnel.world import WORLD, Actor, AgentSpec, Decided, Event, Scenario
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import Nation, State

SCENARIOS = ("growth", "recession", "trade_war", "stimulus")


def scenario(name: str) -> Scenario:
    return load_scenario(Path(world.scenarios) / f"{name}.yaml", world)


def governed(given: Scenario, *policies: str) -> Scenario:
    """The same scenario under other governments: one policy for all, or one for each."""
    chosen = policies * len(given.agents) if len(policies) == 1 else policies
    agents = tuple(
        msgspec.structs.replace(agent, policy=policy)
        for agent, policy in zip(given.agents, chosen, strict=True)
    )
    return msgspec.structs.replace(given, agents=agents)


class Luck:
    """The part of a context that this world asks for."""

    def __init__(
        self, parameters: Parameters, seed: int = 1, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.parameters, self.seed, self.settings, self.turn = parameters, seed, settings or {}, 0

    def chance(self, *element: object) -> Chance:
        return Chance(self.seed, self.turn, *element)


class Table:
    """A state and the hands around it, with every invariant checked after each turn."""

    def __init__(self, given: Scenario, seed: int | None = None) -> None:
        self.given = given
        parameters = msgspec.convert(msgspec.to_builtins(given.parameters), Parameters)
        self.luck: Any = Luck(parameters, given.seed if seed is None else seed)
        self.actors = [Actor(agent.id, "government") for agent in given.agents]
        self.state: State = world.engine.start(given, self.luck)
        self.scores: list[Any] = []
        self.told: list[Event] = []

    def turn(self, actions: Mapping[str, Any], events: Sequence[Event] = ()) -> None:
        self.luck.turn += 1
        decided = Decided()
        for actor in self.actors:
            action = actions.get(actor.id, world.roles["government"].no_op)
            verdict = world.validator.check(self.state, actor, action, self.luck)
            if verdict.kind == "reject":
                action = world.roles["government"].no_op
            decided[actor.id] = verdict.action if verdict.kind == "amend" else action
        applied = world.engine.apply(self.state, decided, events, self.luck)
        self.state = applied.state
        self.told += applied.events
        self.check()
        self.scores.append(world.engine.score(self.state))

    def check(self) -> None:
        for name, invariant in world.invariants.items():
            assert (problem := invariant(self.state)) is None, f"{name}: {problem}"

    def play(self, turns: int | None = None) -> Table:
        """By the scenario's policies."""
        policies = world.roles["government"].policies
        for _ in range(self.given.turns if turns is None else turns):
            seen = {actor.id: world.engine.observe(self.state, actor) for actor in self.actors}
            self.turn(
                {agent.id: policies[agent.policy](seen[agent.id], self.luck) for agent in self.given.agents}
            )
        return self

    def curve(self, metric: str, who: str = WORLD) -> list[float]:
        return [score[who][metric] for score in self.scores]

    def bytes(self) -> bytes:
        return StateCodec(State).encode(self.state)


def nations(*ids: str, policy: str = "balanced", **parameters: Any) -> Scenario:
    agents = tuple(AgentSpec(name, "government", policy=policy) for name in ids)
    return Scenario("economy", "test", agents=agents, parameters=msgspec.convert(parameters, Parameters))


def money(state: State) -> int:
    """Deposits less what the bank holds, over the world: nothing, whatever happens."""
    return sum(_owed(nation) for nation in state.nations.values())


def _owed(nation: Nation) -> int:
    books = nation.books
    return books.household + books.firm + books.treasury - books.loans - books.bonds


class Played(msgspec.Struct):
    status: Status
    head: str
    state: State


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Played]]:
    """A run as a user has it, in a file of its own."""
    stores: list[SqliteStore] = []

    def one(given: Scenario, players: Mapping[str, Any] | None = None) -> Played:
        run_id = f"r{len(stores)}"
        store = SqliteStore(str(tmp_path / f"{run_id}.sqlite"), create=True)
        stores.append(store)
        begin(store, world, given, run_id, players=dict(players or {}))
        fence = store.acquire(run_id, this_process())
        tape = Tape(Lineage(store, run_id), Clock(), fence=fence)
        player = Player(world, tape, players=players)
        tape.move(Status.RUNNING)
        status = asyncio.run(player.play())
        store.release(run_id, fence)
        return Played(status, store.run(run_id).head_hash.hex(), player.frame.state)

    yield one
    for store in stores:
        store.close()
