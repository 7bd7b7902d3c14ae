"""The schedules that there are: add, remove, enable, disable, look.

Whatever fires them (one scheduler or several) reads the same rows. Refused: a verb that nobody here knows, a
time that never comes, a name that is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule.model import (
    COLUMNS,
    FIRINGS,
    ROOM,
    STEPS,
    Firing,
    Schedule,
    State,
    firing_of,
    packed,
    schedule_of,
)
from windtunnel.control.schedule.when import read_when
from windtunnel.errors import NotFound, UsageError, WrongState
from windtunnel.journal.database import Database, Rows
from windtunnel.words import quote, suggest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_BYTES = 64 * 1024  # of a schedule's arguments
_MOST = 10_000  # schedules of one catalog

Many = list[Schedule]  # `list` is a verb below
Firings = list[Firing]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule that is asked for. `first_now`: fire at once, and then as planned. `overlap`: also while the
    last firing still goes."""

    name: str
    when: str
    verb: str = "run"
    arguments: dict[str, Any] = {}
    zone: str = ""
    first_now: bool = True
    overlap: bool = False
    limit_seconds: float | None = None


class Schedules:
    """`now` is the clock by which they are due; the database's own, unless a test brings another."""

    def __init__(
        self,
        database: Database,
        settings: Scheduling | None = None,
        *,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.database, self.settings, self.now = database, settings or Scheduling(), now or database.now
        database.lay(ROOM, STEPS)

    # --- changing ---

    def add(self, wanted: Wanted, verbs: Mapping[str, Any], *, by: str = "operator") -> Schedule:
        """A schedule that is enabled. `verbs` are those that may be named; one that has a `check` judges its
        arguments and gives them as they are kept."""
        name, limit_seconds = wanted.name, wanted.limit_seconds
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{quote(name)} is no name for a schedule",
                where="name",
                remedy="up to 64 letters, digits, dots, dashes and underscores",
            )
        when = read_when(wanted.when, wanted.zone, default_zone=self.settings.zone)
        text = packed(_judged(wanted.verb, wanted.arguments, verbs))
        if len(text) > _MOST_BYTES:
            raise UsageError("the arguments are too large", where="arguments", remedy="at most 64 KiB")
        if limit_seconds is not None and not 1 <= limit_seconds <= 366 * 86_400:
            raise UsageError(f"a limit of {limit_seconds} seconds", where="limit", remedy="1 second or more")
        now = self.now()
        anchor = int(now)
        due = anchor if wanted.first_now else when.after(anchor, anchor)
        with self.database.transaction() as rows:
            if rows.rows("SELECT count(*) FROM schedule")[0][0] >= _MOST:
                raise UsageError(f"there are {_MOST} schedules already", remedy="windtunnel schedule remove")
            made = rows.rows(
                "INSERT INTO schedule(name,time,zone,verb,arguments,enabled,overlap,limit_seconds,anchor,due,"
                "planned,spent,errors,created,created_by) VALUES(?,?,?,?,?,1,?,?,?,?,?,0,0,?,?)"
                f" ON CONFLICT(name) DO NOTHING RETURNING {COLUMNS}",
                [
                    name, when.text, when.zone, wanted.verb, text, int(wanted.overlap), limit_seconds, anchor,
                    due, now, now, by,
                ],
            )  # fmt: skip
        if not made:
            raise WrongState(
                f"there is a schedule {name!r} already",
                where="name",
                remedy=f"another name, or windtunnel schedule remove {name}",
            )
        return schedule_of(made[0])

    def remove(self, name: str) -> Schedule:
        """Gone, with its history. What of it plays goes on, and is nobody's."""
        with self.database.transaction() as rows:
            found = self._one(rows, name)
            rows.rows("DELETE FROM firing WHERE schedule=?", [found.id])
            rows.rows("DELETE FROM schedule WHERE id=?", [found.id])
        return found

    def enable(self, name: str) -> Schedule:
        """On again, from now on: nothing that was missed is made up for, and its errors are forgotten."""
        with self.database.transaction() as rows:
            found, now = self._one(rows, name), self.now()
            rows.rows("UPDATE schedule SET spent=? WHERE id=? AND spent>?", [int(now), found.id, int(now)])
            pending = found.enabled and found.due <= now
            due = found.due if pending else undone_after(rows, found, int(now))
            rows.rows(
                "UPDATE schedule SET enabled=1, off=NULL, errors=0, retry_at=NULL, retry_due=NULL, due=?,"
                " planned=? WHERE id=?",
                [due, now, found.id],
            )
            return self._one(rows, name)

    def disable(self, name: str, *, by: str = "operator") -> Schedule:
        """Off until it is enabled. What of it plays goes on to its end."""
        with self.database.transaction() as rows:
            found = self._one(rows, name)
            if found.enabled:
                rows.rows(
                    "UPDATE schedule SET enabled=0, off=?, retry_at=NULL, retry_due=NULL WHERE id=?",
                    [f"disabled by {by}", found.id],
                )
            return self._one(rows, name)

    # --- looking ---

    def list(self) -> Many:
        return [
            schedule_of(row) for row in self.database.rows(f"SELECT {COLUMNS} FROM schedule ORDER BY name")
        ]

    def find(self, name: str) -> Schedule:
        return self._one(self.database, name)

    def history(self, name: str, limit: int = 20) -> Firings:
        """Its firings, the newest first; as many are kept as a few hundred."""
        found = self.find(name)
        sql = f"{FIRINGS} WHERE f.schedule=? ORDER BY f.id DESC LIMIT ?"
        return [firing_of(row) for row in self.database.rows(sql, [found.id, max(0, limit)])]

    def going(self) -> Firings:
        """What is taken and has not ended."""
        sql = f"{FIRINGS} WHERE f.state IN (?,?) ORDER BY f.id"
        return [firing_of(row) for row in self.database.rows(sql, [State.CLAIMED.value, State.BEGUN.value])]

    def _one(self, rows: Rows, name: str) -> Schedule:
        found = rows.rows(f"SELECT {COLUMNS} FROM schedule WHERE name=?", [name])
        if not found:
            known = [row[0] for row in rows.rows("SELECT name FROM schedule ORDER BY name LIMIT 100")]
            raise NotFound(f"no schedule {name!r}", where="schedule", remedy=suggest(name, known))
        return schedule_of(found[0])


def undone_after(rows: Rows, schedule: Schedule, moment: int) -> int:
    """The first planned time after a moment that was never fired: a clock that went back shows some again."""
    ((spent,),) = rows.rows("SELECT spent FROM schedule WHERE id=?", [schedule.id])
    due = schedule.when.after(max(moment, spent), schedule.anchor)
    done = {
        row[0] for row in rows.rows("SELECT due FROM firing WHERE schedule=? AND due>=?", [schedule.id, due])
    }
    while due in done:
        due = schedule.when.after(due, schedule.anchor)
    return due


def _judged(verb: str, arguments: dict[str, Any], verbs: Mapping[str, Any]) -> dict[str, Any]:
    if verb not in verbs:
        known = sorted(verbs)
        raise UsageError(
            f"there is no verb {quote(verb)}", where="verb", remedy=f"one of: {', '.join(known)}"
        )
    check = getattr(verbs[verb], "check", None)
    judged: dict[str, Any] = check(arguments) if check is not None else arguments
    try:
        msgspec.json.encode(judged)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the arguments are no JSON: {error}", where="arguments") from None
    return judged
