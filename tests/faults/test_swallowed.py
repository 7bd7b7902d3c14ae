"""An agent that catches every error, as agents from elsewhere do, must not play on over a broken disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.clocks import StepClock
from tests.faults.jobs import RUN
from tests.faults.outside import Outside
from tests.faults.worlds import Asks, Stay, asking_scenario, asking_world
from windtunnel.errors import LeaseLost, StorageError
from windtunnel.journal import Batch, SqliteStore, Status
from windtunnel.run.begin import begin
from windtunnel.run.replay import replay
from windtunnel.run.session import play_run
from windtunnel.world import Action


class Swallows(Asks):
    async def decide(self, seen: Any, context: Any) -> Action:
        try:
            return await super().decide(seen, context)
        except Exception:  # noqa: BLE001 - the very thing that is tried
            return Stay()


@pytest.mark.parametrize("error", [StorageError("the disk is full"), LeaseLost("another was here")])
@pytest.mark.parametrize("at", [6, 7, 9, 12, 15])
def test_a_commit_that_failed_stops_the_run_whatever_the_agent_catches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, error: StorageError
) -> None:
    heads = []
    for name in ("broken", "clean"):
        outside = Outside(tmp_path / f"{name}.log")
        world = asking_world(outside)
        players = {who: Swallows(outside, "order", 2) for who in "abc"}
        store = SqliteStore(tmp_path / f"{name}.sqlite", create=True)
        begin(store, world, asking_scenario(4), RUN, players=players, clock=StepClock())
        real, calls = SqliteStore.commit, 0

        def commit(self: SqliteStore, batches: Sequence[Batch]) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise error
            real(self, batches)  # noqa: B023 - of this very round

        if name == "broken":
            monkeypatch.setattr(SqliteStore, "commit", commit)
            with pytest.raises(StorageError, match=error.message):
                asyncio.run(play_run(store, world, RUN, players=players, clock=StepClock()))
            assert calls == at, "it went on committing"
            monkeypatch.undo()
        row = asyncio.run(play_run(store, world, RUN, players=players, clock=StepClock()))
        assert row.status is Status.COMPLETED
        assert asyncio.run(replay(store, world, RUN, players=players)).identical
        heads.append(row.head_hash)
        store.close()
    assert heads[0] == heads[1], "the failure of the disk became a decision"
