"""Two entrants, pair after pair until it is known which is better: what a duel asks for, and what it answers.

A pair is all that one draw of luck decides: the same seed with the seats swapped, or with each of the two in
the same seat by itself. A duel is a tournament of two without a last round, and with a rule that ends it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from windtunnel.tournaments.draw import Comparison, comparisons
from windtunnel.tournaments.model import Field, Match, Outcome
from windtunnel.tournaments.rating.sequential import Duel, Estimate, Rules, ScoreDifference, Verdict, play_out

BATCH = 8  # pairs of a round: played at the same time, looked at one after the other


class Pair(Struct, frozen=True, array_like=True):
    """The share of the points that the first took, and its score less the other's."""

    share: float
    difference: float | None = None


class Answer(Struct, frozen=True, omit_defaults=True):
    """What a duel found out, in numbers and in one sentence."""

    verdict: Verdict
    first: str
    second: str
    sentence: str
    estimate: Estimate
    rules: Rules
    pairs: int
    matches: int
    cost: int
    score: ScoreDifference | None = None


def pairs_of(first: str, compared: Iterable[Comparison]) -> list[Pair]:
    """The comparisons by their luck, in the order in which it was drawn, as `first` sees them."""
    blocks: dict[str, list[Comparison]] = {}
    for one in compared:
        blocks.setdefault(one.block, []).append(one)
    return [_pair(first, block) for block in blocks.values()]


def _pair(first: str, block: Sequence[Comparison]) -> Pair:
    shares = [points for one in block for name, points in one.results if name == first]
    differences = []
    for one in block:
        scores = dict(zip((name for name, _ in one.results), one.scores, strict=True))
        mine = scores.pop(first, None)
        (theirs,) = scores.values()
        if mine is not None and theirs is not None:
            differences.append(mine - theirs)
    mean = math.fsum(differences) / len(differences) if differences else None
    return Pair(math.fsum(shares) / len(shares), mean)


def known(rules: Rules, pairs: Sequence[Pair]) -> Verdict | None:
    """The verdict, once there is one: as it would have been told pair by pair."""
    if not pairs:
        return None
    (verdict,), _ = play_out(np.array([[pair.share for pair in pairs]]), rules)
    return None if verdict == "not known" and len(pairs) < rules.limit else verdict


def answer(field: Field, results: Sequence[tuple[Match, Outcome]]) -> Answer:
    """All pairs count, also those of the last round that came after the verdict was clear."""
    rules = field.stop or Rules()
    first, second = (entrant.name for entrant in field.entrants)
    pairs = pairs_of(first, comparisons(field, results))
    duel = Duel(rules)
    for pair in pairs:
        duel.add(pair.share, pair.difference)
    verdict = known(rules, pairs) or "not known"
    cost = sum(outcome.cost for _, outcome in results)
    estimate, score = duel.estimate(), duel.score_difference()
    told = _sentence(verdict, first, second, estimate, rules, len(results), cost)
    return Answer(verdict, first, second, told, estimate, rules, len(pairs), len(results), cost, score)


def _sentence(
    verdict: Verdict, first: str, second: str, estimate: Estimate, rules: Rules, matches: int, cost: int
) -> str:
    sure = f"{1 - rules.alpha:.0%} confidence"
    after = f"after {matches:,} matches ({estimate.pairs:,} pairs)" + (
        f" and ${cost / 1e6:.4f}" if cost else ""
    )
    share = f"{estimate.share:.0%} of the points ({estimate.low:.0%} to {estimate.high:.0%})"
    if verdict in ("better", "worse"):
        winner, loser = (first, second) if verdict == "better" else (second, first)
        by = _by(estimate, verdict)
        return f"{winner} is better than {loser}{by}, with {sure}: {first} took {share}, {after}"
    if verdict == "no difference":
        return (
            f"{first} and {second} are within {rules.margin:g} Elo points of each other, with {sure}:"
            f" {first} took {share}, {after}"
        )
    return f"it is not known which of {first} and {second} is better: {first} took {share}, {after}"


def _by(estimate: Estimate, verdict: Verdict) -> str:
    sign = 1 if verdict == "better" else -1
    bounds = [value for value in (estimate.elo_low, estimate.elo_high) if value is not None]
    if estimate.elo is None:
        least = min((sign * value for value in bounds), default=None)
        return "" if least is None else f" by {least:.0f} Elo points or more"
    low, high = sorted(sign * value for value in bounds) if len(bounds) == 2 else (None, None)
    interval = f" ({low:.0f} to {high:.0f})" if low is not None and high is not None else ""
    return f" by {sign * estimate.elo:.0f} Elo points{interval}"
