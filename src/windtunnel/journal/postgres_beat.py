"""The heartbeat of leases in PostgreSQL, whose holders may be on another machine.

Of a process of this machine the system says whether it lives. Of one elsewhere only its beat tells, by the
database's clock: whoever did not beat for half a minute has lost the run to who wants it. Should it come
back, its fencing number is old and nothing it writes is accepted.
"""

from __future__ import annotations

import threading
import time

from windtunnel.errors import WindtunnelError
from windtunnel.journal.lease import here, lives, this_process
from windtunnel.journal.postgres_link import Link
from windtunnel.journal.postgres_rows import NOW_MS
from windtunnel.journal.store import Lease

BEAT_SECONDS = 5.0
STALE_MS = 30_000
BEAT = f"UPDATE lease SET beat={NOW_MS} WHERE run_id=%s AND fence=%s AND owner<>'null'"

_beaters: dict[tuple[str, str], _Beater] = {}
_lock = threading.Lock()


def holds(lease: Lease | None, now_ms: int) -> bool:
    """Whether somebody holds this lease. A machine of the same name that was started at another time may be
    another one: only its beat tells."""
    if lease is None or lease.owner is None:
        return False
    if here(lease.owner) and lease.owner.boot == this_process().boot:
        return lives(lease.owner)
    return now_ms - lease.beat <= STALE_MS


class _Beater:
    """Beats for all leases that this process holds in one store, from a thread and connection of its own."""

    def __init__(self, url: str, schema: str) -> None:
        self._url, self._schema = url, schema
        self._held: set[tuple[str, int]] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def hold(self, run_id: str, fence: int) -> None:
        with self._changed:
            self._held.add((run_id, fence))
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="windtunnel-beat", daemon=True)
                self._thread.start()

    def let_go(self, run_id: str, fence: int) -> None:
        with self._changed:
            self._held.discard((run_id, fence))
            self._changed.notify()

    def _beat(self) -> None:
        link: Link | None = None
        try:
            while held := self._due():
                try:
                    link = link or Link(self._url, self._schema)
                    link.again(lambda db: db.cursor().executemany(BEAT, sorted(held)))
                except WindtunnelError:
                    continue  # the server is away; who commits is told, here the next beat tries again
        finally:
            if link is not None:
                link.close()

    def _due(self) -> set[tuple[str, int]]:
        """What to beat for once the time has come; nothing, and the thread ends, when nothing is held."""
        until = time.monotonic() + BEAT_SECONDS
        with self._changed:
            while self._held and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            if not self._held:
                self._thread = None
            return set(self._held)


def beater(url: str, schema: str) -> _Beater:
    with _lock:
        return _beaters.setdefault((url, schema), _Beater(url, schema))
