"""Where worlds come from, found without importing any of them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct

from windtunnel.config import FILE, PathWorld, Workspace
from windtunnel.errors import NotFound, WorldError
from windtunnel.words import suggest

GROUP = "windtunnel.worlds"
# Runs that are no flights: they are found by their name, and listed with no world that one may choose.
OWN = {
    "tournament": "windtunnel.tournaments.engine:world",
    "evolution": "windtunnel.evolution.engine:world",
}
ATTRIBUTE = "world"
_CHILDREN = 500  # entries of a folder that are looked at
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class WorldSource(Struct, frozen=True):
    """A world that has not been imported yet: what to import, and from where."""

    name: str
    kind: Literal["entry point", "path"]
    target: str  # package.module:attribute
    origin: str  # who names it, in words
    root: str = ""  # a path world: the folder of its project or package
    paths: tuple[str, ...] = ()  # a path world: what it needs on sys.path

    @property
    def package(self) -> str:
        """The top-level module that is imported."""
        return self.target.partition(":")[0].partition(".")[0]


class Candidate(NamedTuple):
    """A world that somebody names; it may be broken before anyone imports it."""

    name: str
    kind: Literal["entry point", "path"]
    origin: str
    found: WorldSource | WorldError


def candidates(workspace: Workspace) -> list[Candidate]:
    """Every world that is named, broken ones and twins included, in a stable order."""
    named = [*_installed(), *_listed(workspace)]
    origins: dict[str, list[str]] = {}
    for one in named:
        origins.setdefault(one.name, []).append(one.origin)
    return [
        one._replace(found=_twins(one.name, origins[one.name])) if len(origins[one.name]) > 1 else one
        for one in named
    ]


def find_source(name: str, workspace: Workspace) -> WorldSource:
    """The one source of a world's name."""
    if name in OWN:
        return WorldSource(name, "entry point", OWN[name], "Windtunnel itself")
    named = {one.name: one for one in candidates(workspace)}
    if name not in named:
        raise NotFound(f"there is no world {name!r}", remedy=_missing(name, list(named)))
    found = named[name].found
    if isinstance(found, WorldError):
        raise found
    return found


