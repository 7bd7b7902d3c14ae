"""Which runs there are: asked of the index of the workspace, or of its stores, one by one, where that fails.

A run is named by its id, a unique prefix of it, or the path of a file that holds one run (or `path:id`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from windtunnel.config import Workspace
from windtunnel.control.ids import tournament_of
from windtunnel.control.index import Index, open_index
from windtunnel.control.places import (
    Found,
    database,
    home_of,
    locations,
    open_store,
    opened,
    store_paths,
)
from windtunnel.errors import NotFound, StorageError, UsageError, VersionMismatch
from windtunnel.journal import RunRow, Status, Store
from windtunnel.journal.address import is_address
from windtunnel.journal.lease import lives

__all__ = [
    "UNUSABLE",
    "Found",
    "all_runs",
    "as_it_is",
    "database",
    "files_beside",
    "find_run",
    "home_of",
    "indexed",
    "locations",
    "look",
    "looked_through",
    "open_store",
    "opened",
    "store_paths",
]

# What may ail the index, which is only an index: then the stores are looked through.
UNUSABLE = (StorageError, VersionMismatch, OSError)


def look(location: str | Path, named: str | None = None) -> list[Found]:
    """Every run of one store, or those whose ids begin so. Matches of a tournament where one is named."""
    store = open_store(location, read_only=True)
    try:
        rows = store.runs() if named is None else store.named(named)
        if not tournament_of(named or ""):
            rows = [row for row in rows if not tournament_of(row.run_id)]
        return [Found(str(location), as_it_is(store, row)) for row in rows]
    finally:
        store.close()


def as_it_is(store: Store, row: RunRow) -> RunRow:
    """A row that says `running` while nobody plays it reads `crashed`."""
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
            found = [Found(run.location, run.row) for run in index.each()] if index else []
    except UNUSABLE:
        found = list(looked_through(workspace))
    else:
        found.reverse()
        if beside := files_beside(workspace):
            found = sorted([*found, *_looked(beside)], key=lambda one: (one.row.created, one.row.run_id))
    yield from found


def files_beside(workspace: Workspace) -> list[str]:
    """Where the runs lie in a database: the files from before it was named, which its index knows nothing of
    (servers that share it have each their own). `windtunnel import` brings them in."""
    return [str(path) for path in store_paths(workspace)] if workspace.store_url else []


def looked_through(workspace: Workspace, named: str | None = None) -> Iterator[Found]:
    """Every run of the workspace, or those whose ids begin so, from its stores alone. A file that cannot be
    read is passed over; a database that does not answer is an error, as all would be missing."""
    yield from _looked(locations(workspace), named)


def _looked(places: list[str], named: str | None = None) -> Iterator[Found]:
    for location in places:
        try:
            found = look(location, named)
        except NotFound:  # a database that nothing was written to yet
            continue
        except (StorageError, UsageError):
            if is_address(location):
                raise
            continue
        yield from found


@contextmanager
def indexed(workspace: Workspace, *, refreshed: bool = True) -> Iterator[Index | None]:
    """The index, up to date. None where no run was ever kept: looking leaves no file there."""
    if not (workspace.store_url or workspace.runs.is_dir()):
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
    if tournament := tournament_of(name):
        return _match(find_run(workspace, tournament), name)
    exact = workspace.runs / f"{name}.sqlite"
    candidates = look(exact) if exact.exists() else []
    if mine := [found for found in candidates if found.row.run_id == name]:
        return mine[0]
    if workspace.store_url:  # it knows its own runs by their beginnings
        return _by_looking(workspace, name)
    try:
        return _by_index(workspace, name)
    except UNUSABLE:
        return _by_looking(workspace, name)


def _match(whole: Found, name: str) -> Found:
    """Of a tournament, or an evolution."""
    for found in look(whole.location, name):
        if found.row.run_id == name:
            return found
    raise NotFound(
        f"{whole.row.world} {whole.row.run_id} has no match {name!r}",
        where=whole.location,
        remedy=f"windtunnel {'standings' if whole.row.world == 'tournament' else 'show'} {whole.name}",
    )


def _by_index(workspace: Workspace, name: str) -> Found:
    """Where the index says it is; how it is, its store says."""
    with indexed(workspace) as index:
        if index is None:
            raise _unknown(workspace, name)
        try:
            run = index.find(name)
        except NotFound:
            raise _unknown(workspace, name) from None
    store = open_store(run.location, read_only=True)
    try:
        return Found(run.location, as_it_is(store, store.run(run.run_id)))
    finally:
        store.close()


def _by_looking(workspace: Workspace, name: str) -> Found:
    matches = list(looked_through(workspace, name)) if name else []
    if same := [found for found in matches if found.row.run_id == name]:
        return same[0]
    if not matches:
        raise _unknown(workspace, name)
    if len(matches) > 1:
        ids = ", ".join(found.row.run_id for found in matches[:5])
        raise UsageError(f"{name!r} may mean {len(matches)} runs: {ids}", remedy="type more of the id")
    return matches[0]


def _unknown(workspace: Workspace, name: str) -> NotFound:
    where = database(workspace) or str(workspace.runs)
    return NotFound(f"no run {name!r}", where=where, remedy="windtunnel runs lists them")


def _by_path(name: str) -> Found | None:
    text, _, wanted = name.rpartition(":") if ".sqlite:" in name else (name, "", "")
    path = Path(text)
    if path.suffix != ".sqlite" and not (path.exists() and path.is_file()):
        return None
    runs = look(path, wanted or None)
    if not runs:
        raise NotFound("this store holds no such run", where=text)
    if same := [found for found in runs if found.row.run_id == wanted]:
        return same[0]  # and not those whose ids go on where this one ends, as of matches 1 and 10
    if len(runs) > 1:
        roots = [found for found in runs if found.row.parent is None]
        if len(roots) == 1:
            return roots[0]
        ids = ", ".join(found.row.run_id for found in runs[:5])
        raise UsageError(
            f"this store holds {len(runs)} runs: {ids}", where=text, remedy=f"say which: {text}:ID"
        )
    return runs[0]
