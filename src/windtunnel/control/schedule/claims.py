"""Who fires what, once: due times are claimed, begun and ended in rows, so that a restart, a second server
and a clock that jumps change nothing about it.

A due time has one row for each attempt, and only whoever wrote it (its token) may begin it or end it. Of many
due times that passed while nobody was there the last is fired, and stands for the others. What a dead process
had claimed and not begun is taken over as it is; what it had begun counts as an error, and is tried again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from typing import Any

from msgspec import structs

from windtunnel.control.schedule.model import (
    COLUMNS,
    FIRINGS,
    Firing,
    Schedule,
    State,
    firing_of,
    packed,
    schedule_of,
)
from windtunnel.control.schedule.table import Schedules, undone_after
from windtunnel.journal import Owner
from windtunnel.journal.database import Rows
from windtunnel.journal.lease import this_process

CUTS = 3  # deaths of processes that began the same due time, which together count as an error
KEPT = 200  # firings of a schedule; older ones are forgotten, and that their times are spent is not
_NEWS = 86_400  # seconds after which an error that nobody was told of is no news
_TEXT = 2000  # characters of a reason
_OUTCOME = 16 * 1024  # characters of an outcome
_DIED = "the process that ran it ended before it was done"
OPEN = (State.CLAIMED.value, State.BEGUN.value)


class Claims:
    """One scheduler's hand in the tables. `token` marks what is its own."""

    def __init__(self, schedules: Schedules, owner: Owner | None = None) -> None:
        self.schedules, self.database = schedules, schedules.database
        self.settings, self.now = schedules.settings, schedules.now
        self.owner, self.token = owner or this_process(), secrets.token_hex(8)

    # --- what is to be done ---

    def next_at(self, verbs: Collection[str]) -> float | None:
        """When something is due next: the cheap question. Now, if the clock went back and plans are old."""
        marks = ",".join("?" * len(verbs))
        ((due, retry, planned),) = self.database.rows(
            "SELECT min(due), min(retry_at), max(planned) FROM schedule"
            f" WHERE enabled=1 AND verb IN ({marks})",
            list(verbs),
        )
        if due is None:
            return None
        if planned > self.now():
            return float(self.now())
        return float(due if retry is None else min(due, retry))

    def take(self, verbs: Collection[str]) -> list[Firing]:
        """Claim all that is due, of verbs that are known here."""
        now, marks = self.now(), ",".join("?" * len(verbs))
        taken: list[Firing] = []
        with self.database.transaction() as rows:
            found = rows.rows(
                f"SELECT {COLUMNS} FROM schedule WHERE enabled=1 AND verb IN ({marks})"
                " AND (due<=? OR retry_at<=? OR planned>?) ORDER BY due, id",
                [*verbs, now, now, now],
            )
            for schedule in map(schedule_of, found):
                planned = self._planned_again(rows, schedule, now)
                if planned.due <= now:
                    taken += self._take_due(rows, planned, now)
                elif planned.retry_at is not None and planned.retry_at <= now:
                    taken += self._take_retry(rows, planned, now)
        return taken

    def recover(self, verbs: Collection[str], dead: Callable[[Firing], bool]) -> list[Firing]:
        """What the dead left: the claims that are ours now. What they had begun is ended here."""
        left = [firing for firing in self.schedules.going() if not firing.token or dead(firing)]
        ours: list[Firing] = []
        for firing in left:
            if firing.state is State.BEGUN:
                self.end(firing, State.INTERRUPTED, reason=_DIED)
            elif firing.verb in verbs:
                mine = self.database.rows(
                    "UPDATE firing SET token=?, owner=?, beat=0 WHERE id=? AND token=? AND state=?"
                    " RETURNING id",
                    [self.token, packed(self.owner), firing.id, firing.token, State.CLAIMED.value],
                )
                ours += [structs.replace(firing, token=self.token, owner=self.owner)] if mine else []
        return ours

    def untold(self, dead: Callable[[Firing], bool]) -> list[Firing]:
        """Errors that nobody was told of, since who should have is dead."""
        sql = f"{FIRINGS} WHERE f.told=0 AND f.state IN (?,?) AND f.ended>? ORDER BY f.id LIMIT 100"
        found = self.database.rows(sql, [State.FAILED.value, State.INTERRUPTED.value, self.now() - _NEWS])
        return [firing for firing in map(firing_of, found) if firing.token != self.token and dead(firing)]

    # --- one firing ---

    def begin(self, firing: Firing) -> bool:
        """Whether its verb is to be called, by us. From here on it counts as begun, whatever happens."""
        mine = [firing.id, firing.token, State.CLAIMED.value]
        with self.database.transaction() as rows:
            begun = rows.rows(
                "UPDATE firing SET state=?, begun=? WHERE id=? AND token=? AND state=? AND EXISTS"
                " (SELECT 1 FROM schedule s WHERE s.id=firing.schedule AND s.enabled=1) RETURNING id",
                [State.BEGUN.value, self.now(), *mine],
            )
            if not begun:
                rows.rows(
                    "UPDATE firing SET state=?, ended=?, reason=? WHERE id=? AND token=? AND state=?",
                    [State.SKIPPED.value, self.now(), "it was disabled before it began", *mine],
                )
        return bool(begun)

    def beat(self, firing: Firing) -> bool:
        """Say that we live; whether it is still ours."""
        sql = "UPDATE firing SET beat=beat+1 WHERE id=? AND token=? AND state=? RETURNING id"
        if self.database.rows(sql, [firing.id, firing.token, State.BEGUN.value]):
            return True
        return not self.database.rows("SELECT 1 FROM firing WHERE id=?", [firing.id])  # removed: nobody's

    def note(self, firing: Firing, noted: dict[str, Any]) -> None:
        """What another attempt at it needs to go on; on the disk when this returns."""
        firing.noted = {**firing.noted, **noted}
        sql = "UPDATE firing SET noted=? WHERE id=? AND token=?"
        self.database.rows(sql, [packed(firing.noted), firing.id, firing.token])

    def end(
        self, firing: Firing, state: State, *, outcome: Any = None, reason: str | None = None
    ) -> Schedule | None:
        """How it ended, and what that means for its schedule; None if it was not ours any more."""
        now = self.now()
        text = packed(outcome) if outcome is not None else None
        if text is not None and len(text) > _OUTCOME:
            text = packed({"too_large": len(text)})
        reason = reason[:_TEXT] if reason else None
        with self.database.transaction() as rows:
            mine = rows.rows(
                "UPDATE firing SET state=?, ended=?, outcome=?, reason=? WHERE id=? AND token=?"
                " AND state IN (?,?) RETURNING schedule",
                [state.value, now, text, reason, firing.id, firing.token, *OPEN],
            )
            if not mine:
                return None
            (schedule_id,) = mine[0]
            self._settle(rows, schedule_id, firing, state, reason, now)
            self._forget(rows, schedule_id)
            return schedule_of(rows.rows(f"SELECT {COLUMNS} FROM schedule WHERE id=?", [schedule_id])[0])

    def told(self, firing: Firing) -> None:
        self.database.rows("UPDATE firing SET told=1 WHERE id=?", [firing.id])

    def let_go(self) -> None:
        """Whatever is still ours: what was not begun is anybody's now, the rest was stopped."""
        for firing in self.schedules.going():
            if firing.token == self.token and firing.state is State.BEGUN:
                self.end(firing, State.STOPPED, reason="its process was asked to end")
        sql = "UPDATE firing SET token='' WHERE token=? AND state=?"
        self.database.rows(sql, [self.token, State.CLAIMED.value])

    # --- inside a transaction ---

    def _planned_again(self, rows: Rows, schedule: Schedule, now: float) -> Schedule:
        """A clock that went back shows times again: those that were fired are spent, the others come."""
        ((planned,),) = rows.rows("SELECT planned FROM schedule WHERE id=?", [schedule.id])
        if planned <= now:
            return schedule
        due = (
            min(schedule.due, undone_after(rows, schedule, int(now))) if schedule.due > now else schedule.due
        )
        retry = schedule.retry_at
        if retry is not None:
            retry = min(retry, now + self.settings.retry_seconds)
        rows.rows(
            "UPDATE schedule SET due=?, retry_at=?, planned=? WHERE id=?", [due, retry, now, schedule.id]
        )
        return structs.replace(schedule, due=due, retry_at=retry)

    def _take_due(self, rows: Rows, schedule: Schedule, now: float) -> list[Firing]:
        latest = schedule.when.latest(schedule.due, int(now), schedule.anchor)
        if latest != schedule.due and _attempts(rows, schedule, latest):
            latest = schedule.due
        going = rows.rows(
            "SELECT due FROM firing WHERE schedule=? AND state IN (?,?) ORDER BY id LIMIT 1",
            [schedule.id, *OPEN],
        )
        skipped = bool(going) and not schedule.overlap
        made = self._insert(rows, schedule, latest, 1, now, skipped=going[0][0] if skipped else None)
        due = undone_after(rows, schedule, int(now))
        rows.rows("UPDATE schedule SET due=?, planned=? WHERE id=?", [due, now, schedule.id])
        if skipped:
            self._forget(rows, schedule.id)
            return []
        rows.rows("UPDATE schedule SET retry_at=NULL, retry_due=NULL WHERE id=?", [schedule.id])
        return [made]

    def _take_retry(self, rows: Rows, schedule: Schedule, now: float) -> list[Firing]:
        ((due,),) = rows.rows("SELECT retry_due FROM schedule WHERE id=?", [schedule.id])
        rows.rows(
            "UPDATE schedule SET retry_at=NULL, retry_due=NULL, planned=? WHERE id=?", [now, schedule.id]
        )
        return [self._insert(rows, schedule, due, 1 + _attempts(rows, schedule, due), now)]

    def _insert(
        self,
        rows: Rows,
        schedule: Schedule,
        due: int,
        attempt: int,
        now: float,
        *,
        skipped: int | None = None,
    ) -> Firing:
        before = rows.rows(
            "SELECT since, noted FROM firing WHERE schedule=? AND due=? ORDER BY attempt DESC LIMIT 1",
            [schedule.id, due],
        )
        since, noted = before[0] if before else (min(schedule.due, due), "{}")
        state = State.CLAIMED if skipped is None else State.SKIPPED
        reason = None if skipped is None else f"the firing of {skipped} still goes"
        ((made,),) = rows.rows(
            "INSERT INTO firing(schedule,due,attempt,since,state,token,owner,beat,claimed,ended,noted,reason,"
            "told) VALUES(?,?,?,?,?,?,?,0,?,?,?,?,1) RETURNING id",
            [
                schedule.id, due, attempt, since, state.value, self.token, packed(self.owner), now,
                None if skipped is None else now, noted, reason,
            ],
        )  # fmt: skip
        return firing_of(rows.rows(f"{FIRINGS} WHERE f.id=?", [made])[0])

    def _settle(
        self, rows: Rows, schedule_id: int, firing: Firing, state: State, reason: str | None, now: float
    ) -> None:
        rows.rows(
            "UPDATE schedule SET last_at=?, last_state=?, last_reason=? WHERE id=?",
            [now, state.value, reason, schedule_id],
        )
        if state is State.DONE:
            rows.rows("UPDATE schedule SET errors=0, last_error=NULL WHERE id=?", [schedule_id])
        elif state is State.STOPPED:
            self._again(rows, schedule_id, firing, now)
        elif state is State.INTERRUPTED:
            cuts = _cuts(rows, schedule_id, firing.due)
            if cuts % CUTS == 0:
                self._wrong(rows, schedule_id, firing, f"{reason}, {cuts} times", now)
            else:  # at once; if it was cut off again, with time for whatever ends our processes to pass
                self._again(rows, schedule_id, firing, now + (self.settings.retry_seconds if cuts > 1 else 0))
        elif state is State.FAILED:
            self._wrong(rows, schedule_id, firing, reason, now)

    def _wrong(self, rows: Rows, schedule_id: int, firing: Firing, reason: str | None, now: float) -> None:
        """An error: it counts, somebody is to be told, and it is tried again unless there were too many."""
        rows.rows("UPDATE firing SET told=0 WHERE id=?", [firing.id])
        ((errors,),) = rows.rows(
            "UPDATE schedule SET errors=errors+1, last_error=? WHERE id=? RETURNING errors",
            [reason, schedule_id],
        )
        if errors >= self.settings.errors:
            rows.rows(
                "UPDATE schedule SET enabled=0, retry_at=NULL, retry_due=NULL, off=?"
                " WHERE id=? AND enabled=1",
                [f"disabled after {errors} errors in a row", schedule_id],
            )
        else:
            self._again(rows, schedule_id, firing, now + self.settings.retry_seconds)

    def _again(self, rows: Rows, schedule_id: int, firing: Firing, at: float) -> None:
        rows.rows(
            "UPDATE schedule SET retry_at=?, retry_due=? WHERE id=? AND enabled=1",
            [at, firing.due, schedule_id],
        )

    def _forget(self, rows: Rows, schedule_id: int) -> None:
        """Keep the newest firings. The times of the others stay spent."""
        edge = rows.rows(
            "SELECT id FROM firing WHERE schedule=? ORDER BY id DESC LIMIT 1 OFFSET ?", [schedule_id, KEPT]
        )
        if not edge:
            return
        gone = rows.rows(
            "DELETE FROM firing WHERE schedule=? AND id<=? AND state NOT IN (?,?) RETURNING due",
            [schedule_id, edge[0][0], *OPEN],
        )
        for (due,) in gone:
            rows.rows("UPDATE schedule SET spent=? WHERE id=? AND spent<?", [due, schedule_id, due])


def _cuts(rows: Rows, schedule_id: int, due: int) -> int:
    """How many processes died while they worked for a due time."""
    sql = "SELECT count(*) FROM firing WHERE schedule=? AND due=? AND state=?"
    ((cuts,),) = rows.rows(sql, [schedule_id, due, State.INTERRUPTED.value])
    return int(cuts)


def _attempts(rows: Rows, schedule: Schedule, due: int) -> int:
    """The number of the last attempt at a due time; 0 if it was never taken."""
    sql = "SELECT max(attempt) FROM firing WHERE schedule=? AND due=?"
    ((last,),) = rows.rows(sql, [schedule.id, due])
    return int(last or 0)
