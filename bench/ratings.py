"""Ratings: a league of 64 strategies fitted by Bradley-Terry, with intervals from 1,000 resamples.

Ours is the whole table: resampled fits, the error of each of them (the intervals are studentised), intervals
of all 2,016 differences, and ranks as ranges. The peers do less: resampled fits, and percentiles of the
ratings. Of evalica there are two forms, its own `bootstrap` and its fit called once for each resample's
weights; of choix its fastest fit, on a tenth of the resamples and counted tenfold. The headline is beside the
fastest of the three. `apart` is how far the peer's ratings lie from ours, in Elo points.
"""

from __future__ import annotations

from typing import Any

from bench.measure import Figures, Result, Stopwatch, by_turns, cheaper, need
from windtunnel.chance import Chance
from windtunnel.tournaments.rating.elo import POINTS, share_of
from windtunnel.tournaments.rating.games import Game

STRATEGIES = 64
RESAMPLES = 1000
SPREAD = 150.0  # of the strategies, in Elo points
TIES = 0.1
CHOIX_SHARE = 10  # of the resamples: so many times fewer for choix
PERCENTILES = (0.025, 0.975)

League = list[tuple[int, int, float]]


def league(strategies: int) -> League:
    """Everyone meets everyone once; some of it ties."""
    chance = Chance("bench", "ratings", strategies)
    strengths = [chance.normal(0.0, SPREAD) for _ in range(strategies)]
    games = []
    for first in range(strategies):
        for second in range(first):
            won = chance.happens(share_of(strengths[first] - strengths[second]))
            games.append((first, second, 0.5 if chance.happens(TIES) else float(won)))
    return games


def ours(played: League, strategies: int, resamples: int) -> Figures:
    from windtunnel.tournaments.rating.bradley_terry import rate

    games = [Game(f"{first:03}", f"{second:03}", score) for first, second, score in played]
    with Stopwatch() as watch:
        table = rate(games, resamples=resamples)
    assert len(table.differences) == strategies * (strategies - 1) // 2
    return {
        "seconds": watch.seconds,
        "cpu": watch.cpu,
        **ratings({r.player: r.rating for r in table.ratings}),
    }


def evalica_bootstrap(played: League, strategies: int, resamples: int) -> Figures:
    import evalica

    xs, ys, winners = as_evalica(played)
    with Stopwatch() as watch:
        found = evalica.bootstrap(
            evalica.bradley_terry, xs, ys, winners,
            n_resamples=resamples, bootstrap_method="percentile", random_state=1,
        )  # fmt: skip
    return {"seconds": watch.seconds, "cpu": watch.cpu, **in_points(found.result.scores)}


def evalica_weights(played: League, strategies: int, resamples: int) -> Figures:
    import evalica
    import numpy as np

    xs, ys, winners = as_evalica(played)
    with Stopwatch() as watch:
        point = evalica.bradley_terry(xs, ys, winners)
        luck = np.random.default_rng(1)
        weights = luck.multinomial(len(xs), np.full(len(xs), 1.0 / len(xs)), size=resamples).astype(float)
        fits = [
            evalica.bradley_terry(xs, ys, winners, index=point.index, weights=row).scores for row in weights
        ]
        np.quantile(np.array(fits), PERCENTILES, axis=0)
    return {"seconds": watch.seconds, "cpu": watch.cpu, **in_points(point.scores)}


def as_evalica(played: League) -> tuple[list[str], list[str], list[Any]]:
    from evalica import Winner

    winner = {1.0: Winner.X, 0.0: Winner.Y, 0.5: Winner.Draw}
    xs = [f"{first:03}" for first, _, _ in played]
    ys = [f"{second:03}" for _, second, _ in played]
    return xs, ys, [winner[score] for _, _, score in played]


def in_points(scores: Any) -> Figures:
    """Its scores are odds, by name."""
    import numpy as np

    return ratings({str(name): POINTS * float(np.log(score)) for name, score in scores.items()})


def choix_dense(played: League, strategies: int, resamples: int) -> Figures:
    import choix
    import numpy as np

    few = max(resamples // CHOIX_SHARE, 2)
    first, second, score = (np.array(column) for column in zip(*played, strict=True))
    with Stopwatch() as watch:
        luck = np.random.default_rng(1)
        weights = luck.multinomial(len(played), np.full(len(played), 1.0 / len(played)), size=few)
        fits = []
        for row in [np.ones(len(played)), *weights]:
            wins = np.zeros((strategies, strategies))
            wins[first, second] += row * score
            wins[second, first] += row * (1.0 - score)
            fits.append(choix.ilsr_pairwise_dense(wins, alpha=1e-6))
        np.quantile(np.array(fits[1:]), PERCENTILES, axis=0)
    times = resamples / few
    point = {f"{number:03}": POINTS * float(logit) for number, logit in enumerate(fits[0])}
    return {"seconds": watch.seconds * times, "cpu": watch.cpu * times, **ratings(point)}


def ratings(points: dict[str, float]) -> Figures:
    """By name, with mean 0, so that contenders can be compared."""
    mean = sum(points.values()) / len(points)
    return {f"rating {name}": value - mean for name, value in points.items()}


def apart(one: Figures, other: Figures) -> float:
    return max(abs(one[name] - other[name]) for name in one if name.startswith("rating "))


def run(*, smoke: bool = False) -> Result:
    strategies, resamples, repetitions = (8, 40, 1) if smoke else (STRATEGIES, RESAMPLES, 5)
    given = league(strategies), strategies, resamples
    trials: dict[str, Any] = {"ours": (ours, given)}
    if need("evalica", smoke=smoke):
        trials |= {"evalica bootstrap": (evalica_bootstrap, given), "evalica": (evalica_weights, given)}
    if need("choix", smoke=smoke):
        trials["choix"] = (choix_dense, given)
    found = by_turns(trials, repetitions)
    mine = found.pop("ours")
    peers = {name: figures["seconds"] for name, figures in found.items()}
    best = min(peers, key=lambda name: peers[name], default=None)
    more = {
        "cpu_ratio": cheaper(mine["cpu"], found[best]["cpu"]) if best else None,
        "seconds": {name.replace(" ", "_"): figures["seconds"] for name, figures in found.items()},
        "apart": {name.replace(" ", "_"): apart(mine, figures) for name, figures in found.items()},
    }
    other = peers[best] if best else None
    return Result(
        "ratings", mine["seconds"], other, best or "evalica, choix", cheaper(mine["seconds"], other),
        "s", resamples, more,
        target="at least 0.67 × the faster of evalica and choix",
        what=f"a fit of {strategies} strategies and {len(given[0]):,} matches, with its intervals",
    )  # fmt: skip
