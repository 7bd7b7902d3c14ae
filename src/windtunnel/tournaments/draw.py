"""From a round's pairings to its matches: every stage, every seed, every rotation of the seats."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.chance import Chance
from windtunnel.strategies.seats import seat
from windtunnel.tournaments.formats import Pairing, Played, scheduled
from windtunnel.tournaments.model import Entrant, Field, Match, Outcome
from windtunnel.tournaments.scoring import points_of

TAG = "match"


class Comparison(Struct, frozen=True):
    """Results that can be held against each other: one table's, or those of several who played by themselves
    with
    the same luck. `block` names the luck: comparisons of one block are not independent."""

    block: str
    meeting: int
    results: tuple[tuple[str, float], ...]  # entrant, points
    scores: tuple[float | None, ...]


def matches_of(field: Field, round_number: int, pairings: Sequence[Pairing], first: int) -> list[Match]:
    """In the order in which they are numbered, from `first` on. A bye plays none."""
    found: list[Match] = []
    for meeting, pairing in enumerate(pairings, 1):
        if len(pairing.entrants) < 2:
            continue
        for stage in range(len(field.stages)):
            for seed in seeds_of(field, round_number):
                for seats in seatings(pairing.entrants, field.seats, rotate=field.rotate):
                    found.append(Match(first + len(found), round_number, meeting, stage, seed, seats))
    return found


def count_of(field: Field, pairings: Sequence[Pairing]) -> int:
    """How many they are."""
    return len(field.stages) * sum(on_each_stage(field, one) for one in pairings)


def on_each_stage(field: Field, pairing: Pairing) -> int:
    """How many matches a meeting is played in, in each scenario; a bye in none."""
    lucks, alone = len(field.seeds) or field.lucks, len(field.seats) == 1
    seatings = len(pairing.entrants) if field.rotate or alone else 1
    return 0 if pairing.bye else lucks * seatings


def known_ahead(field: Field, round_number: int) -> list[Match]:
    """The matches of a round that can be told before the one before it is over; none where they cannot, or
    may never be wanted."""
    rounds = scheduled(field.plan) if field.stop is None else ()
    if round_number > len(rounds):
        return []
    first = 1 + sum(count_of(field, pairings) for pairings in rounds[: round_number - 1])
    return matches_of(field, round_number, rounds[round_number - 1], first)


def seeds_of(field: Field, round_number: int) -> tuple[int, ...]:
    """Those that are named, for every round; else as many as are wanted, others in every round and the same
    for
    all its meetings."""
    if field.seeds:
        return field.seeds
    luck = Chance("tournament", field.plan.seed, round_number)
    found: dict[int, None] = {}
    while len(found) < field.lucks:
        found[luck.below(2**31)] = None
    return tuple(found)


def seatings(entrants: Sequence[str], seats: Sequence[str], *, rotate: bool) -> Iterable[dict[str, str]]:
    """Everybody in every seat once, so that no seat's advantage is anybody's; each alone in one seat."""
    if len(seats) == 1:
        yield from ({seats[0]: name} for name in entrants)
        return
    for turn in range(len(entrants) if rotate else 1):
        rotated = [*entrants[turn:], *entrants[:turn]]
        yield dict(zip(seats, rotated, strict=False))


def comparisons(field: Field, results: Iterable[tuple[Match, Outcome]]) -> list[Comparison]:
    """What the matches say of who beat whom, in their order. Void matches say nothing."""
    found: list[Comparison] = []
    alone: dict[str, list[tuple[Match, Outcome]]] = {}
    for match, outcome in results:
        if len(match.seats) == 1:
            alone.setdefault(block_of(match), []).append((match, outcome))
        elif outcome.ending != "void":
            seats = list(outcome.seats.values())
            points = tuple((one.entrant, one.points) for one in seats)
            scores = tuple(one.score for one in seats)
            found.append(Comparison(block_of(match), match.meeting, points, scores))
    found += [one for block, group in alone.items() if (one := _beside(field, block, group)) is not None]
    return found


def _beside(field: Field, block: str, group: Sequence[tuple[Match, Outcome]]) -> Comparison | None:
    counted = [next(iter(outcome.seats.values())) for _, outcome in group if outcome.ending != "void"]
    if len(counted) < 2:
        return None
    lost = float("-inf")  # who forfeits is behind everybody who came to an end
    scores = [lost if one.score is None else one.score for one in counted]
    points = points_of(scores, field.scoring.draw)
    pairs = tuple((one.entrant, share) for one, share in zip(counted, points, strict=True))
    return Comparison(block, group[0][0].meeting, pairs, tuple(one.score for one in counted))


def block_of(match: Match) -> str:
    """Matches that share their luck: the same meeting, stage and seed."""
    return f"{match.round}.{match.meeting}.{match.stage}.{match.seed}"


Seats = dict[tuple[str, str], dict[str, Any]]  # entrant and seat: the agent as a scenario has it


def scenario_of(field: Field, match: Match, made: Seats | None = None) -> dict[str, Any]:
    """The stage with the entrants in their seats, as a plain scenario. `made`: seats of this field that were
    made before, to which those of the match are added."""
    stage, made = field.stages[match.stage], {} if made is None else made
    for place, name in match.seats.items():
        if (name, place) not in made:
            entrant = next(one for one in field.entrants if one.name == name)
            made[name, place] = _seated(entrant, place, field)
    agents = [
        made[match.seats[agent["id"]], agent["id"]] if agent["id"] in match.seats else agent
        for agent in stage["agents"]
        if agent["id"] in match.seats or agent["id"] not in field.seats
    ]
    return {**stage, "seed": match.seed, "agents": agents, "tags": [*stage.get("tags", ()), TAG]}


def _seated(entrant: Entrant, id: str, field: Field) -> dict[str, Any]:  # noqa: A002 - as AgentSpec calls it
    spec = seat(entrant.strategy, id)
    if field.limits.decision is not None and spec.deadline is None:
        spec = msgspec.structs.replace(spec, deadline=field.limits.decision)
    told: dict[str, Any] = msgspec.to_builtins(spec)
    return told


def played(
    pairings: Sequence[Pairing],
    results: Sequence[tuple[Match, Outcome]],
    compared: Sequence[Comparison],
) -> tuple[Played, ...]:
    """What each meeting of a round came to: the mean of each entrant's points. One of void matches only is
    even."""
    found = []
    comparing: dict[int, list[Comparison]] = defaultdict(list)
    outcomes: dict[int, list[Outcome]] = defaultdict(list)
    for one in compared:
        comparing[one.meeting].append(one)
    if any(outcome.fault for _, outcome in results):  # seldom, and then it is to be looked who played at all
        for match, outcome in results:
            outcomes[match.meeting].append(outcome)
    for meeting, pairing in enumerate(pairings, 1):
        if len(pairing.entrants) < 2:
            found.append(Played(pairing, (1.0,)))
            continue
        lost = _never_played(pairing, outcomes[meeting])
        found.append(Played(pairing, _points(pairing, comparing[meeting]), forfeits=lost))
    return tuple(found)


def _points(pairing: Pairing, compared: Sequence[Comparison]) -> tuple[float, ...]:
    sums: dict[str, list[float]] = {name: [] for name in pairing.entrants}
    for one in compared:
        for name, points in one.results:
            sums[name].append(points)
    return tuple(math.fsum(points) / len(points) if points else 0.5 for points in sums.values())


def _never_played(pairing: Pairing, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Who forfeited every match that it had in a meeting."""
    found = []
    for name in pairing.entrants:
        mine = [outcome for outcome in outcomes if any(one.entrant == name for one in outcome.seats.values())]
        if mine and all(outcome.fault == name for outcome in mine):
            found.append(name)
    return tuple(found)
