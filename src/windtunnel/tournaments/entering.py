"""Who is named to play, whole: a folder or file, a rule of the world's own, a version of the registry, or all
versions of a name.

What is read here is what plays to the end: a version that is registered later, or a tag that moves, changes
nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field, structs

from windtunnel.config import Workspace
from windtunnel.control.executor import hub_of
from windtunnel.control.strategies import Strategies
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import WorldSource, load_here
from windtunnel.errors import ModelSetup, NotFound, UsageError, WindtunnelError
from windtunnel.scenario.modelled import THINKING, models_of
from windtunnel.scenario.reading import Place
from windtunnel.strategies.model import Strategy, content_hash, with_parameters
from windtunnel.strategies.reading import check_strategy, read_strategy
from windtunnel.strategies.seats import seat
from windtunnel.strategies.versions import Version, read_number, strategy_of
from windtunnel.tournaments.model import Entrant
from windtunnel.words import quote, suggest
from windtunnel.world import Scenario, World

LISTED = 12  # versions that an error names

LoadWorld = Callable[[WorldSource], World]
Resolve = Callable[[str], Version | Strategy]  # NAME, NAME@VERSION, NAME@TAG of the registry
Versions = Callable[[str], Sequence[Version]]  # all of a NAME


class EntrantEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """Who enters, when more is to be said than which strategy. With `versions` it is many."""

    strategy: Annotated[str, Meta(description="A folder, a file, NAME@VERSION, or a rule of the role.")] = ""
    name: Annotated[str, Meta(description="What it is called here; the strategy's name if unsaid.")] = ""
    parameters: Annotated[dict[str, Any], Meta(description="Parameters of it that are others here.")] = field(
        default_factory=dict
    )
    versions: Annotated[
        str, Meta(description="Every registered version of NAME; of NAME@1 or NAME@1.2 those that begin so.")
    ] = ""
    last: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Of these versions the highest so many.")
    ] = None

    @property
    def label(self) -> str:
        return self.versions or self.strategy


def _none(name: str) -> Sequence[Version]:
    raise NotFound(f"no strategy is called {quote(name)}", where="strategy")


class Sources(Struct, frozen=True):
    """Where what a file names is found."""

    workspace: Workspace
    load: LoadWorld
    resolve: Resolve
    versions: Versions = _none


def sources(workspace: Workspace) -> Sources:
    """Those of a workspace: its worlds, and its registry."""
    worlds = Worlds(workspace)

    def load(source: WorldSource) -> World:
        worlds.remember(source)
        return load_here(source)

    def resolve(reference: str) -> Version | Strategy:
        with Strategies(workspace, worlds) as registry:
            return registry.resolve(reference)

    def versions(name: str) -> Sequence[Version]:
        with Strategies(workspace, worlds) as kept:
            return kept.registry.versions(name)

    return Sources(workspace, load, resolve, versions)


def read_entrants(
    given: Sequence[tuple[str | EntrantEntry, Place]],
    sources: Sources,
    folder: Path,
    world: World,
    *,
    word: str = "entrant",
) -> tuple[tuple[Entrant, ...], ...]:
    """Whom each entry names; with it comes the place where that is said. Versions of one strategy go by
    their number too, unless they are given names."""
    found: list[tuple[int, Entrant, Place, bool]] = []
    for number, (one, place) in enumerate(given):
        entry = EntrantEntry(one) if isinstance(one, str) else one
        try:
            entrants = read_entrant(entry, sources, folder, world)
        except WindtunnelError as error:
            where = f"{error.where}: " if error.where else ""
            message = f"{word} {entry.label}: {where}{error.message}"
            raise place.error(message, error.remedy, f"{word}s") from error
        found += [(number, entrant, place, bool(entry.name)) for entrant in entrants]
    shared = Counter(entrant.name for _, entrant, _, _ in found)
    called: set[str] = set()
    by_entry: list[list[Entrant]] = [[] for _ in given]
    for number, entrant, place, named in found:
        if shared[entrant.name] > 1 and entrant.version and not named:
            entrant = structs.replace(entrant, name=numbered(entrant.version))  # noqa: PLW2901 - the same, by its number
        if entrant.name in called:
            raise place.error(
                f"two {word}s are called {entrant.name!r}",
                "give one another name: {strategy: …, name: …}", f"{word}s",
            )  # fmt: skip
        called.add(entrant.name)
        by_entry[number].append(entrant)
    return tuple(map(tuple, by_entry))


def check_models(
    sources: Sources, stages: Sequence[Scenario], entrant: Entrant, place: Place, field: str
) -> None:
    """That its models can be asked on this machine: said before anything is played, where it was named."""
    alone = (seat(entrant.strategy, "seat"),)
    models = {name for stage in stages for name in models_of(structs.replace(stage, agents=alone))}
    if entrant.strategy.kind not in THINKING or not models:
        return
    try:
        hub_of(sources.workspace).check(sorted(models))
    except ModelSetup as error:
        raise place.error(f"{entrant.name}: {error.message}", error.remedy, field) from error


def read_entrant(entry: EntrantEntry, sources: Sources, folder: Path, world: World) -> tuple[Entrant, ...]:
    """Who is named, whole; several where all versions of a name are."""
    if bool(entry.strategy) == bool(entry.versions):
        raise UsageError(
            "name either a strategy or versions", remedy="{strategy: NAME@1.0.0}, or {versions: NAME}"
        )
    if entry.versions:
        if entry.name or entry.parameters:
            raise UsageError("name and parameters are of one strategy, not of all versions of it")
        found = chosen(sources, entry.versions, entry.last)
        return tuple(_registered(one, world, entry.versions, numbered(one.label)) for one in found)
    if entry.last is not None:
        raise UsageError("last counts versions", remedy=f"{{versions: {entry.strategy}, last: {entry.last}}}")
    return (_one(entry, sources, folder, world),)


def numbered(label: str) -> str:
    """What a version is called among others: `dove-1-0-2`, since an agent's name has neither @ nor dots."""
    return label.replace("@", "-").replace(".", "-")


