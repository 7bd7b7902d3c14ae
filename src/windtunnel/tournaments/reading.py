"""From a tournament's file to a Field: every entrant whole, every scenario whole, every rule declared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.discovery import find_scenario
from windtunnel.errors import ScenarioError, WindtunnelError
from windtunnel.scenario import load_scenario, override_scenario, scenario_to_plain
from windtunnel.scenario.checking import check
from windtunnel.scenario.kinds import expect
from windtunnel.scenario.reading import Node, Place, node_of
from windtunnel.strategies.reading import read_document
from windtunnel.tournaments.entering import EntrantEntry, Sources, check_models, read_entrants, sources
from windtunnel.tournaments.formats import Format, Plan
from windtunnel.tournaments.formats import check as check_plan
from windtunnel.tournaments.model import Entrant, Field, Limits, Scoring
from windtunnel.words import suggest
from windtunnel.world import AgentSpec, Scenario, World

__all__ = ["EntrantEntry", "Sources", "inline_tournament", "read_stages", "read_tournament", "sources"]

MOST_SEEDS = 10_000


class StageEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario with some of its values changed."""

    scenario: Annotated[str, Meta(description="A scenario's name or path.")]
    set: Annotated[dict[str, Any], Meta(description="Values of it that are others here.")] = field(
        default_factory=dict
    )


class FormatEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A format with its rules."""

    kind: Annotated[Format, Meta(description="Who meets whom.")]
    rounds: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="How many rounds, where the format lets you say.")
    ] = None
    double: Annotated[bool, Meta(description="Round-robin: everyone meets everyone twice.")] = False
    third_place: Annotated[bool, Meta(description="Single elimination: a match for it.")] = False
    table: Annotated[int, Meta(ge=2, description="Free-for-all: how many sit at one table.")] = 2
    tie_breaks: Annotated[list[str], Meta(description="What ranks those with equal points, in order.")] = (
        field(default_factory=list)
    )


class TournamentFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tournament's file may hold."""

    tournament: Annotated[str, Meta(min_length=1, max_length=120, description="Its title.")]
    entrants: Annotated[
        list[str | EntrantEntry],
        Meta(min_length=1, max_length=1000, description="Who enters, the best first."),
    ]
    pool: Annotated[
        list[str | EntrantEntry],
        Meta(max_length=1000, description="Frozen: every entrant meets each of them; they do not meet."),
    ] = field(default_factory=list)
    scenario: Annotated[str, Meta(description="What is played: a scenario's name or path.")] = ""
    scenarios: Annotated[
        list[str | StageEntry], Meta(description="Several: every meeting plays each of them.")
    ] = field(default_factory=list)
    format: Annotated[Format | FormatEntry, Meta(description="Who meets whom.")] = "round-robin"
    seats: Annotated[
        list[str], Meta(description="The seats that entrants take; all of their role if unsaid.")
    ] = field(default_factory=list)
    rotate: Annotated[bool, Meta(description="Every seed again with the seats changed round.")] = True
    turns: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="A match ends after so many turns.")
    ] = None
    seeds: Annotated[
        int | list[int], Meta(description="Which lucks a meeting is played with, or how many.")
    ] = 3
    seed: Annotated[
        int, Meta(ge=0, lt=2**53, description="Of the lots that are drawn, and of the seeds.")
    ] = 1
    scoring: Annotated[Scoring, Meta(description="How a match becomes a number.")] = field(
        default_factory=Scoring
    )
    limits: Annotated[Limits, Meta(description="What a match may take.")] = field(default_factory=Limits)
    budget: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="The most that all of it may spend, in dollars."),
    ] = None
    description: Annotated[str, Meta(description="What it is for.")] = ""


def read_tournament(path: str | Path, sources: Sources) -> Field:
    """A tournament's file, checked to the last entrant."""
    file = Path(path)
    root = read_document(file, "tournament")
    return _field(root, sources, file.parent)


