"""One flown store of each kind (a run and its fork, both finished), copied for every test that damages it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal import flights
from tests.journal.stores import BOTH, open_at
from tests.postgres import PostgresServer
from windtunnel.journal import SqliteStore, Store


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


@pytest.fixture(scope="session")
def flown_there_once(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    url, heads = postgres.database(), tmp_path_factory.mktemp("heads")
    store = open_at(url, heads, create=True)
    flights.fly(store)
    flights.forked(store)
    store.close()
    return url, heads


@pytest.fixture
def flown_there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The same in PostgreSQL, open."""
    url, heads = request.getfixturevalue("flown_there_once")
    shutil.copytree(heads, tmp_path / "heads")
    store = open_at(request.getfixturevalue("postgres").database(like=url), tmp_path / "heads")
    yield store
    store.close()


@pytest.fixture(params=BOTH)
def flown_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Of either kind, open."""
    if request.param == "postgres":
        yield request.getfixturevalue("flown_there")
        return
    store = SqliteStore(request.getfixturevalue("flown"))
    yield store
    store.close()
