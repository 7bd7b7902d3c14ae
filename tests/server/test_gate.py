"""The order in which the door policy writes things down: before they are done, and when they have ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from windtunnel.control.access import Principal, Role
from windtunnel.control.audit import Audit, Entry
from windtunnel.errors import StorageError, UsageError
from windtunnel.journal.database import SqliteDatabase
from windtunnel.server import gate

KIM = Principal("kim", frozenset({Role.OPERATOR}), "rest")


class Room:
    """`room`: how many entries the disk of the log still takes."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.database = SqliteDatabase(folder / "catalog.sqlite")
        self.audit, self.room, self.done = Audit(self.database), 100, 0
        append = self.audit.append

        def bounded(*values: Any, **named: Any) -> Entry:
            if not self.room:
                raise StorageError("the disk is full", remedy="make room")
            self.room -= 1
            return append(*values, **named)

        patch.setattr(self.audit, "append", bounded)

    async def change(self, who: Principal, target: str, *, wrong: bool = False) -> str:
        """Change something."""
        if wrong:
            raise UsageError("it does not fit")
        self.done += 1
        return "what came of it"

    def ask(self, **named: Any) -> Any:
        return asyncio.run(
            gate.verb("change", Role.OPERATOR, writes=True)(Room.change)(self, KIM, "r1", **named)
        )

    def noted(self) -> list[str]:
        return [one.outcome for one in self.audit.page().items]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(gate, "VERBS", {})
    made = Room(tmp_path, monkeypatch)
    yield made
    made.database.close()


def test_what_changes_something_is_written_down_before_and_after(room: Room) -> None:
    assert room.ask() == "what came of it"
    assert room.noted() == ["begun", "done"]


def test_what_failed_is_written_down_as_such(room: Room) -> None:
    with pytest.raises(UsageError, match="fit"):
        room.ask(wrong=True)
    assert room.noted() == ["begun", "failed"]


def test_nothing_is_done_that_cannot_be_written_down(room: Room) -> None:
    room.room = 0
    with pytest.raises(StorageError, match="full"):
        room.ask()
    assert room.done == 0


def test_what_was_done_is_answered_as_done_although_its_end_cannot_be_written_down(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.room = 1
    with caplog.at_level(logging.ERROR, "windtunnel.server"):
        assert room.ask() == "what came of it"
    assert (room.done, room.noted()) == (1, ["begun"])
    assert "no end of change of r1, which is done" in caplog.text


def test_an_error_stays_what_it_is_although_it_cannot_be_written_down(room: Room) -> None:
    room.room = 1
    with pytest.raises(UsageError, match="fit"):
        room.ask(wrong=True)
