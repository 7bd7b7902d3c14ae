"""What a desk does for the registry of strategies: one that is sent is held against its world, which is
here."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from windtunnel.control.desk_verbs import Asked, Known, Progress, Room
from windtunnel.control.strategies import Strategies


class Add(Asked, frozen=True):
    """`strategy`: the values of its file; `by`: who sends it."""

    strategy: dict[str, Any]
    by: str
    why: str = ""
    apply: bool = True


async def add(room: Room, asked: Add, _: Progress) -> dict[str, Any]:
    """Register it: its version, and whether that is new and in force."""
    world = room.world
    with Strategies(room.workspace, lambda _name: world) as kept:
        made = kept.add_plain(asked.strategy, why=asked.why, by=asked.by, apply=asked.apply)
    version = made.version
    return {
        "name": version.name,
        "number": version.number,
        "hash": version.hash,
        "bump": to_builtins(version.bump),
        "fresh": made.fresh,
        "in_force": made.in_force,
    }


ADDING: Known = {"add_strategy": (Add, add)}
