"""Which runs there are: asked of the index of the workspace, or of its stores, one by one, where that fails.

A store is a file, or the PostgreSQL database that `[store]` of windtunnel.toml names: that one holds all new
runs of the workspace. A run is named by its id, a unique prefix of it, or the path of a file that holds one
run (or `path:id`). Where a run is, its *location*, never holds a password.
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
from windtunnel.journal import RunRow, SqliteStore, Status, Store
from windtunnel.journal.address import is_address, shown
from windtunnel.journal.lease import lives
from windtunnel.journal.signing import Signer

# What may ail the index, which is only an index: then the stores are looked through.
UNUSABLE = (StorageError, VersionMismatch, OSError)
STORES = (".windtunnel", "runs")  # where a workspace keeps its files
HEADS = "heads"  # and, beside them, the heads of what is in no file

# The databases that workspaces of this process named, by what is shown of them.
_urls: dict[str, tuple[str, Path]] = {}


class Found(Struct):
    """Where a run is, and its row. A row that says `running` while nobody plays it reads `crashed`."""

    location: str
    row: RunRow

    @property
    def path(self) -> Path:
        """The file it lies in."""
        if is_address(self.location):
            raise UsageError(
                f"run {self.row.run_id} lies in a database, not in a file of its own",
                where=self.location,
                remedy=f"windtunnel backup {self.row.run_id} {self.row.run_id}.sqlite makes one",
            )
        return Path(self.location)

    @property
    def address(self) -> str:
        """What every verb takes for it, from anywhere in the workspace."""
        return self.row.run_id if is_address(self.location) else f"{self.location}:{self.row.run_id}"

    @property
    def name(self) -> str:
        """What to type for it: its id, or where it lies when that is outside a workspace."""
        if is_address(self.location):
            return self.row.run_id
        path = self.path.absolute()
        if (path.parent.parent.name, path.parent.name) == STORES:
            return self.row.run_id
        near = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        return f"{near}:{self.row.run_id}" if path.suffix == ".sqlite" else str(near)


# --- opening ---


def open_store(
    location: str | Path,
    workspace: Workspace | None = None,
    *,
    create: bool = False,
    read_only: bool = False,
) -> Store:
    """A file, or the database that the workspace names. Who opens it closes it."""
    key = workspace.signing_key if workspace and not read_only else None
    signer = Signer(key) if key else None
    if not is_address(place := str(location)):
        return SqliteStore(place, create=create, read_only=read_only, signer=signer)
    from windtunnel.journal.postgres import PostgresStore  # noqa: PLC0415 - late: an extra

    url, heads = _known(place, workspace)
    return PostgresStore(url, create=create, read_only=read_only, signer=signer, heads=heads)


def _known(location: str, workspace: Workspace | None) -> tuple[str, Path]:
    if workspace is not None:
        database(workspace)
    try:
        return _urls[location]
    except KeyError:
        raise UsageError(
            "this database is not the one of this workspace",
            where=shown(location),
            remedy="name it in windtunnel.toml: [store] url",
        ) from None


def database(workspace: Workspace) -> str | None:
    """The location of the workspace's database; None where runs are files."""
    if not (url := workspace.store_url):
        return None
    location = shown(url)
    _urls[location] = (url, workspace.runs.parent / HEADS)
    return location


@contextmanager
def opened(found: Found, workspace: Workspace | None = None, *, read_only: bool = False) -> Iterator[Store]:
    store = open_store(found.location, workspace, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


def home_of(workspace: Workspace, run_id: str) -> str:
    """The location that a new run gets."""
    return database(workspace) or str(workspace.runs / f"{run_id}.sqlite")


def store_paths(workspace: Workspace) -> list[Path]:
    return sorted(workspace.runs.glob("*.sqlite"))


def locations(workspace: Workspace) -> list[str]:
    """All stores: the database, if there is one, before the files (runs from before it was named)."""
    here = database(workspace)
    return [*([here] if here else []), *(str(path) for path in store_paths(workspace))]


# --- looking ---


def look(location: str | Path, named: str | None = None) -> list[Found]:
    """Every run of one store, or those whose ids begin so."""
    store = open_store(location, read_only=True)
    try:
        rows = store.runs() if named is None else store.named(named)
        return [Found(str(location), _as_it_is(store, row)) for row in rows]
    finally:
        store.close()


def _as_it_is(store: Store, row: RunRow) -> RunRow:
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
    yield from found


def looked_through(workspace: Workspace, named: str | None = None) -> Iterator[Found]:
    """Every run of the workspace, from its stores alone. A file that cannot be read is passed over; a database
    that does not answer is an error, as all would be missing."""
    for location in locations(workspace):
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
            run = index.find(name)
        except NotFound:
            raise _unknown(workspace, name) from None
    store = open_store(run.location, read_only=True)
    try:
        return Found(run.location, _as_it_is(store, store.run(run.run_id)))
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
