"""The standings: what a tournament's journal says of each entrant, with how sure that is.

Places come from the format's own table; who is better than whom comes from a fit over all matches, with ranks
as ranges where intervals overlap. Everybody who entered stands here, also who never played.
"""

from __future__ import annotations

import gc
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from windtunnel.control.catalog import Found, opened
from windtunnel.errors import WindtunnelError
from windtunnel.journal import RunRow
from windtunnel.tournaments.draw import Comparison, comparisons, count_of, played
from windtunnel.tournaments.engine import counted
from windtunnel.tournaments.formats import (
    ELIMINATIONS,
    Played,
    bracket,
    crosstable,
    next_round,
    rest,
    table,
)
from windtunnel.tournaments.model import Field, Match, Outcome
from windtunnel.tournaments.rating.elo import START
from windtunnel.tournaments.running import field_of, outcomes_of
from windtunnel.tournaments.scoring import in_words, literal_composite
from windtunnel.tournaments.selfplay import OwnPast, own_pasts

Results = Sequence[tuple[Match, Outcome]]


class Standing(Struct, frozen=True, omit_defaults=True):
    """One entrant's line. `rank` is its place by the format; `best` to `worst` the ranks that the matches
    leave
    open; `low` to `high` the interval of its rating. `score`, `roi` and `sharpe` are means over its matches;
    `composite` is 0.6 and 0.4 of z-scores over the field, `literal` of the raw terms, units mixed."""

    rank: int
    entrant: str
    strategy: str
    hash: str
    points: float
    matches: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0
    forfeits: int = 0
    void: int = 0
    refused: int = 0
    elo: float | None = None
    rating: float | None = None
    low: float | None = None
    high: float | None = None
    best: int | None = None
    worst: int | None = None
    skill: float | None = None  # for tables of many: openskill's mean
    skill_error: float | None = None
    score: float | None = None
    roi: float | None = None
    sharpe: float | None = None
    composite: float | None = None
    literal: float | None = None
    cost: int = 0
    tie_breaks: dict[str, float] = field(default_factory=dict)
    pool: bool = False  # of the frozen pool: it met challengers only, and its place is none of theirs


class Standings(Struct, frozen=True, omit_defaults=True):
    """`drawing` is the bracket or the crosstable; `notes` say what a reader must know before believing it."""

    run_id: str
    title: str
    status: str
    format: str
    rules: str
    world: str
    version: str
    rounds: int
    of_rounds: int | None
    matches: int
    lines: tuple[Standing, ...]
    drawing: dict[str, Any]
    notes: tuple[str, ...] = ()
    seat: tuple[float, float, float] | None = None  # what the first seat is worth, with its interval
    to_come: int | None = None  # meetings
    cost: int = 0
    reason: str = ""
    selfplay: tuple[OwnPast, ...] = ()  # strategies of which several versions entered


def standings(found: Found) -> Standings:
    """As they are now, in the middle of a round too."""
    with opened(found, read_only=True) as store, uncollected():
        row = store.run(found.row.run_id)
        return drawn_up(row, field_of(store, row.run_id), outcomes_of(store, row.run_id))


