"""The database of a workspace: what is shared by its processes and is no run's own. In a file of the
workspace, or in PostgreSQL where `[store]` of windtunnel.toml says so: then several servers share it."""

from __future__ import annotations

from windtunnel.config import Workspace
from windtunnel.journal.database import Database, SqliteDatabase

CATALOG = "catalog.sqlite"


def open_database(workspace: Workspace) -> Database:
    """Who opens it closes it."""
    if url := workspace.store_url:
        from windtunnel.journal.postgres_database import PostgresDatabase  # noqa: PLC0415 - late: an extra

        return PostgresDatabase(url)
    return SqliteDatabase(workspace.runs.parent / CATALOG)
