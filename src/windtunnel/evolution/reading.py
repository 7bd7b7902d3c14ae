"""From an evolution's file to a plan: the start, what it is tried on, and what it is judged by, sealed."""

from __future__ import annotations

import math
import re
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field, structs

from windtunnel.control.executor import hub_of
from windtunnel.errors import ModelSetup, WindtunnelError
from windtunnel.evolution.model import START, Ground, Mutation, Plan, Reflection
from windtunnel.evolution.trials import seal_of
from windtunnel.scenario import scenario_to_plain
from windtunnel.scenario.checking import check
from windtunnel.scenario.kinds import expect
from windtunnel.scenario.reading import Node, Place, node_of
from windtunnel.strategies.reading import read_document
from windtunnel.strategies.versions import Version
from windtunnel.tournaments.entering import EntrantEntry, Sources, check_models, read_entrant, read_entrants
from windtunnel.tournaments.model import Entrant, Limits, Scoring
from windtunnel.tournaments.reading import StageEntry, read_stages
from windtunnel.words import suggest
from windtunnel.world import Scenario, World

OURS = re.compile(rf"c\d+|{START}")  # what candidates are called

Stages = list[str | StageEntry]
Opponents = list[str | EntrantEntry]


class HeldOut(Struct, frozen=True, forbid_unknown_fields=True):
    """What the winner is judged by, and nothing looks at before."""

    seeds: Annotated[int, Meta(ge=2, le=10_000, description="Lucks of each scenario.")] = 24
    scenarios: Annotated[Stages, Meta(description="Others than those of the search; the same if unsaid.")] = (
        field(default_factory=list)
    )
    opponents: Annotated[Opponents, Meta(description="Others too; the same if unsaid.")] = field(
        default_factory=list
    )


class EvolutionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What an evolution's file may hold."""

    evolution: Annotated[str, Meta(min_length=1, max_length=120, description="Its title.")]
    start: Annotated[str, Meta(description="A folder, a file, or NAME[@VERSION]: what is to become better.")]
    scenario: Annotated[str, Meta(description="What it is tried on: a scenario's name or path.")] = ""
    scenarios: Annotated[Stages, Meta(description="Several.")] = field(default_factory=list)
    turns: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="A match ends after so many turns.")
    ] = None
    seats: Annotated[
        list[str], Meta(description="Where it sits in turn; with opponents, they sit in the others.")
    ] = field(default_factory=list)
    opponents: Annotated[Opponents, Meta(description="Whom it meets; none: who the scenario names.")] = field(
        default_factory=list
    )
    seeds: Annotated[int, Meta(ge=1, le=1000, description="Lucks of each scenario and generation.")] = 4
    held_out: Annotated[HeldOut, Meta(description="What the winner is judged by.")] = field(
        default_factory=HeldOut
    )
    population: Annotated[int, Meta(ge=2, le=1000, description="Candidates of a generation.")] = 8
    generations: Annotated[int, Meta(ge=1, le=10_000, description="How many, at most.")] = 6
    elites: Annotated[int, Meta(ge=1, description="The best that go on into the next, tried again.")] = 2
    mutation: Annotated[Mutation, Meta(description="How children differ.")] = field(default_factory=Mutation)
    reflection: Annotated[Reflection, Meta(description="Who rewrites instructions.")] = field(
        default_factory=Reflection
    )
    models: Annotated[list[str], Meta(description="Models to choose from.")] = field(default_factory=list)
    scoring: Annotated[Scoring, Meta(description="How a match becomes a number.")] = field(
        default_factory=Scoring
    )
    limits: Annotated[Limits, Meta(description="What a match may take.")] = field(default_factory=Limits)
    budget: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="The most all of it may spend, in dollars.")
    ] = None
    seconds: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="The search ends within so many.")
    ] = None
    alpha: Annotated[float, Meta(gt=0, lt=1, description="How often nothing but luck may promote.")] = 0.05
    seed: Annotated[int, Meta(ge=0, lt=2**53, description="Of all chance.")] = 1
    description: Annotated[str, Meta(description="What it is for.")] = ""


def read_evolution(path: str | Path, sources: Sources) -> Plan:
    """An evolution's file, checked to the last opponent."""
    file = Path(path)
    return _plan(read_document(file, "evolution"), sources, file.parent)


