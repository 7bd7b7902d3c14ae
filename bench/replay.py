"""Replay: the whole run again from its record, beside playing it live: all is compared."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench import loop
from bench.durable_turns import ours
from bench.measure import Figures, Result, Stopwatch, by_turns, faster, scratch
from bench.playing import RUN, play, start
from windtunnel.journal import SqliteStore
from windtunnel.run.replay import replay


def again(folder: str, steps: int) -> Figures:
    path = Path(folder) / "replayed.sqlite"
    if not path.exists():
        store = start(path, loop.world(), loop.scenario(steps))
        play(store, loop.world())
        store.close()
    store = SqliteStore(path)
    with Stopwatch() as watch:
        found = asyncio.run(replay(store, loop.world(), RUN))
    store.close()
    assert found.identical, found
    return {"rate": steps / watch.seconds, "cpu": steps / watch.cpu}


def run(*, smoke: bool = False) -> Result:
    steps, repetitions = (40, 1) if smoke else (2000, 5)
    with scratch() as folder:
        trials = {"ours": (again, (str(folder), steps)), "peer": (ours, (str(folder), steps))}
        found = by_turns(trials, repetitions)
    mine, live = found["ours"], found["peer"]
    return Result(
        "replay", mine["rate"], live["rate"], "ours, played live", faster(mine["rate"], live["rate"]),
        "turns/s", steps, {"cpu_ratio": faster(mine["cpu"], live["cpu"])},
        what="a run played again from its record and compared hash for hash",
    )  # fmt: skip
