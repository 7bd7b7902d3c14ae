"""Where a handle stands: the workspace, the verbs over it, the world and the code that plays.

A world that is listed by a path, or lies beside its scenario file, is played by a process of its own and is
never imported into the caller's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.api.playing import Playing
from windtunnel.config import Workspace, find_workspace
from windtunnel.control import Control, Found
from windtunnel.control.catalog import look
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import WorldSource, load_here
from windtunnel.errors import NotFound, UsageError, WorldError
from windtunnel.world import World


class Home:
    """What the handles of one run, and of its forks, have in common."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        world: World | None = None,
        players: Mapping[str, Any] | None = None,
        source: WorldSource | None = None,
    ) -> None:
        self.workspace = workspace
        self.given = world
        self.players = dict(players or {})
        self._source = source
        self.control = Control(workspace, self._find)

    def _find(self, name: str) -> World:
        return self.world(name)

    def elsewhere(self, name: str) -> bool:
        """Whether the world belongs to a process of its own."""
        return self.given is None and self.source(name).kind == "path"

    def source(self, name: str) -> WorldSource:
        if self._source is None or self._source.name != name:
            self._source = self._sought(name)
        return self._source

    def _sought(self, name: str) -> WorldSource:
        try:
            return Worlds(self.workspace).source(name)
        except NotFound as error:
            raise NotFound(
                error.message, where=error.where,
                remedy=f"if it was made in Python, give it: wt.open(run, world=...); else {error.remedy}",
            ) from None  # fmt: skip

    def world(self, name: str) -> World:
        """The world in this process."""
        if self.given is not None:
            if self.given.name != name:
                raise WorldError(f"this run plays in {name!r}; the world given is {self.given.name!r}")
            return self.given
        source = self.source(name)
        if source.kind == "path":
            raise WorldError(
                f"the world {name!r} is played by a process of its own, and is not loaded here",
                where=source.origin,
                remedy="import it yourself and give it: wt.open(run, world=...)",
            )
        return load_here(source)

    def told_world(self, name: str) -> World | None:
        """The world where it can be had: looking at a run must not fail because its world is gone."""
        try:
            return self.world(name)
        except UsageError:
            return None

    async def play(self, playing: Playing, runs: list[Found], budget: float | None = None) -> None:
        """Play runs in this process; what goes wrong is raised once all have come to their end."""
        world = self.world(runs[0].row.world)
        done = await self.control.play(
            runs, world=world, players=self.players, observer=playing.watch, budget=budget
        )
        failed = [(one.row.run_id, one.error) for one in done if one.error is not None]
        for _, error in failed[1:]:
            failed[0][1].add_note(str(error))
        if failed:
            run_id, error = failed[0]
            error.data.setdefault("run_id", run_id)
            error.add_note(f"the run is kept: wt.open({run_id!r})")
            raise error


def the_workspace(given: Workspace | str | os.PathLike[str] | None) -> Workspace:
    if given is None:
        return find_workspace()
    if isinstance(given, Workspace):
        return given
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError("the workspace names no folder", where=str(folder), remedy="make the folder first")
    return Workspace(folder)


def again(found: Found) -> Found:
    """The same run as it is now."""
    for one in look(found.location, found.row.run_id):
        if one.row.run_id == found.row.run_id:
            return one
    raise NotFound(f"run {found.row.run_id} is no longer in its store", where=found.location)


def row_of(found: Found, **changes: Any) -> Found:
    return Found(found.location, msgspec.structs.replace(found.row, **changes))
