"""A duel that stops when it knows: pairs come one at a time, and one may look after each.

What comes is the share of the points that A took in a pair (the games of one seed, seats swapped). By bets
against claimed means (`betting.py`) a false alarm has a chance of at most alpha, however often one looks,
whenever one stops, and however the shares are spread; all it takes is that the pairs' mean, given those
before, stays the same.

Whoever stops at a good moment sees an estimate that flatters the winner a little; the interval allows for
that.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from windtunnel.chance import Chance
from windtunnel.errors import UsageError
from windtunnel.tournaments.rating.betting import STAKES, log_gains, lower_bound, together, upper_bound
from windtunnel.tournaments.rating.elo import points_of, share_of
from windtunnel.tournaments.rating.games import Floats

EVEN = 0.5
WIDEST = 1000.0  # of margins, in Elo points
FEW = 10  # pairs before a spread of scores is believed
TIGHTEST = 50  # pairs at which the interval of the score difference is made to be tightest

Verdict = Literal["better", "worse", "no difference", "not known"]
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "no difference", "not known")


class Rules(Struct, frozen=True):
    """`margin` in Elo points: a difference below it is not worth the name. `limit` in pairs."""

    alpha: float = 0.05
    margin: float = 25.0
    limit: int = 1000

    @property
    def band(self) -> float:
        """The margin as a share, above and below one half."""
        return share_of(self.margin) - EVEN

    @property
    def refuted_at(self) -> float:
        """The logarithm of the capital that refutes a claim on one of the two sides."""
        return math.log(2.0 / self.alpha)


USUAL = Rules()


class Estimate(Struct, frozen=True):
    """`elo…` is none where a share of 0 or 1 cannot be told from the truth."""

    pairs: int
    share: float
    low: float
    high: float
    elo: float | None
    elo_low: float | None
    elo_high: float | None


class ScoreDifference(Struct, frozen=True):
    """The mean difference of scores, A less B, with an interval that holds at any look as pairs grow many.

    Scores have no bounds, so no interval of their mean can hold from the first pair on. This one is
    asymptotic: it takes that pairs are alike and independent and that their spread is finite, and it is loose
    before pair 50.
    """

    pairs: int
    mean: float
    low: float | None
    high: float | None
    kind: str = "asymptotic, valid at any time"


class Expected(Struct, frozen=True):
    """What simulated duels took. `verdicts` are shares of them; `most` is what nine in ten did not pass."""

    mean: float
    median: float
    most: float
    verdicts: dict[str, float]


def checked(rules: Rules) -> Rules:
    if not (0.0 < rules.alpha < 1.0 and 0.0 <= rules.margin <= WIDEST and rules.limit >= 1):
        raise UsageError(
            f"no duel can be fought by {rules}",
            where="duel",
            remedy=f"alpha lies between 0 and 1, the margin between 0 and {WIDEST:g} Elo points, "
            "and a duel has a pair or more",
        )
    return rules


def _claims(rules: Rules) -> Floats:
    """What is bet against: two that A is at most this good, then two that B is, as B's share."""
    return np.array([EVEN, EVEN - rules.band, EVEN, EVEN - rules.band])


