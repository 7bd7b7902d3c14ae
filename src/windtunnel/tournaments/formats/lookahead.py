"""Whether the rounds that were declared can still be held without a rematch.

In more rounds than half the field has entrants, a Swiss pairing can be right for its round and leave no
pairing for a later one: six who have played three rounds may be two threes who have not met among
themselves. Here small fields are looked through to the end. A field is a graph of who may still meet whom,
as one bit mask for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Graph = tuple[int, ...]
Matching = tuple[tuple[int, int], ...]

LARGEST = 12
"""Larger fields are not looked through: it would take too long."""


def without(graph: Graph, matching: Matching) -> Graph:
    left = list(graph)
    for one, other in matching:
        left[one] &= ~(1 << other)
        left[other] &= ~(1 << one)
    return tuple(left)


def holds(graph: Graph, rounds: int) -> bool:
    """Whether everyone can be paired in each of so many rounds."""
    if rounds <= 0:
        return True
    return min(mask.bit_count() for mask in graph) >= rounds and _holds(graph, rounds, 0)


def _holds(graph: Graph, rounds: int, after: int) -> bool:
    """Rounds may come in any order, so the first entrant's opponents are taken in that of their places."""
    if rounds == 0:
        return True
    return any(
        _holds(without(graph, matching), rounds - 1, matching[0][1])
        for matching in matchings(graph, first_after=after)
    )


def matchings(graph: Graph, *, first_after: int = 0) -> Iterator[Matching]:
    """All ways to pair everyone."""
    first = graph[0] >> (first_after + 1) << (first_after + 1)
    yield from _matchings((first, *graph[1:]), (1 << len(graph)) - 1)


def _matchings(graph: Sequence[int], free: int) -> Iterator[Matching]:
    if not free:
        yield ()
        return
    one = (free & -free).bit_length() - 1
    free &= free - 1
    options = graph[one] & free
    while options:
        other = (options & -options).bit_length() - 1
        options &= options - 1
        for rest in _matchings(graph, free & ~(1 << other)):
            yield ((one, other), *rest)