def inline_tournament(given: dict[str, Any], sources: Sources, folder: Path | None = None) -> Field:
    """The same from plain values, as REST and Python bring them."""
    return _field(node_of(given, Place("tournament")), sources, folder or sources.workspace.root)


def _field(root: Node, sources: Sources, folder: Path) -> Field:
    expect(root, "tournament")
    check(root, TournamentFile)
    file = msgspec.convert(root.plain(), TournamentFile)
    given: list[str | StageEntry] = [*([file.scenario] if file.scenario else []), *file.scenarios]
    if not given:
        raise root.place.error("the tournament names no scenario", "add scenario: WORLD/NAME", "scenario")
    world, stages = read_stages(given, _place(root, "scenarios", "scenario"), sources, folder, file.turns)
    entrants, pool = _entrants(root, file, sources, folder, world, stages)
    seats = _seats(root, file, stages, entrants, world)
    plan = _plan(root, _shape(root, file), file, entrants, pool)
    needed = plan.seats if plan.format == "free-for-all" else 2
    needed = 1 if len(seats) == 1 else needed
    seeds, lucks = _seeds(root, file)
    if len(seats) < needed:
        raise _place(root, "seats", "scenario").error(
            f"{needed} sit at a table, and the scenario has {len(seats)} seats for them",
            f"its seats: {', '.join(agent.id for agent in stages[0].agents)}", "seats",
        )  # fmt: skip
    return Field(
        file.tournament, plan, entrants, world.name, world.version,
        tuple(_plain(stage) for stage in stages), seats[:needed], seeds, lucks, rotate=file.rotate,
        scoring=_scoring(root, file), limits=file.limits, budget=file.budget, description=file.description,
    )  # fmt: skip


def _place(root: Node, *keys: str) -> Place:
    for key in keys:
        if key in root.value:
            found: Place = root.value[key][1].place
            return found
    return root.place


# --- what is played ---------------------------------------------------------------------------------------


def read_stages(
    given: Sequence[str | StageEntry], place: Place, sources: Sources, folder: Path, turns: int | None = None
) -> tuple[World, list[Scenario]]:
    """The scenarios that are named, whole, and the one world of all of them."""
    world: World | None = None
    stages = []
    for one in given:
        entry = StageEntry(one) if isinstance(one, str) else one
        beside = folder / entry.scenario
        named = str(beside) if beside.is_file() else entry.scenario
        try:
            found = find_scenario(named, sources.workspace)
            world = world or sources.load(found.source)
            if found.source.name != world.name:
                raise ScenarioError(
                    f"it is played in {found.source.name!r}, and others here in {world.name!r}",
                    remedy="one world: what is reached in two cannot be compared",
                )
            scenario = load_scenario(found.path, world)
            changes = [f"{key}={_text(value)}" for key, value in entry.set.items()]
            if turns is not None:
                changes.append(f"turns={turns}")
            stages.append(override_scenario(scenario, changes, world) if changes else scenario)
        except WindtunnelError as error:
            raise place.error(
                f"scenario {entry.scenario}: {error.message}", error.remedy, "scenario"
            ) from error
    assert world is not None
    return world, stages


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _plain(stage: Scenario) -> dict[str, Any]:
    plain: dict[str, Any] = scenario_to_plain(stage)
    return plain


# --- who plays --------------------------------------------------------------------------------------------


