"""A real process, really killed: what it had claimed is fired once, what it had begun is known to be cut
off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import environment
from tests.schedule.fakes import add
from windtunnel.control.schedule import Ended, Firing, Scheduler, Schedules, State, firing_now
from windtunnel.journal.database import SqliteDatabase

ROOT = Path(__file__).parents[2]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Schedules]:
    database = SqliteDatabase(tmp_path / "catalog.sqlite")
    yield Schedules(database)
    database.close()


@contextmanager
def living(catalog: Schedules, place: str) -> Iterator[subprocess.Popen[str]]:
    """A scheduler that came as far as the place."""
    words = [sys.executable, "-m", "tests.schedule.killed", catalog.database.location, place]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == place
            yield process
        finally:
            process.kill()


def look(catalog: Schedules) -> tuple[list[Ended], list[Firing]]:
    """What another scheduler does about it."""
    ended: list[Ended] = []
    calls: list[Firing] = []

    async def verb(_: dict[str, Any]) -> None:
        now = firing_now()
        assert now is not None
        calls.append(now.firing)

    asyncio.run(Scheduler(catalog, heard=ended.append).play_due({"run": verb}))
    return ended, calls


@pytest.mark.slow
def test_killed_between_claim_and_begin_it_is_fired_by_another_once(catalog):
    add(catalog, "weekly")
    with living(catalog, "claimed") as process:
        assert look(catalog) == ([], [])  # its process lives
        process.kill()
        process.wait()
        ended, calls = look(catalog)
    assert [(one.state, call.attempt) for one, call in zip(ended, calls, strict=True)] == [(State.DONE, 1)]
    assert look(catalog) == ([], [])
    assert [firing.state for firing in catalog.history("one")] == [State.DONE]


@pytest.mark.slow
def test_killed_between_begin_and_end_it_is_done_again_at_once_and_is_no_error(catalog):
    add(catalog, "weekly")
    with living(catalog, "begun") as process:
        assert look(catalog) == ([], [])
        process.kill()
        process.wait()
        ended, calls = look(catalog)
    assert [one.state for one in ended] == [State.DONE]
    assert [(call.attempt, call.noted) for call in calls] == [(2, {"began": True})]
    assert [firing.state for firing in catalog.history("one")] == [State.DONE, State.INTERRUPTED]
    assert catalog.find("one").errors == 0
