from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.schedule.fakes import Clock
from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule import Schedules
from windtunnel.journal.database import Database, SqliteDatabase


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = SqliteDatabase(tmp_path / "catalog.sqlite")
    yield made
    made.close()


@pytest.fixture
def schedules(database: Database, clock: Clock) -> Schedules:
    return Schedules(database, Scheduling(), now=clock.wall)
