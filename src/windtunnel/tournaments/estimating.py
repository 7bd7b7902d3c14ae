"""What a tournament comes to before it is played: how many matches, what they would ask of their models, and
how long they take by themselves.

Matches are rehearsed as a run is, until everybody who asks a model has played in every scenario, and each
rehearsal stands for the matches that are like it. Who meets whom may depend on results, which nobody knows
yet: it is reckoned as if whoever is named first in the file always won.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field, structs

from windtunnel.config import Workspace
from windtunnel.control.estimate import Costs, Foreseen, Tally, by_model, foresee
from windtunnel.control.executor import hub_of
from windtunnel.control.worlds import Worlds
from windtunnel.scenario import scenario_from_plain
from windtunnel.tournaments.draw import Seats, matches_of, on_each_stage
from windtunnel.tournaments.formats import ELIMINATIONS, Pairing, Played, next_round, scheduled
from windtunnel.tournaments.model import WORLD_NAME, Entrant, Field, Match
from windtunnel.tournaments.playing import Order
from windtunnel.tournaments.running import order_of
from windtunnel.tournaments.scoring import points_of

BY_RESULTS = (*ELIMINATIONS, "swiss", "ladder")  # formats in which results say who meets whom


class Sample(Struct):
    """A match that is rehearsed, and for how many it stands; where a seat stands for another number of them,
    that is said."""

    order: Order
    matches: float
    seats: Mapping[str, float] = field(default_factory=dict)


class Forecast(Costs):
    """`notes`: what it leaves out, in words."""

    title: str
    matches: int
    rehearsed: int
    processes: int
    seconds: float
    rounds: int
    budget: float | None = None
    notes: list[str] = field(default_factory=list)


async def forecast(workspace: Workspace, plan: Field, processes: int = 0) -> Forecast:
    told = course(plan)
    return await rehearsed(
        workspace, _samples(plan, told), processes, title=plan.title, rounds=told.rounds,
        matches=told.matches * len(plan.stages), budget=plan.budget, notes=_notes(plan),
    )  # fmt: skip


def _notes(plan: Field) -> list[str]:
    notes = []
    if _endless(plan):
        notes.append("it has no last round: this is one round of it")
    elif plan.plan.format in BY_RESULTS:
        notes.append("who meets whom follows from results: entrants may play more often, or less")
    return [*notes, *not_called(plan.entrants)]


def not_called(entrants: Sequence[Entrant]) -> list[str]:
    """A note on whose code stays out of it."""
    code = dict.fromkeys(one.name for one in entrants if one.strategy.kind == "python")
    return [f"code of their own is not called: {', '.join(code)}"] if code else []


def _endless(plan: Field) -> bool:
    return plan.plan.format == "ladder" and plan.plan.rounds is None


async def rehearsed(
    workspace: Workspace, samples: Sequence[Sample], processes: int, **about: Any
) -> Forecast:
    """What the samples come to together."""
    told: list[tuple[Tally, float]] = []
    seconds = 0.0
    hub, worlds = hub_of(workspace), Worlds(workspace)
    processes = processes or len(os.sched_getaffinity(0))

    async def foreseen(order: Order) -> Foreseen:
        world = worlds(order.world)
        return await foresee(hub.gateway, world, scenario_from_plain(order.scenario, world))

    try:
        for number, sample in enumerate(samples):
            if not number:
                await foreseen(sample.order)  # what is loaded at the first time is not of a match
            found = await foreseen(sample.order)
            seconds += found.seconds * sample.matches
            told += [(one, sample.seats.get(one.agent, sample.matches)) for one in found.asked]
    finally:
        await hub.aclose()
    return Forecast(
        models=by_model(told), rehearsed=len(samples), processes=processes, seconds=seconds / processes,
        **about,
    )  # fmt: skip


class Course(Struct):
    """A tournament as it goes by the seeding. `matches`, `often`: how many there are, and how many of them
    each entrant plays, in each scenario; `chosen`: rounds and meetings that are rehearsed."""

    rounds: int = 0
    matches: int = 0
    often: Counter[str] = field(default_factory=Counter)
    chosen: list[tuple[int, Pairing]] = field(default_factory=list)


def course(plan: Field) -> Course:
    """Nothing is kept of most matches: there may be very many."""
    asking = {one.name for one in plan.entrants if one.strategy.speaks}
    told, alone = Course(), len(plan.seats) == 1
    for number, pairings in enumerate(_rounds(plan), 1):
        told.rounds = number
        for one in pairings:
            count = on_each_stage(plan, one)
            told.matches += count
            told.often.update(dict.fromkeys(one.entrants, count // len(one.entrants) if alone else count))
            if count and (not told.chosen or asking.intersection(one.entrants)):
                told.chosen.append((number, one))
                asking.difference_update(one.entrants)
    return told


def _rounds(plan: Field) -> Iterator[tuple[Pairing, ...]]:
    """Of a tournament without an end, one."""
    if fixed := scheduled(plan.plan):
        yield from fixed
        return
    worth = {name: -float(place) for place, name in enumerate(plan.plan.entrants)}
    history: list[tuple[Played, ...]] = []
    while (pairings := next_round(plan.plan, history)) is not None:
        yield pairings
        if _endless(plan):
            return
        points = [points_of([worth[name] for name in one.entrants]) for one in pairings]
        history.append(tuple(map(Played, pairings, points)))


def _samples(plan: Field, told: Course) -> list[Sample]:
    """Of each meeting that is chosen a match in each scenario; where everybody plays alone, one of each."""
    brief = structs.replace(plan, seeds=(), lucks=1)
    matches: dict[tuple[Any, ...], Match] = {}
    for number, pairing in told.chosen:
        for match in matches_of(brief, number, [pairing], 1):
            who = sorted(match.seats.values())  # seats changed round are the same meeting
            matches.setdefault((match.stage, number, *who), match)
    sits = Counter(name for match in matches.values() for name in match.seats.values())
    each = len(matches) / len(plan.stages)
    made: Seats = {}
    return [
        Sample(
            order_of(plan, match, "", WORLD_NAME, None, made),
            told.matches / each,
            {seat: told.often[name] * len(plan.stages) / sits[name] for seat, name in match.seats.items()},
        )
        for match in matches.values()
    ]
