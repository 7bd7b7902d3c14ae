"""Which world a recorded name means: one that is installed or listed, or one that was played here by path.

A scenario file brings the world beside it; its runs name that world and nothing else. So that they can be
resumed, forked and replayed from anywhere in the workspace, where it lay is remembered in
`.windtunnel/worlds.json`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from windtunnel.config import Workspace
from windtunnel.discovery import WorldSource, find_source, find_world, load_here
from windtunnel.errors import NotFound
from windtunnel.world import World


class Worlds:
    """Finds worlds for `Control`, and remembers those that came by path."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __call__(self, name: str) -> World:
        try:
            return find_world(name, self._workspace)
        except NotFound as unknown:
            return load_here(self._lost_or_remembered(name, unknown))

    def source(self, name: str) -> WorldSource:
        """Where a world comes from, without importing it."""
        try:
            return find_source(name, self._workspace)
        except NotFound as unknown:
            return self._lost_or_remembered(name, unknown)

    def _lost_or_remembered(self, name: str, unknown: NotFound) -> WorldSource:
        source = self._remembered().get(name)
        if source is None or not Path(source.root).exists():
            raise _lost(name, source, unknown) from None
        return source

    def remember(self, source: WorldSource) -> None:
        """Only worlds by path need it. What cannot be written is only not remembered."""
        if source.kind != "path":
            return
        known = self._remembered()
        if known.get(source.name) == source:
            return
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_name(f"worlds.json.{os.getpid()}")
            fresh.write_bytes(msgspec.json.format(msgspec.json.encode({**known, source.name: source})))
            fresh.replace(self._file)

    @property
    def _file(self) -> Path:
        return self._workspace.runs.parent / "worlds.json"

    def _remembered(self) -> dict[str, WorldSource]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, WorldSource])
        except (OSError, msgspec.DecodeError):
            return {}


def _lost(name: str, source: WorldSource | None, unknown: NotFound) -> NotFound:
    if source is None:
        return unknown
    return NotFound(
        f"the world {name!r} was played here from {source.root}, which is gone",
        where=source.root,
        remedy="put it back, or say where it is under [[worlds]] in windtunnel.toml",
    )
