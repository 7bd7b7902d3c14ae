"""What the index reads of a store that is a database: one for all runs, which tells what was written to it.

Nothing of it is asked of a file system, and no run is read that did not change: the rows of runs know which
transaction wrote them last.
"""

from __future__ import annotations

from collections.abc import Sequence

from windtunnel.config import Workspace
from windtunnel.control.index_scan import Knows, Looked, Read, Seen, seen_of
from windtunnel.control.places import Readers, database
from windtunnel.errors import NotFound

NAME = "database"  # in the index; no file is called so


class DatabaseStore:
    """The one store of a workspace whose runs lie in a database."""

    sole = True

    def __init__(self, workspace: Workspace) -> None:
        self._location = database(workspace)
        self._readers = Readers(workspace)

    def name(self, location: str) -> str | None:
        return NAME if location == self._location else None

    def location(self, name: str) -> str:
        return self._location or name

    def look(self, token: str, again: Sequence[str]) -> Looked:  # noqa: ARG002 - it is always asked
        return Looked({NAME: ""}, not token, "asked")

    def read(self, location: str, knows: Knows, since: str) -> Read:  # noqa: ARG002 - there is but one
        """A stamp is kept as long as nothing came, so that looking writes nothing."""
        try:
            store = self._readers.database()
        except NotFound:  # nothing was written to this database yet
            return Read([], list(knows(None)), "")
        with store.snapshot():
            rows, reached, whole = store.written(since)
            known = knows(None if whole else [row.run_id for row in rows])
            seen = seen_of(store, rows, known)
        there = {row.run_id for row in rows} if whole else known.keys()
        return Read(
            seen, [run_id for run_id in known if run_id not in there], reached if seen or whole else since
        )

    def one(self, location: str, run_id: str) -> Seen | None:  # noqa: ARG002
        store = self._readers.database()
        return next(iter(seen_of(store, [store.run(run_id)], {})), None)

    def close(self) -> None:
        self._readers.close()
