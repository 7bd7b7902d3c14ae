"""Memory: a run of 100,000 turns holds no more at its end than it did at its beginning.

The resident memory of one process that plays, read after a tenth of the turns and at the end, where growth
that never stops would show. The peer is ours after that tenth. `calls_…` is the same for a run whose agents
make 20,000 calls of a model.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from bench import loop
from bench.measure import Figures, Result, alone, cheaper, scratch
from bench.playing import play, start
from bench.thinking import ANSWER, played, scenario
from windtunnel.testing.provider import Plot, ProviderProcess

MEGABYTE = 1 << 20


def resident() -> float:
    """Megabytes this process holds now (where the system does not say, the most it ever held)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / MEGABYTE if sys.platform == "darwin" else most / 1024
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


class Weighed(loop.Rules):
    """The loop, that reads the memory at some turns."""

    def __init__(self, every: int) -> None:
        self.every, self.readings = every, list[float]()

    def apply(self, state: loop.Many, decided: object, events: object, context: object) -> object:  # type: ignore[override]
        if (state.step + 1) % self.every == 0:
            self.readings.append(resident())
        return super().apply(state, decided, events, context)  # type: ignore[arg-type]


def measured(folder: str, turns: int) -> Figures:
    before = resident()
    engine = Weighed(turns // 20)
    world = loop.world(engine)
    store = start(Path(folder) / "memory.sqlite", world, loop.scenario(turns))
    play(store, world)
    store.close()
    readings = engine.readings
    return {"before": before, "early": max(readings[:2]), "end": max(readings[-2:]), "peak": max(readings)}


def while_asking(folder: str, agents: int, calls: int) -> Figures:
    turns = max(calls // agents, 20)
    engine = Weighed(turns // 20)
    with ProviderProcess(Plot(text=ANSWER)) as provider:
        path = Path(folder) / "asking.sqlite"
        store, _ = played(path, scenario(agents, turns), [provider.openai], engine)
    store.close()
    readings = engine.readings
    return {"calls": turns * agents, "early": max(readings[:2]), "end": max(readings[-2:])}


def run(*, smoke: bool = False) -> Result:
    turns = 100 if smoke else 100_000
    with scratch() as folder:
        found: Figures = alone(measured, str(folder), turns)
        asked: Figures = alone(while_asking, str(folder), *((2, 40) if smoke else (64, 20_000)))
    more = {
        "grown": found["end"] - found["early"],
        "peak": found["peak"],
        "before_the_run": found["before"],
        "calls": asked["calls"],
        "calls_early": asked["early"],
        "calls_end": asked["end"],
        "calls_ratio": cheaper(asked["end"], asked["early"]),
    }
    return Result(
        "memory", found["end"], found["early"], f"ours after {turns // 10:,} turns",
        cheaper(found["end"], found["early"]), "MB", turns, more,
        target="flat: ratio about 1", what=f"resident memory while {turns:,} turns are played",
    )  # fmt: skip
