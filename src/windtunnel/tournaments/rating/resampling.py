"""Fits of resampled blocks, and how far from the estimate they lie, in standard errors of their own."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from windtunnel.chance import Chance
from windtunnel.tournaments.rating.fitting import Fits, Model
from windtunnel.tournaments.rating.games import Floats, Whole

ROOM = 600_000  # numbers in one array: resamples are fitted by so many at a time as fit into a cache


class Distances(NamedTuple):
    """One row a resample, without signs: of each unknown and of each pair. `held` needed the prior."""

    alone: Floats
    between: NDArray[np.float32]
    held: int


def distances(model: Model, fits: Fits, one: Whole, two: Whole, *, resamples: int, seed: int) -> Distances:
    logits = fits.logits[0]
    alone = np.empty((resamples, len(logits)))
    between = np.empty((resamples, len(one)), dtype=np.float32)  # the one array that grows large
    chance, held = Chance("resampled games", seed), 0
    rows = max(1, ROOM // _width(model))
    for first in range(0, resamples, rows):
        here = slice(first, min(first + rows, resamples))
        weights = _weights(chance, here.stop - here.start, model.table.blocks)
        found = model.fit(weights, logits)
        apart = found.logits - logits
        alone[here] = np.abs(apart) / found.errors()
        between[here] = np.abs(apart[:, one] - apart[:, two]) / found.errors_between(one, two)
        held += int(found.needed_prior.sum())
    return Distances(alone, between, held)


def _width(model: Model) -> int:
    """Numbers that one resample takes in the largest array."""
    table = model.table
    per_block = 1 if model.lone else model.unknowns
    return max(len(table.block), table.blocks * per_block, model.unknowns**2)


def _weights(chance: Chance, rows: int, blocks: int) -> Floats:
    """How often each block is drawn, in as many draws as there are blocks."""
    if not blocks:
        return np.zeros((rows, 0))
    drawn = chance.integers(blocks, rows * blocks) + np.repeat(np.arange(rows) * blocks, blocks)
    return np.bincount(drawn, minlength=rows * blocks).reshape(rows, blocks).astype(np.float64)


def reaches(each: NDArray[np.floating], level: float) -> Floats:
    """Of each column the distance that a share `level` of resamples keep within, at least a bell curve's."""
    return np.maximum(_within(each, level), bell(level))


def joint_reach(between: NDArray[np.float32], level: float, *, bounded: bool) -> float:
    """The distance within which a share `level` of resamples keep all pairs at once.

    Where results all agree resamples do too, and say nothing: then it is at least what Bonferroni asks.
    """
    if not between.size:
        return bell(level)
    largest = float(_within(between.max(axis=1, keepdims=True), level)[0])
    return max(largest, bell(level if bounded else 1.0 - (1.0 - level) / between.shape[1]))


def _within(each: NDArray[np.floating], level: float) -> Floats:
    """The least value that is not below a share `level` of its column."""
    place = min(len(each) - 1, int(np.ceil(level * (len(each) + 1))) - 1)
    return np.asarray(np.partition(each, place, axis=0)[place], dtype=np.float64)


def bell(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2.0)
