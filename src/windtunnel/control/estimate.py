"""What a run will ask of its models, what that may cost, and how long its own work takes, before anything is
paid.

A rehearsal: its first turns are played in a store that is thrown away, `house` in every model's place. What
was asked in it is counted, priced as the models that would have been asked, and carried on over the turns
that are left. House is brief and never wrong: real models write longer and are asked again now and then. So a
range is told, from what was seen to the most that each call may take, asked once. The time is that of the run
alone, on this machine as busy as it is now: how long models think, nobody knows before they are asked.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from windtunnel.codec import decode_body
from windtunnel.control.executor import hub_of
from windtunnel.errors import WindtunnelError
from windtunnel.journal import Effect, SqliteStore
from windtunnel.journal.texts import whole
from windtunnel.models.hub import Hub
from windtunnel.models.talk import Ask, Reply, Usage
from windtunnel.run.begin import begin
from windtunnel.run.session import play_run
from windtunnel.scenario import models_of, with_model
from windtunnel.world import Scenario, World

if TYPE_CHECKING:
    from windtunnel.config import Workspace
    from windtunnel.models.gateway import Gateway

TURNS = 24  # of a rehearsal: what agents remember is full by then, and was summed up
RUN = "rehearsal"
OTHERS = ("human", "remote", "python")  # kinds of agents that decide elsewhere


class Asked(Struct):
    """What one model would be asked in all. Micro-dollars; None: nobody knows its price."""

    model: str
    calls: int = 0
    input: int = 0
    output: int = 0
    seen: int | None = 0
    most: int | None = 0


class Costs(Struct, kw_only=True):
    """What models would be asked; the sums are None if the price of one is not known."""

    models: list[Asked]

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.models)

    @property
    def most(self) -> int | None:
        """Micro-dollars for all of it."""
        known = [one.most for one in self.models]
        return None if None in known else sum(one or 0 for one in known)

    @property
    def seen(self) -> int | None:
        known = [one.seen for one in self.models]
        return None if None in known else sum(one or 0 for one in known)

    def plain(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(self)
        return {**told, "calls": self.calls, "seen": self.seen, "most": self.most}


class Estimate(Costs):
    scenario: str
    turns: int
    rehearsed: int
    seconds: float = 0.0  # of its own work, over all turns


class Tally(Struct):
    """What one agent would ask of one model in a run, or what several of them would."""

    agent: str
    model: str
    calls: float = 0.0
    input: float = 0.0
    output: float = 0.0
    seen: float = 0.0
    most: float = 0.0
    priced: bool = True

    def add(self, other: Tally, times: float = 1.0) -> None:
        self.calls += other.calls * times
        self.input += other.input * times
        self.output += other.output * times
        self.seen += other.seen * times
        self.most += other.most * times
        self.priced = self.priced and other.priced


class Foreseen(Struct):
    """A rehearsal, carried on over all turns."""

    rehearsed: int
    seconds: float
    asked: list[Tally]


async def estimate(workspace: Workspace, world: World, scenario: Scenario) -> Estimate:
    """Rehearse, count, and carry on. Where nothing asks a model, only the time is told."""
    hub = hub_of(workspace)
    try:
        told = await foresee(hub.gateway, world, scenario)
    finally:
        await hub.aclose()
    models = by_model((one, 1.0) for one in told.asked)
    return Estimate(
        models=models, scenario=scenario.name, turns=scenario.turns, rehearsed=told.rehearsed,
        seconds=told.seconds,
    )  # fmt: skip


def by_model(tallies: Iterable[tuple[Tally, float]]) -> list[Asked]:
    """The sums of what was asked so many times, the model that was met first before the others."""
    sums: dict[str, Tally] = {}
    for one, times in tallies:
        sums.setdefault(one.model, Tally("", one.model)).add(one, times)
    return [_asked(one) for one in sums.values()]


def _asked(one: Tally) -> Asked:
    seen, most = (round(one.seen), round(one.most)) if one.priced else (None, None)
    return Asked(one.model or "default", round(one.calls), round(one.input), round(one.output), seen, most)


async def foresee(gateway: Gateway, world: World, scenario: Scenario) -> Foreseen:
    turns = min(TURNS, scenario.turns)
    done = await _rehearsed(world, scenario, turns)
    seconds = done.seconds * scenario.turns / max(done.turns, 1)
    if not models_of(scenario):
        return Foreseen(done.turns, seconds, [])
    played = min(turns, 1 + max((effect.turn for effect, _, _ in done.calls), default=done.turns))
    return Foreseen(played, seconds, _carried_on(gateway, scenario, done.calls, played))


class _Rehearsal(NamedTuple):
    calls: list[tuple[Effect, Ask, Usage]]
    turns: int
    seconds: float


async def _rehearsed(world: World, scenario: Scenario, turns: int) -> _Rehearsal:
    """Nobody's code is called for it, and nobody is asked: their role's own policy plays."""
    agents = tuple(
        structs.replace(agent, kind="rule", model="") if agent.kind in OTHERS else agent
        for agent in scenario.agents
    )
    given = structs.replace(scenario, turns=turns, agents=agents, mcp=())
    if models_of(scenario):  # else all of its agents would ask one
        given = with_model(given, "house")
    with tempfile.TemporaryDirectory(prefix="windtunnel-rehearsal-") as folder:
        store = SqliteStore(Path(folder) / "rehearsal.sqlite", create=True)
        try:
            begin(store, world, given, RUN)
            begun = time.perf_counter()
            try:
                await play_run(store, world, RUN, hub=Hub(environ={"WINDTUNNEL_OFFLINE": "1"}))
            except WindtunnelError as error:
                if error.remedy and RUN in error.remedy:  # there is nothing to resume
                    error.remedy = "it failed while it was rehearsed: mend it, and estimate again"
                raise
            seconds = time.perf_counter() - begun
            found = [whole(store, effect) for effect in store.effects(RUN, kind="model")]
            calls = [(one, decode_body(one.request, Ask), _usage(one)) for one in found]
            return _Rehearsal(calls, store.run(RUN).turn, seconds)
        finally:
            store.close()


def _usage(effect: Effect) -> Usage:
    answer = decode_body(effect.result) if effect.result is not None else {}
    return msgspec.convert(answer["ok"], Reply).usage if "ok" in answer else Usage()


def _carried_on(
    gateway: Gateway, scenario: Scenario, calls: list[tuple[Effect, Ask, Usage]], played: int
) -> list[Tally]:
    """The second half of the rehearsal stands for all turns that follow it."""
    models = {agent.id: agent.model or scenario.model for agent in scenario.agents}
    late = played // 2
    factor = (scenario.turns - late) / max(played - late, 1)
    found: dict[str, Tally] = {}
    for effect, ask, used in calls:
        agent = effect.actor.split("/")[0]
        name = models.get(agent, scenario.model)
        seen, most = _priced(gateway, structs.replace(ask, model=name), used)
        one = Tally(agent, name, 1, used.input, used.output, seen or 0, most or 0, seen is not None)
        found.setdefault(agent, Tally(agent, name)).add(one, factor if effect.turn > late else 1.0)
    return list(found.values())


def _priced(gateway: Gateway, ask: Ask, used: Usage) -> tuple[int | None, int | None]:
    """What this call cost as seen, and at most, at the first deployment of its plan."""
    deployment = gateway.first(ask)
    if deployment is None:
        return 0, 0
    rate = gateway.station(deployment).rate
    return (rate.cost(used), gateway.worst_case(ask).money) if rate is not None else (None, None)
