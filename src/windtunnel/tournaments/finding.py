"""What a tournament that comes over the network may name: nothing outside of the workspace."""

from __future__ import annotations

from typing import Any

from windtunnel.config import Workspace
from windtunnel.errors import NotFound, UsageError
from windtunnel.strategies.finding import is_path
from windtunnel.strategies.reading import FILE

SUFFIXES = (".yaml", ".yml")


def check_inside(workspace: Workspace, given: dict[str, Any]) -> None:
    """Refuse what a client may not name: whoever sends a tournament over the network opens no file outside
    of the workspace, and in it only scenarios and strategies."""
    for key in ("entrants", "pool"):
        entrants = given.get(key)
        for one in entrants if isinstance(entrants, list) else []:
            _inside(workspace, one.get("strategy") if isinstance(one, dict) else one, key)
    stages = given.get("scenarios")
    for one in [given.get("scenario"), *(stages if isinstance(stages, list) else [])]:
        _inside(workspace, one.get("scenario") if isinstance(one, dict) else one, "scenario")


def _inside(workspace: Workspace, name: Any, where: str) -> None:
    if not isinstance(name, str) or not name:
        return  # what is no name at all is told when the whole is read
    if "\0" in name or len(name) > 1000:
        raise UsageError("this is no name", where=where)
    root = workspace.root.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise UsageError(
            f"{name[:80]!r} lies outside the workspace", where=where,
            remedy="WORLD/NAME, NAME@VERSION, or a path inside the workspace",
        )  # fmt: skip
    inside = path.relative_to(root)
    named_file = path.is_file() and path.suffix in SUFFIXES
    if any(part.startswith(".") for part in inside.parts) or (path.is_file() and not named_file):
        raise UsageError(f"{name[:80]!r} is no file of a scenario or a strategy", where=where)
    if where != "scenario" and is_path(name) and not named_file and not (path / FILE).is_file():
        raise NotFound(f"no strategy lies at {name[:80]!r}", where=where, remedy="NAME@VERSION, or its path")