def chosen(sources: Sources, which: str, last: int | None = None) -> list[Version]:
    """The versions of NAME, of NAME@1 or of NAME@1.2, the highest first; of them the `last`."""
    name, at, numbers = which.partition("@")
    known = sorted(sources.versions(name), key=lambda one: read_number(one.number) or (0, 0, 0), reverse=True)
    found = [one for one in known if not at or f"{one.number}.".startswith(f"{numbers}.")]
    if not found:
        listed = ", ".join(one.number for one in known[:LISTED])
        raise NotFound(
            f"no version of {name!r} begins with {quote(numbers)}", where="versions",
            remedy=f"its versions: {listed}",
        )  # fmt: skip
    return found[:last]


def _one(entry: EntrantEntry, sources: Sources, folder: Path, world: World) -> Entrant:
    origin, beside = entry.strategy, folder / entry.strategy
    if beside.exists() or entry.strategy.startswith((".", "/")):
        strategy = read_strategy(beside, world)
    elif (rule := _policy(entry.strategy, world)) is not None:
        strategy = rule
    else:
        try:
            known = sources.resolve(entry.strategy)
        except NotFound as error:
            rules = [name for part in world.roles.values() for name in part.policies]
            if (near := suggest(entry.strategy, rules)).startswith("did"):
                error.remedy = near
            raise
        if isinstance(known, Version) and not entry.parameters:
            return _registered(known, world, origin, entry.name or known.name)
        strategy = check_strategy(strategy_of(known), world)
    if entry.parameters:
        strategy = with_parameters(strategy, entry.parameters)
    return Entrant(entry.name or strategy.name, strategy, content_hash(strategy), origin=origin)


def _registered(version: Version, world: World, origin: str, name: str) -> Entrant:
    strategy = check_strategy(version.strategy, world)
    return Entrant(name, strategy, content_hash(strategy), version.label, origin)


def _policy(name: str, world: World) -> Strategy | None:
    """A rule of the world's own, by its name alone."""
    for role, part in world.roles.items():
        if name in part.policies:
            return Strategy(name, world.name, role, policy=name)
    return None
