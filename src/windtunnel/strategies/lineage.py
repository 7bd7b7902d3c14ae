"""Where the versions of a name came from: a tree, written as lines in its order, each with its depth."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from windtunnel.strategies.registry import Registry
from windtunnel.strategies.versions import Bump, Version


class Line(Struct, frozen=True):
    """One version in the tree. `under` is the number of the one it grew from, None at a root; `others` are
    its further parents and those of other names."""

    number: str
    hash: str
    depth: int
    under: str | None
    others: tuple[str, ...]
    bump: Bump
    operator: str
    why: str
    by: str
    at: float
    in_force: bool
    tags: tuple[str, ...]


def lineage(registry: Registry, name: str) -> list[Line]:
    """Every version below the one it grew from, in the order in which they came. Flat, since a line of a
    thousand generations is a thousand deep."""
    versions = registry.versions(name)
    in_force = registry.find(name).number
    tags = registry.tags(name)
    known = {version.number for version in versions}
    under = {version.number: _under(version, known) for version in versions}
    children: dict[str | None, list[Version]] = {}
    for version in versions:
        children.setdefault(under[version.number], []).append(version)
    lines: list[Line] = []
    waiting = [(version, 0) for version in reversed(children.get(None, []))]
    while waiting:
        version, depth = waiting.pop()
        lines.append(_line(version, depth, under[version.number], in_force, tags))
        waiting += [(child, depth + 1) for child in reversed(children.get(version.number, []))]
    return lines


def _under(version: Version, known: set[str]) -> str | None:
    """The first parent of the same name."""
    mine = [label.rpartition("@")[2] for label in version.parents if label.startswith(f"{version.name}@")]
    return next((number for number in mine if number in known), None)


def _line(version: Version, depth: int, under: str | None, in_force: str, tags: dict[str, str]) -> Line:
    others: Sequence[str] = [label for label in version.parents if label != f"{version.name}@{under}"]
    return Line(
        number=version.number,
        hash=version.hash,
        depth=depth,
        under=under,
        others=tuple(others),
        bump=version.bump,
        operator=version.operator,
        why=version.why,
        by=version.by,
        at=version.at,
        in_force=version.number == in_force,
        tags=tuple(tag for tag, number in tags.items() if number == version.number),
    )
