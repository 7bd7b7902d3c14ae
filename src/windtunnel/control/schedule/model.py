"""A schedule, a firing of it, and the tables they are kept in.

A schedule's row says when it is due next; a firing's row says that one due time was taken, by whom, and what
became of it. A due time has one row for each attempt, and the database keeps it so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, structs

from windtunnel.control.schedule.when import When, known_when
from windtunnel.journal import Owner
from windtunnel.journal.database import Row

ROOM = "schedule"
STEPS = [
    """
    CREATE TABLE schedule(
        id {id}, name TEXT NOT NULL UNIQUE, time TEXT NOT NULL, zone TEXT NOT NULL, verb TEXT NOT NULL,
        arguments TEXT NOT NULL, enabled {int} NOT NULL, overlap {int} NOT NULL, limit_seconds {real},
        anchor {int} NOT NULL, due {int} NOT NULL, planned {real} NOT NULL, spent {int} NOT NULL,
        retry_at {real}, retry_due {int}, errors {int} NOT NULL, last_at {real}, last_state TEXT,
        last_reason TEXT, last_error TEXT, off TEXT, created {real} NOT NULL, created_by TEXT NOT NULL);
    CREATE TABLE firing(
        id {id}, schedule {int} NOT NULL, due {int} NOT NULL, attempt {int} NOT NULL, since {int} NOT NULL,
        state TEXT NOT NULL, token TEXT NOT NULL, owner TEXT NOT NULL, beat {int} NOT NULL,
        claimed {real} NOT NULL, begun {real}, ended {real}, noted TEXT NOT NULL, outcome TEXT,
        reason TEXT, told {int} NOT NULL, UNIQUE(schedule, due, attempt));
    CREATE INDEX firing_state ON firing(state)
    """
]
COLUMNS = (
    "id,name,time,zone,verb,arguments,enabled,overlap,limit_seconds,anchor,due,retry_at,errors,"
    "last_at,last_state,last_reason,last_error,off,created,created_by"
)
FIRING_COLUMNS = (
    "f.id,s.name,s.verb,s.arguments,s.zone,s.limit_seconds,f.due,f.attempt,f.since,f.state,f.token,f.owner,"
    "f.beat,f.claimed,f.begun,f.ended,f.noted,f.outcome,f.reason"
)
FIRINGS = f"SELECT {FIRING_COLUMNS} FROM firing f JOIN schedule s ON s.id=f.schedule"


class State(StrEnum):
    """Of a firing: `claimed` before its verb is called, `begun` after. The others are ends: `interrupted`
    where its process died, `stopped` where that was asked to end, `skipped` where it was not to be."""

    CLAIMED = "claimed"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    SKIPPED = "skipped"


class Schedule(Struct, frozen=True):
    """`due` is the next planned time, `retry_at` that of another attempt, `off` why it was disabled."""

    id: int
    name: str
    time: str
    zone: str
    verb: str
    arguments: dict[str, Any]
    enabled: bool
    overlap: bool
    limit_seconds: float | None
    anchor: int
    due: int
    retry_at: float | None
    errors: int
    last_at: float | None
    last_state: str | None
    last_reason: str | None
    last_error: str | None
    off: str | None
    created: float
    created_by: str

    @property
    def when(self) -> When:
        return known_when(self.time, self.zone)

    @property
    def next_at(self) -> float | None:
        """When it fires next, for whatever reason."""
        if not self.enabled:
            return None
        return self.due if self.retry_at is None else min(self.due, self.retry_at)

    def upcoming(self, count: int = 5) -> list[int]:
        """The next planned times; none while it is disabled."""
        return self.when.next_few(self.due, self.anchor, count) if self.enabled else []

    def plain(self, count: int = 5) -> dict[str, Any]:
        """For scripts and pages."""
        told = {
            key: value for key, value in structs.asdict(self).items() if key not in ("id", "anchor", "due")
        }
        return {**told, "next_at": self.next_at, "upcoming": self.upcoming(count)}


class Firing(Struct):
    """One attempt at one due time. `since` is the first due time that it stands for, where several passed
    while nobody was there. `noted` is what its verb left for whoever must go on."""

    id: int
    schedule: str
    verb: str
    arguments: dict[str, Any]
    zone: str
    limit_seconds: float | None
    due: int
    attempt: int
    since: int
    state: State
    token: str
    owner: Owner
    beat: int
    claimed: float
    begun: float | None
    ended: float | None
    noted: dict[str, Any]
    outcome: Any
    reason: str | None

    @property
    def key(self) -> str:
        """The same for every attempt at a due time: what makes a verb's work happen once."""
        return f"schedule/{self.schedule}/{self.due}"

    def plain(self) -> dict[str, Any]:
        hidden = ("id", "arguments", "token", "owner", "beat", "limit_seconds", "zone", "verb")
        return {key: value for key, value in structs.asdict(self).items() if key not in hidden}


def schedule_of(row: Row) -> Schedule:
    values = dict(zip(COLUMNS.split(","), row, strict=True))
    values |= {"enabled": bool(values["enabled"]), "overlap": bool(values["overlap"])}
    return Schedule(**{**values, "arguments": msgspec.json.decode(values["arguments"])})


def firing_of(row: Row) -> Firing:
    (
        id_, name, verb, arguments, zone, limit, due, attempt, since, state, token, owner, beat, claimed,
        begun, ended, noted, outcome, reason,
    ) = row  # fmt: skip
    read = msgspec.json.decode
    return Firing(
        id_, name, verb, read(arguments), zone, limit, due, attempt, since, State(state), token,
        Owner(*read(owner)), beat, claimed, begun, ended, read(noted), read(outcome) if outcome else None,
        reason,
    )  # fmt: skip


def packed(value: Any) -> str:
    return msgspec.json.encode(value).decode()
