"""The crowd: the 10,000 households of `economy/crowd` decide as one actor, beside as many in Mesa.

Ours is the whole economy with governments, banks, machines and books, judged, journalled and hashed, its
metrics on. Mesa's households live by the same rules in a town (`town.py`) that has no more than they need,
with the DataCollector on, in memory. The agents counted are the households, on both sides.

`sketch_ratio` is the ratio that a bare loop reaches with the same bytes and no kernel, `world_alone` the one
that would be left if kernel and disk took no time at all; `share` says where the time goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bench.measure import Figures, Result, Stopwatch, by_turns, faster, need, scratch, size_of
from bench.playing import play, start
from bench.shares import shares
from bench.sketch import sketch
from windtunnel.scenario import load_scenario
from windtunnel.world import Scenario
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.parameters import NationStart, Parameters

TURNS = 50
PEER_SHARE = 5  # of our turns: so many times fewer in Mesa
ROLE = "households"


def scenario(turns: int, households: int = 0) -> Scenario:
    """`economy/crowd` as it is, for so many turns; a smoke run makes its crowd smaller."""
    whole = load_scenario(Path(world.scenarios) / "crowd.yaml", world)
    found = replace(whole, turns=turns)
    if not households:
        return found
    nations = {
        name: replace(nation, people=households, firms=max(households // 20, 2))
        for name, nation in found.parameters.nations.items()
    }
    agents = [replace(agent, size=households) if agent.role == ROLE else agent for agent in found.agents]
    return replace(found, agents=tuple(agents), parameters=replace(found.parameters, nations=nations))


def population(given: Scenario) -> tuple[int, int]:
    """Households that decide as a crowd, and the firms of their nations."""
    crowds = [agent for agent in given.agents if agent.role == ROLE]
    nations = {agent.settings["nation"] for agent in crowds}
    parameters: Parameters = given.parameters
    firms = sum(parameters.nations.get(name, NationStart()).firms for name in nations)
    return sum(agent.size for agent in crowds), firms


def ours(folder: str, given: Scenario) -> Figures:
    path = Path(folder) / "crowd.sqlite"
    store = start(path, world, given)
    with Stopwatch() as watch:
        row = play(store, world)
    store.close()
    assert row.turn == given.turns, row
    acts = population(given)[0] * given.turns
    return {
        "rate": acts / watch.seconds,
        "cpu": acts / watch.cpu,
        "bytes_per_turn": size_of(path) / given.turns,
    }


def shared(folder: str, given: Scenario) -> Figures:
    return shares(folder, world, given)


def bare(folder: str, given: Scenario) -> Figures:
    return sketch(folder, world, given)


def peer(households: int, firms: int, turns: int, rules: Parameters) -> Figures:
    from bench.town import Town

    model = Town(households, firms, rules)
    with Stopwatch() as watch:
        for _ in range(turns):
            model.step()
    return {"rate": households * turns / watch.seconds, "cpu": households * turns / watch.cpu}


def run(*, smoke: bool = False) -> Result:
    given, repetitions = (scenario(10, households=40), 1) if smoke else (scenario(TURNS), 5)
    households, firms = population(given)
    few = max(given.turns // PEER_SHARE, 2)
    with scratch() as folder:
        trials: dict[str, Any] = {
            "ours": (ours, (str(folder), given)),
            "share": (shared, (str(folder), given)),
            "sketch": (bare, (str(folder), given)),
        }
        if need("mesa", smoke=smoke):
            trials["peer"] = (peer, (households, firms, few, given.parameters))
        found = by_turns(trials, repetitions)
    mine, share = found["ours"], found["share"]
    other: Any = found.get("peer", {"rate": None, "cpu": None})
    more = {
        "cpu_ratio": faster(mine["cpu"], other["cpu"]),
        "turns_per_second": mine["rate"] / households,
        "bytes_per_turn": mine["bytes_per_turn"],
        "sketch_ratio": faster(found["sketch"]["rate"] * households, other["rate"]),
        "share_of_sketch": mine["rate"] / (found["sketch"]["rate"] * households),
        "world_alone": faster(mine["rate"] / share["world"], other["rate"]),
        "share": share,
    }
    return Result(
        "crowd", mine["rate"], other["rate"], "Mesa, DataCollector", faster(mine["rate"], other["rate"]),
        "agents/s", households, more,
        target="at least 20 × (Mesa has no bank, no trade, no books and no journal)",
        what=f"the households of economy/crowd ({households:,} in one actor, {firms:,} firms) live a quarter",
    )  # fmt: skip
