"""Ratings by Bradley and Terry: the strengths under which the results seen are likeliest, and how sure.

They are on Elo's scale with mean 0 and do not depend on the order of games. A tie is half a win for each.

Intervals come from resampling blocks of games. They are studentised and symmetric: each resample's distance
from the estimate is measured in standard errors of its own, and that which a share `level` of resamples does
not pass, but never less than a bell curve's, is laid off on both sides. Plain percentiles run from 91 to 94%
where 95% is asked for, since a resample's strengths are drawn apart by the same bias once more, and few
blocks spread too little.

Ranks are ranges. A player may stand anywhere between those surely better and those surely worse, and "surely"
is held for all pairs together: the largest of all distances is what resamples are asked for. So where all are
equal the chance that any two are told apart at all is about 1 − `level`, however many players there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.elo import POINTS
from windtunnel.tournaments.rating.fitting import Fits, Model, groups
from windtunnel.tournaments.rating.games import Floats, Game, Table, Whole, tabulate
from windtunnel.tournaments.rating.resampling import distances, joint_reach, reaches

RESAMPLES = 1000
LEVEL = 0.95


class Strengths(Struct, frozen=True):
    """Elo points by player. `bounded` says whether the results alone set them all.

    They do not where one of `groups` never lost a point to another, or never met it: then a weak prior (one
    imaginary drawn game of each against a player of mean strength) holds them, and only distances within a
    group are what the results say. `seat` is what the first seat is worth.
    """

    ratings: dict[str, float]
    seat: float | None
    bounded: bool
    groups: tuple[tuple[str, ...], ...]


class Rating(Struct, frozen=True):
    """`low` and `high` are the interval of this rating alone, `best` and `worst` its possible ranks."""

    player: str
    rating: float
    low: float
    high: float
    error: float
    best: int
    worst: int
    games: int
    points: float


class Difference(Struct, frozen=True):
    """How far `first` is ahead of `second`: `low` to `high` for this pair alone, `joint_…` for all pairs
    together.

    `apart` says whether the joint interval leaves 0 out, which is what ranks go by.
    """

    first: str
    second: str
    points: float
    low: float
    high: float
    joint_low: float
    joint_high: float
    apart: bool


class Seat(Struct, frozen=True):
    """What the first seat is worth, in Elo points."""

    points: float
    low: float
    high: float


class Ratings(Struct, frozen=True):
    """The table, the strongest first. `held` counts the resamples that needed the prior."""

    ratings: tuple[Rating, ...]
    differences: tuple[Difference, ...]
    seat: Seat | None
    bounded: bool
    groups: tuple[tuple[str, ...], ...]
    games: int
    blocks: int
    resamples: int
    held: int
    level: float

    def difference(self, first: str, second: str) -> Difference:
        for found in self.differences:
            if (found.first, found.second) == (first, second):
                return found
            if (found.first, found.second) == (second, first):
                return _turned(found)
        raise UsageError(
            f"no two players {first!r} and {second!r}",
            where="ratings",
            remedy=f"there are: {', '.join(one.player for one in self.ratings)}",
        )


def strengths(games: Sequence[Game], *, players: Collection[str] = (), seats: bool = False) -> Strengths:
    """The likeliest ratings, without intervals. `seats` reckons what sitting first is worth, and takes it
    out.
    """
    table = tabulate(games, players=players, seats=seats)
    model = Model(table, seats=seats)
    ones = np.ones((1, table.blocks))
    fits = model.fit(ones)
    points = fits.logits[0] * POINTS
    return Strengths(
        dict(zip(table.players, points.tolist(), strict=False)),
        float(points[-1]) if seats else None,
        not fits.needed_prior[0],
        _named_groups(model, ones),
    )


def rate(
    games: Sequence[Game],
    *,
    players: Collection[str] = (),
    seats: bool = False,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ratings:
    """The table with intervals: the same for the same games and seed, in whatever order the games come."""
    if not 0.0 < level < 1.0 or resamples < 1:
        raise UsageError(
            "a level lies between 0 and 1, and there is at least one resample",
            where="ratings",
            remedy="0.95 and 1000 are usual",
        )
    table = tabulate(games, players=players, seats=seats)
    model = Model(table, seats=seats)
    ones = np.ones((1, table.blocks))
    fits = model.fit(ones)
    one, two = (side.astype(np.intp) for side in np.triu_indices(len(table.players), 1))
    seen = distances(model, fits, one, two, resamples=resamples, seed=seed)
    bounded = not fits.needed_prior[0]
    halves = reaches(seen.alone, level) * fits.errors()[0] * POINTS
    joint = joint_reach(seen.between, level, bounded=bool(bounded))
    pairs = _differences(table, fits, (one, two), reaches(seen.between, level), joint)
    return Ratings(
        _ranked(table, fits, halves, pairs),
        pairs,
        _seat(fits, halves) if seats else None,
        bool(bounded),
        _named_groups(model, ones),
        table.games,
        table.blocks,
        resamples,
        seen.held,
        level,
    )


def _differences(
    table: Table, fits: Fits, sides: tuple[Whole, Whole], each: Floats, joint: float
) -> tuple[Difference, ...]:
    one, two = sides
    points = (fits.logits[0, one] - fits.logits[0, two]) * POINTS
    errors = fits.errors_between(one, two)[0] * POINTS
    lows, highs = points - each * errors, points + each * errors
    joint_lows, joint_highs = points - joint * errors, points + joint * errors
    apart = (joint_lows > 0.0) | (joint_highs < 0.0)
    columns = (points, lows, highs, joint_lows, joint_highs, apart)
    return tuple(
        Difference(table.players[first], table.players[second], *values)
        for first, second, *values in zip(
            one.tolist(), two.tolist(), *(column.tolist() for column in columns), strict=True
        )
    )


def _turned(found: Difference) -> Difference:
    return Difference(
        found.second,
        found.first,
        -found.points,
        -found.high,
        -found.low,
        -found.joint_high,
        -found.joint_low,
        found.apart,
    )


def _ranked(table: Table, fits: Fits, halves: Floats, pairs: tuple[Difference, ...]) -> tuple[Rating, ...]:
    above, below = dict.fromkeys(table.players, 0), dict.fromkeys(table.players, 0)
    for pair in pairs:
        if pair.apart:
            winner, loser = (pair.first, pair.second) if pair.points > 0 else (pair.second, pair.first)
            below[winner] += 1
            above[loser] += 1
    games, points = _scored(table)
    ratings = (fits.logits[0] * POINTS).tolist()
    errors = (fits.errors()[0] * POINTS).tolist()
    found = [
        Rating(
            name,
            ratings[number],
            ratings[number] - float(halves[number]),
            ratings[number] + float(halves[number]),
            errors[number],
            1 + above[name],
            len(table.players) - below[name],
            int(games[number]),
            float(points[number]),
        )
        for number, name in enumerate(table.players)
    ]
    return tuple(sorted(found, key=lambda rating: (-rating.rating, rating.player)))


def _scored(table: Table) -> tuple[Floats, Floats]:
    """Games and points of each player."""
    games, points = np.zeros(len(table.players)), np.zeros(len(table.players))
    one, two = table.one[table.pair], table.two[table.pair]
    played, taken = table.ahead + table.behind, table.points_ahead + table.points_behind
    for side, share in ((one, taken), (two, played - taken)):
        np.add.at(games, side, played)
        np.add.at(points, side, share)
    return games, points


def _seat(fits: Fits, halves: Floats) -> Seat:
    points = float(fits.logits[0, -1]) * POINTS
    return Seat(points, points - float(halves[-1]), points + float(halves[-1]))


def _named_groups(model: Model, ones: Floats) -> tuple[tuple[str, ...], ...]:
    names = model.table.players
    return tuple(
        tuple(names[player] for player in group) for group in groups(model.wins(model.counts(ones))[0])
    )