def inline_evolution(given: dict[str, Any], sources: Sources, folder: Path | None = None) -> Plan:
    """The same from plain values, as REST and Python bring them."""
    return _plan(node_of(given, Place("evolution")), sources, folder or sources.workspace.root)


def _plan(root: Node, sources: Sources, folder: Path) -> Plan:
    expect(root, "evolution")
    check(root, EvolutionFile)
    file = msgspec.convert(root.plain(), EvolutionFile)
    named: Stages = [*([file.scenario] if file.scenario else []), *file.scenarios]
    if not named:
        raise root.place.error("the evolution names no scenario", "add scenario: WORLD/NAME", "scenario")
    world, stages = read_stages(named, _place(root, "scenarios", "scenario"), sources, folder, file.turns)
    start = _start(root, file, sources, folder, world)
    opponents = _opponents(root, file.opponents, start, sources, folder, world)
    held_out = _held_out(root, file, sources, folder, world)
    others = _opponents(root, file.held_out.opponents, start, sources, folder, world) or opponents
    _apart(root, stages, held_out, opponents if file.held_out.opponents else (), others)
    seats = _seats(root, file, [*stages, *held_out], start, world)
    for entrant in (start, *opponents, *others):
        place = _place(root, "start" if entrant is start else "opponents", "held_out")
        check_models(sources, [*stages, *held_out], entrant, place, "opponents")
    if start.strategy.speaks:
        _check_named(root, file, sources)
    plan = Plan(
        title=file.evolution,
        start=structs.replace(start, name=START),
        world=world.name,
        version=world.version,
        seats=seats,
        training=Ground(tuple(map(_plain, stages)), opponents, file.seeds),
        held_out=Ground(tuple(map(_plain, held_out or stages)), others, file.held_out.seeds),
        population=file.population,
        generations=file.generations,
        elites=file.elites,
        seed=file.seed,
        base=_base(start, sources),
        alpha=file.alpha,
        mutation=file.mutation,
        reflection=file.reflection,
        models=tuple(file.models),
        scoring=file.scoring,
        limits=file.limits,
        budget=file.budget,
        seconds=file.seconds,
        description=file.description,
    )
    _sensible(root, plan)
    return structs.replace(plan, seal=seal_of(plan))


def _check_named(root: Node, file: EvolutionFile, sources: Sources) -> None:
    """That the models which candidates may change to, and the one that reflects, can be asked here."""
    hub = hub_of(sources.workspace)
    for model, key in [*((name, "models") for name in file.models), (file.reflection.model, "reflection")]:
        if model in ("", "rule"):
            continue
        try:
            hub.check([model])
        except ModelSetup as error:
            raise _place(root, key).error(error.message, error.remedy, key) from error


def _place(root: Node, *keys: str) -> Place:
    for key in keys:
        if key in root.value:
            found: Place = root.value[key][1].place
            return found
    return root.place


def _plain(stage: Scenario) -> dict[str, Any]:
    plain: dict[str, Any] = scenario_to_plain(stage)
    return plain


# --- who ---


def _start(root: Node, file: EvolutionFile, sources: Sources, folder: Path, world: World) -> Entrant:
    place = _place(root, "start")
    try:
        (start,) = read_entrant(EntrantEntry(file.start), sources, folder, world)
    except WindtunnelError as error:
        raise place.error(f"start {file.start}: {error.message}", error.remedy, "start") from error
    strategy = start.strategy
    if not (strategy.changeable or len(file.models) > 1):
        raise place.error(
            f"nothing of {strategy.name!r} can change",
            "give it parameters with bounds in schema", "start",
        )  # fmt: skip
    if file.models and not strategy.speaks:
        raise _place(root, "models").error(f"kind: {strategy.kind} asks no model", "leave it out", "models")
    return start


