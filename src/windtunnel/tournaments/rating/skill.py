"""Skill in matches of many seats: openskill's Plackett-Luce, in order of play.

For two players a Bradley-Terry fit is better: it uses all games at once, and comes with intervals of how it
was sampled. This is for free-for-alls and teams, where there is no pair to count. TrueSkill's update of two
players is here too, in closed form, for those who compare with figures made by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from statistics import NormalDist
from typing import Any

from msgspec import Struct

from windtunnel.errors import UsageError

MEAN = 25.0
DEVIATION = MEAN / 3.0
SURE = 3.0  # deviations below the mean: a skill that is nearly surely reached


class Match(Struct, frozen=True):
    """`places` say which team came first (1), second, …; equal places are a tie. A player alone is a team of
    one.
    """

    teams: tuple[tuple[str, ...], ...]
    places: tuple[float, ...]


class Skill(Struct, frozen=True):
    """`sure` is the mean less three deviations, by which careful tables rank."""

    player: str
    mean: float
    deviation: float
    sure: float
    matches: int


def skills(matches: Sequence[Match]) -> tuple[Skill, ...]:
    """Everyone's skill after the matches in this order, the surest first."""
    from openskill.models import PlackettLuce  # noqa: PLC0415 - loaded when rated, since it takes a while

    model = PlackettLuce()
    known: dict[str, Any] = {}
    played: dict[str, int] = {}
    for number, match in enumerate(matches, 1):
        _check(number, match)
        teams = [[known.get(name) or model.rating(name=name) for name in team] for team in match.teams]
        for name, rating in zip(
            chain.from_iterable(match.teams),
            chain.from_iterable(model.rate(teams, ranks=list(match.places))),
            strict=True,
        ):
            known[name] = rating
            played[name] = played.get(name, 0) + 1
    found = [
        Skill(name, rating.mu, rating.sigma, rating.mu - SURE * rating.sigma, played[name])
        for name, rating in known.items()
    ]
    return tuple(sorted(found, key=lambda skill: (-skill.sure, skill.player)))


def _check(number: int, match: Match) -> None:
    where = f"match {number}"
    names = list(chain.from_iterable(match.teams))
    if len(match.teams) < 2 or not all(match.teams):
        raise UsageError("a match has two teams or more, none of them empty", where=where)
    if len(match.places) != len(match.teams) or not all(math.isfinite(place) for place in match.places):
        raise UsageError(
            f"{len(match.teams)} teams, {len(match.places)} places",
            where=where,
            remedy="give each team its place, 1 for the first",
        )
    if len(set(names)) != len(names):
        raise UsageError(
            "a player sits twice in one match", where=where, remedy="give each copy a name of its own"
        )


def trueskill_pair(
    winner: tuple[float, float],
    loser: tuple[float, float],
    *,
    ties: float = 0.1,
    drift: float = DEVIATION / 100.0,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both (mean, deviation) after one decisive game, by TrueSkill's rule for two.

    `ties` is the share of ties that equals would have, `drift` what is forgotten before each game.
    """
    bell, beta = NormalDist(), DEVIATION / 2.0
    variances = [deviation**2 + drift**2 for _, deviation in (winner, loser)]
    spread = math.sqrt(2.0 * beta**2 + sum(variances))
    margin = bell.inv_cdf((1.0 + ties) / 2.0) * math.sqrt(2.0) * beta
    lead = (winner[0] - loser[0] - margin) / spread
    shift = bell.pdf(lead) / bell.cdf(lead)
    shrink = shift * (shift + lead)
    up, down = (
        (
            mean + sign * variance / spread * shift,
            math.sqrt(variance * (1.0 - variance / spread**2 * shrink)),
        )
        for (mean, _), variance, sign in zip((winner, loser), variances, (1.0, -1.0), strict=True)
    )
    return up, down
