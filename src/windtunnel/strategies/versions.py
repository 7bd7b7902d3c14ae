"""Versions of a strategy: their numbers, what differs between two, and what that makes of the number.

The bump is not chosen, it follows: other parameters are a patch, another mind (policy, instructions, model,
settings, code) is minor, another kind or other actions are major.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from windtunnel.strategies.model import Strategy, content_of

Bump: TypeAlias = Literal["first", "major", "minor", "patch", "none"]
Actions: TypeAlias = tuple[str, ...] | None  # the types of action that the role may take; None is unknown
BUMPS: dict[str, Bump] = {
    **dict.fromkeys(("kind", "world", "role", "actions"), "major"),
    **dict.fromkeys(("policy", "model", "instructions", "entry", "settings"), "minor"),
    **dict.fromkeys(("parameters", "schema"), "patch"),
}
RANK: tuple[Bump, ...] = ("none", "patch", "minor", "major")
_NUMBER = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


class VersionNumber(NamedTuple):
    """MAJOR.MINOR.PATCH, in its order."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST = VersionNumber(1, 0, 0)


def read_number(text: str) -> VersionNumber | None:
    """The number that a text is, if it is one."""
    found = _NUMBER.fullmatch(text)
    return VersionNumber(*map(int, found.groups())) if found else None


class Version(Struct, frozen=True):
    """A strategy as it was registered; it never changes. `parents` are `name@number`, or `sha256:…` of what
    is not in this registry. `origin` is what the folder it was imported from says of its past."""

    name: str
    number: str
    hash: str
    strategy: Strategy
    bump: Bump
    parents: tuple[str, ...]
    operator: str
    why: str
    by: str
    at: float
    actions: Actions = None
    origin: dict[str, Any] | None = None
    id: int = 0  # its place in the order in which versions were registered

    @property
    def label(self) -> str:
        return f"{self.name}@{self.number}"


class Changed(Struct, frozen=True):
    """One field that differs; `parameters.speed` and the like go by their path. None: it is not there."""

    field: str
    before: Any
    after: Any


class Diff(Struct, frozen=True):
    """What is different in the second. `instructions` is a unified diff of the two texts."""

    a: str
    b: str
    bump: Bump
    changes: list[Changed]
    instructions: str = ""


def bump_between(a: Strategy, b: Strategy, played_a: Actions = None, played_b: Actions = None) -> Bump:
    """What the change from one to the other makes of the number; `none` if nothing that plays differs."""
    old, new = content_of(a), content_of(b)
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    if played_a is not None and played_b is not None and played_a != played_b:
        changed.add("actions")
    return max((BUMPS[key] for key in changed), key=RANK.index, default="none")


def compared(a: Strategy | Version, b: Strategy | Version) -> Diff:
    """Field by field; words for people count as fields, and make nothing of the number."""
    old, new = strategy_of(a), strategy_of(b)
    played = [side.actions if isinstance(side, Version) else None for side in (a, b)]
    flat_old, flat_new = _flat(old), _flat(new)
    changes = [
        Changed(name, flat_old.get(name), flat_new.get(name))
        for name in dict.fromkeys([*flat_old, *flat_new])
        if flat_old.get(name) != flat_new.get(name)
    ]
    if None not in played and played[0] != played[1]:
        changes.append(Changed("actions", list(played[0] or ()), list(played[1] or ())))
    labels = [side.label if isinstance(side, Version) else side.name for side in (a, b)]
    text = "\n".join(
        difflib.unified_diff(
            old.instructions.splitlines(),
            new.instructions.splitlines(),
            labels[0],
            labels[1],
            lineterm="",
            n=2,
        )
    )
    return Diff(labels[0], labels[1], bump_between(old, new, *played), changes, text)


def strategy_of(given: Strategy | Version) -> Strategy:
    return given.strategy if isinstance(given, Version) else given


def _flat(strategy: Strategy) -> dict[str, Any]:
    """Its fields by their paths; instructions and names are told otherwise."""
    plain = {**content_of(strategy), "description": strategy.description}
    plain.pop("instructions", None)
    flat: dict[str, Any] = {}
    for key, value in plain.items():
        if key in ("parameters", "schema", "settings"):
            flat |= _paths(value, key)
        elif value:
            flat[key] = value
    return flat


def _paths(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value:
        return {path: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _paths(item, f"{path}.{key}")
    return flat


def packed(value: Any) -> str:
    """As the registry keeps it."""
    return msgspec.json.encode(value).decode()
