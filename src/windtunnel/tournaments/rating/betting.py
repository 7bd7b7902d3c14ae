"""What a bettor wins against a claimed mean: proof that holds whenever one looks.

Shares lie in [0, 1]. A bettor who stakes a part of its capital on "above `claim`" at each of them multiplies
that part by share / claim. If the mean of each share, given all before it, is at most the claim, the capital
is not expected to grow, so that it ever reaches 1/α in at most a share α of all cases (Ville's inequality),
however the shares are spread. Many bettors with stakes from bold to timid start with equal parts; one of them
suits the truth within a fifth, and the sum of their capitals loses little beside it. The sum does not depend
on the order of shares.

The capital falls as the claim rises, so the claims not yet refuted are an interval. "Below" is the same,
mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from windtunnel.tournaments.rating.games import Floats

STAKES = 0.95 * 1.6 ** -np.arange(10.0)
ROUNDS, STEPS = 5, 64  # a bound is sought to a part in 64⁵


def log_gains(shares: Floats, claim: Floats | float) -> Floats:
    """What each share does to the capital of each stake; one column a stake."""
    return np.asarray(np.log(1.0 - STAKES + (shares / claim)[..., None] * STAKES))


def together(log_capitals: Floats) -> Floats:
    """The capital of all stakes together, over the last axis, as a logarithm."""
    largest = log_capitals.max(axis=-1, keepdims=True)
    return np.asarray(largest[..., 0] + np.log(np.exp(log_capitals - largest).mean(axis=-1)))


def log_capital(counts: Mapping[float, int], claim: float) -> float:
    """After shares that are given with how often each was seen."""
    return float(_log_capitals(*_columns(counts), np.array([claim]))[0])


def lower_bound(counts: Mapping[float, int], refuted_at: float) -> float:
    """The largest mean that is refuted: where the capital, as a logarithm, reaches `refuted_at`."""
    shares, times = _columns(counts)
    low, width = 0.0, 1.0
    for _ in range(ROUNDS):
        width /= STEPS
        claims = low + width * np.arange(1.0, STEPS)
        low += width * int((_log_capitals(shares, times, claims) >= refuted_at).sum())
    return low


def upper_bound(counts: Mapping[float, int], refuted_at: float) -> float:
    return 1.0 - lower_bound({1.0 - share: times for share, times in counts.items()}, refuted_at)


def _columns(counts: Mapping[float, int]) -> tuple[Floats, Floats]:
    return np.array(list(counts), dtype=np.float64), np.array(list(counts.values()), dtype=np.float64)


def _log_capitals(shares: Floats, times: Floats, claims: Floats) -> Floats:
    return together(np.einsum("s,csk->ck", times, log_gains(shares, claims[:, None])))
