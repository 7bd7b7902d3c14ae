"""Importing a world, and saying in words why one cannot be.

A world given by a path brings its folders with it. Two of them whose folders offer modules of one name would
read each other's code without a word, so one process hosts such worlds only while they do not meet.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec

from windtunnel.config import Workspace
from windtunnel.discovery.sources import WorldSource, find_source
from windtunnel.errors import WorldError
from windtunnel.world import World

_COMMON = {"conftest", "docs", "examples", "scripts", "setup", "tests", "test"}  # never imported by a world
_hosted: dict[tuple[str, ...], WorldSource] = {}
_lock = RLock()


def find_world(name: str, workspace: Workspace) -> World:
    return load_here(find_source(name, workspace))


def load_here(source: WorldSource) -> World:
    """Import a world into this process. What it prints while it is imported goes to stderr."""
    with _lock, redirect_stdout(sys.stderr):
        if source.kind == "entry point":
            return _import(source)
        _refuse_conflict(source)
        with _on_path(source):
            world = _import(source)
        _hosted[source.paths] = source
        return world


def _import(source: WorldSource) -> World:
    module_name, _, attribute = source.target.partition(":")
    try:
        module = importlib.import_module(module_name)
        found: Any = module
        for step in attribute.split("."):
            found = getattr(found, step)
    except (Exception, SystemExit) as error:  # whatever a stranger's module does
        raise _broken(source, error) from error
    if not isinstance(found, World):
        raise WorldError(
            f"{source.target} is a {type(found).__name__}, not a windtunnel.world.World",
            where=source.origin,
            remedy="bind a World there, or name another attribute",
        )
    if found.name != source.name:
        raise WorldError(
            f"it is named {source.name!r}, but the world calls itself {found.name!r}",
            where=source.origin,
            remedy=f"name it {found.name!r}",
            calls_itself=found.name,
        )
    return _with_scenarios(found, module)


def _broken(source: WorldSource, error: BaseException) -> WorldError:
    remedy = f'python -c "import {source.target.partition(":")[0]}" shows where'
    message = f"{source.target} cannot be imported: {type(error).__name__}: {error}"
    if isinstance(error, SystemExit):
        message = f"{source.target} ends the process while it is imported (exit {error.code})"
    elif isinstance(error, AttributeError) and not error.__traceback__.tb_next:  # type: ignore[union-attr]
        message, remedy = f"{source.target} does not exist: {error}", "bind the World there"
    elif isinstance(error, ModuleNotFoundError) and error.name and error.name != source.package:
        remedy = f"install {error.name.partition('.')[0]!r}"
        if source.kind == "path":
            remedy += ", or add the folder that holds it to python_path"
    return WorldError(message, where=source.origin, remedy=remedy)


def _with_scenarios(world: World, module: Any) -> World:
    """The world with its scenario folder absolute: as it says, or `scenarios` beside its module."""
    file = getattr(module, "__file__", None)
    if file is None:
        return world
    folder = Path(file).parent / (world.scenarios or "scenarios")
    if not world.scenarios and not folder.is_dir():
        return world
    return msgspec.structs.replace(world, scenarios=str(folder))


# --- path worlds --------------------------------------------------------------------------------------


def _refuse_conflict(source: WorldSource) -> None:
    offered = _offered(source)
    for other in _hosted.values():
        shared = sorted(offered & _offered(other))
        if other.paths != source.paths and shared:
            raise WorldError(
                f"{source.name!r} and {other.name!r} both bring a module {shared[0]!r}",
                where=f"{source.root} and {other.root}",
                remedy="play them in processes of their own, or rename one of the modules",
            )
    if source.package in sys.stdlib_module_names:
        raise WorldError(
            f"the package {source.package!r} would hide a module of Python itself",
            where=source.root,
            remedy="rename the package",
        )
    loaded = sys.modules.get(source.package)
    if loaded is not None and not _lies_in(loaded, source.paths):
        raise WorldError(
            f"a module {source.package!r} from elsewhere is loaded already",
            where=f"{source.root} and {getattr(loaded, '__file__', 'this process')}",
            remedy="play it in a process of its own, or rename the package",
        )


def _offered(source: WorldSource) -> set[str]:
    """The names that the folders of a source add to what can be imported."""
    names = {source.package}
    for folder in source.paths:
        with suppress(OSError):
            for child in Path(folder).iterdir():
                if child.suffix == ".py" or (child / "__init__.py").is_file():
                    names.add(child.stem)
    return names - _COMMON


def _lies_in(module: Any, paths: tuple[str, ...]) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(Path(place).resolve().is_relative_to(path) for place in places if place for path in paths)


@contextmanager
def _on_path(source: WorldSource) -> Iterator[None]:
    """The source's folders on sys.path; taken off again, with what came from them, if the import fails."""
    added = [path for path in source.paths if path not in sys.path]
    before = set(sys.modules)
    sys.path[:0] = added
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        for path in added:
            with suppress(ValueError):
                sys.path.remove(path)
        for name in set(sys.modules) - before:
            if _lies_in(sys.modules[name], source.paths):
                del sys.modules[name]
        raise
