"""What all verbs stand on: one workspace, its catalog, queue and helpers, bound together by `assembly`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from windtunnel.control import Control, Found
from windtunnel.errors import NotFound, StorageError, WindtunnelError, WorldError
from windtunnel.words import quote

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

LISTED = "list_simulations (GET /api/simulations) tells which there are"
_RUN = re.compile(r"[0-9A-Za-z_-]{1,80}(\.[0-9]{1,9})?", re.ASCII)
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
        """A run by its id or the beginning of one. Never by a path: what a client writes opens no file."""
        return await self.at(checked(name))

    async def at(self, name: str) -> Found:
        """A run by whatever names it, written by us."""
        try:
            return await aside(self.control.find, name)
        except NotFound as error:  # where the workspace lies is nobody's business outside
            raise NotFound(error.message, where="run_id", remedy=LISTED) from None

    def freshen(self) -> None:
        """Bring the index up to date. What cannot be written down, since the disk is full, can still be
        read."""
        with suppress(StorageError):
            self.index.refresh()

    async def headline(self, world: str) -> list[str]:
        """Which metrics a world shows first; nothing where the world is gone: looking must not fail for
        that."""
        if world not in self._described:
            try:
                self._described[world] = await self.desks.call(world, "describe", {})
            except WindtunnelError:
                return []
        return list(self._described[world].get("headline", ()))


def checked(name: str) -> str:
    """What may be a run's id, or the beginning of one."""
    if _RUN.fullmatch(name) is None:
        raise NotFound(f"no run {quote(name)}", where="run_id", remedy=LISTED)
    return name


def where(found: Found) -> str:
    """Where a run lies, as other processes take it."""
    return found.location


def found_of(one: Listed) -> Found:
    """A run as the index has it."""
    return Found(one.location, one.row)


def of_run(found: Found) -> dict[str, str]:
    """A run, as desks take it."""
    return {"run": found.row.run_id, "location": where(found)}
