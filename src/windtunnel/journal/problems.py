"""What verify found, told in words and in fields: bounded, so that a ruined file does not fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from windtunnel.errors import StorageError
from windtunnel.journal.model import Entry

T = TypeVar("T")
KEPT = 20


class Problems:
    def __init__(self) -> None:
        self.first: list[dict[str, Any]] = []
        self.count = 0

    def add(self, table: str, message: str, where: str, **data: Any) -> None:
        self.count += 1
        # The head's word is the last one: it must not be lost behind twenty others.
        if len(self.first) < KEPT or table == "heads":
            self.first.append({"table": table, "where": where, "message": message, **data})

    def entry(self, entry: Entry, what: str) -> None:
        self.add("entry", f"{entry.place} {what}", entry.place, seq=entry.seq, turn=entry.turn)


def safely(rows: Iterator[T], problems: Problems, table: str, where: str) -> Iterator[T]:
    """The rows up to where the file itself can no longer be read; that is a problem like others."""
    last: T | None = None
    try:
        for row in rows:
            last = row
            yield row
    except TypeError:
        problems.add(
            table, f"{where} cannot be read further: a column holds a value of the wrong type", where
        )
    except StorageError as error:
        place = getattr(last, "place", None)
        after = f", after {place}" if place else ""
        problems.add(table, f"{where} cannot be read further{after}: {error.message}", where)
