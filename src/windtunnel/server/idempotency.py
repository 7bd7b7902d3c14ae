"""One start, or one fork, for one `Idempotency-Key`, however often a client that heard nothing asks again.

The id of the run (of a fork's first; the others follow from it) is chosen and kept with the key before
anything is made. Whoever asks again gets the same id: the run is there, or it is made now under that name.
"""

from __future__ import annotations

from hashlib import sha256

from windtunnel.control.access import Principal
from windtunnel.control.ids import new_run_id
from windtunnel.errors import UsageError
from windtunnel.journal.database import Database

TABLES = [
    """CREATE TABLE idempotency(who TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
    run_id TEXT NOT NULL, at {real} NOT NULL, PRIMARY KEY(who, key));
    CREATE INDEX idempotency_at ON idempotency(at)"""
]
KEPT_SECONDS = 7 * 86400
LONGEST = 200


class Once:
    def __init__(self, database: Database) -> None:
        self._database = database
        database.lay("idempotency", TABLES)

    def run_id(self, who: Principal, key: str, request: str) -> str:
        """The id of the run that this request makes; a key that meant another request is refused."""
        if not key:
            return new_run_id()
        if len(key) > LONGEST or not key.isprintable():
            raise UsageError(
                f"an Idempotency-Key has at most {LONGEST} printable characters", where="Idempotency-Key"
            )
        digest, now = sha256(request.encode()).hexdigest(), self._database.now()
        with self._database.transaction() as rows:
            rows.rows("DELETE FROM idempotency WHERE at<?", [now - KEPT_SECONDS])
            known = rows.rows(
                "SELECT request, run_id FROM idempotency WHERE who=? AND key=?", [who.name, key]
            )
            if not known:
                made = new_run_id()
                rows.rows("INSERT INTO idempotency VALUES(?,?,?,?,?)", [who.name, key, digest, made, now])
                return made
        if known[0][0] != digest:
            raise UsageError(
                "this Idempotency-Key was used for another request",
                where="Idempotency-Key",
                remedy="choose a new key for a new request",
            )
        return str(known[0][1])
