"""The economy: turns a second with 4 nations of 1,000 households, and what more nations and people cost.

Growth is held against itself: `times_linear` is the time of a turn over what it would be if it grew with the
number of households, `exponent` the power of growth that it shows. The headline is the worse of two growths,
as households a second: at most linear means that these do not fall. Partners see each other, so the cost of a
nation has a part that grows with their number.

`share` says how much of the wall is the world's own code, and how much the kernel's.
"""

from __future__ import annotations

import math
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.measure import Figures, Result, Stopwatch, by_turns, faster, scratch
from bench.playing import play, start
from bench.shares import shares
from windtunnel.world import AgentSpec, Scenario
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.parameters import NationStart, Parameters

NATIONS, HOUSEHOLDS = 4, 1_000
SIZES = {(NATIONS, HOUSEHOLDS): 100, (16, HOUSEHOLDS): 50, (NATIONS, 10_000): 50}  # turns
SMOKE = {(2, 20): 4, (4, 20): 4, (2, 40): 4}
A_FIRM = NationStart().people // NationStart().firms  # households for each firm


def scenario(nations: int, households: int, turns: int) -> Scenario:
    """Nations alike, governed by all the policies there are."""
    names = [f"land-{number:02d}" for number in range(nations)]
    policies = cycle(world.roles["government"].policies)
    nation = NationStart(people=households, firms=max(households // A_FIRM, 2))
    return Scenario(
        "economy", f"bench-{nations}-{households}", turns=turns,
        agents=tuple(AgentSpec(name, "government", policy=next(policies)) for name in names),
        parameters=Parameters(nations=dict.fromkeys(names, nation)),
    )  # fmt: skip


def played(folder: str, nations: int, households: int, turns: int) -> Figures:
    store = start(Path(folder) / "economy.sqlite", world, scenario(nations, households, turns))
    with Stopwatch() as watch:
        row = play(store, world)
    store.close()
    assert row.turn == turns, row
    return {"rate": turns / watch.seconds, "cpu": turns / watch.cpu}


def shared(folder: str, nations: int, households: int, turns: int) -> Figures:
    return shares(folder, world, scenario(nations, households, turns))


def growth(few: float, many: float, times: float) -> Figures:
    """From turns a second of a small economy, and of one so many times as large."""
    longer = few / many
    return {"times_linear": longer / times, "exponent": math.log(longer) / math.log(times)}


def run(*, smoke: bool = False) -> Result:
    sizes, repetitions = (SMOKE, 1) if smoke else (SIZES, 5)
    with scratch() as folder:
        trials: dict[str, Any] = {}
        for (nations, households), turns in sizes.items():
            name = f"{nations}x{households}"
            trials[name] = (played, (str(folder), nations, households, turns))
            trials[f"share {name}"] = (shared, (str(folder), nations, households, turns))
        found = by_turns(trials, repetitions)
    return result(found, list(sizes))


def result(found: dict[str, Figures], sizes: list[tuple[int, int]]) -> Result:
    small = sizes[0]
    rates = {size: found[f"{size[0]}x{size[1]}"]["rate"] for size in sizes}
    grown = {
        size: growth(rates[small], rates[size], math.prod(size) / math.prod(small)) for size in sizes[1:]
    }
    worst = max(grown, key=lambda size: grown[size]["times_linear"])
    ours, peer = rates[worst] * math.prod(worst), rates[small] * math.prod(small)
    more = {
        "turns_per_second": {words(size): rate for size, rate in rates.items()},
        "growth": {words(size): figures for size, figures in grown.items()},
        "share": {words(size): found[f"share {size[0]}x{size[1]}"] for size in sizes},
    }
    return Result(
        "economy", ours, peer, f"ours, {words(small)}", faster(ours, peer),
        "households/s", math.prod(worst), more,
        target="at most linear (ratio 1 or more)",
        what=f"{words(worst)} households, the worse of two growths from {words(small)}",
    )  # fmt: skip


def words(size: tuple[int, int]) -> str:
    return f"{size[0]} nations of {size[1]:,}"
