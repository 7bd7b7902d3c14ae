"""What an evolution comes to before it is played: its matches, what they would ask of models, their time.

The start is rehearsed in the candidates' place: other numbers and instructions change little of what is
asked. Where there are models to choose from, each is taken to be chosen as often as the others. The luck of
a rehearsal is nobody's: what is held out stays sealed.
"""

from __future__ import annotations

from collections import Counter

from msgspec import structs

from windtunnel.config import Workspace
from windtunnel.evolution.model import START, Bout, Genome, Plan, genome_of
from windtunnel.evolution.trials import bout_order, bouts
from windtunnel.scenario.modelled import AT_HAND
from windtunnel.tournaments.estimating import Forecast, Sample, not_called, rehearsed
from windtunnel.words import counted


async def forecast(workspace: Workspace, plan: Plan, processes: int = 0) -> Forecast:
    searched, judged = (_bouts(plan, held_out=held_out) for held_out in (False, True))
    tries = plan.generations * plan.population
    samples = [  # the start is tried in every generation too, and at the gate
        *_samples(plan, searched, start=plan.generations, others=tries),
        *_samples(plan, judged, start=1, others=1),
    ]
    return await rehearsed(
        workspace, samples, processes, title=plan.title, rounds=plan.generations, budget=plan.budget,
        matches=len(searched) * (plan.generations + tries) + len(judged) * 2, notes=_notes(plan),
    )  # fmt: skip


def _bouts(plan: Plan, *, held_out: bool) -> list[Bout]:
    """Those of one candidate, in one generation or at the gate."""
    ground = plan.held_out if held_out else plan.training
    seeds = range(1, 1 + ground.seeds * len(ground.stages))
    who = {START: genome_of(plan.start.strategy)}
    return bouts(plan, who, seeds, generation=1, first=1, held_out=held_out)


def _samples(plan: Plan, mine: list[Bout], *, start: int, others: int) -> list[Sample]:
    """One match on each stage against each opponent, by each that is asked differently. `start`, `others`:
    how often all of these matches are played by the one, and by candidates."""
    alike = Counter((bout.stage, bout.opponent) for bout in mine)
    chosen = {(bout.stage, bout.opponent): bout for bout in reversed(mine)}
    return [
        Sample(
            bout_order(plan, structs.replace(bout, genome=genome), "", "estimate", None),
            alike[place] * times,
        )
        for genome, times in _genomes(plan, start, others)
        for place, bout in chosen.items()
    ]


def _genomes(plan: Plan, start: int, others: int) -> list[tuple[Genome, float]]:
    own = genome_of(plan.start.strategy)
    if not plan.models:
        return [(own, start + others)]
    each = others / len(plan.models)
    return [(own, start), *((structs.replace(own, model=model), each) for model in plan.models)]


def _notes(plan: Plan) -> list[str]:
    notes = not_called([plan.start, *plan.training.opponents, *plan.held_out.opponents])
    strategy = plan.start.strategy
    model = plan.reflection.model or strategy.model or AT_HAND[0]
    if strategy.speaks and model not in AT_HAND and (asked := round(plan.most * plan.reflected)):
        told = f"about {counted(asked, 'reflection')} by {model}"
        notes.append(f"{told} come on top: how long they are is not known before")
    return notes
