"""How the economy is played in these tests: through the whole run (`play`), or bare (`Table`), where only the
engine, its validator and its checks take part, so that thousands of turns take a second."""

from __future__ import annotations

import asyncio
import copy
import math
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
from windtunnel.worlds.economy.state import State

SCENARIOS = tuple(sorted(path.stem for path in Path(world.scenarios).glob("*.yaml")))
FIRST_FOUR = ("growth", "recession", "stimulus", "trade_war")
STUDENT = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262, 12: 2.201, 20: 2.093}  # 95 %, n - 1


def scenario(name: str) -> Scenario:
    return load_scenario(Path(world.scenarios) / f"{name}.yaml", world)


def governed(given: Scenario, *policies: str) -> Scenario:
    """The same scenario under other governments: one policy for all, or one for each."""
    seats = [agent.id for agent in given.agents if agent.role == "government"]
    chosen = dict(zip(seats, policies * len(seats) if len(policies) == 1 else policies, strict=True))
    return seated(given, **chosen)


def seated(given: Scenario, **policies: str) -> Scenario:
    """The same scenario with other policies in some of its seats."""
    agents = tuple(
        msgspec.structs.replace(agent, policy=policies.get(agent.id, agent.policy)) for agent in given.agents
    )
    return msgspec.structs.replace(given, agents=agents)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean's interval at 95 %, by Student's t."""
    count = len(values)
    mean = sum(values) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)
    return mean - STUDENT[count] * deviation, mean + STUDENT[count] * deviation


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
        plain = msgspec.to_builtins(given.parameters) | {"game_master": 0, "budget_judge": False}
        parameters = msgspec.convert(plain, Parameters)  # bare: no model sits above the rules
        self.luck: Any = Luck(parameters, given.seed if seed is None else seed)
        self.actors = [Actor(agent.id, agent.role, agent.size) for agent in given.agents]
        self.state: State = world.engine.start(given, self.luck)
        self.scores: list[Any] = []
        self.told: list[Event] = []

    def turn(self, actions: Mapping[str, Any], events: Sequence[Event] = ()) -> None:
        self.luck.turn += 1
        decided = Decided()
        for actor in self.actors:
            no_op = world.roles[actor.role].no_op
            action = actions.get(actor.id, no_op)
            verdict = world.validator.check(self.state, actor, action, self.luck)
            if verdict.kind == "reject":
                action = no_op
            decided[actor.id] = verdict.action if verdict.kind == "amend" else action
        applied = world.engine.apply(self.state, decided, events, self.luck)
        self.state = applied.state
        self.told += applied.events
        self.check()
        self.scores.append(world.engine.score(self.state))

    def check(self) -> None:
        for name, invariant in world.invariants.items():
            assert (problem := invariant(self.state)) is None, f"{name}: {problem}"

    def decide(self) -> dict[str, Any]:
        """By the scenario's policies."""
        found = {}
        for agent, actor in zip(self.given.agents, self.actors, strict=True):
            policies = world.roles[agent.role].policies
            policy = policies[agent.policy] if agent.policy else next(iter(policies.values()))
            seen = world.engine.observe(self.state, actor)
            luck: Any = Luck(self.luck.parameters, self.luck.seed, agent.settings)
            found[agent.id] = policy(seen, luck)
        return found

    def play(self, turns: int | None = None) -> Table:
        for _ in range(self.given.turns if turns is None else turns):
            self.turn(self.decide())
        return self

    def fork(self, given: Scenario | None = None, **parameters: Any) -> Table:
        """Another course from here, with the same luck."""
        other = copy.copy(self)
        other.state, other.luck = copy.deepcopy(self.state), copy.copy(self.luck)
        other.scores, other.told = list(self.scores), list(self.told)
        other.given = given or self.given
        if parameters:
            plain = msgspec.to_builtins(self.luck.parameters) | parameters
            other.luck.parameters = msgspec.convert(plain, Parameters)
        return other

    def curve(self, metric: str, who: str = WORLD) -> list[float]:
        return [score[who][metric] for score in self.scores]

    def mean(self, metric: str, who: str = WORLD, begin: int = 0, end: int | None = None) -> float:
        part = self.curve(metric, who)[begin:end]
        return sum(part) / len(part)

    def bytes(self) -> bytes:
        return StateCodec(State).encode(self.state)


def nations(*ids: str, policy: str = "balanced", **parameters: Any) -> Scenario:
    """Small nations, so that tests are quick."""
    small = {name: {"people": 60, "firms": 6} for name in ids}
    for name, more in parameters.pop("nations", {}).items():
        small[name] = small.get(name, {}) | more
    agents = tuple(AgentSpec(name, "government", policy=policy) for name in ids)
    typed = msgspec.convert(parameters | {"nations": small}, Parameters)
    return Scenario("economy", "test", agents=agents, parameters=typed)


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
