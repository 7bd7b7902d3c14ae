"""The queue: which runs are to be played, and who plays which. Rows in the catalog's database, no more.

A ticket names a run and where it lies. It is `ready` until a worker claims it, and gone when the run has left
that worker's hands; how it left is an ending, kept for a while for those who wait for it. A claim is a lease:
it carries a number, and whoever comes back with an old one is not heard. Nothing here knows what a run is
about: the journal does, and a queue that is lost is filled again from the journals (`put_again`).

First in, first out over all worlds, the higher priority first. Whoever claims may not overtake: of the
tickets that may begin now it takes only those of its own world.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.config.runs import Runs
from windtunnel.control.database import open_database
from windtunnel.control.limits import Limits
from windtunnel.errors import UsageError
from windtunnel.journal.database import Database, Rows

ROOM = "queue"
STEPS = (
    """
    CREATE TABLE ticket(
        number {id}, run_id TEXT NOT NULL UNIQUE, location TEXT NOT NULL, world TEXT NOT NULL,
        priority {int} NOT NULL, body TEXT NOT NULL, put_at {real} NOT NULL, not_before {real} NOT NULL,
        alone {int} NOT NULL, worker TEXT NOT NULL, claim {int} NOT NULL, again {int} NOT NULL,
        deaths {int} NOT NULL, death_turn {int} NOT NULL, played {real} NOT NULL, tries {int} NOT NULL);
    CREATE INDEX ticket_order ON ticket(worker, priority, number);
    CREATE TABLE ending(
        number {id}, run_id TEXT NOT NULL, location TEXT NOT NULL, status TEXT NOT NULL,
        error TEXT, at {real} NOT NULL);
    CREATE INDEX ending_run ON ending(run_id);
    """,
)
READY = ""  # the worker of a ticket that nobody has
MANY = 400  # names in one statement
KEPT_ENDINGS = 20_000
KEPT_SECONDS = 3600.0
_ENDING = "number, run_id, location, status, error, at"
_COLUMNS = "body, number, claim, worker, alone, deaths, death_turn, played, tries, put_at"


class Ticket(Struct, frozen=True, omit_defaults=True):
    """A run that is to be played. `seen` is the number of its last operation when that was decided: if the
    run was played, paused or cancelled since, the ticket is void."""

    run_id: str
    location: str
    world: str
    priority: int = 0
    stop_after: int | None = None
    budget: float | None = None
    limits: Limits | None = None
    seen: int | None = None


class Standing(Struct, frozen=True):
    """A ticket as it stands in the queue."""

    ticket: Ticket
    number: int
    claim: int = 0
    worker: str = READY
    alone: bool = False
    deaths: int = 0  # of workers, since the run last came on
    death_turn: int = -1
    played: float = 0.0  # seconds of play that no journal tells, as a dead worker said last
    tries: int = 0  # how often it was given to another worker
    put_at: float = 0.0

    @property
    def ready(self) -> bool:
        return self.worker == READY


class Ending(Struct, frozen=True):
    """How a run left the queue: its status, and the error if it could not be played."""

    number: int
    run_id: str
    location: str
    status: str
    error: dict[str, Any] | None
    at: float


class Depth(Struct, frozen=True):
    """How many runs of a world wait to be played, and how many are."""

    ready: int = 0
    playing: int = 0
    alone: int = 0  # of the ready ones, those that need a process of their own
    oldest: float = 0.0  # when the first of those that wait was put


class Left(Struct, frozen=True):
    """A run that left a worker's hands. It is over for the queue, unless it is to be played elsewhere."""

    standing: Standing
    status: str = ""
    error: dict[str, Any] | None = None
    elsewhere: bool = False  # another worker shall have it
    after: float = 0.0  # in so many seconds
    alone: bool = False
    deaths: int = 0
    death_turn: int = -1
    played: float = 0.0


