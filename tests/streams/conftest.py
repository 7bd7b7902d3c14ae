"""Servers on loopback, and a store that was flown once."""

from __future__ import annotations

import shutil

import pytest

from tests.journal import flights
from tests.streams.loopback import StreamServer
from windtunnel.journal import SqliteStore


@pytest.fixture
def serving(tmp_path):
    """Starts servers on the workspace of the test; all are stopped."""
    started: list[StreamServer] = []

    def start(**more):
        started.append(StreamServer(tmp_path, **more))
        return started[-1]

    yield start
    for server in started:
        if server.thread.is_alive():
            server.stop()


@pytest.fixture
def server(serving):
    return serving()


@pytest.fixture(scope="session")
def flown_once(tmp_path_factory):
    """A store with a run and its fork, both finished. Not to be written to."""
    path = tmp_path_factory.mktemp("flown") / "x.sqlite"
    store = SqliteStore(path, create=True)
    flights.fly(store)
    flights.forked(store)
    store.close()
    return path


@pytest.fixture
def flown(flown_once, tmp_path):
    for suffix in (".sqlite", ".heads"):
        shutil.copy(flown_once.with_suffix(suffix), tmp_path / f"x{suffix}")
    return tmp_path / "x.sqlite"
