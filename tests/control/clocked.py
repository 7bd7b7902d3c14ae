"""Databases whose clock stands until a test moves it."""

from __future__ import annotations

from pathlib import Path

from windtunnel.journal.database import SqliteDatabase
from windtunnel.journal.postgres_database import PostgresDatabase


class Clocked(SqliteDatabase):
    moment = 1_000_000.0

    def now(self) -> float:
        return self.moment


class ClockedPostgres(PostgresDatabase):
    moment = 1_000_000.0

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.address = url

    def now(self) -> float:
        return self.moment


def clocked(kind: str, folder: Path, url: str) -> Clocked | ClockedPostgres:
    return Clocked(folder / "catalog.sqlite") if kind == "sqlite" else ClockedPostgres(url)


def again(database: Clocked | ClockedPostgres) -> SqliteDatabase | PostgresDatabase:
    """The same database by a connection of its own, as another server has it."""
    if isinstance(database, Clocked):
        return SqliteDatabase(database.path)
    return PostgresDatabase(database.address)
