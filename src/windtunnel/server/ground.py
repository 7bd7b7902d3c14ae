"""What all verbs stand on: one workspace, its catalog, queue and helpers, bound together by `assembly`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from windtunnel.control import Control, Found
from windtunnel.errors import WindtunnelError, WorldError

if TYPE_CHECKING:
    from windtunnel.config import Workspace
    from windtunnel.control.access import Keys
    from windtunnel.control.audit import Audit
    from windtunnel.control.desks import Desks
    from windtunnel.control.index import Index, Listed
    from windtunnel.control.manager import Manager
    from windtunnel.control.queue import Queue
    from windtunnel.control.schedule import Schedules
    from windtunnel.journal.database import Database
    from windtunnel.server.errands import Errands
    from windtunnel.world import World

P = ParamSpec("P")
T = TypeVar("T")


async def aside(call: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """Work that reads a disk, in a thread: streams and other clients go on meanwhile."""
    return await asyncio.to_thread(call, *values, **named)


def no_world(name: str) -> World:
    """The server imports nobody's world: what needs one is asked of a helper process."""
    raise WorldError(f"the world {name!r} is not loaded in the server", remedy="ask a desk")


@dataclass
class Ground:
    workspace: Workspace
    database: Database
    control: Control
    index: Index
    queue: Queue
    desks: Desks
    manager: Manager
    audit: Audit
    keys: Keys
    schedules: Schedules
    errands: Errands
    _described: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def find(self, name: str) -> Found:
        return await aside(self.control.find, name)

    async def headline(self, world: str) -> list[str]:
        """Which metrics a world shows first; nothing where the world is gone: looking must not fail for that."""
        if world not in self._described:
            try:
                self._described[world] = await self.desks.call(world, "describe", {})
            except WindtunnelError:
                return []
        return list(self._described[world].get("headline", ()))


def where(found: Found) -> str:
    """Where a run lies, as other processes take it."""
    return str(found.path)


def found_of(one: Listed) -> Found:
    """A run as the index has it."""
    return Found(Path(one.location), one.row)


def of_run(found: Found) -> dict[str, str]:
    """A run, as desks take it."""
    return {"run": found.row.run_id, "location": where(found)}
