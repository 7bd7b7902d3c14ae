"""The database beside the journals, of either kind, for the tests of the rooms that keep tables in it."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel.journal.database import Database, SqliteDatabase
from windtunnel.journal.postgres_database import PostgresDatabase

# A sample of the second kind stands in tests/control/test_over_postgres.py; all of it is slow.
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]


def made_for(request: Any) -> Database:
    """An empty one, of the kind that the fixture's parameter says."""
    if request.param == "postgres":
        return PostgresDatabase(request.getfixturevalue("postgres_url"))
    return SqliteDatabase(request.getfixturevalue("tmp_path") / "catalog.sqlite")
