"""Elo: a rating that moves with every game. It depends on the order of games, so it is shown and never ranked
by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from windtunnel.tournaments.rating.games import Game, check_game

START = 1500.0
STEP = 32.0  # the most that one game moves a rating, called K
TENFOLD = 400.0  # points that stand for odds of ten to one
POINTS = TENFOLD / math.log(10.0)  # of one logit


class Walk(Struct, frozen=True):
    """`curves` hold a player's rating after each game of its own; `games` the number of that game, from 1."""

    ratings: Mapping[str, float]
    curves: Mapping[str, tuple[float, ...]]
    games: Mapping[str, tuple[int, ...]]


def expected(mine: float, other: float) -> float:
    """The share of the points that a player with `mine` takes from one with `other`."""
    return share_of(mine - other)


def share_of(points: float) -> float:
    """The expected share of whoever is so many Elo points ahead."""
    odds = math.pow(10.0, -min(max(points / TENFOLD, -300.0), 300.0))
    return 1.0 / (1.0 + odds)


def points_of(share: float) -> float | None:
    """The Elo points that a share stands for; none for 0 and 1, which no number of points explains."""
    if not 0.0 < share < 1.0:
        return None
    return TENFOLD * math.log10(share / (1.0 - share))


def updated(first: float, second: float, score: float, *, k: float = STEP) -> tuple[float, float]:
    """Both ratings after a game in which the first took `score`."""
    moved = k * (score - expected(first, second))
    return first + moved, second - moved


def walk(games: Sequence[Game], *, start: float = START, k: float = STEP) -> Walk:
    """The ratings after the games in this order, and each one's way there."""
    ratings: dict[str, float] = {}
    curves: dict[str, list[float]] = {}
    seen: dict[str, list[int]] = {}
    for number, game in enumerate(games, 1):
        check_game(number, game)
        pair = game.first, game.second
        first, second = (ratings.setdefault(name, start) for name in pair)
        for name, after in zip(pair, updated(first, second, game.score, k=k), strict=True):
            ratings[name] = after
            curves.setdefault(name, []).append(after)
            seen.setdefault(name, []).append(number)
    return Walk(
        ratings,
        {name: tuple(curve) for name, curve in curves.items()},
        {name: tuple(numbers) for name, numbers in seen.items()},
    )
