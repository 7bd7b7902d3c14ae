"""How much of the time that a run spends on models is the models' own.

64 agents decide at once, ten turns long, each by a call to a provider whose latencies have a long tail. A
turn cannot be shorter than its slowest chain: the calls one agent made in it, one after the other, failed
ones included. The sum of these over the turns is the ideal, taken from the provider's own log; `ratio` is the
ideal over the time that was needed. `failing` is the same with one of two providers failing every tenth call.
The pauses before a call is made again are ours, and count against us.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from bench.measure import Figures, Result, by_turns, scratch
from bench.thinking import ANSWER, LIMIT, played, scenario
from windtunnel.testing.provider import LongTail, Plot, ProviderProcess

AGENTS, TURNS = 64, 10
MEDIAN = 0.5
FAILING = 0.1


def measured(folder: str, agents: int, turns: int, median: float, failing: float) -> Figures:
    tail = LongTail(median)
    sick = Plot(text=ANSWER, latency=tail, storm={"unavailable": failing} if failing else {})
    with ProviderProcess(sick) as first, ProviderProcess(Plot(text=ANSWER, latency=tail)) as second:
        started = time.perf_counter()
        store, row = played(
            Path(folder) / "efficiency.sqlite", scenario(agents, turns), [first.openai, second.openai]
        )
        needed = time.perf_counter() - started
        assert row.turn == turns, row
        took: dict[str, float] = defaultdict(float)
        for exchange in [*first.log, *second.log]:
            took[exchange.key] += exchange.took
        chains: dict[tuple[int, str], float] = defaultdict(float)
        for effect in store.effects(row.run_id):
            chains[effect.turn, effect.actor] += took.pop(effect.key)
        store.close()
        assert not took, "the provider was asked what the journal does not know"
        asked = first.log.totals.asked + second.log.totals.asked
    slowest: dict[int, float] = defaultdict(float)
    for (turn, _), seconds in chains.items():
        slowest[turn] = max(slowest[turn], seconds)
    return {"needed": needed, "ideal": sum(slowest.values()), "asked": asked}


def run(*, smoke: bool = False) -> Result:
    size, repetitions = ((4, 2, 0.01), 1) if smoke else ((AGENTS, TURNS, MEDIAN), 3)
    with scratch() as folder:
        found = by_turns(
            {
                "well": (measured, (str(folder), *size, 0.0)),
                "failing": (measured, (str(folder), *size, FAILING)),
            },
            repetitions,
        )
    well, failing = found["well"], found["failing"]
    more = {
        "failing": failing["ideal"] / failing["needed"],
        "failing_needed": failing["needed"],
        "failing_ideal": failing["ideal"],
        "failing_calls": failing["asked"],
        "calls": well["asked"],
        "limit": LIMIT,
    }
    return Result(
        "llm-efficiency", well["needed"], well["ideal"], "the slowest chain of each turn",
        well["ideal"] / well["needed"], "s", size[0] * size[1], more,
        target="at least 0.95, also where one provider fails every tenth call",
        what=f"{size[0]} agents that ask a model in each of {size[1]} turns",
    )  # fmt: skip
