"""Activations: the Boltzmann wealth exchange with journal and metrics on, beside Mesa with its DataCollector.

Mesa keeps the metrics in memory and no journal; ours is on the disk, hashed, resumable and replayable. The
headline is the worse of the two crowds, 1,000 and 10,000 agents; `cases` has all four.
The sketch is the crowd's loop with the same bytes encoded, hashed and stored, and no kernel around it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import wealth
from bench.measure import Figures, Result, Stopwatch, by_turns, faster, need, scratch, size_of
from bench.playing import play, start
from bench.sketch import sketch

SIZES = {1_000: 400, 10_000: 100}  # agents: turns of the crowd
RULES_SHARE = 5  # one by one, so many times fewer turns


def arrays(folder: str, agents: int, turns: int) -> Figures:
    return _played(folder, wealth.crowd_world(), wealth.crowd_scenario(agents, turns), agents, turns)


def rules(folder: str, agents: int, turns: int) -> Figures:
    return _played(folder, wealth.world(), wealth.scenario(agents, turns), agents, turns)


def _played(folder: str, world: Any, scenario: Any, agents: int, turns: int) -> Figures:
    path = Path(folder) / f"{world.name}-{agents}.sqlite"
    store = start(path, world, scenario)
    with Stopwatch() as watch:
        row = play(store, world)
    assert row.turn == turns, row
    store.close()
    done = agents * turns
    return {"rate": done / watch.seconds, "cpu": done / watch.cpu, "bytes_per_turn": size_of(path) / turns}


def peer(agents: int, turns: int) -> Figures:
    model = wealth.mesa_model(agents)
    with Stopwatch() as watch:
        for _ in range(turns):
            model.step()
    return {"rate": agents * turns / watch.seconds, "cpu": agents * turns / watch.cpu}


def run(*, smoke: bool = False) -> Result:
    sizes, repetitions = ({50: 10}, 1) if smoke else (SIZES, 5)
    with_peer = need("mesa", smoke=smoke)
    cases: dict[str, dict[str, Any]] = {}
    with scratch() as folder:
        for agents, turns in sizes.items():
            few = max(turns // RULES_SHARE, 2)
            trials: dict[str, Any] = {
                "arrays": (arrays, (str(folder), agents, turns)),
                "rules": (rules, (str(folder), agents, few)),
            }
            trials["sketch"] = (
                sketch,
                (str(folder), wealth.crowd_world(), wealth.crowd_scenario(agents, turns)),
            )
            if with_peer:
                trials["peer"] = (peer, (agents, few))
            found = by_turns(trials, repetitions)
            other: Any = found.get("peer", {"rate": None, "cpu": None})
            for form in ("arrays", "rules"):
                mine = found[form]
                cases[f"{form}_{agents}"] = {
                    "ours": mine["rate"],
                    "peer": other["rate"],
                    "ratio": faster(mine["rate"], other["rate"]),
                    "cpu_ratio": faster(mine["cpu"], other["cpu"]),
                    "bytes_per_turn": mine["bytes_per_turn"],
                }
            bare = found["sketch"]["acts"]
            cases[f"arrays_{agents}"] |= {"sketch": bare, "sketch_ratio": faster(bare, other["rate"])}
    crowds = [case for name, case in cases.items() if name.startswith("arrays")]
    worst = min(crowds, key=lambda case: case["ratio"] or 0.0)
    ratios = {f"ratio_{name}": case["ratio"] for name, case in cases.items()}
    return Result(
        "activations", worst["ours"], worst["peer"], "Mesa, DataCollector", worst["ratio"],
        "activations/s", max(sizes), {**ratios, "cases": cases},
        target="arrays at least 20 ×, rules at least 0.5 × (Mesa keeps no journal)",
        what="Boltzmann wealth exchange, 1,000 and 10,000 agents, journal and metrics on; the worse crowd",
    )  # fmt: skip
