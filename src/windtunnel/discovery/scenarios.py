"""From what a user types to a scenario file and the world it is played in.

`economy/growth` is a scenario of a world that is listed; what is a file is a path. A file's world is the
package beside it, which needs no installation, or else the listed world that the file names.
"""

from __future__ import annotations

from importlib.machinery import PathFinder
from pathlib import Path

from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.discovery import child
from windtunnel.discovery.listing import SUFFIXES, scenario_paths
from windtunnel.discovery.sources import (
    WorldSource,
    candidates,
    declared_worlds,
    find_source,
    source_of,
    worlds_in,
)
from windtunnel.errors import NotFound, WorldError
from windtunnel.scenario import peek
from windtunnel.words import suggest

_LEVELS = 8  # folders upward that are searched for a project
_NEAR = 3  # folders upward whose neighbours are looked at
_TRIED = 5  # packages that are asked for their world's name


class FoundScenario(Struct, frozen=True):
    """A scenario file and its world, not imported yet."""

    name: str  # world/stem
    path: str
    source: WorldSource


def find_scenario(text: str, workspace: Workspace, file: str | None = None) -> FoundScenario:
    """By `world/name`, by a path, or by a world's name with a file of its folder."""
    if file is None:
        for path in (Path(text).expanduser(), workspace.root / text):
            if path.is_file():
                return _by_path(path.resolve(), workspace)
        world, _, name = text.partition("/")
    else:
        world, name = text, file
    return _by_name(world, name, text if file is None else f"{text} {file}", workspace)


def _by_name(world: str, name: str, text: str, workspace: Workspace) -> FoundScenario:
    known = [one.name for one in candidates(workspace)]
    if world not in known:
        raise _no_scenario(text, world, known)
    source = find_source(world, workspace)
    wanted = name.removeprefix("scenarios/")
    for suffix in SUFFIXES:
        wanted = wanted.removesuffix(suffix)
    there = scenario_paths(source)
    if (full := f"{world}/{wanted}") in there:
        return FoundScenario(full, there[full], source)
    if not wanted:
        raise NotFound(f"{world!r} is a world; a scenario is world/name", remedy=_listing(there))
    raise NotFound(f"there is no scenario {text!r}", remedy=suggest(full, there))


def _no_scenario(text: str, world: str, known: list[str]) -> NotFound:
    if text.endswith(SUFFIXES):
        return NotFound("there is no such scenario file", where=text, remedy="windtunnel scenarios")
    what = f"there is no scenario {text!r}: no world is called {world!r}"
    return NotFound(what, remedy=suggest(world, known) if known else "windtunnel worlds")


def _listing(there: dict[str, str]) -> str:
    return f"one of: {', '.join(there)}" if there else "it has no scenarios: give the path of a file"


# --- paths -------------------------------------------------------------------------------------------


def _by_path(path: Path, workspace: Workspace) -> FoundScenario:
    name = peek(path)["world"]
    listed = {one.name: one.found for one in candidates(workspace)}.get(name)
    known = listed if isinstance(listed, WorldSource) else None
    inside = known is not None and any(place in path.parents for place in _homes(known))
    source = None if inside else world_beside(path, name)
    if source is None or (known is not None and _same_place(known, source)):
        try:
            source = find_source(name, workspace)
        except NotFound as error:
            raise NotFound(
                f"the file plays in a world {name!r}, which is neither installed, listed, nor beside it",
                where=str(path),
                remedy=error.remedy,
            ) from None
    return FoundScenario(f"{name}/{path.stem}", str(path), source)


def world_beside(path: Path, name: str) -> WorldSource | None:
    """The world of this name whose package or project the file lies in. None: it lies in no package."""
    origin = f"beside {path}"
    tried: dict[str, str] = {}
    others: list[str] = []
    for level, folder in enumerate(path.resolve().parents):
        if level >= _LEVELS:
            break
        declared = declared_worlds(folder)
        if name in declared:
            return source_of(name, folder, declared[name], origin)
        others += declared
        if level < _NEAR and not declared:
            tried.update(_near(folder, path))
        if declared or (folder / ".git").exists():
            break
    for target, home in list(tried.items())[:_TRIED]:
        source = WorldSource(name, "path", target, origin, home, (home,))
        try:
            child.ask(source)
        except WorldError as error:
            if (itself := error.data.get("calls_itself")) is None:
                raise
            others.append(itself)
        else:
            return source
    if tried:
        raise WorldError(
            f"the file plays in a world {name!r}; beside it is {', '.join(map(repr, others))}",
            where=str(path),
            remedy=suggest(name, others),
        )
    return None


def _near(folder: Path, path: Path) -> dict[str, str]:
    """What to import, and the folder to find it in: the package a folder is, or those beside `scenarios`.
    Nothing else is looked at, so that no script that merely lies about is ever run."""
    if (folder / "__init__.py").is_file():
        whole = worlds_in(folder.parent).get(folder.name)
        home = folder.parent
        while whole and (home / "__init__.py").is_file():
            whole, home = f"{home.name}.{whole}", home.parent
        return {whole: str(home)} if whole else {}
    if path.parent != folder / "scenarios":
        return {}
    return {target: str(home) for home in (folder, folder / "src") for target in worlds_in(home).values()}


def _homes(source: WorldSource) -> list[Path]:
    """The folders that are a listed world's own."""
    if source.kind == "path":
        return [Path(source.root)]
    spec = PathFinder.find_spec(source.package)
    return [Path(place).resolve() for place in (spec.submodule_search_locations or [])] if spec else []


def _same_place(listed: WorldSource, beside: WorldSource) -> bool:
    if listed.target != beside.target:
        return False
    if listed.kind == "path":
        return listed.paths[0] == beside.paths[0]
    return any(home.parent == Path(beside.paths[0]) for home in _homes(listed))