class Duel:
    """The pairs so far, and what they prove."""

    def __init__(self, rules: Rules = USUAL) -> None:
        self.rules = checked(rules)
        self._claims = _claims(rules)
        self._capitals = np.zeros((4, len(STAKES)))
        self._counts: Counter[float] = Counter()
        self._differences: list[float] = []

    @property
    def pairs(self) -> int:
        return self._counts.total()

    def add(self, share: float, difference: float | None = None) -> Verdict | None:
        """Take one pair in: A's share of its points, and A's score less B's. Answers the verdict once there
        is one.
        """
        if not 0.0 <= share <= 1.0:
            raise UsageError(
                f"{share!r} is no share of a pair's points",
                where=f"pair {self.pairs + 1}",
                remedy="give what A took: between 0 and 1",
            )
        if difference is not None and not math.isfinite(difference):
            raise UsageError(f"{difference!r} is no difference of scores", where=f"pair {self.pairs + 1}")
        self._capitals += log_gains(np.array([share, share, 1.0 - share, 1.0 - share]), self._claims)
        self._counts[share] += 1
        if difference is not None:
            self._differences.append(difference)
        return self.verdict()

    def verdict(self) -> Verdict | None:
        """None while more pairs may tell."""
        found = int(_verdicts(together(self._capitals), self.rules))
        if found >= 0:
            return VERDICTS[found]
        return "not known" if self.pairs >= self.rules.limit else None

    def estimate(self) -> Estimate:
        """A's share of the points with its interval, which all looks together miss with a chance of alpha."""
        if not self._counts:
            return Estimate(0, EVEN, 0.0, 1.0, 0.0, None, None)
        share = sum(value * times for value, times in self._counts.items()) / self.pairs
        low, high = (bound(self._counts, self.rules.refuted_at) for bound in (lower_bound, upper_bound))
        return Estimate(self.pairs, share, low, high, points_of(share), points_of(low), points_of(high))

    def score_difference(self) -> ScoreDifference | None:
        """None where no pair came with one."""
        seen = len(self._differences)
        if not seen:
            return None
        mean = math.fsum(self._differences) / seen
        squares = math.fsum((one - mean) ** 2 for one in self._differences)
        if seen < FEW or squares == 0.0:
            return ScoreDifference(seen, mean, None, None)
        half = math.sqrt(squares / (seen - 1)) * _anytime_half(seen, self.rules.alpha)
        return ScoreDifference(seen, mean, mean - half, mean + half)


def _anytime_half(seen: int, alpha: float) -> float:
    """Half an interval for a mean of spread 1 that holds at all times: a normal mixture's boundary."""
    chosen = -2.0 * math.log(alpha)
    tuned = (chosen + math.log(chosen + 1.0)) / TIGHTEST
    grown = seen * tuned + 1.0
    return math.sqrt(2.0 * grown / (seen * seen * tuned) * math.log(math.sqrt(grown) / alpha))


def _verdicts(capitals: Floats, rules: Rules) -> NDArray[np.intp]:
    """Of the four capitals, on the first axis: the number of the verdict, or -1.

    An interval wholly within the margin comes first: a difference may be sure and yet not worth the name.
    """
    proven = capitals >= rules.refuted_at
    within = proven[1] & proven[3] & (rules.margin > 0)
    return np.where(within, 2, np.where(proven[0], 0, np.where(proven[2], 1, -1)))


def play_out(shares: Floats, rules: Rules = USUAL) -> tuple[list[Verdict], NDArray[np.intp]]:
    """Many duels at once, one a row: the verdict of each and the pairs that it took."""
    shares = np.asarray(shares, dtype=np.float64)[:, : checked(rules).limit]
    values, places = np.unique(shares, return_inverse=True)
    places = places.reshape(shares.shape)
    capitals = []
    for number, claim in enumerate(_claims(rules)):
        gains = log_gains(values if number < 2 else 1.0 - values, claim)
        total = np.full(shares.shape, -np.inf)
        for stake in gains.T:
            np.logaddexp(total, np.cumsum(stake[places], axis=1), out=total)
        capitals.append(total - math.log(len(STAKES)))
    found = _verdicts(np.array(capitals), rules)
    ended = (found >= 0).any(axis=1)
    last = np.where(ended, np.argmax(found >= 0, axis=1), shares.shape[1] - 1)
    final = found[np.arange(len(found)), last]
    return [VERDICTS[number] for number in final], last + 1


def expected_pairs(
    elo: float, rules: Rules = USUAL, *, ties: float = 0.0, duels: int = 400, seed: int = 0
) -> Expected:
    """How many pairs a duel takes if A is truly `elo` points better, by playing it out many times.

    A pair is taken to be two independent games of which the given share are ties; luck that swapped seats
    share makes real pairs agree better, and then a duel is shorter.
    """
    share = share_of(elo)
    tied = min(ties, 2.0 * min(share, 1.0 - share))
    luck = Chance("duel", seed).randoms(duels * rules.limit * 2).reshape(duels, rules.limit, 2)
    won = share - tied / 2.0
    points = ((luck < won).astype(np.float64) + (luck < won + tied)) / 2.0
    verdicts, pairs = play_out(points.mean(axis=2), rules)
    seen = Counter(verdicts)
    return Expected(
        float(pairs.mean()),
        float(np.median(pairs)),
        float(np.quantile(pairs, 0.9)),
        {verdict: seen[verdict] / duels for verdict in VERDICTS},
    )