def _opponents(
    root: Node, given: Opponents, start: Entrant, sources: Sources, folder: Path, world: World
) -> tuple[Entrant, ...]:
    place = _place(root, "opponents", "held_out")
    by_entry = read_entrants([(one, place) for one in given], sources, folder, world, word="opponent")
    found = tuple(chain.from_iterable(by_entry))
    for entrant in found:
        if OURS.fullmatch(entrant.name):
            raise place.error(
                f"an opponent is called {entrant.name!r}, as a candidate may be",
                "give it another name: {strategy: …, name: …}", "opponents",
            )  # fmt: skip
        if entrant.strategy.role != start.strategy.role:
            raise place.error(
                f"opponent {entrant.name} plays {entrant.strategy.role}, and the start"
                f" {start.strategy.role}",
                "one role: those of two do not sit in the same seats", "opponents",
            )  # fmt: skip
    return found


def _base(start: Entrant, sources: Sources) -> str:
    """The version that the winner would replace: the start as the registry knows it."""
    if start.version:
        return start.version
    try:
        known = sources.resolve(start.strategy.name)
    except WindtunnelError:
        return ""  # it is not registered
    return known.label if isinstance(known, Version) and known.hash == start.hash else ""


# --- on what ---


def _held_out(
    root: Node, file: EvolutionFile, sources: Sources, folder: Path, world: World
) -> list[Scenario]:
    if not file.held_out.scenarios:
        return []
    place = _place(root, "held_out")
    other, stages = read_stages(file.held_out.scenarios, place, sources, folder, file.turns)
    if other.name != world.name:
        raise place.error(
            f"held_out: its scenarios are of {other.name!r}", f"one world: {world.name}", "held_out"
        )
    return stages


def _apart(
    root: Node,
    stages: list[Scenario],
    held_out: list[Scenario],
    opponents: tuple[Entrant, ...],
    others: tuple[Entrant, ...],
) -> None:
    """What is named as held out must be new: what the search saw proves nothing."""
    place = _place(root, "held_out")
    seen = list(map(_plain, stages))
    for stage in map(_plain, held_out):
        if stage in seen:
            raise place.error(
                f"held_out: the search plays the scenario {stage.get('name', '')} too",
                "name others, or none: then the seeds are what is new", "held_out.scenarios",
            )  # fmt: skip
    hashes = {one.hash for one in opponents}
    for one in others:
        if one.hash in hashes:
            raise place.error(
                f"held_out: the search meets the opponent {one.name} too", "name others, or none",
                "held_out.opponents",
            )  # fmt: skip


def _seats(
    root: Node, file: EvolutionFile, stages: list[Scenario], start: Entrant, world: World
) -> tuple[str, ...]:
    role, needed = start.strategy.role, 2 if file.opponents or file.held_out.opponents else 1
    place = _place(root, "seats", "scenario")
    first: list[str] = []
    for stage in stages:
        playing = [agent.id for agent in stage.agents if (agent.role or next(iter(world.roles))) == role]
        first = first or playing
        for seat in file.seats or first[:needed]:
            if seat not in playing:
                raise place.error(
                    f"{stage.name} has no seat {seat!r} for the role {role!r}",
                    suggest(seat, playing),
                    "seats",
                )
    seats = tuple(dict.fromkeys(file.seats or first[:needed]))
    if len(seats) < needed:
        raise place.error(
            f"whoever meets an opponent needs {needed} seats, and there are {len(seats)}",
            f"its seats: {', '.join(first)}", "seats",
        )  # fmt: skip
    return seats


def _sensible(root: Node, plan: Plan) -> None:
    if plan.elites >= plan.population:
        raise _place(root, "elites").error(
            f"elites: {plan.elites} of {plan.population} leave no room for others", "elites: 2", "elites"
        )
    if plan.held_out.opponents and not plan.training.opponents:
        raise _place(root, "held_out").error(
            "held_out names opponents, and the search meets none", "add opponents:", "held_out.opponents"
        )
    # Signs alone give a chance of one in 2 to the power of the lucks: with fewer no gain could ever pass.
    lucks = plan.held_out.seeds * len(plan.held_out.stages)
    needed = math.ceil(math.log2(plan.most / plan.alpha))
    if lucks < needed:
        raise _place(root, "held_out").error(
            f"held_out.seeds: {lucks} held-out lucks cannot tell a gain from luck when {plan.most} are tried",
            f"{math.ceil(needed / len(plan.held_out.stages))} or more", "held_out.seeds",
        )  # fmt: skip
