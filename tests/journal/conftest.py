"""One flown store (a run and its fork, both finished), copied for every test that damages it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.journal import flights
from windtunnel.journal import SqliteStore


@pytest.fixture(scope="session")
def flown_once(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("flown") / "x.sqlite"
    store = SqliteStore(path, create=True)
    flights.fly(store)
    flights.forked(store)
    store.close()
    return path


@pytest.fixture
def flown(flown_once: Path, tmp_path: Path) -> Path:
    for suffix in (".sqlite", ".heads"):
        shutil.copy(flown_once.with_suffix(suffix), tmp_path / f"x{suffix}")
    return tmp_path / "x.sqlite"
