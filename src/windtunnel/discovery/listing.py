"""What there is to play. A broken world or scenario is listed with its error and spoils no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.discovery import child
from windtunnel.discovery.child import Description, ScenarioInfo
from windtunnel.discovery.loading import load_here
from windtunnel.discovery.sources import Candidate, WorldSource, candidates
from windtunnel.errors import WindtunnelError, WorldError
from windtunnel.scenario import load_scenario
from windtunnel.world import World

SUFFIXES = (".yaml", ".yml")
_AT_ONCE = 4


class WorldInfo(Struct, frozen=True):
    name: str
    source: Literal["entry point", "path"]
    origin: str
    version: str = ""
    description: str = ""
    roles: tuple[str, ...] = ()
    scenarios: tuple[ScenarioInfo, ...] = ()
    error: str | None = None
    remedy: str | None = None


def list_worlds(workspace: Workspace, limit: float = child.LIMIT_SECONDS) -> list[WorldInfo]:
    """Every world that is named; those by path are checked in child processes, a few at a time."""
    named = candidates(workspace)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = {n: pool.submit(_info, one, limit) for n, one in enumerate(named) if one.kind == "path"}
        return [asked[n].result() if n in asked else _info(one, limit) for n, one in enumerate(named)]


def list_scenarios(world: World) -> list[ScenarioInfo]:
    """The scenario files of a world, in the order of their names."""
    return [_scenario_info(file, world) for file in _scenario_files(world)]


def _scenario_files(world: World) -> list[Path]:
    if not world.scenarios:
        return []
    folder = Path(world.scenarios)
    try:
        return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        raise WorldError(
            f"its folder of scenarios cannot be read: {error.strerror}",
            where=str(folder),
            remedy="mend World.scenarios",
        ) from None


def scenario_paths(source: WorldSource) -> dict[str, str]:
    """The files of a world's scenarios by their names. Read where the world says itself what it has; of one
    that is imported here the names alone are looked at, since who wants one does not wait for all others."""
    if source.kind == "path":
        return {one.name: one.path for one in child.ask(source).scenarios}
    world = load_here(source)
    return {_scenario_name(file, world): str(file) for file in _scenario_files(world)}


def description_of(source: WorldSource, limit: float = child.LIMIT_SECONDS) -> Description:
    if source.kind == "path":
        return child.ask(source, limit)
    world = load_here(source)
    return child.describe(world, tuple(list_scenarios(world)))


def _info(one: Candidate, limit: float) -> WorldInfo:
    try:
        if isinstance(one.found, WorldError):
            raise one.found
        said = description_of(one.found, limit)
    except WindtunnelError as error:
        return WorldInfo(one.name, one.kind, one.origin, error=error.message, remedy=error.remedy)
    return WorldInfo(
        one.name, one.kind, one.origin, said.version, said.description, said.roles, said.scenarios
    )


def _scenario_name(file: Path, world: World) -> str:
    return f"{world.name}/{file.stem}"


def _scenario_info(file: Path, world: World) -> ScenarioInfo:
    name = _scenario_name(file, world)
    try:
        made = load_scenario(file, world)
    except WindtunnelError as error:
        return ScenarioInfo(name, str(file), error=str(error))
    return ScenarioInfo(name, str(file), made.title, made.description, made.turns, len(made.agents))
