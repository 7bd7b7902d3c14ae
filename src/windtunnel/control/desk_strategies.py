"""What a desk does for the registry of strategies: one that is sent, or that is proposed and approved, is
held against its world, which is here."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from windtunnel.control.desk_verbs import Asked, Known, Progress, Room
from windtunnel.control.proposals import Proposals
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


class Approve(Asked, frozen=True):
    """`proposal`: its number; `by`: whose yes it is."""

    proposal: int
    by: str
    note: str = ""


async def approve(room: Room, asked: Approve, _: Progress) -> int:
    """One person's yes; the last one that is needed puts the candidate in force."""
    world = room.world
    with Proposals(room.workspace, lambda _name: world) as kept:
        return kept.approve(asked.proposal, by=asked.by, note=asked.note).id


ADDING: Known = {"add_strategy": (Add, add), "approve_proposal": (Approve, approve)}
