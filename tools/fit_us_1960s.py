"""Fit `economy/us_1960s` to the United States of 1960 to 1969, by simulated moments.

    .venv/bin/python tools/fit_us_1960s.py [--generations 12] [--population 24] [--seeds 6] [--check]

The distance is the sum of squared gaps between the mean moments over seeds and those of the data, each gap in
units of how far the moment itself is known (its deviation under a block bootstrap of the data: Franke and
Westerhoff, Journal of Economic Dynamics and Control 36, 2012). It is made small by the cross-entropy method:
draw parameters, keep the best quarter, draw around them. Chance is keyed: the same call ends in the same fit.

It prints the parameters as they belong in the scenario, and writes the moments with their intervals over 40
seeds to the world's calibration folder. `--check` only does the latter, for the scenario as it stands.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import windtunnel as wt
from windtunnel.chance import Chance
from windtunnel.worlds.economy.calibration import moments as m

SCENARIO, NATION, SKIP = "economy/us_1960s", "us", 40
FIRST, LAST = "1959Q1", "1969Q4"
BEST = Path(m.__file__).with_name("us_1960s.json")
INTERVAL_SEEDS = 40
BLOCK, RESAMPLES = 8, 400

SEARCHED: dict[str, tuple[float, float]] = {  # the range a parameter may lie in
    "growth": (0.006, 0.012),
    "productivity_noise": (0.001, 0.012),
    "demand_noise": (0.002, 0.03),
    "spend_income": (0.5, 0.85),
    "stock_target": (0.1, 0.6),
    "investment_speed": (0.02, 0.12),
    "wage_raise": (0.005, 0.05),
    "wage_slack": (0.001, 0.01),
    "price_pressure": (0.05, 0.6),
    "separation": (0.03, 0.12),
    "inflation_target": (0.003, 0.009),
    "neutral_rate": (0.001, 0.008),
}
COLUMNS = ("gdp", "consumption", "investment", "inflation", "unemployment", "rate")


def played(parameters: dict[str, float], seed: int) -> dict[str, float]:
    """The moments of one run of the scenario, the first quarters left out."""
    with tempfile.TemporaryDirectory() as folder:
        run = wt.run(SCENARIO, seed=seed, store=f"{folder}/fit.sqlite", set=parameters)
        metrics = run.metrics
    columns = {name: [float(value) for value in metrics.series(name, NATION).values] for name in COLUMNS}
    return m.moments(m.simulated(columns).part(SKIP))


def bootstrap(data: m.Quarters) -> dict[str, float]:
    """How far each moment of the data is known: its deviation over resampled blocks of growth and levels."""
    chance, count = Chance("bootstrap", FIRST, LAST), data.gdp.size
    found: dict[str, list[float]] = {}
    steps = {
        name: np.diff(np.log(getattr(data, name))) for name in ("gdp", "consumption", "investment", "prices")
    }
    for _ in range(RESAMPLES):
        begins = chance.integers(count - BLOCK, -(-count // BLOCK))
        order = np.concatenate([np.arange(b, b + BLOCK) for b in begins])[:count]
        levels = {name: np.exp(np.cumsum(step[np.minimum(order, count - 2)])) for name, step in steps.items()}
        drawn = m.Quarters(rate=data.rate[order], unemployment=data.unemployment[order], **levels)
        for name, value in m.moments(drawn).items():
            found.setdefault(name, []).append(value)
    return {name: max(float(np.std(values)), 0.02) for name, values in found.items()}


def distance(
    parameters: dict[str, float], seeds: int, data: dict[str, float], known: dict[str, float]
) -> float:
    try:
        runs = [played(parameters, seed) for seed in range(1, seeds + 1)]
    except wt.WindtunnelError:
        return float("inf")
    gaps = [(float(np.mean([run[name] for run in runs])) - data[name]) / known[name] for name in data]
    return sum(gap * gap for gap in gaps)


def fit(generations: int, population: int, seeds: int, workers: ProcessPoolExecutor) -> dict[str, float]:
    quarters = m.recorded(FIRST, LAST)
    data, known = m.moments(quarters), bootstrap(quarters)
    low, high = (np.array([ends[i] for ends in SEARCHED.values()]) for i in (0, 1))
    centre, spread = (low + high) / 2.0, (high - low) / 3.0
    best: tuple[float, Any] = (float("inf"), centre)
    for generation in range(generations):
        chance = Chance("fit", generation)
        drawn = [
            np.clip(centre + spread * chance.normals(low.size), low, high) for _ in range(population - 1)
        ]
        drawn.append(best[1])
        calls = [workers.submit(distance, named(one), seeds, data, known) for one in drawn]
        scored = sorted(((call.result(), i) for i, call in enumerate(calls)), key=lambda pair: pair[0])
        elite = np.array([drawn[i] for _, i in scored[: max(population // 4, 2)]])
        best = min(best, (scored[0][0], drawn[scored[0][1]]), key=lambda pair: pair[0])
        centre, spread = elite.mean(axis=0), 0.7 * elite.std(axis=0) + 0.15 * spread
        print(f"generation {generation + 1} of {generations}: distance {best[0]:.2f}", flush=True)
    return named(best[1])


def named(values: Any) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in zip(SEARCHED, values, strict=True)}


def intervals(parameters: dict[str, float], workers: ProcessPoolExecutor) -> dict[str, Any]:
    """The moments beside the data's: mean, and what lies between the fifth and the ninety-fifth per cent."""
    data = m.moments(m.recorded(FIRST, LAST))
    runs = list(workers.map(played, [parameters] * INTERVAL_SEEDS, range(1, INTERVAL_SEEDS + 1)))
    found = {}
    for name in data:
        values = np.array([run[name] for run in runs])
        low, high = np.quantile(values, [0.05, 0.95])
        figures = {
            "data": data[name],
            "mean": values.mean(),
            "low": low,
            "high": high,
            "first_seed": runs[0][name],
        }
        found[name] = {key: float(f"{value:.6g}") for key, value in figures.items()}
    return {
        "first": FIRST,
        "last": LAST,
        "skip": SKIP,
        "nation": NATION,
        "seeds": INTERVAL_SEEDS,
        "moments": found,
    }


def main() -> None:
    reader = argparse.ArgumentParser(description="Fit economy/us_1960s to the data.")
    reader.add_argument("--generations", type=int, default=12)
    reader.add_argument("--population", type=int, default=24)
    reader.add_argument("--seeds", type=int, default=6)
    reader.add_argument(
        "--check", action="store_true", help="only the intervals, of the scenario as it stands"
    )
    given = reader.parse_args()
    with ProcessPoolExecutor(2) as workers:
        chosen = {} if given.check else fit(given.generations, given.population, given.seeds, workers)
        for name, value in chosen.items():
            print(f"  {name}: {value:g}")
        BEST.write_text(json.dumps(intervals(chosen, workers), indent=1) + "\n")


if __name__ == "__main__":
    main()
