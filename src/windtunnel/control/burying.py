"""What becomes of runs whose worker is over. Judged by their journals, so that it does not matter who judges.

A run that was in a worker which died goes on in a process of its own: from then on it is clear who is to
blame. Deaths count only while the run does not come on; at the third it has failed, with what is known of
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from windtunnel.codec import decode_body
from windtunnel.config import Workspace
from windtunnel.control.carrying import ProcessDied, error_to_plain
from windtunnel.control.catalog import Found, all_runs, opened
from windtunnel.control.crew import WorkerInfo
from windtunnel.control.limits import (
    SUBMITTED,
    TimeIsUp,
    TooMuchMemory,
    played_since,
    told_limits,
)
from windtunnel.control.logs import tail
from windtunnel.control.queue import Left, Standing, Ticket
from windtunnel.control.verdicts import cancel_wish, is_void, opened_store, refused
from windtunnel.errors import LeaseHeld, NotFound, RunError, StorageError, WindtunnelError
from windtunnel.journal import RunRow, Status, Store
from windtunnel.journal.lease import lives
from windtunnel.run.session import fail_run, move_run

DEATHS = 3
TRIES = 20  # of workers that ended before they had taken the run up
SENDER = "manager"
AFTER_SECONDS = 0.2  # times the deaths: before it is tried again


class Cause(NamedTuple):
    """Why a worker is over: died, hung, stuck, memory, time, cancelled. `run_id`: whose fault, where
    known."""

    what: str
    code: int | None = None
    seconds: float = 0.0
    memory_mb: float = 0.0
    run_id: str = ""
    stack: Sequence[str] = ()

    @property
    def told(self) -> str:
        if self.what == "hung":
            return f"gave no sign of life for {self.seconds:.0f} seconds and was killed"
        if self.what == "stuck":
            return f"did not come out of one turn for {self.seconds:.0f} seconds and was killed"
        if self.code is None:
            return "ended"
        return f"ended by signal {-self.code}" if self.code < 0 else f"ended with exit code {self.code}"


def bury(
    workspace: Workspace, worker: WorkerInfo | None, cause: Cause, claims: Sequence[Standing]
) -> list[Left]:
    """What becomes of each. One whose store cannot be asked now is left out, to be asked again."""
    left = []
    for standing in claims:
        try:
            with opened_store(workspace, standing) as store:
                left.append(_verdict(store, standing, worker, cause))
        except LeaseHeld:  # another process has it by now
            left.append(Left(standing, str(Status.RUNNING)))
        except NotFound as error:
            left.append(Left(standing, "", error_to_plain(error)))
        except StorageError:
            continue
    return left


def _verdict(store: Store, standing: Standing, worker: WorkerInfo | None, cause: Cause) -> Left:
    row = store.run(standing.ticket.run_id)
    if is_void(standing, row):
        return Left(standing, str(row.status))
    lease = store.lease(row.run_id)
    if lease is not None and lease.owner is not None and lives(lease.owner):
        return Left(standing, str(row.status))  # another process plays it
    if row.status is not Status.RUNNING:  # it was not taken up, or had been handed back
        if standing.tries >= TRIES and row.status is not Status.PAUSED:
            return _failed(store, standing, _died(standing, row, cause, standing.tries), cause, [])
        return _again(standing, standing.played)
    if (sender := cancel_wish(store, row.run_id)) is not None:
        return Left(standing, str(move_run(store, row.run_id, Status.CANCELLED, sender).status))
    log = tail(Path(worker.log)) if worker is not None and worker.log else []
    if cause.what in ("memory", "time") and cause.run_id in ("", row.run_id):
        return _failed(store, standing, _over_limit(standing, worker, cause), cause, log)
    played = _played(store, standing, worker)
    if cause.run_id and cause.run_id != row.run_id:  # it only was in the same process
        return _again(standing, played)
    deaths = standing.deaths + 1 if row.turn <= standing.death_turn else 1
    if deaths >= DEATHS:
        return _failed(store, standing, _died(standing, row, cause, deaths), cause, log, deaths)
    return Left(
        standing, str(row.status), elsewhere=True, after=AFTER_SECONDS * deaths, alone=True, deaths=deaths,
        death_turn=row.turn, played=played,
    )  # fmt: skip


def _died(standing: Standing, row: RunRow, cause: Cause, times: int) -> ProcessDied:
    return ProcessDied(
        f"its process {cause.told}, {times} times after turn {row.turn}",
        where=f"{row.world}, after turn {row.turn}" + (f", {cause.stack[-1]}" if cause.stack else ""),
        remedy=f"mend what ends it, then: windtunnel resume {standing.ticket.run_id}",
    )


def _again(standing: Standing, played: float) -> Left:
    return Left(
        standing,
        "queued",
        elsewhere=True,
        deaths=standing.deaths,
        death_turn=standing.death_turn,
        played=played,
    )


def _played(store: Store, standing: Standing, worker: WorkerInfo | None) -> float:
    """Seconds of play that no operation tells: what the worker said last, less what the journal knows."""
    run_id = standing.ticket.run_id
    said = next((play.seconds for play in worker.playing if play.run_id == run_id), 0.0) if worker else 0.0
    _, seq = told_limits(store, run_id)
    return max(standing.played, said - played_since(store, run_id, seq))


def _over_limit(standing: Standing, worker: WorkerInfo | None, cause: Cause) -> RunError:
    run_id = standing.ticket.run_id
    if cause.what == "time":
        return TimeIsUp(
            f"it was played for {cause.seconds:.0f} seconds, and one turn did not end",
            where=cause.stack[-1] if cause.stack else run_id,
            remedy=f"mend what does not end, then: windtunnel resume {run_id}",
        )
    limit = worker.limit_mb if worker is not None else 0
    return TooMuchMemory(
        f"its process took {cause.memory_mb:,.0f} MB" + (f"; its limit is {limit:,} MB" if limit else ""),
        where=run_id,
        remedy="resume it with a higher limits.memory_mb, or make the world smaller",
        memory_mb=cause.memory_mb,
    )


def _failed(
    store: Store,
    standing: Standing,
    error: RunError,
    cause: Cause,
    log: Sequence[str],
    deaths: int = 1,
) -> Left:
    known: dict[str, Any] = {
        "deaths": deaths,
        "cause": cause.what,
        "exit": cause.code,
        "stack": list(cause.stack),
        "log": list(log),
    }
    row = fail_run(store, standing.ticket.run_id, error, SENDER, **known)
    return Left(standing, str(row.status), {**error_to_plain(error), "known": known})


def fail_ticket(workspace: Workspace, standing: Standing, code: int | None, log: Sequence[str]) -> Left:
    """No process that could play it comes up."""
    how = Cause("died", code).told
    error = ProcessDied(
        f"the process that was to play {standing.ticket.world!r} {how} before it could begin"
        + (f": {log[-1]}" if log else ""),
        where=standing.ticket.world,
        remedy="mend the world, then resume the run",
        log=list(log),
    )
    return refused(workspace, standing, error)


# --- a queue that was lost ---------------------------------------------------------------------------


def submitted(workspace: Workspace) -> Iterator[Ticket]:
    """A ticket for every run that was made for the queue, has not come to its end, and is played by
    nobody."""
    for found in all_runs(workspace):
        if found.row.status in (Status.QUEUED, Status.CRASHED):
            ticket = ticket_of(workspace, found)
            if ticket is not None:
                yield ticket


def ticket_of(workspace: Workspace, found: Found) -> Ticket | None:
    """The ticket with which a run was made for the queue; None if it was not, or cannot be asked."""
    run_id = found.row.run_id
    try:
        with opened(found, workspace, read_only=True) as store:
            told = store.last_operation(run_id, SUBMITTED)
            limits, _ = told_limits(store, run_id)
    except WindtunnelError:
        return None
    if told is None:
        return None
    asked = decode_body(told.body)
    return Ticket(
        run_id, found.location, found.row.world, priority=asked.get("priority", 0),
        stop_after=asked.get("stop_after"), limits=limits,
    )  # fmt: skip
