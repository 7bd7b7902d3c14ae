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
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from windtunnel.codec import decode_body
from windtunnel.control.executor import hub_of
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


class Asked(Struct):
    """What one model would be asked in the whole run. Micro-dollars; None: nobody knows its price."""

    model: str
    calls: int = 0
    input: int = 0
    output: int = 0
    seen: int | None = 0
    most: int | None = 0


class Estimate(Struct):
    scenario: str
    turns: int
    rehearsed: int
    models: list[Asked]
    seconds: float = 0.0  # of its own work, over all turns

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.models)

    @property
    def most(self) -> int | None:
        """Micro-dollars for all of it; None if the price of one model is not known."""
        known = [one.most for one in self.models]
        return None if None in known else sum(one or 0 for one in known)

    @property
    def seen(self) -> int | None:
        known = [one.seen for one in self.models]
        return None if None in known else sum(one or 0 for one in known)


async def estimate(workspace: Workspace, world: World, scenario: Scenario) -> Estimate:
    """Rehearse, count, and carry on. Where nothing asks a model, only the time is told."""
    turns = min(TURNS, scenario.turns)
    done = await _rehearsed(world, scenario, turns)
    seconds = done.seconds * scenario.turns / max(done.turns, 1)
    if not models_of(scenario):
        return Estimate(scenario.name, scenario.turns, done.turns, [], seconds)
    hub = hub_of(workspace)
    try:
        played = 1 + max((effect.turn for effect, _, _ in done.calls), default=done.turns)
        told = _carried_on(hub.gateway, scenario, done.calls, min(turns, played))
        return structs.replace(told, seconds=seconds)
    finally:
        await hub.aclose()


class _Rehearsal(NamedTuple):
    calls: list[tuple[Effect, Ask, Usage]]
    turns: int
    seconds: float


async def _rehearsed(world: World, scenario: Scenario, turns: int) -> _Rehearsal:
    agents = tuple(
        structs.replace(agent, kind="rule", model="") if agent.kind in ("human", "remote") else agent
        for agent in scenario.agents
    )
    given = with_model(structs.replace(scenario, turns=turns, agents=agents, mcp=()), "house")
    with tempfile.TemporaryDirectory(prefix="windtunnel-rehearsal-") as folder:
        store = SqliteStore(Path(folder) / "rehearsal.sqlite", create=True)
        try:
            begin(store, world, given, RUN)
            begun = time.perf_counter()
            await play_run(store, world, RUN, hub=Hub(environ={"WINDTUNNEL_OFFLINE": "1"}))
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
) -> Estimate:
    """The second half of the rehearsal stands for all turns that follow it."""
    models = {agent.id: agent.model or scenario.model for agent in scenario.agents}
    late = played // 2
    factor = (scenario.turns - late) / max(played - late, 1)
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    prices: dict[str, bool] = {}
    for effect, ask, used in calls:
        name = models.get(effect.actor.split("/")[0], scenario.model)
        weight = factor if effect.turn > late else 1.0
        seen, most = _priced(gateway, structs.replace(ask, model=name), used)
        prices[name] = prices.get(name, True) and seen is not None
        sums: Mapping[str, float] = {
            "calls": 1, "input": used.input, "output": used.output, "seen": seen or 0, "most": most or 0,
        }  # fmt: skip
        for what, amount in sums.items():
            found[name][what] += amount * weight
    return Estimate(
        scenario.name,
        scenario.turns,
        played,
        [_asked(name, sums, prices[name]) for name, sums in found.items()],
    )


def _asked(name: str, sums: Mapping[str, float], priced: bool) -> Asked:
    whole_sums: dict[str, Any] = {what: round(amount) for what, amount in sums.items()}
    if not priced:
        whole_sums |= {"seen": None, "most": None}
    return Asked(name or "default", **whole_sums)


def _priced(gateway: Gateway, ask: Ask, used: Usage) -> tuple[int | None, int | None]:
    """What this call cost as seen, and at most, at the first deployment of its plan."""
    deployment = gateway.first(ask)
    if deployment is None:
        return 0, 0
    rate = gateway.station(deployment).rate
    return (rate.cost(used), gateway.worst_case(ask).money) if rate is not None else (None, None)
