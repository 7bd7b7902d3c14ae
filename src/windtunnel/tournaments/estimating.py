"""What a tournament comes to before it is played: how many matches, what they would ask of their models, and
how long they take by themselves.

Matches are rehearsed as a run is, until everybody who asks a model has played in every scenario, and each
rehearsal stands for the matches that are like it. Who meets whom may depend on results, which nobody knows
yet: it is reckoned as if whoever is named first in the file always won.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from windtunnel.config import Workspace
from windtunnel.control.estimate import Costs, Foreseen, Tally, by_model, foresee
from windtunnel.control.executor import hub_of
from windtunnel.control.worlds import Worlds
from windtunnel.scenario import scenario_from_plain
from windtunnel.scenario.modelled import THINKING
from windtunnel.tournaments.draw import Seats, matches_of
from windtunnel.tournaments.formats import ELIMINATIONS, Played, next_round
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
    matches = course(plan)
    return await rehearsed(
        workspace, _samples(plan, matches), processes, title=plan.title, matches=len(matches),
        rounds=matches[-1].round, budget=plan.budget, notes=_notes(plan),
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


def course(plan: Field) -> list[Match]:
    """Every match of it, as long as it goes by the seeding; of one without an end, those of a round."""
    worth = {name: -float(place) for place, name in enumerate(plan.plan.entrants)}
    found: list[Match] = []
    history: list[tuple[Played, ...]] = []
    while (pairings := next_round(plan.plan, history)) is not None:
        found += matches_of(plan, len(history) + 1, pairings, len(found) + 1)
        history.append(
            tuple(Played(one, points_of([worth[name] for name in one.entrants])) for one in pairings)
        )
        if _endless(plan):
            break
    return found


Who = tuple[int, str]  # stage, and entrant or nobody


def _samples(plan: Field, matches: Sequence[Match]) -> list[Sample]:
    """Matches in which everybody who asks a model sits once in each stage, and one of each stage at least."""
    made: Seats = {}
    orders: dict[int, Order] = {}
    often: Counter[Who] = Counter()  # in all matches
    seen: Counter[Who] = Counter()  # in those that are rehearsed
    asking = {one.name for one in plan.entrants if one.strategy.kind in THINKING}
    for match in matches:
        mine = [(match.stage, ""), *((match.stage, name) for name in match.seats.values())]
        often.update(mine)
        if any(not seen[who] for who in mine if not who[1] or who[1] in asking):
            orders[match.number] = order_of(plan, match, "", WORLD_NAME, None, made)
            seen.update(mine)
    chosen = [match for match in matches if match.number in orders]
    return [
        Sample(
            orders[match.number],
            often[match.stage, ""] / seen[match.stage, ""],
            {seat: often[match.stage, name] / seen[match.stage, name] for seat, name in match.seats.items()},
        )
        for match in chosen
    ]
