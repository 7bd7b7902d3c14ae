"""A generation's children: which operator makes each, and of whom.

Nothing depends on the order in which anything ends: each child has a stream of chance of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.chance import Chance
from windtunnel.errors import Undecided
from windtunnel.evolution.model import START, TRACE, Candidate, Genome, Plan, Record, genome_of
from windtunnel.evolution.operators import crossed, mutated, vector
from windtunnel.evolution.reflection import Trace, rewritten
from windtunnel.evolution.selection import novelty, winner_of
from windtunnel.world import Context

TRIES = 20  # to make a child that is like nobody before it
ASKED = 2  # of these, by asking a model


class Parents(Struct):
    """Who may have children, the best first; with their genomes, how they did, and the archive of what is
    new."""

    order: Sequence[str]
    genomes: Mapping[str, Genome]
    records: Mapping[str, Record]
    archive: Sequence[list[float]]


async def children(
    plan: Plan, parents: Parents, count: int, known: set[str], first: int, context: Context
) -> list[Candidate]:
    """So many that differ from all before them, fewer where there are no more. `known`: what there was, by
    `key`; it is added to."""
    found: list[Candidate] = []
    for number in range(first, first + count):
        name = f"c{number}"
        for attempt in range(TRIES):
            luck = context.chance("child", number, attempt)
            made = await _child(plan, parents, name, luck, context, ask=attempt < ASKED)
            if made is not None and key(made.genome) not in known:
                known.add(key(made.genome))
                found.append(made)
                break
    return found


def key(genome: Genome) -> str:
    return msgspec.json.encode(genome, order="deterministic").decode()


async def _child(
    plan: Plan, parents: Parents, name: str, luck: Chance, context: Context, *, ask: bool
) -> Candidate | None:
    strategy = plan.start.strategy
    schema = strategy.schema
    one = _parent(plan, parents, luck)
    genome = parents.genomes[one]
    if strategy.speaks and ask and luck.happens(plan.reflected):
        return await _reflected(plan, parents, one, name, luck, context)
    others = [model for model in plan.models if model != genome.model]
    if others and (not schema or luck.happens(1 / (len(schema) + 1))):
        model = luck.choice(others)
        changed = Genome(genome.parameters, genome.instructions, model)
        return Candidate(name, context.turn, "mutation", (one,), changed, f"model {model}")
    if not schema:
        return None
    mates = [mate for mate in parents.order if mate != one]
    if mates and luck.happens(plan.mutation.crossover):
        other = winner_of(mates, plan.mutation.rivals, luck)
        mixed = crossed(genome.parameters, parents.genomes[other].parameters, schema, luck)
        text = luck.choice([genome, parents.genomes[other]])
        changed = Genome(mixed, text.instructions, text.model)
        return Candidate(
            name, context.turn, "crossover", (one, other), changed, _differences(genome, changed)
        )
    moved = mutated(genome.parameters, schema, luck, plan.mutation)
    changed = Genome(moved, genome.instructions, genome.model)
    return Candidate(name, context.turn, "mutation", (one,), changed, _differences(genome, changed))


def _parent(plan: Plan, parents: Parents, luck: Chance) -> str:
    """One that did well; now and then one that is like no other."""
    schema = plan.start.strategy.schema
    if schema and luck.happens(plan.mutation.novelty):
        return max(
            (luck.choice(list(parents.order)) for _ in range(plan.mutation.rivals)),
            key=lambda name: novelty(vector(parents.genomes[name].parameters, schema), parents.archive),
        )
    return winner_of(parents.order, plan.mutation.rivals, luck)


async def _reflected(
    plan: Plan, parents: Parents, parent: str, name: str, luck: Chance, context: Context
) -> Candidate | None:
    """The parent with other instructions; None where no model gave any that can be used."""
    genome = parents.genomes[parent]
    record = parents.records.get(parent)
    worst = record.worst[: plan.reflection.matches] if record is not None else []
    who = context.member(name)
    traces: list[Trace] = []
    if worst:
        told: Any = await who.effect(TRACE, {"matches": worst})
        traces = msgspec.convert(told, list[Trace])
    try:
        text, why = await rewritten(who, plan, genome.instructions, traces, luck)
    except Undecided:
        return None
    changed = Genome(genome.parameters, text, genome.model)
    return Candidate(name, context.turn, "reflection", (parent,), changed, why)


def _differences(before: Genome, after: Genome) -> str:
    changed = [
        f"{name} {before.parameters[name]} to {value}"
        for name, value in after.parameters.items()
        if value != before.parameters[name]
    ]
    return ", ".join(changed)[:500]


def ancestor(plan: Plan) -> Candidate:
    """The start, as everybody's first parent."""
    return Candidate(START, 0, "", (), genome_of(plan.start.strategy))
