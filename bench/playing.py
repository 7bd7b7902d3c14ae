"""Playing a world as the product does: a run begun in a store, played to its end or up to a turn."""

from __future__ import annotations

import asyncio
from pathlib import Path

from windtunnel.journal import RunRow, SqliteStore
from windtunnel.run.begin import begin
from windtunnel.run.session import play_run
from windtunnel.world import Scenario, World

RUN = "bench"


def fresh(path: Path) -> Path:
    """The path, with nothing there any more."""
    for file in path.parent.glob(f"{path.stem}.*"):
        file.unlink()
    return path


def start(path: Path, world: World, scenario: Scenario) -> SqliteStore:
    store = SqliteStore(fresh(path), create=True)
    begin(store, world, scenario, RUN)
    return store


def play(store: SqliteStore, world: World, *, stop_after: int | None = None) -> RunRow:
    return asyncio.run(play_run(store, world, RUN, stop_after=stop_after))
