"""Where journals lie, and opening them.

A store is a file, or the PostgreSQL database that `[store]` of windtunnel.toml names: that one holds all new
runs of the workspace. Where a run is, its *location*, never holds a password.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.journal import RunRow, SqliteStore, Store
from windtunnel.journal.address import is_address, shown
from windtunnel.journal.heads import heads_path
from windtunnel.journal.signing import Signer

if TYPE_CHECKING:
    from windtunnel.journal.postgres import PostgresStore

STORES = (".windtunnel", "runs")  # where a workspace keeps its files
HEADS = "heads"  # and, beside them, the heads of what is in no file
ALONE_SECONDS = 2.0  # how long it is waited for those who found stores, before an empty one is left behind

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
        return address_of(self.location, self.row.run_id)

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


def address_of(location: str, run_id: str) -> str:
    """What every verb of the workspace takes for a run that lies there."""
    return run_id if is_address(location) else f"{location}:{run_id}"


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


# --- founding ---


@contextmanager
def founded(location: str | Path, workspace: Workspace | None = None) -> Iterator[Store]:
    """A store to put runs into, which is made where there is none. One that no run came into goes again."""
    if is_address(str(location)):
        with closing(open_store(location, workspace, create=True)) as store:
            yield store
        return
    path = Path(location)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh, empty = False, True
    try:
        with _locked(path.parent, fcntl.LOCK_SH):
            fresh = not path.exists()
            with closing(open_store(path, workspace, create=True)) as store:
                try:
                    yield store
                finally:
                    empty = fresh and not store.runs()
    finally:
        if fresh and empty:
            _remove_if_empty(path)


def _remove_if_empty(path: Path) -> None:
    """Two may found one store at once (the same request that came twice): it stays while the other one may
    still put a run into it."""
    end = time.monotonic() + ALONE_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), _locked(path.parent, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if _is_empty(path):
                for file in (path, heads_path(path), Path(f"{path}-wal"), Path(f"{path}-shm")):
                    file.unlink(missing_ok=True)
            return
        time.sleep(0.01)


def _is_empty(path: Path) -> bool:
    try:
        store = SqliteStore(path, read_only=True)
    except NotFound:  # its tables were never laid
        return True
    except WindtunnelError:
        return False
    try:
        return not store.runs()
    finally:
        store.close()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Whoever founds stores in a folder holds it with others; whoever removes one there, alone."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


class Readers:
    """Stores for who reads many runs, from any thread: a database is opened once for all that lie in it, a
    file for each time it is asked for."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._shared: dict[str, Store] = {}

    @contextmanager
    def opened(self, location: str) -> Iterator[Store]:
        if is_address(location):
            yield self._of_all(location)
            return
        store = open_store(location, read_only=True)
        try:
            yield store
        finally:
            store.close()

    def _of_all(self, location: str) -> Store:
        with self._lock:
            if location not in self._shared:
                self._shared[location] = open_store(location, self._workspace, read_only=True)
            return self._shared[location]

    def database(self) -> PostgresStore:
        """The one that the workspace names; NotFound if no run was ever made there."""
        return cast("PostgresStore", self._of_all(database(self._workspace) or ""))

    def close(self) -> None:
        with self._lock:
            for store in self._shared.values():
                store.close()
            self._shared.clear()


def home_of(workspace: Workspace, run_id: str) -> str:
    """The location that a new run gets."""
    return database(workspace) or str(workspace.runs / f"{run_id}.sqlite")


def store_paths(workspace: Workspace) -> list[Path]:
    return sorted(workspace.runs.glob("*.sqlite"))


def locations(workspace: Workspace) -> list[str]:
    """All stores: the database, if there is one, before the files (runs from before it was named)."""
    here = database(workspace)
    return [*([here] if here else []), *(str(path) for path in store_paths(workspace))]
