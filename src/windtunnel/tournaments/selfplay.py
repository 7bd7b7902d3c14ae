"""A strategy against its own past: where several versions of one name entered, what their matches with each
other say, two at a time.

Ratings draw everybody up on one line. Whoever beats yesterday's version and loses to last week's stands on
no line: so the newest is held against each of its past by itself, by the same bets as a duel, and the chance
that any of these intervals misses is divided among all that were looked at.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from msgspec import Struct, structs

from windtunnel.strategies.versions import VersionNumber, read_number
from windtunnel.tournaments.draw import Comparison
from windtunnel.tournaments.model import Entrant, Field
from windtunnel.tournaments.rating.sequential import Verdict

ALPHA = 0.05  # of all intervals of a strategy together


class Against(Struct, frozen=True):
    """The newest against one of its past: its share of the points, with an interval that holds for all that
    were looked at together. `by` are versions between the two that are surely better than the older one."""

    version: str
    pairs: int
    share: float
    low: float
    high: float
    verdict: Verdict
    by: tuple[str, ...] = ()

    @property
    def forgotten(self) -> bool:
        return self.verdict == "worse" and bool(self.by)


class OwnPast(Struct, frozen=True):
    """`past` is the newest's, the latest first; `looked` counts the pairs of versions that met."""

    strategy: str
    newest: str
    past: tuple[Against, ...]
    looked: int
    sentence: str
    alpha: float = ALPHA


def own_pasts(field: Field, compared: Sequence[Comparison]) -> tuple[OwnPast, ...]:
    """Of each strategy of which several versions entered and met, in the order of their names."""
    families: dict[str, dict[VersionNumber, Entrant]] = defaultdict(dict)
    for entrant in field.entrants:
        name, _, text = entrant.version.partition("@")
        if (number := read_number(text)) is not None:
            families[name].setdefault(number, entrant)  # who challenges comes before the pool
    found = []
    for name, members in sorted(families.items()):
        past = _own_past(name, [members[number] for number in sorted(members, reverse=True)], compared)
        found += [past] if past is not None else []
    return tuple(found)


def _own_past(name: str, ordered: Sequence[Entrant], compared: Sequence[Comparison]) -> OwnPast | None:
    from windtunnel.tournaments.rating.sequential import Duel, Rules  # noqa: PLC0415 - NumPy: only for these

    met = _met(ordered, compared)
    rules = Rules(alpha=ALPHA / max(1, len(met)), margin=0.0)
    told: dict[tuple[str, str], Against] = {}
    for pair, shares in met.items():
        duel = Duel(rules)
        for share in shares:
            duel.add(share)
        seen = duel.estimate()
        verdict: Verdict = "better" if seen.low > 0.5 else "worse" if seen.high < 0.5 else "not known"
        told[pair] = Against(pair[1], seen.pairs, seen.share, seen.low, seen.high, verdict)
    newest, *rest = (one.version for one in ordered)
    past = []
    for at, older in enumerate(rest):
        if (one := told.get((newest, older))) is not None:
            between = {label: told.get((label, older)) for label in rest[:at]}
            by = tuple(label for label, its in between.items() if its is not None and its.verdict == "better")
            past.append(structs.replace(one, by=by))
    if not past:
        return None
    return OwnPast(name, newest, tuple(past), len(met), _sentence(newest, past))


def _met(ordered: Sequence[Entrant], compared: Sequence[Comparison]) -> dict[tuple[str, str], list[float]]:
    """What the newer of two versions took of the points between them, luck by luck."""
    order = {entrant.name: at for at, entrant in enumerate(ordered)}
    blocks: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for table in compared:
        here = sorted((order[name], points) for name, points in table.results if name in order)
        for (newer, mine), (older, theirs) in combinations(here, 2):
            between = 0.5 if mine == theirs else float(mine > theirs)
            share = mine if len(table.results) == 2 else between
            blocks[ordered[newer].version, ordered[older].version][table.block].append(share)
    return {
        pair: [math.fsum(shares) / len(shares) for shares in by_luck.values()]
        for pair, by_luck in blocks.items()
    }


# --- in words ---


def _sentence(newest: str, past: Sequence[Against]) -> str:
    said = [
        f"{newest} is {word} {_listed(mine)}"
        for verdict, word in (("better", "better than"), ("worse", "worse than"))
        if (mine := [one for one in past if one.verdict == verdict])
    ]
    unknown = [one for one in past if one.verdict == "not known"]
    if unknown:
        said.append(f"it is not known whether {newest} is better than {_listed(unknown)}")
    return f"{'; '.join(said)}. {_memory(past, unknown)}"


def _memory(past: Sequence[Against], unknown: Sequence[Against]) -> str:
    """What became of what its past knew."""
    forgotten = [one for one in past if one.forgotten]
    if forgotten:
        told = [f"{one.version}, which {' and '.join(map(_number, one.by))} can beat" for one in forgotten]
        return f"It has forgotten how to beat {'; and '.join(told)}"
    doubtful = [one for one in unknown if one.by]
    if doubtful:
        told = [f"{one.version} ({' and '.join(map(_number, one.by))} can)" for one in doubtful]
        return f"Whether it still can beat {', '.join(told)} would take more seeds to know"
    if unknown:
        return "Nothing shows that it forgot anything; more seeds would tell"
    if all(one.verdict == "better" for one in past):
        return "It has forgotten nothing: it beats all of its past"
    return "It has forgotten nothing that its past could do"


def _listed(past: Sequence[Against]) -> str:
    return ", ".join(
        f"{_number(one.version)} ({one.share:.0%}, {one.low:.0%} to {one.high:.0%})" for one in past
    )


def _number(label: str) -> str:
    return label.rpartition("@")[2]
