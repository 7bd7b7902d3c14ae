"""The shape of an elimination, before anybody has played: which match feeds which.

A tree depends on the size of the field and on nothing else. Its first round has room for a power of two;
the rooms that stay empty meet the best seeds, so these have byes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec

Bracket = Literal["winners", "losers", "final", "third place"]


class Source(msgspec.Struct, frozen=True):
    """Where one side of a match comes from: a seed, or the winner or the loser of an earlier match."""

    kind: Literal["seed", "winner", "loser"]
    number: int
    """Of the seed, from 0 (a number past the field is nobody), or of the match."""


class Match(msgspec.Struct, frozen=True):
    number: int
    """Its place in the tree."""
    stage: int
    """All matches of a stage may be played at once, after all earlier stages."""
    bracket: Bracket
    round: int
    """Within the bracket, from 1."""
    label: str
    sources: tuple[Source, Source]
    reset: bool = False
    """Played only if the match before was won by who came through the losers' bracket."""


class Tree(msgspec.Struct, frozen=True):
    field: int
    matches: tuple[Match, ...]
    """In an order in which each comes after those that feed it."""

    @property
    def stages(self) -> int:
        return self.matches[-1].stage + 1


def seeding(size: int) -> list[int]:
    """The first round's places from top to bottom, as seeds from 0: the best two meet in the final."""
    places = [0]
    while len(places) < size:
        doubled = 2 * len(places)
        places = [seed for place in places for seed in (place, doubled - 1 - place)]
    return places


@lru_cache(maxsize=64)
def single(field: int, third_place: bool) -> Tree:
    build = _Builder(field)
    levels = build.winners("")
    semifinals = levels[-2] if len(levels) > 1 else []
    final = build.matches.pop()
    if third_place and semifinals:
        losers = tuple(Source("loser", match.number) for match in semifinals)
        build.add(final.stage, "third place", 1, "third place", (losers[0], losers[1]))
    build.add(final.stage, "final", 1, "final", final.sources)
    return Tree(field, tuple(build.matches))


@lru_cache(maxsize=64)
def double(field: int) -> Tree:
    build = _Builder(field)
    levels = build.winners("winners round")
    champion = Source("winner", levels[-1][0].number)
    challenger = build.losers(levels)
    stage = build.matches[-1].stage + 1 if len(levels) > 1 else 1
    grand = build.add(stage, "final", 1, "grand final", (champion, challenger))
    again = (Source("winner", grand.number), Source("loser", grand.number))
    build.add(stage + 1, "final", 2, "grand final reset", again, reset=True)
    return Tree(field, tuple(sorted(build.matches, key=lambda match: match.number)))


class _Builder:
    def __init__(self, field: int) -> None:
        self.field = field
        self.matches: list[Match] = []

    def add(
        self,
        stage: int,
        bracket: Bracket,
        number: int,
        label: str,
        sources: tuple[Source, Source],
        *,
        reset: bool = False,
    ) -> Match:
        match = Match(len(self.matches), stage, bracket, number, label, sources, reset)
        self.matches.append(match)
        return match

    def winners(self, named: str) -> list[list[Match]]:
        """The tree of those who have not lost, by rounds."""
        size = 1 << max(1, (self.field - 1).bit_length())
        sources = [Source("seed", seed) for seed in seeding(size)]
        levels: list[list[Match]] = []
        while len(sources) > 1:
            stage = len(levels)
            label = f"{named} {stage + 1}" if named else _name_of(len(sources))
            pairs = zip(sources[::2], sources[1::2], strict=True)
            levels.append([self.add(stage, "winners", stage + 1, label, pair) for pair in pairs])
            sources = [Source("winner", match.number) for match in levels[-1]]
        return levels

    def losers(self, levels: list[list[Match]]) -> Source:
        """The tree of those who lost once: rounds among them, and rounds against those who just fell."""
        if len(levels) == 1:
            return Source("loser", levels[0][0].number)
        falls = [Source("loser", match.number) for match in levels[0]]
        places = [_Place(falls[i], {levels[0][i].number: 1.0}) for i in range(len(falls))]
        below = {match.number: {match.number: 1.0} for match in levels[0]}
        number = 0
        for fallen in levels[1:]:
            number += 1
            places = [
                self._meet(number, one, other) for one, other in zip(places[::2], places[1::2], strict=True)
            ]
            for match in fallen:
                below[match.number] = _beaten(match, below)
            order = _least_rematches([place.holds for place in places], [below[m.number] for m in fallen])
            number += 1
            dropped = [_Place(Source("loser", fallen[i].number), {fallen[i].number: 1.0}) for i in order]
            places = [self._meet(number, one, other) for one, other in zip(places, dropped, strict=True)]
        return places[0].source

    def _meet(self, number: int, one: _Place, other: _Place) -> _Place:
        match = self.add(number, "losers", number, f"losers round {number}", (one.source, other.source))
        holds = {fell: chance / 2 for fell, chance in (*one.holds.items(), *other.holds.items())}
        return _Place(Source("winner", match.number), holds)


class _Place(msgspec.Struct, frozen=True):
    """One side of a coming match of the losers' bracket."""

    source: Source
    holds: dict[int, float]
    """By match of the winners' bracket: the chance that the one here fell there, were all matches even."""


def _beaten(match: Match, below: dict[int, dict[int, float]]) -> dict[int, float]:
    """For each earlier match, the chance that a side of this one won it, were all matches even."""
    beaten: dict[int, float] = {match.number: 1.0}
    for source in match.sources:
        for earlier, chance in below[source.number].items():
            beaten[earlier] = chance / 2
    return beaten


def _least_rematches(holds: list[dict[int, float]], below: list[dict[int, float]]) -> list[int]:
    """Who falls meets whom, so that a meeting of the winners' bracket is least likely to be repeated."""

    def again(mask: int) -> float:
        return sum(
            chance * below[place ^ mask].get(fell, 0.0)
            for place, held in enumerate(holds)
            for fell, chance in held.items()
        )

    mask = min(range(len(below)), key=lambda mask: (round(again(mask), 12), -mask))
    return [place ^ mask for place in range(len(below))]


def _name_of(left: int) -> str:
    return {2: "final", 4: "semifinal", 8: "quarterfinal"}.get(left, f"round of {left}")
