"""Who works: the processes that play runs, as they say of themselves, and who watches them on a machine.

A worker writes its row once a second; what lives is not judged by that alone but by its process (id and
moment of start), so that a server that was restarted finds the workers that outlived it. One manager leads on
each machine: the processes of another machine can be neither seen nor killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.journal import Owner
from windtunnel.journal.database import Database
from windtunnel.journal.lease import lives
from windtunnel.models.hub import Asked

ROOM = "crew"
STEPS = (
    """
    CREATE TABLE worker(
        name TEXT PRIMARY KEY, host TEXT NOT NULL, beat {real} NOT NULL, body TEXT NOT NULL);
    CREATE TABLE leader(name TEXT PRIMARY KEY, owner TEXT NOT NULL, until {real} NOT NULL);
    """,
)
LEAD_SECONDS = 10.0  # a manager that hangs for so long is no longer the leader


class Play(Struct, frozen=True, omit_defaults=True):
    """A run in a worker's hands."""

    run_id: str
    turn: int = 0
    seconds: float = 0.0  # of play, since its limits were said
    over: float = 0.0  # seconds past its limit
    cancel: float = 0.0  # seconds since a wish to cancel it was seen


class Stuck(Struct, frozen=True):
    """What holds a worker's event loop: the run, where that is known, and where in the code."""

    run_id: str
    stack: list[str]


class WorkerInfo(Struct, frozen=True, omit_defaults=True):
    """A worker as it describes itself."""

    name: str
    world: str
    host: str
    boot: str
    pid: int
    started: str
    since: float
    run_id: str = ""  # it plays this run alone
    state: str = "starting"  # starting, ready, leaving
    beat: float = 0.0
    tick_age: float = 0.0  # seconds since its event loop last came round
    lag: float = 0.0  # seconds by which its event loop is late, on average
    rss_mb: float = 0.0
    played: int = 0  # runs that left its hands
    playing: list[Play] = []
    stuck: Stuck | None = None
    limit_mb: int = 0  # of memory, for the run it plays alone
    memory_mb: float = 0.0  # it ended itself with so much, which is more than that
    log: str = ""
    models: list[Asked] = []

    @property
    def owner(self) -> Owner:
        return Owner(self.host, self.boot, self.pid, self.started)


class Crew:
    def __init__(self, database: Database) -> None:
        self.database = database
        database.lay(ROOM, STEPS)

    def beat(self, info: WorkerInfo) -> None:
        """A worker is there, and how it stands."""
        body = msgspec.json.encode(info).decode()
        self.database.rows(
            "INSERT INTO worker(name, host, beat, body) VALUES(?,?,?,?)"
            " ON CONFLICT(name) DO UPDATE SET beat=excluded.beat, body=excluded.body",
            [info.name, info.host, self.database.now(), body],
        )

    def dismiss(self, name: str) -> None:
        self.database.rows("DELETE FROM worker WHERE name=?", [name])

    def workers(self, host: str = "") -> list[WorkerInfo]:
        """Of one machine, or of all."""
        where, values = (" WHERE host=?", [host]) if host else ("", [])
        found = self.database.rows(f"SELECT beat, body FROM worker{where} ORDER BY name", values)
        return [
            msgspec.structs.replace(msgspec.json.decode(body, type=WorkerInfo), beat=float(beat))
            for beat, body in found
        ]

    # --- who leads ---

    def lead(self, host: str, me: Owner) -> bool:
        """Become or stay the leader of a machine, unless another one is that lives and is not late."""
        mine, now = json.dumps(me), self.database.now()
        with self.database.transaction() as rows:
            held = rows.rows("SELECT owner, until FROM leader WHERE name=?", [host])
            if held and held[0][0] != mine and held[0][1] > now and lives(_owner(held[0][0])):
                return False
            rows.rows(
                "INSERT INTO leader(name, owner, until) VALUES(?,?,?)"
                " ON CONFLICT(name) DO UPDATE SET owner=excluded.owner, until=excluded.until",
                [host, mine, now + LEAD_SECONDS],
            )
        return True

    def resign(self, host: str, me: Owner) -> None:
        self.database.rows("UPDATE leader SET until=0 WHERE name=? AND owner=?", [host, json.dumps(me)])

    def led(self, host: str) -> bool:
        """Whether somebody watches the workers of a machine."""
        held = self.database.rows("SELECT owner, until FROM leader WHERE name=?", [host])
        return bool(held) and held[0][1] > self.database.now() and lives(_owner(held[0][0]))

    def any_leader(self) -> bool:
        """Whether somebody sees to it, on any machine, that there are workers."""
        return any(self.led(row[0]) for row in self.database.rows("SELECT name FROM leader"))

    def ever_led(self) -> bool:
        """Whether there ever was a manager on this database: if not, it is new, or an older one was lost."""
        return bool(self.database.rows("SELECT 1 FROM leader LIMIT 1"))


BREAKERS = ("closed", "half-open", "open")  # the worst is the last
MOST_MODELS = 30
OTHERS = "others"


def worst(breakers: Iterable[str]) -> str:
    return max(breakers, key=BREAKERS.index, default=BREAKERS[0])


def joined(told: Iterable[Asked]) -> list[Asked]:
    """Each deployment once. Scenarios may name models at will: beyond some, they go by one name together."""
    found: dict[str, Asked] = {}
    for one in told:
        name = one.deployment if one.deployment in found or len(found) < MOST_MODELS else OTHERS
        had = found.get(name, Asked(name, BREAKERS[0]))
        found[name] = Asked(
            name,
            worst((had.breaker, one.breaker)),
            had.calls + one.calls,
            had.errors + one.errors,
            round(had.seconds + one.seconds, 3),
        )
    return list(found.values())


def _owner(text: str) -> Owner:
    told: Sequence[Any] = json.loads(text)
    return Owner(*told)
