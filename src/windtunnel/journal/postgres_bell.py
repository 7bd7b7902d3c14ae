"""Hearing of commits in a PostgreSQL store as they happen: LISTEN, so that followers need not poll.

A word that was missed is not said again: after a loss of the connection, and now and then besides, whoever
follows must look for itself. What is heard is only that there is something to look at.
"""

from __future__ import annotations

from windtunnel.journal.postgres import CHANNEL
from windtunnel.journal.postgres_link import PATIENCE, Link
from windtunnel.journal.postgres_schema import SCHEMA


class Bell:
    """A connection of its own. To be waited for in a thread of its own too."""

    def __init__(self, url: str) -> None:
        self._link = Link(url, SCHEMA, read_only=True)
        self._listening = 0  # the connection that listens

    def wait(self, seconds: float) -> frozenset[str] | None:
        """The runs of which something was committed or posted, at the latest after `seconds`, when it is
        empty. None: words may have been missed, so look at everything that is followed."""
        link = self._link
        with link.lock:
            db = link.connected(PATIENCE if self._listening else 0)
            try:
                if self._listening != link.generation:
                    db.execute(f"LISTEN {CHANNEL}")
                    self._listening = link.generation
                    return None
                # All that came together with the first one is taken with it.
                return frozenset(heard.payload for heard in db.notifies(timeout=seconds, stop_after=1))
            except link.errors as error:
                if not link.is_lost(error):
                    raise link.told(error) from None
                return None

    def close(self) -> None:
        self._link.close()
