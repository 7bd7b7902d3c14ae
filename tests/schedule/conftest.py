from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import BOTH, made_for
from tests.schedule.fakes import Clock
from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule import Schedules
from windtunnel.journal.database import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BOTH)
def database(request: Any) -> Iterator[Database]:
    made = made_for(request)
    yield made
    made.close()


@pytest.fixture
def schedules(database: Database, clock: Clock) -> Schedules:
    return Schedules(database, Scheduling(), now=clock.wall)
