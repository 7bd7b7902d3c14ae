"""Leagues whose truth is known: strengths are planted, games drawn from them."""

from __future__ import annotations

from windtunnel.chance import Chance
from windtunnel.tournaments.rating.elo import share_of
from windtunnel.tournaments.rating.games import Game


def planted(chance: Chance, players: int, spread: float) -> dict[str, float]:
    """Strengths in Elo points, mean 0, named so that the names tell nothing."""
    drawn = [chance.normal(0.0, spread) for _ in range(players)]
    mean = sum(drawn) / players
    return {f"s{number:02}": points - mean for number, points in enumerate(drawn)}


def league(
    chance: Chance, strengths: dict[str, float], rounds: int, *, shared: float = 0.0, seat: float = 0.0
) -> list[Game]:
    """Everyone meets everyone, with both seats, on one seed a round: a block of two games.

    With a chance of `shared` the luck of a seed is with the same seat in both games.
    """
    games = []
    names = list(strengths)
    for one, first in enumerate(names):
        for second in names[one + 1 :]:
            for played in range(rounds):
                block = f"{first} {second} {played}"
                luck = chance.random()
                other = luck if chance.happens(shared) else chance.random()
                ahead = strengths[first] - strengths[second]
                games += [
                    Game(first, second, float(luck < share_of(ahead + seat)), block),
                    Game(second, first, float(other < share_of(seat - ahead)), block),
                ]
    return games


def won(first: str, second: str, wins: int, losses: int, ties: int = 0) -> list[Game]:
    scores = [1.0] * wins + [0.0] * losses + [0.5] * ties
    return [Game(first, second, score) for score in scores]
