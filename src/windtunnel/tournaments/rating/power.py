"""How much a number of games can tell: intervals of shares, and the games that a difference takes.

All of it counts decisive games (ties tell nothing of who is better) that are independent of each other.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from msgspec import Struct

from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.elo import points_of, share_of

LEVEL = 0.95
POWER = 0.8
EVEN_ODDS = 0.5
HALF = 0.5  # the share of equals, and the largest spread that the score of a game can have


class Interval(Struct, frozen=True):
    low: float
    high: float


def wilson(points: float, games: int, *, level: float = LEVEL) -> Interval:
    """Wilson's interval of a share: 7 of 10 → [0.397, 0.892]. A tie counts as half a point."""
    if games < 1 or not 0.0 <= points <= games:
        raise UsageError(
            f"{points!r} points of {games} games is no share",
            where="interval",
            remedy="give at least one game, and between 0 and as many points",
        )
    z = quantile(level)
    share, whole = points / games, 1.0 + z * z / games
    middle = (share + z * z / (2.0 * games)) / whole
    half = z / whole * math.sqrt(share * (1.0 - share) / games + z * z / (4.0 * games * games))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def games_to_tell(elo: float, *, power: float = POWER, level: float = LEVEL) -> int:
    """About how many decisive games tell players `elo` points apart: 50 takes 382, and 184 for even odds of
    it.

    To tell means that the plain interval around the share, ± z·√(p(1 − p)/n), leaves one half out. The chance
    of that is reckoned with the largest spread of a score, so that it is a little better in truth.
    """
    beyond = share_of(abs(elo)) - HALF
    if beyond <= 0.0:
        raise UsageError(
            "no number of games tells equals apart", where="elo", remedy="ask for a difference above 0"
        )
    fewest, most = 0.0, 1.0
    while seen_beyond(most, power=power, level=level) > beyond:
        most *= 2.0
    for _ in range(100):
        middle = (fewest + most) / 2.0
        if seen_beyond(middle, power=power, level=level) > beyond:
            fewest = middle
        else:
            most = middle
    return max(1, round(most))


def difference_told(games: int, *, power: float = POWER, level: float = LEVEL) -> float | None:
    """The Elo difference that so many decisive games tell; none where even a sure winner is not told."""
    if games < 1:
        return None
    return points_of(HALF + seen_beyond(games, power=power, level=level))


def seen_beyond(games: float, *, power: float, level: float) -> float:
    """How far above one half the true share must lie to be told by so many games."""
    if not (0.0 < power < 1.0 and 0.0 < level < 1.0):
        raise UsageError(
            "a power and a level lie between 0 and 1", where="power", remedy="0.8 and 0.95 are usual"
        )
    if games <= 0:
        return math.inf
    z = quantile(level)
    least = HALF * z / math.sqrt(games + z * z)  # the least lead whose interval leaves one half out
    return least + HALF * NormalDist().inv_cdf(power) / math.sqrt(games)


def sentence(elo: float, *, power: float = POWER, level: float = LEVEL, ties: float = 0.0) -> str:
    """What a difference takes, for people. `ties` is the share of games that end in a tie."""
    if not 0.0 <= ties < 1.0:
        raise UsageError(
            "the share of ties lies between 0 and 1", where="ties", remedy="0 where there are none"
        )
    need = games_to_tell(elo, power=power, level=level)
    even = games_to_tell(elo, power=EVEN_ODDS, level=level)
    said = (
        f"Telling {abs(elo):g} Elo apart at {level:.0%} takes about {need} decisive games "
        f"for {power:.0%} odds of seeing it, {even} for even odds"
    )
    if ties:
        more, fewer = (math.ceil(count / (1.0 - ties)) for count in (need, even))
        said += f"; with {ties:.0%} ties, {more} games and {fewer}"
    return said + "."


def quantile(level: float) -> float:
    """How many standard deviations hold so much of a bell curve, on both sides."""
    return NormalDist().inv_cdf(HALF + level / 2.0)
