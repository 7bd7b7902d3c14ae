"""A database whose clock stands until a test moves it."""

from __future__ import annotations

from windtunnel.journal.database import SqliteDatabase


class Clocked(SqliteDatabase):
    moment = 1_000_000.0

    def now(self) -> float:
        return self.moment