@contextmanager
def uncollected() -> Iterator[None]:
    """Thousands of outcomes are read, none of which points at itself: to look through them for such again and
    again is a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def drawn_up(row: RunRow, field: Field, results: Results) -> Standings:
    history, compared, begun = _history(field, results)
    plan = field.plan
    rows = {line.entrant: line for line in table(plan, history)}
    ratings, notes, seat = _ratings(field, compared)
    skills = _skills(compared) if len(field.seats) > 2 else {}
    means = _means(results)
    scaled = _composites(means)
    counts = _counts(results, compared)
    elo = _elo(field, compared)
    entrants = {entrant.name: entrant for entrant in field.entrants}
    lines = []
    for name, line in sorted(rows.items(), key=lambda item: (item[1].rank, item[0])):
        one, mean, rated, entrant = counts[name], means.get(name, {}), ratings.get(name), entrants[name]
        skill, deviation = skills.get(name, (None, None))
        names = ("rating", "low", "high", "best", "worst")
        fit = {key: getattr(rated, key) for key in names} if rated else {}
        told = Standing(
            line.rank, name, entrant.version or entrant.strategy.name, entrant.hash, line.points,
            matches=one["matches"], wins=one["wins"], draws=one["draws"], losses=one["losses"],
            forfeits=one["forfeits"], void=one["void"], refused=one["refused"], elo=elo.get(name),
            skill=skill, skill_error=deviation, score=mean.get("score"), roi=mean.get("roi"),
            sharpe=mean.get("sharpe"), composite=scaled.get(name), literal=_literal(mean), cost=one["cost"],
            tie_breaks=line.tie_breaks, pool=name in plan.pool, **fit,
        )  # fmt: skip
        lines.append(told)
    drawing = bracket(plan, history) if plan.format in ELIMINATIONS else crosstable(plan, history)
    return Standings(
        row.run_id, field.title, str(row.status), plan.format, plan.description, field.world, field.version,
        len(history), plan.rounds, len(results), tuple(lines), drawing,
        (*notes, *_marks(field, results, begun)), seat, rest(plan, history),
        sum(outcome.cost for _, outcome in results), row.reason or "",
        own_pasts(field, compared),
    )  # fmt: skip


def _history(field: Field, results: Results) -> tuple[list[tuple[Played, ...]], list[Comparison], int]:
    """The rounds that are whole, all comparisons, and how many matches of the next round are over."""
    history: list[tuple[Played, ...]] = []
    compared: list[Comparison] = []
    rounds: dict[int, list[tuple[Match, Outcome]]] = defaultdict(list)
    for one in results:
        rounds[one[0].round].append(one)
    at = 0
    while (pairings := next_round(field.plan, history)) is not None:
        mine = rounds[len(history) + 1]
        said = comparisons(field, mine)
        compared += said
        if len(mine) < count_of(field, pairings):
            return history, compared, len(mine)
        history.append(played(pairings, mine, said))
        at += len(mine)
        if not mine and at >= len(results):  # a round of byes only, and nothing after it
            break
    return history, compared, 0


def games_of(compared: Sequence[Comparison]) -> list[Any]:
    """Every two who were compared, as games that share their luck by block. A table of many is as many games
    as it
    has pairs, in one block: no pair of it is independent of the others."""
    from windtunnel.tournaments.rating.games import Game  # noqa: PLC0415 - NumPy: only for ratings

    return [
        Game(one, other, _share(mine, theirs, len(table.results)), table.block)
        for table in compared
        for at, (one, mine) in enumerate(table.results)
        for other, theirs in table.results[at + 1 :]
    ]


def _share(mine: float, theirs: float, seats: int) -> float:
    if seats == 2:
        return mine
    return 0.5 if mine == theirs else float(mine > theirs)


def _ratings(
    field: Field, compared: Sequence[Comparison]
) -> tuple[dict[str, Any], tuple[str, ...], tuple[float, float, float] | None]:
    from windtunnel.tournaments.rating.bradley_terry import rate  # noqa: PLC0415 - NumPy: only for ratings

    games = games_of(compared)
    if not games:
        return {}, ("no match has come to an outcome yet",), None
    two = len(field.seats) == 2
    try:
        fit = rate(games, players=[e.name for e in field.entrants], seats=two, seed=field.plan.seed)
    except WindtunnelError as error:
        return {}, (f"no ratings: {error.message}",), None
    notes = [
        f"ranks are ranges: 95% intervals from {fit.resamples:,} resamples of {fit.blocks:,} blocks of luck"
    ]
    if not fit.bounded:
        split = "; ".join(", ".join(group) for group in fit.groups)
        notes.append(f"between these groups the matches say who is better, and not by how much: {split}")
    seat = (fit.seat.points, fit.seat.low, fit.seat.high) if fit.seat else None
    return {one.player: one for one in fit.ratings}, tuple(notes), seat


def _skills(compared: Sequence[Comparison]) -> dict[str, tuple[float, float]]:
    from windtunnel.tournaments.rating.skill import Match as Table  # noqa: PLC0415 - heavy: only for many seats
    from windtunnel.tournaments.rating.skill import skills  # noqa: PLC0415

    tables = [
        Table(
            tuple((name,) for name, _ in one.results),
            tuple(1.0 + sum(other > mine for _, other in one.results) for _, mine in one.results),
        )
        for one in compared
    ]
    return {one.player: (one.mean, one.deviation) for one in skills(tables)}


def _elo(field: Field, compared: Sequence[Comparison]) -> dict[str, float]:
    """As people know it: in the order of play, which it depends on."""
    ratings = {entrant.name: START for entrant in field.entrants}
    for one in compared:
        counted(ratings, one)
    return {name: round(value, 2) for name, value in ratings.items()}


def _counts(results: Results, compared: Sequence[Comparison]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for _, outcome in results:
        for seat in outcome.seats.values():
            mine = found[seat.entrant]
            mine["matches"] += 1
            mine["refused"] += seat.refused
            mine["cost"] += outcome.cost // len(outcome.seats)
            mine["void"] += outcome.ending == "void"
            mine["forfeits"] += outcome.fault == seat.entrant
    for one in compared:
        every = [points for _, points in one.results]
        most, even = max(every), max(every) == min(every)
        for name, points in one.results:
            found[name]["draws" if even else "wins" if points == most else "losses"] += 1
    return found


def _means(results: Results) -> dict[str, dict[str, float]]:
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"score": [], "roi": [], "sharpe": []})
    for _, outcome in results:
        if outcome.ending != "played":
            continue
        for one in outcome.seats.values():
            mine = sums[one.entrant]
            for name, value in (("score", one.score), ("roi", one.roi), ("sharpe", one.sharpe)):
                if value is not None:
                    mine[name].append(value)
    return {
        name: {term: math.fsum(values) / len(values) for term, values in terms.items() if values}
        for name, terms in sums.items()
    }


def _composites(means: dict[str, dict[str, float]]) -> dict[str, float]:
    """The weights of the seed on terms brought to one scale: z-scores over the field."""
    names = [name for name, mean in means.items() if "roi" in mean and "sharpe" in mean]
    if len(names) < 2:
        return {}
    roi = _z([means[name]["roi"] for name in names])
    sharpe = _z([means[name]["sharpe"] for name in names])
    return {name: 0.6 * r + 0.4 * s for name, r, s in zip(names, roi, sharpe, strict=True)}


def _z(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return [(value - mean) / deviation if deviation > 0 else 0.0 for value in values]


def _literal(mean: dict[str, float]) -> float | None:
    return literal_composite(mean["roi"], mean["sharpe"]) if "roi" in mean and "sharpe" in mean else None


def _marks(field: Field, results: Results, begun: int) -> list[str]:
    notes = [f"matches are won by {in_words(field.scoring)}"]
    notes.append(f"{len(field.entrants)} entered; every one of them is here")
    if begun:
        notes.append(f"{begun} matches of a round that is not over count for ratings, not for places")
    if field.plan.pool:
        frozen = [one for one in field.entrants if one.name in field.plan.pool]
        pinned = ", ".join(f"{one.version or one.name} {one.hash[:8]}" for one in frozen)
        notes.append(f"frozen pool, known by its matches with challengers only: {pinned}")
    void = [outcome for _, outcome in results if outcome.ending == "void"]
    if void:
        notes.append(f"{len(void)} matches are void, and count for nobody: {void[0].run_id}: {void[0].why}")
    lost = [outcome for _, outcome in results if outcome.ending == "forfeited"]
    if lost:
        notes.append(f"{len(lost)} were forfeited: {lost[0].fault} in {lost[0].run_id}: {lost[0].why}")
    marked = sorted({mark for _, outcome in results for mark in outcome.marks})
    if marked:
        count = sum(1 for _, outcome in results if outcome.marks)
        notes.append(f"in {count} matches another model answered: {'; '.join(marked[:3])}")
    return notes
