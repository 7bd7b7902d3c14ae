"""Opening a store of either kind by where it is: also by child processes, which are told in one word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from windtunnel.journal import SqliteStore, Store
from windtunnel.journal.address import is_address
from windtunnel.journal.postgres import PostgresStore

# A sample of the second kind stands in test_postgres_store.py and test_postgres_tampering.py.
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]
Open = Callable[[], Any]


def open_at(place: str, heads: Path | None = None, **more: Any) -> Store:
    return PostgresStore(place, heads=heads, **more) if is_address(place) else SqliteStore(place, **more)


def place_of(kind: str, request: pytest.FixtureRequest) -> str:
    """Where an empty store of this kind may be made, for this test alone."""
    if kind == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(request.getfixturevalue("tmp_path") / "x.sqlite")


@contextmanager
def opening(place: str, heads: Path) -> Iterator[Open]:
    """Opens the same store as often as it is called, each time by a connection of its own."""
    made: list[Store] = []

    def opens() -> Store:
        made.append(open_at(place, heads, create=True))
        return made[-1]

    yield opens
    for store in made:
        store.close()