def _missing(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"install a package with one, or list one under [[worlds]] in {FILE}"
    return suggest(name, known)


def _twins(name: str, origins: Sequence[str]) -> WorldError:
    return WorldError(
        f"two sources give a world {name!r}: {' and '.join(origins)}",
        remedy=f"uninstall one, or take one out of {FILE}",
    )


# --- entry points ------------------------------------------------------------------------------------


def _installed() -> Iterator[Candidate]:
    seen: set[tuple[str, str]] = set()
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        target = point.value.partition("[")[0].strip()
        if (point.name, target) not in seen:  # the same package, installed and on the path besides
            seen.add((point.name, target))
            yield _installed_one(point, target)


def _installed_one(point: EntryPoint, target: str) -> Candidate:
    package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    origin = f"entry point {point.name}{package}"
    found: WorldSource | WorldError
    if _TARGET.fullmatch(target):
        found = WorldSource(point.name, "entry point", target, origin)
    else:
        found = WorldError(
            f"the entry point names {point.value!r}",
            where=origin,
            remedy="it is written package.module:attribute",
        )
    return Candidate(point.name, "entry point", origin, found)


# --- paths -------------------------------------------------------------------------------------------


def _listed(workspace: Workspace) -> Iterator[Candidate]:
    for entry in workspace.settings.worlds:
        origin = f"{workspace.file} ({entry.path})"
        found: WorldSource | WorldError
        try:
            found = source_at(entry, workspace.path(entry.path), origin)
        except WorldError as error:
            found = error
        yield Candidate(entry.name, "path", origin, found)


def source_at(entry: PathWorld, root: Path, origin: str) -> WorldSource:
    """The world of a folder: a project with src/, a flat one, or a package itself."""
    if not root.is_dir():
        raise WorldError(
            f"the folder of the world {entry.name!r} is not there",
            where=str(root),
            remedy=f"mend path in {FILE}",
        )
    extra = [(root / Path(item).expanduser()).resolve() for item in entry.python_path]
    for folder in extra:
        if not folder.is_dir():
            raise WorldError(
                f"python_path of the world {entry.name!r} names no folder",
                where=str(folder),
                remedy=f"mend it in {FILE}",
            )
    declared = declared_worlds(root)
    if declared and entry.name not in declared:
        raise WorldError(
            f"its pyproject.toml names no world {entry.name!r}",
            where=str(root),
            remedy=suggest(entry.name, declared),
        )
    target = declared.get(entry.name)
    return source_of(entry.name, root, target, origin, extra)


def source_of(
    name: str, root: Path, target: str | None, origin: str, extra: Sequence[Path] = ()
) -> WorldSource:
    """A source with the folders it needs; without a target, the one package that has a world is meant."""
    folders = _layout(root, extra)
    if target is None:
        root_package = (root / "__init__.py").is_file()
        target = _bound(root) if root_package else _only_world(name, root, folders)
        if target is None:
            raise _no_world(root)
        if root_package:
            folders = [root.parent, *extra]
    if not _TARGET.fullmatch(target):
        raise WorldError(
            f"pyproject.toml names {target!r}",
            where=str(root),
            remedy="it is written package.module:attribute",
        )
    package = target.partition(":")[0].partition(".")[0]
    home = next((folder for folder in folders if _holds(folder, package)), None)
    if home is None:
        raise WorldError(
            f"there is no package {package!r}",
            where=str(root),
            remedy="name the folder that holds it in python_path",
        )
    paths = dict.fromkeys(str(folder) for folder in (home, *extra))
    return WorldSource(name, "path", target, origin, str(root), tuple(paths))


def declared_worlds(root: Path) -> dict[str, str]:
    """What a project's own pyproject.toml names as entry points."""
    file = root / "pyproject.toml"
    try:
        plain = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise WorldError(
            f"pyproject.toml cannot be read: {error}", where=str(file), remedy="mend it"
        ) from None
    found = plain.get("project", {})
    for key in ("entry-points", GROUP):
        found = found.get(key, {}) if isinstance(found, Mapping) else {}
    return {name: target for name, target in found.items() if isinstance(target, str)}


def worlds_in(folder: Path) -> dict[str, str]:
    """What to import for each package or module of a folder that binds a world. Read, not run."""
    found: dict[str, str] = {}
    try:
        children = sorted(islice(folder.iterdir(), _CHILDREN))
    except OSError:
        return found
    for child in children:
        if child.suffix == ".py" or (child / "__init__.py").is_file():
            target = _bound(child)
            if target is not None and child.stem.isidentifier():
                found[child.stem] = target
    return found


def _layout(root: Path, extra: Sequence[Path]) -> list[Path]:
    source = root / "src"
    own = [source, root] if source.is_dir() else [root]
    return [*own, *extra]


def _only_world(name: str, root: Path, folders: Sequence[Path]) -> str | None:
    found = {package: target for folder in folders for package, target in worlds_in(folder).items()}
    for likely in (name.replace("-", "_"), root.name.replace("-", "_")):
        if likely in found:
            return found[likely]
    if len(found) > 1:
        raise WorldError(
            f"several packages have a world: {', '.join(found)}",
            where=str(root),
            remedy=f'say which in its pyproject.toml: [project.entry-points."{GROUP}"]',
        )
    return next(iter(found.values()), None)


def _no_world(root: Path) -> WorldError:
    return WorldError(
        f"no package here binds a {ATTRIBUTE!r}",
        where=str(root),
        remedy=f'bind one, or name it in pyproject.toml: [project.entry-points."{GROUP}"]',
    )


def _bound(path: Path) -> str | None:
    """The target of a package or module that binds `world`: in itself, or in its module `world`."""
    package = path.name if path.is_dir() else path.stem
    if path.is_file():
        return f"{package}:{ATTRIBUTE}" if _binds(path) else None
    if _binds(path / "__init__.py"):
        return f"{package}:{ATTRIBUTE}"
    return f"{package}.{ATTRIBUTE}:{ATTRIBUTE}" if _binds(path / f"{ATTRIBUTE}.py") else None


def _binds(file: Path) -> bool:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return False
    names: list[str] = []
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in statement.names]
        elif isinstance(statement, ast.Assign):
            names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.append(statement.target.id)
    return ATTRIBUTE in names


def _holds(folder: Path, package: str) -> bool:
    return (folder / package).is_dir() or (folder / f"{package}.py").is_file()
