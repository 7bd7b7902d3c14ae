"""Is this machine ready? One check after the other; each says what it found, and what to do if that is bad.

Nothing is changed, but for a small file that is written to the workspace and removed again.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.control.catalog import UNUSABLE, database, files_beside, indexed, look, store_paths
from windtunnel.control.database import CATALOG, open_database
from windtunnel.discovery import list_worlds
from windtunnel.errors import NotFound, WindtunnelError
from windtunnel.words import counted

Level = Literal["good", "note", "bad"]

WAL_FIXED = (3, 51, 3)
LOW_BYTES = 1 << 30
REBUILD = "windtunnel runs --rebuild"
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "lustre"}
EXTRAS = {"frames": ("pandas", "polars", "pyarrow"), "sign": ("cryptography",), "postgres": ("psycopg",)}


class Check(Struct):
    name: str
    level: Level
    found: str
    remedy: str | None = None


def examine(workspace: Workspace) -> Iterator[Check]:
    """Every check; one that breaks is itself a finding."""
    checks: tuple[Callable[[Workspace], Iterator[Check]], ...] = (
        _python, _sqlite, _settings, _writable, _space, _filesystem, _worlds, _models, _extras, _stores,
        _audit,
    )  # fmt: skip
    for check in checks:
        try:
            yield from check(workspace)
        except WindtunnelError as error:
            yield Check(check.__name__.strip("_"), "bad", str(error.message), error.remedy or error.where)
        except OSError as error:
            yield Check(check.__name__.strip("_"), "bad", f"{error.strerror}: {error.filename}")


def _python(_: Workspace) -> Iterator[Check]:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] <= (3, 14)
    remedy = None if fits else "use Python 3.11 to 3.14"
    yield Check(
        "python", "good" if fits else "bad", f"{version} on {platform.system()} {platform.machine()}", remedy
    )


def _sqlite(_: Workspace) -> Iterator[Check]:
    import apsw  # noqa: PLC0415 - a broken one is a finding, not a crash

    version = apsw.sqlite_lib_version()
    numbers = tuple(int(part) for part in version.split(".")[:3])
    if numbers >= WAL_FIXED:
        yield Check("sqlite", "good", f"{version} (in APSW {apsw.apsw_version()})")
    else:
        wanted = ".".join(map(str, WAL_FIXED))
        found = f"{version} (in APSW): its WAL may be reset wrongly, which {wanted} mended"
        yield Check("sqlite", "bad", found, "pip install --upgrade apsw")


def _settings(workspace: Workspace) -> Iterator[Check]:
    if workspace.file.exists():
        worlds = len(workspace.settings.worlds)
        yield Check("workspace", "good", f"{workspace.file}, {worlds} world{'s' * (worlds != 1)} by path")
    else:
        yield Check("workspace", "good", f"{workspace.root} (no windtunnel.toml, none is needed)")


def _writable(workspace: Workspace) -> Iterator[Check]:
    folder = _standing(workspace.runs)
    probe = folder / f".windtunnel-doctor-{os.getpid()}"
    try:
        with probe.open("xb") as file:
            file.write(b"ok")
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        remedy = "mend the permissions, or set WINDTUNNEL_HOME to a folder of your own"
        yield Check("writing", "bad", f"{folder} cannot be written: {error.strerror}", remedy)
    else:
        yield Check("writing", "good", f"{workspace.runs} can be written")


def _space(workspace: Workspace) -> Iterator[Check]:
    free = shutil.disk_usage(_standing(workspace.runs)).free
    text = f"{free / 1e9:.1f} GB free"
    if free < LOW_BYTES:
        yield Check("disk", "bad", text, "make room: windtunnel prune --older-than 30d")
    else:
        yield Check("disk", "good", text)


def _filesystem(workspace: Workspace) -> Iterator[Check]:
    kind = filesystem(_standing(workspace.runs))
    if kind in NETWORK:
        remedy = "set WINDTUNNEL_HOME to a folder on a local disk: SQLite needs locks that network disks lack"
        yield Check("filesystem", "bad", f"{kind}, a network file system", remedy)
    elif kind:
        yield Check("filesystem", "good", kind)
    else:
        yield Check("filesystem", "note", "this system does not say which kind it is")


def filesystem(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The kind of file system a folder lies on; empty where the system does not say."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        parts = line.split()
        if len(parts) < 3:
            continue
        point = Path(parts[1].replace("\\040", " "))
        if folder.resolve().is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), parts[2]
    return kind


def _standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _worlds(workspace: Workspace) -> Iterator[Check]:
    found = list_worlds(workspace)
    if not found:
        yield Check("worlds", "note", "none", "windtunnel new world NAME writes one")
    for world in found:
        broken = [one for one in world.scenarios if one.error]
        scenarios = counted(len(world.scenarios), "scenario")
        if world.error:
            yield Check(f"world {world.name}", "bad", world.error, world.remedy or world.origin)
        elif broken:
            text = f"{len(broken)} of {scenarios} cannot be read: {broken[0].error}"
            yield Check(f"world {world.name}", "bad", text, f"windtunnel scenarios {world.name}")
        else:
            yield Check(f"world {world.name}", "good", f"loads; {scenarios}")


def _models(workspace: Workspace) -> Iterator[Check]:
    from windtunnel.control.models import askable  # noqa: PLC0415 - a broken one is a finding, not a crash

    names, known = askable(workspace)
    if not known:
        yield Check("models", "note", "none is set up, and none is needed", "windtunnel models says how")
    else:
        level: Level = "good" if len(names) == known else "note"
        text = f"{len(names)} of {known} can be asked; windtunnel models lists them"
        yield Check("models", level, text, "windtunnel models says what is missing")


def _extras(_: Workspace) -> Iterator[Check]:
    for extra, modules in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            text = f"not installed ({', '.join(missing)}); only needed when asked for"
            yield Check(f"extra {extra}", "note", text, f"pip install 'windtunnel[{extra}]'")
        else:
            yield Check(f"extra {extra}", "good", "installed")


def _stores(workspace: Workspace) -> Iterator[Check]:
    try:
        with indexed(workspace) as index:
            if index is None:
                yield Check("stores", "good", f"none in {workspace.runs}")
                return
            runs, stores = index.check()
            problems, wrong = index.problems(), index.differing()
    except UNUSABLE as error:
        told = error.message if isinstance(error, WindtunnelError) else str(error)
        remedy = error.remedy if isinstance(error, WindtunnelError) else None
        yield Check("index", "bad", f"{told}; lists look into every store meanwhile", remedy or REBUILD)
        yield from _looked_through(workspace)
        return
    for one in problems:
        yield Check(f"store {Path(one.location).name}", "bad", one.message, one.remedy)
    if wrong:
        text = f"{counted(len(wrong), 'run')} not as in the journal: {', '.join(wrong[:5])}"
        yield Check("index", "bad", text, REBUILD)
    else:
        yield Check("index", "good", f"agrees with the journals; {counted(runs, 'run')}")
    if place := database(workspace):
        yield Check("database", "good", f"{counted(runs, 'run')} in {place}")
        yield from _beside(workspace)
    else:
        yield Check("stores", "good", f"{stores} with {counted(runs, 'run')} in {workspace.runs}")


def _beside(workspace: Workspace) -> Iterator[Check]:
    if files := files_beside(workspace):
        text = (
            f"{counted(len(files), 'file')} with runs from before the database, which a server does not list"
        )
        yield Check("stores", "note", f"{text}: in {workspace.runs}", "windtunnel import FILE brings one in")


def _looked_through(workspace: Workspace) -> Iterator[Check]:
    if place := database(workspace):
        try:
            yield Check("database", "good", f"{counted(len(look(place)), 'run')} in {place}")
        except NotFound:
            yield Check("database", "good", f"{place} answers; no run was made there yet")
        except WindtunnelError as error:
            yield Check("database", "bad", f"{place}: {error.message}", error.remedy)
    paths = store_paths(workspace)
    runs = 0
    for path in paths:
        try:
            runs += len(look(path))
        except WindtunnelError as error:
            yield Check(f"store {path.name}", "bad", error.message, error.remedy)
    yield Check("stores", "good", f"{len(paths)} with {counted(runs, 'run')} in {workspace.runs}")


def _audit(workspace: Workspace) -> Iterator[Check]:
    if not (workspace.store_url or (workspace.runs.parent / CATALOG).exists()):
        return
    from windtunnel.control.audit import Audit  # noqa: PLC0415 - where there is one

    database = open_database(workspace)
    try:
        audit = Audit(database)
        verdict, head = audit.verify(), audit.head()
    finally:
        database.close()
    if verdict.problem:
        remedy = "someone wrote to the database beside Windtunnel: hold it against a copy"
        yield Check("audit log", "bad", verdict.problem, remedy)
    elif verdict.entries:
        text = f"{counted(verdict.entries, 'entry', 'entries')}, intact; its head is {head}"
        yield Check("audit log", "good", text)
