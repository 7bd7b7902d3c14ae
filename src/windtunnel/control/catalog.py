"""Which runs there are: asked of the index of the workspace, or of its stores, one by one, where that fails.

A run is named by its id, a unique prefix of it, or the path of a store that holds one run (or `path:id`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.control.index import Index, open_index
from windtunnel.errors import NotFound, StorageError, UsageError, VersionMismatch
from windtunnel.journal import RunRow, SqliteStore, Status
from windtunnel.journal.lease import lives
from windtunnel.journal.signing import Signer

# What may ail the index, which is only an index: then the stores are looked through.
UNUSABLE = (StorageError, VersionMismatch, OSError)
STORES = (".windtunnel", "runs")  # where a workspace keeps them


class Found(Struct):
    """Where a run is, and its row. A row that says `running` while nobody plays it reads `crashed`."""

    path: Path
    row: RunRow

    @property
    def name(self) -> str:
        """What to type for it: its id, or where it lies when that is outside a workspace."""
        folder = self.path.absolute().parent
        if (folder.parent.name, folder.name) == STORES:
            return self.row.run_id
        path = self.path.absolute()
        near = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        return f"{near}:{self.row.run_id}" if path.suffix == ".sqlite" else str(near)


def open_store(path: Path, workspace: Workspace | None = None, *, create: bool = False) -> SqliteStore:
    key = workspace.signing_key if workspace else None
    return SqliteStore(path, create=create, signer=Signer(key) if key else None)


def store_paths(workspace: Workspace) -> list[Path]:
    return sorted(workspace.runs.glob("*.sqlite"))


def look(path: Path) -> list[Found]:
    """Every run of one store."""
    store = SqliteStore(path, read_only=True)
    try:
        return [Found(path, _as_it_is(store, row)) for row in store.runs()]
    finally:
        store.close()


def _as_it_is(store: SqliteStore, row: RunRow) -> RunRow:
    if row.status is Status.RUNNING:
        lease = store.lease(row.run_id)
        if lease is None or lease.owner is None or not lives(lease.owner):
            return msgspec.structs.replace(row, status=Status.CRASHED)
    return row


def all_runs(workspace: Workspace) -> Iterator[Found]:
    """Every run of the workspace as it is now, the oldest first; a store that cannot be read is passed over
    (`doctor` names it)."""
    try:
        with indexed(workspace) as index:
            found = [Found(Path(run.location), run.row) for run in index.each()] if index else []
    except UNUSABLE:
        found = list(looked_through(workspace))
    else:
        found.reverse()
    yield from found


def looked_through(workspace: Workspace) -> Iterator[Found]:
    """Every run of the workspace, from its stores alone."""
    for path in store_paths(workspace):
        try:
            yield from look(path)
        except (StorageError, UsageError):
            continue


@contextmanager
def indexed(workspace: Workspace, *, refreshed: bool = True) -> Iterator[Index | None]:
    """The index, up to date. None where no run was ever kept: looking leaves no file there."""
    if not workspace.runs.is_dir():
        yield None
        return
    index = open_index(workspace)
    try:
        if refreshed:
            index.refresh()
        yield index
    finally:
        index.close()


def find_run(workspace: Workspace, name: str) -> Found:
    """The run that a person means."""
    if (found := _by_path(name)) is not None:
        return found
    exact = workspace.runs / f"{name}.sqlite"
    candidates = look(exact) if exact.exists() else []
    if mine := [found for found in candidates if found.row.run_id == name]:
        return mine[0]
    try:
        return _by_index(workspace, name)
    except UNUSABLE:
        return _by_looking(workspace, name)


def _by_index(workspace: Workspace, name: str) -> Found:
    """Where the index says it is; how it is, its store says."""
    with indexed(workspace) as index:
        if index is None:
            raise _unknown(workspace, name)
        try:
            path = Path((run := index.find(name)).location)
        except NotFound:
            raise _unknown(workspace, name) from None
    store = SqliteStore(path, read_only=True)
    try:
        return Found(path, _as_it_is(store, store.run(run.run_id)))
    finally:
        store.close()


def _by_looking(workspace: Workspace, name: str) -> Found:
    matches = [found for found in looked_through(workspace) if found.row.run_id.startswith(name)]
    if same := [found for found in matches if found.row.run_id == name]:
        return same[0]
    if not matches or not name:
        raise _unknown(workspace, name)
    if len(matches) > 1:
        ids = ", ".join(found.row.run_id for found in matches[:5])
        raise UsageError(f"{name!r} may mean {len(matches)} runs: {ids}", remedy="type more of the id")
    return matches[0]


def _unknown(workspace: Workspace, name: str) -> NotFound:
    return NotFound(f"no run {name!r}", where=str(workspace.runs), remedy="windtunnel runs lists them")


def _by_path(name: str) -> Found | None:
    text, _, wanted = name.rpartition(":") if ".sqlite:" in name else (name, "", "")
    path = Path(text)
    if path.suffix != ".sqlite" and not (path.exists() and path.is_file()):
        return None
    runs = look(path)
    if wanted:
        runs = [found for found in runs if found.row.run_id.startswith(wanted)]
    if not runs:
        raise NotFound("this store holds no such run", where=text)
    if len(runs) > 1:
        roots = [found for found in runs if found.row.parent is None]
        if len(roots) == 1:
            return roots[0]
        ids = ", ".join(found.row.run_id for found in runs[:5])
        raise UsageError(
            f"this store holds {len(runs)} runs: {ids}", where=text, remedy=f"say which: {text}:ID"
        )
    return runs[0]
