"""Games as they are handed in, and as arrays: what each block of chance says about each pair.

A block is what one draw of luck decided together: the games of one seed with the seats swapped, for one.
Games of a block are never taken for independent; whatever is resampled is resampled by whole blocks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from windtunnel.errors import UsageError

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]


class Game(Struct, frozen=True):
    """`score` is the share of the point that `first` took: 1 won, 0.5 tied, 0 lost. `first` sat in the first
    seat.

    A game without a `block` is a block of its own.
    """

    first: str
    second: str
    score: float
    block: str | int | None = None


class Table(NamedTuple):
    """Games summed up by cell: one block and one pair of players, `one` before `two` in the order of
    `players`.

    `ahead` counts the games in which `one` had the first seat and `behind` the others; the points are those
    of `one`.
    """

    players: tuple[str, ...]
    blocks: int
    games: int
    one: Whole  # of pairs
    two: Whole
    pair: Whole  # of cells, ascending
    block: Whole
    ahead: Floats
    behind: Floats
    points_ahead: Floats
    points_behind: Floats


def check_game(number: int, game: Game) -> None:
    where = f"game {number}"
    if game.first == game.second:
        raise UsageError(
            f"{game.first!r} plays against itself", where=where, remedy="name two different players"
        )
    if not (math.isfinite(game.score) and 0.0 <= game.score <= 1.0):
        raise UsageError(
            f"a score of {game.score!r} is not the share of a point",
            where=where,
            remedy="give what the first player took: 1, 0.5 for a tie, 0, or a share between",
        )


def tabulate(games: Sequence[Game], *, players: Collection[str] = (), seats: bool = False) -> Table:
    """Sum games up. Without `seats` it is forgotten who sat first.

    Nothing depends on the order of the games: players and blocks are put in an order of their own.
    """
    for number, game in enumerate(games, 1):
        check_game(number, game)
    names = tuple(sorted({*players, *(g.first for g in games), *(g.second for g in games)}))
    if len(names) < 2:
        raise UsageError("fewer than two players", where="ratings", remedy="hand in the games of two or more")
    index = {name: number for number, name in enumerate(names)}
    cells: dict[tuple[int, int, tuple[str, str | int]], list[float]] = {}
    for number, game in enumerate(games):
        cell, amounts = _amounts(index[game.first], index[game.second], game.score, seats=seats)
        found = cells.setdefault((*cell, _block_key(number, game)), [0.0, 0.0, 0.0, 0.0])
        for slot, amount in enumerate(amounts):
            found[slot] += amount
    return _arrays(names, len(games), cells)


def _amounts(
    first: int, second: int, score: float, *, seats: bool
) -> tuple[tuple[int, int], tuple[float, ...]]:
    if first < second:
        return (first, second), (1.0, 0.0, score, 0.0)
    if seats:
        return (second, first), (0.0, 1.0, 0.0, 1.0 - score)
    return (second, first), (1.0, 0.0, 1.0 - score, 0.0)


def _block_key(number: int, game: Game) -> tuple[str, str | int]:
    """A key that sorts; games without a block are told apart by what they say, then by their place."""
    if game.block is None:
        return f"alone {game.first}\n{game.second}\n{game.score!r}", number
    return f"block {type(game.block).__name__} {game.block}", 0


def _arrays(
    names: tuple[str, ...],
    games: int,
    cells: dict[tuple[int, int, tuple[str, str | int]], list[float]],
) -> Table:
    ordered = sorted(cells)
    pairs = sorted({key[:2] for key in ordered})
    pair_number = {pair: number for number, pair in enumerate(pairs)}
    block_number = {key: number for number, key in enumerate(sorted({key[2] for key in ordered}))}
    amounts = np.array([cells[key] for key in ordered], dtype=np.float64).reshape(-1, 4)
    return Table(
        names,
        len(block_number),
        games,
        np.array([one for one, _ in pairs], dtype=np.intp),
        np.array([two for _, two in pairs], dtype=np.intp),
        np.array([pair_number[key[:2]] for key in ordered], dtype=np.intp),
        np.array([block_number[key[2]] for key in ordered], dtype=np.intp),
        *(np.ascontiguousarray(column) for column in amounts.T),
    )
