"""Bradley-Terry fits by the maximum of the likelihood, many weightings of the same games at once.

Newton's method on counts per pair, in logits, with the mean held at 0. The maximum does not exist where some
group of players never lost a point to the rest, or never took one (Ford's condition), or where the first seat
takes everything. Such a weighting, and only such a one, is fitted with a weak prior: one imaginary drawn game
of each player against one of mean strength, and for the seat one game drawn between equals. For a single
share that is Jeffreys' prior. The answer is then finite, and says that it needed the prior.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from windtunnel.tournaments.rating.games import Floats, Table, Whole

ROUNDS = 60
FRESH = 4  # rounds that share one second derivative, once the climb starts near the top
LONGEST_STEP = 2.0
EXACT = 1e-9
UNKNOWN = 1e4  # a variance, in logits, of a seat of which the games say nothing
NEAR = 1e-4  # of a logit: a fiftieth of an Elo point, far below what resamples scatter

Flags = NDArray[np.bool_]


class Counts(NamedTuple):
    """Games and points by pair, one row a weighting. `lead` is what the first seat took beyond the second."""

    ahead: Floats
    behind: Floats
    points: Floats
    points_behind: Floats


class Fits(NamedTuple):
    """One row a weighting; in logits, the last unknown is the seat where `seats`.

    Covariances are by blocks (`robust`: inverse, spread of the blocks' own gradients, inverse) and as the
    model `stated` them for independent games. Errors are by blocks, but a share `least` of the stated
    variance is the least, since few blocks that agree by luck prove no certainty; where the prior was needed
    it is all of it, since results that all agree have no spread of their own.
    """

    logits: Floats
    robust: Floats
    stated: Floats
    needed_prior: Flags
    least: float

    def errors(self) -> Floats:
        """The standard error of each unknown."""
        return self._roots(*(np.diagonal(part, axis1=1, axis2=2) for part in (self.robust, self.stated)))

    def errors_between(self, one: Whole, two: Whole) -> Floats:
        """The standard error of each difference."""
        return self._roots(*(_between(part, one, two) for part in (self.robust, self.stated)))

    def _roots(self, robust: Floats, stated: Floats) -> Floats:
        least = np.where(self.needed_prior, 1.0, self.least)[:, None]
        return np.asarray(np.sqrt(np.maximum(robust, np.maximum(least * stated, EXACT**2))))


class Model:
    """The games of a table, ready to be weighted; `seats` makes the worth of the first seat an unknown."""

    def __init__(self, table: Table, *, seats: bool) -> None:
        self.table = table
        self.seats = seats
        self.least = min(1.0, len(table.players) / max(table.blocks, 1))
        self.n = len(table.players)
        self.unknowns = self.n + seats
        rows = np.arange(len(table.one))
        self._starts = np.searchsorted(table.pair, rows)
        # From pairs to a square of players: where each square finds its pair, or the nought behind them all.
        squares = np.full((self.n, self.n), len(rows), dtype=np.intp)
        squares[table.one, table.two] = squares[table.two, table.one] = rows
        self._squares = squares.ravel()
        self._signs = np.where(np.arange(self.n)[:, None] < np.arange(self.n), 1.0, -1.0)
        self.lone = len(np.unique(table.block)) == len(table.block)  # each block is of one pair

    def by_pair(self, cells: Floats) -> Floats:
        """Sums over the cells of each pair."""
        if cells.shape[1] == len(self._starts):
            return cells
        sums: Floats = np.add.reduceat(cells, self._starts, axis=1)
        return sums

    def counts(self, weights: Floats) -> Counts:
        """`weights` are of blocks, one row a weighting."""
        table, by_cell = self.table, weights[:, self.table.block]
        points = self.by_pair(by_cell * (table.points_ahead + table.points_behind))
        ahead = self.by_pair(by_cell * (table.ahead if self.seats else table.ahead + table.behind))
        if not self.seats:
            nothing = np.zeros((1, 1))
            return Counts(ahead, nothing, points, nothing)
        behind, points_behind = (
            self.by_pair(by_cell * table.behind),
            self.by_pair(by_cell * table.points_behind),
        )
        return Counts(ahead, behind, points, points_behind)

    def fit(self, weights: Floats, start: Floats | None = None) -> Fits:
        """From a `start` near the top the climb is cheaper, and ends near enough for a resample."""
        counts = self.counts(weights)
        logits = np.zeros((len(weights), self.unknowns))
        if start is not None:
            logits += start
        near = start is not None
        prior = ~connected(self.wins(counts))
        found, settled = self._climb(counts, logits, prior, near=near)
        if not settled.all():  # the seat takes everything, or nearly
            again = ~settled
            prior |= again
            found[again], _ = self._climb(
                _some(counts, again), np.zeros_like(logits[again]), prior[again], near=False
            )
        return Fits(found, *self._covariances(weights, counts, found, prior), prior, self.least)

    def wins(self, counts: Counts) -> Flags:
        """Who took points from whom, by weighting, player and player."""
        table = self.table
        wins = np.zeros((len(counts.points), self.n, self.n), dtype=bool)
        wins[:, table.one, table.two] = counts.points > 0
        wins[:, table.two, table.one] = counts.points < counts.ahead + counts.behind
        return wins

    def _climb(self, counts: Counts, logits: Floats, prior: Flags, *, near: bool) -> tuple[Floats, Flags]:
        """The top of each likelihood, and whether it was reached."""
        found, settled = logits.copy(), np.zeros(len(logits), dtype=bool)
        inverse = np.zeros((len(logits), self.unknowns, self.unknowns))
        for turn in range(ROUNDS):
            left = np.flatnonzero(~settled)
            if not len(left):
                break
            everything = len(left) == len(logits)
            some = counts if everything else _some(counts, left)
            chances = self._chances(found[left])
            if not near or turn % FRESH == 0:
                inverse[left] = np.linalg.inv(self._information(some, chances, found[left], prior[left]))
            gradient = self._gradient(some, chances, found[left], prior[left])
            step = ((inverse if everything else inverse[left]) @ gradient[..., None])[..., 0]
            longest = np.abs(step).max(axis=1)
            found[left] += step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, EXACT))[:, None]
            settled[left] = longest < (NEAR if near else EXACT)
        if self.seats:
            settled &= inverse[:, -1, -1] < UNKNOWN
        return found, settled

    def _chances(self, logits: Floats) -> tuple[Floats, Floats]:
        """What `one` is expected to take from `two`, in the first seat and in the other."""
        apart = np.take(logits, self.table.two, axis=1)
        apart -= np.take(logits, self.table.one, axis=1)
        if not self.seats:
            chance = _share(apart)
            return chance, chance
        seat = logits[:, -1:]
        return _share(apart - seat), _share(apart + seat)

    def _square(self, pairs: Floats) -> Floats:
        """Of each pair its value, where the row of one meets the column of the other."""
        padded = np.concatenate([pairs, np.zeros((len(pairs), 1))], axis=1)
        return np.take(padded, self._squares, axis=1).reshape(-1, self.n, self.n)

    def _for_players(self, pairs: Floats) -> Floats:
        """What is for `one` and against `two` in each pair, summed up by player."""
        return np.asarray(np.einsum("rij,ij->ri", self._square(pairs), self._signs))

    def _gradient(
        self, counts: Counts, chances: tuple[Floats, Floats], logits: Floats, prior: Flags
    ) -> Floats:
        ahead, behind = chances
        surprise = counts.points - counts.ahead * ahead
        if self.seats:
            surprise -= counts.behind * behind
        gradient = self._for_players(surprise)
        if self.seats:
            late = counts.points_behind - counts.behind * behind
            gradient = np.column_stack([gradient, (surprise - 2.0 * late).sum(axis=1)])
        if prior.any():
            gradient += prior[:, None] * (0.5 - _share(-logits))
        gradient[:, : self.n] -= gradient[:, : self.n].mean(axis=1, keepdims=True)
        return gradient

    def _information(
        self, counts: Counts, chances: tuple[Floats, Floats], logits: Floats, prior: Flags
    ) -> Floats:
        """Minus the second derivative, made invertible: the mean of the players is held."""
        ahead, behind = chances
        spread = counts.ahead * ahead
        spread *= 1.0 - ahead
        cross = spread
        if self.seats:
            spread_behind = counts.behind * behind * (1.0 - behind)
            cross = spread - spread_behind
            spread = spread + spread_behind
        found = self._laplacian(spread, cross, spread.sum(axis=1))
        if prior.any():
            drawn = _share(-logits)
            diagonal = np.arange(self.unknowns)
            found[:, diagonal, diagonal] += prior[:, None] * drawn * (1.0 - drawn)
            self._centre(found)
        if self.seats:  # where seat and players cannot be told apart: seen by the variance, not by a crash
            diagonal = np.arange(self.unknowns)
            found[:, diagonal, diagonal] += EXACT
        found[:, : self.n, : self.n] += 1.0 / self.n
        return found

    def _laplacian(self, pairs: Floats, cross: Floats, seat: Floats) -> Floats:
        """Sum over pairs of w·xxᵀ with x = one − two, bordered by the seat's row and column."""
        n = self.n
        found = self._square(-pairs)
        players = np.arange(n)
        found[:, players, players] = -found.sum(axis=2)
        if not self.seats:
            return found
        bordered = np.zeros((len(pairs), n + 1, n + 1))
        bordered[:, :n, :n] = found
        bordered[:, :n, -1] = bordered[:, -1, :n] = self._for_players(cross)
        bordered[:, -1, -1] = seat
        return bordered

    def _covariances(
        self, weights: Floats, counts: Counts, logits: Floats, prior: Flags
    ) -> tuple[Floats, Floats]:
        stated: NDArray[Any] = np.linalg.inv(self._information(counts, self._chances(logits), logits, prior))
        self._centre(stated)
        return np.asarray(stated @ self._block_spread(weights, logits) @ stated), np.asarray(stated)

    def _centre(self, squares: Floats) -> None:
        """Take the mean of the players out, in place."""
        n = self.n
        squares[:, :n, :] -= squares[:, :n, :].mean(axis=1, keepdims=True)
        squares[:, :, :n] -= squares[:, :, :n].mean(axis=2, keepdims=True)

    def _block_spread(self, weights: Floats, logits: Floats) -> Floats:
        """Sum over blocks of uuᵀ, u being a block's gradient."""
        table = self.table
        ahead, behind = (chances[:, table.pair] for chances in self._chances(logits))
        late = table.points_behind - table.behind * behind
        surprise = table.points_ahead - table.ahead * ahead + late
        lead = surprise - 2.0 * late
        if self.lone:
            weighted = weights[:, table.block]
            return self._laplacian(
                self.by_pair(weighted * surprise**2),
                self.by_pair(weighted * surprise * lead),
                (weighted * lead**2).sum(axis=1),
            )
        gradients = np.zeros((len(logits), table.blocks, self.unknowns))
        for cell, block in enumerate(table.block):
            pair = table.pair[cell]
            gradients[:, block, table.one[pair]] += surprise[:, cell]
            gradients[:, block, table.two[pair]] -= surprise[:, cell]
            if self.seats:
                gradients[:, block, -1] += lead[:, cell]
        return np.asarray(np.swapaxes(gradients * weights[:, :, None], 1, 2) @ gradients)


def _between(covariance: Floats, one: Whole, two: Whole) -> Floats:
    return np.asarray(covariance[:, one, one] + covariance[:, two, two] - 2.0 * covariance[:, one, two])


def _share(apart: Floats) -> Floats:
    """1 / (1 + exp(apart)), in place where it can be."""
    share = np.exp(apart)
    share += 1.0
    return np.reciprocal(share, out=share)


def _some(counts: Counts, rows: NDArray[np.intp] | Flags) -> Counts:
    """Of the counts the rows that are asked for; what is not counted has a single row, for all."""
    return Counts(*(part[rows] if len(part) == len(counts.points) else part for part in counts))


def connected(wins: Flags) -> Flags:
    """Whether every player reaches every other by a chain of points taken, for each weighting."""
    good = np.ones(len(wins), dtype=bool)
    for links in (wins, np.swapaxes(wins, 1, 2)):
        steps = links.astype(np.float32)
        reached = np.zeros((len(wins), 1, wins.shape[1]), dtype=np.float32)
        reached[:, 0, 0] = 1.0
        while True:
            more = np.minimum(1.0, reached + reached @ steps)
            if (more == reached).all():
                break
            reached = (more > 0).astype(np.float32)
        good &= (reached[:, 0] > 0).all(axis=1)
    return good


def groups(wins: Flags) -> list[list[int]]:
    """The players that reach each other by chains of points taken; only within a group are all told apart."""
    n = len(wins)
    reach = wins | np.eye(n, dtype=bool)
    for _ in range(n.bit_length()):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    mutual = reach & reach.T
    return [
        [int(p) for p in np.flatnonzero(mutual[first])]
        for first in range(n)
        if np.argmax(mutual[first]) == first
    ]
