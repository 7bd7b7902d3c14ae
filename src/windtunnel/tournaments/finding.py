"""What a tournament or an evolution that comes over the network may name: nothing outside of its
workspace."""

from __future__ import annotations

from typing import Any

from windtunnel.config import Workspace
from windtunnel.errors import NotFound, UsageError
from windtunnel.strategies.finding import is_path
from windtunnel.strategies.reading import FILE

SUFFIXES = (".yaml", ".yml")


def check_inside(workspace: Workspace, given: dict[str, Any]) -> None:
    """Refuse what a client may not name: whoever sends a tournament or an evolution over the network opens
    no file outside of the workspace, and in it only scenarios and strategies."""
    held_out = given.get("held_out")
    for part, under in ((given, ""), (held_out if isinstance(held_out, dict) else {}, "held_out.")):
        _inside(workspace, part.get("start"), f"{under}start", strategy=True)
        for key in ("entrants", "pool", "opponents"):
            for one in _listed(part.get(key)):
                name = one.get("strategy") if isinstance(one, dict) else one
                _inside(workspace, name, f"{under}{key}", strategy=True)
        for one in [part.get("scenario"), *_listed(part.get("scenarios"))]:
            _inside(workspace, one.get("scenario") if isinstance(one, dict) else one, f"{under}scenario")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _inside(workspace: Workspace, name: Any, where: str, *, strategy: bool = False) -> None:
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
    if strategy and is_path(name) and not named_file and not (path / FILE).is_file():
        raise NotFound(f"no strategy lies at {name[:80]!r}", where=where, remedy="NAME@VERSION, or its path")