def _entrants(
    root: Node,
    file: TournamentFile,
    sources: Sources,
    folder: Path,
    world: World,
    stages: Sequence[Scenario],
) -> tuple[tuple[Entrant, ...], tuple[str, ...]]:
    """Everybody who enters, and the names of those who are the frozen pool."""
    given: list[tuple[str | EntrantEntry, Place]] = []
    for key, entries in (("entrants", file.entrants), ("pool", file.pool)):
        nodes = root.value[key][1].value if key in root.value else ()
        given += [(entry, node.place) for entry, node in zip(entries, nodes, strict=True)]
    by_entry = read_entrants(given, sources, folder, world)
    for (_, place), named in zip(given, by_entry, strict=True):
        for entrant in named:
            check_models(sources, stages, entrant, place, "entrants")
    found = tuple(chain.from_iterable(by_entry))
    frozen = chain.from_iterable(by_entry[len(file.entrants) :])
    roles = sorted({entrant.strategy.role for entrant in found})
    if len(roles) > 1:
        raise _place(root, "entrants").error(
            f"the entrants play different roles: {', '.join(roles)}",
            "one role a tournament: those of two do not sit in the same seats", "entrants",
        )  # fmt: skip
    return found, tuple(one.name for one in frozen)


def _seats(
    root: Node, file: TournamentFile, stages: Sequence[Scenario], entrants: Sequence[Entrant], world: World
) -> tuple[str, ...]:
    """The seats that entrants take, which every stage has."""
    role = entrants[0].strategy.role
    for stage in stages:
        playing = [agent.id for agent in stage.agents if _role(agent, world) == role]
        for seat in file.seats or playing[:1]:
            if seat not in playing:
                raise _place(root, "seats", "scenario").error(
                    f"{stage.name} has no seat {seat!r} for the role {role!r}",
                    suggest(seat, playing),
                    "seats",
                )
    first = [agent.id for agent in stages[0].agents if _role(agent, world) == role]
    return tuple(file.seats or first)


def _role(agent: AgentSpec, world: World) -> str:
    return agent.role or next(iter(world.roles))


# --- how --------------------------------------------------------------------------------------------------


def _shape(root: Node, file: TournamentFile) -> FormatEntry:
    """The format that is named; a pool alone says which one is meant."""
    if file.pool and "format" not in root.value:
        return FormatEntry("gauntlet")
    return file.format if isinstance(file.format, FormatEntry) else FormatEntry(file.format)


def _plan(
    root: Node, shape: FormatEntry, file: TournamentFile, entrants: Sequence[Entrant], pool: tuple[str, ...]
) -> Plan:
    plan = Plan(
        format=shape.kind, entrants=tuple(entrant.name for entrant in entrants), rounds=shape.rounds,
        double=shape.double, third_place=shape.third_place, seats=shape.table, pool=pool,
        seed=file.seed, tie_breaks=tuple(shape.tie_breaks),
    )  # fmt: skip
    try:
        return check_plan(plan)
    except WindtunnelError as error:
        where = "pool" if error.where == "pool" else "format"
        raise _place(root, where, "format", "entrants").error(error.message, error.remedy, where) from error


def _scoring(root: Node, file: TournamentFile) -> Scoring:
    if file.scoring.draw < 0:
        raise _place(root, "scoring").error("scoring.draw: it must be 0 or more", None, "scoring.draw")
    return file.scoring


def _seeds(root: Node, file: TournamentFile) -> tuple[tuple[int, ...], int]:
    """Those that are named; or how many are drawn for each round."""
    place = _place(root, "seeds")
    if isinstance(file.seeds, list):
        if not file.seeds or len(set(file.seeds)) < len(file.seeds):
            raise place.error("seeds: each of them once, and at least one", None, "seeds")
        if shape_repeats(file):
            raise place.error(
                "seeds: named ones would be played again in every meeting of the same two",
                "give their number: others are drawn for every round", "seeds",
            )  # fmt: skip
        return tuple(file.seeds), 0
    if not 1 <= file.seeds <= MOST_SEEDS:
        raise place.error(f"seeds: between 1 and {MOST_SEEDS:,}", None, "seeds")
    return (), file.seeds


def shape_repeats(file: TournamentFile) -> bool:
    """Whether the same two may meet more than once."""
    shape = file.format if isinstance(file.format, FormatEntry) else FormatEntry(file.format)
    return shape.kind in ("ladder", "double-elimination") or shape.double