class Queue:
    """May be used from any thread; every method is one transaction."""

    def __init__(self, database: Database, *, isolate: bool = False) -> None:
        """`isolate`: every run gets a process of its own."""
        self.database, self._isolate = database, isolate
        database.lay(ROOM, STEPS)

    # --- putting ---

    def put(self, tickets: Sequence[Ticket]) -> None:
        """Put many at once. A run that stands there already keeps its place and takes the new terms; one that
        is being played comes again when it has left, if there is reason to (see `Ticket.seen`)."""
        for ticket in tickets:
            if not (ticket.run_id and ticket.location and ticket.world):
                raise UsageError("a ticket names a run, where it lies, and its world", where="queue")
        now = self.database.now()
        alone = [int(self._isolate or bool(t.limits and t.limits.alone)) for t in tickets]
        many = [
            (t.run_id, t.location, t.world, t.priority, _text(t), now, apart)
            for t, apart in zip(tickets, alone, strict=True)
        ]
        sql = (
            "INSERT INTO ticket(run_id, location, world, priority, body, put_at, not_before, alone, worker,"
            " claim, again, deaths, death_turn, played, tries) VALUES(?,?,?,?,?,?,0,?,'',0,0,0,-1,0,0)"
            " ON CONFLICT(run_id) DO UPDATE SET body=excluded.body, priority=excluded.priority,"
            " location=excluded.location, alone=excluded.alone, not_before=0,"
            " again=CASE WHEN ticket.worker='' THEN 0 ELSE 1 END"
        )
        with self.database.transaction() as rows:
            rows.each(sql, many)

    def drop(self, run_id: str) -> bool:
        """Take a run out that nobody plays yet. False: it is not there, or it is being played."""
        gone = self.database.rows(
            "DELETE FROM ticket WHERE run_id=? AND worker='' RETURNING run_id", [run_id]
        )
        return bool(gone)

    # --- working ---

    def exchange(
        self,
        worker: str,
        world: str,
        *,
        left: Sequence[Left] = (),
        most: int = 0,
        concurrency: int = 1,
        run_id: str = "",
    ) -> list[Standing]:
        """A worker hands in what left its hands and claims at most `most` more; one transaction for both.
        `run_id`: a process of its own plays this run alone. At most `concurrency` runs are claimed in all."""
        if not left and most < 1:
            return []
        with self.database.transaction() as rows:
            now = self.database.now()
            for one in left:
                self._turn_in(rows, one, now)
            if most < 1:
                return []
            room = concurrency - int(rows.rows("SELECT count(*) FROM ticket WHERE worker<>''")[0][0])
            if room < 1:
                return []
            mine = [
                (number, claim + 1)
                for number, name, of, alone, claim in rows.rows(
                    "SELECT number, run_id, world, alone, claim FROM ticket WHERE worker='' AND not_before<=?"
                    " ORDER BY priority DESC, number LIMIT ?",
                    [now, room],
                )
                if of == world and (name == run_id if run_id else not alone)
            ][:most]
            if not mine:
                return []
            rows.each("UPDATE ticket SET worker=?, claim=? WHERE number=?", [(worker, c, n) for n, c in mine])
            return self._standing(rows, f"number IN ({_marks(mine)})", [number for number, _ in mine])

    def _turn_in(self, rows: Rows, left: Left, now: float) -> None:
        was = left.standing
        held = rows.rows(
            "SELECT again FROM ticket WHERE number=? AND worker=? AND claim=?",
            [was.number, was.worker, was.claim],
        )
        if not held:
            return  # another has it by now, or it is gone
        if left.elsewhere:
            rows.rows(
                "UPDATE ticket SET worker='', again=0, not_before=?,"
                " alone=CASE WHEN ?=1 THEN 1 ELSE alone END, deaths=?, death_turn=?, played=?,"
                " tries=tries+1 WHERE number=?",
                [now + left.after if left.after else 0.0, int(left.alone), left.deaths, left.death_turn,
                 left.played, was.number],
            )  # fmt: skip
            return
        if held[0][0]:  # it was put again meanwhile: on new terms, as if for the first time
            rows.rows(
                "UPDATE ticket SET worker='', again=0, deaths=0, death_turn=-1, played=0, tries=0"
                " WHERE number=?",
                [was.number],
            )
            return
        rows.rows("DELETE FROM ticket WHERE number=?", [was.number])
        rows.rows(
            "INSERT INTO ending(run_id, location, status, error, at) VALUES(?,?,?,?,?)",
            [was.ticket.run_id, was.ticket.location, left.status,
             None if left.error is None else msgspec.json.encode(left.error).decode(), now],
        )  # fmt: skip

    # --- looking ---

    def waits(self, world: str, run_id: str = "") -> bool:
        """Whether there may be something to claim: the cheap question."""
        sql = "SELECT 1 FROM ticket WHERE worker='' AND world=? AND not_before<=? AND "
        sql += "run_id=? LIMIT 1" if run_id else "alone=0 AND ?='' LIMIT 1"
        return bool(self.database.rows(sql, [world, self.database.now(), run_id]))

    def find(self, run_id: str) -> Standing | None:
        found = self._standing(self.database, "run_id=?", [run_id])
        return found[0] if found else None

    def claimed(self) -> list[Standing]:
        return self._standing(self.database, "worker<>''", [])

    def ready(self, limit: int) -> list[Standing]:
        """Those that are next, in the order in which they will be played."""
        return self._standing(self.database, "worker='' AND not_before<=?", [self.database.now()], limit)

    def known(self, run_ids: Sequence[str]) -> set[str]:
        """Which of these stand in the queue."""
        found: set[str] = set()
        for start in range(0, len(run_ids), MANY):
            part = run_ids[start : start + MANY]
            sql = f"SELECT run_id FROM ticket WHERE run_id IN ({_marks(part)})"
            found.update(row[0] for row in self.database.rows(sql, part))
        return found

    def depth(self) -> dict[str, Depth]:
        """By world, how many wait and how many are played."""
        sql = (
            "SELECT world, sum(CASE WHEN worker='' THEN 1 ELSE 0 END),"
            " sum(CASE WHEN worker='' THEN 0 ELSE 1 END),"
            " sum(CASE WHEN worker='' THEN alone ELSE 0 END), min(CASE WHEN worker='' THEN put_at END)"
            " FROM ticket GROUP BY world"
        )
        return {
            world: Depth(int(ready), int(playing), int(alone), float(oldest or 0.0))
            for world, ready, playing, alone, oldest in self.database.rows(sql)
        }

    def endings(self, after: int, limit: int = 1000) -> list[Ending]:
        """What left the queue since an ending of this number. Two that end at once may show in either order:
        who must miss none asks `known` now and then."""
        sql = f"SELECT {_ENDING} FROM ending WHERE number>? ORDER BY number LIMIT ?"
        return [_ending(row) for row in self.database.rows(sql, [after, limit])]

    def last_ending(self) -> int:
        return int(self.database.rows("SELECT coalesce(max(number), 0) FROM ending")[0][0])

    def ending_of(self, run_id: str) -> Ending | None:
        sql = f"SELECT {_ENDING} FROM ending WHERE run_id=? ORDER BY number DESC LIMIT 1"
        found = self.database.rows(sql, [run_id])
        return _ending(found[0]) if found else None

    def trim(self) -> None:
        """Let old endings go."""
        last = self.last_ending() - KEPT_ENDINGS
        moment = self.database.now() - KEPT_SECONDS
        self.database.rows("DELETE FROM ending WHERE number<=? OR at<?", [last, moment])

    @staticmethod
    def _standing(rows: Rows, where: str, values: Sequence[Any], limit: int = 100_000) -> list[Standing]:
        sql = f"SELECT {_COLUMNS} FROM ticket WHERE {where} ORDER BY priority DESC, number LIMIT ?"
        return [
            Standing(
                msgspec.json.decode(body, type=Ticket), int(number), int(claim), worker, bool(alone),
                int(deaths), int(death_turn), float(played), int(tries), float(put),
            )
            for body, number, claim, worker, alone, deaths, death_turn, played, tries, put
            in rows.rows(sql, [*values, limit])
        ]  # fmt: skip


def isolates(settings: Runs) -> bool:
    """Whether the settings of a workspace give every run a process of its own."""
    return settings.isolate or settings.memory_mb is not None


def open_queue(workspace: Workspace) -> Queue:
    """The queue of a workspace, over a connection of one's own."""
    return Queue(open_database(workspace), isolate=isolates(workspace.settings.runs))


def put_again(queue: Queue, tickets: Iterable[Ticket]) -> int:
    """Put those that do not stand in the queue: after it was lost. How many there were."""
    wanted = list(tickets)
    there = queue.known([ticket.run_id for ticket in wanted])
    missing = [ticket for ticket in wanted if ticket.run_id not in there]
    if missing:
        queue.put(missing)
    return len(missing)


def _ending(row: Sequence[Any]) -> Ending:
    number, run_id, location, status, error, at = row
    return Ending(
        int(number), run_id, location, status, msgspec.json.decode(error) if error else None, float(at)
    )


def _text(ticket: Ticket) -> str:
    return msgspec.json.encode(ticket).decode()


def _marks(many: Sequence[Any]) -> str:
    return ",".join("?" * len(many))
