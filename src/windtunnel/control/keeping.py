"""Keeping the runs of a workspace: bring others in, copy them out, let old ones go. The rules are the
journal's; here is which store they are applied to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, all_runs, find_run, home_of, look, open_store, opened
from windtunnel.control.places import founded
from windtunnel.errors import NotFound, UsageError, WindtunnelError
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.address import is_address
from windtunnel.journal.heads import heads_path
from windtunnel.journal.prune import Pruned, plan_prune, prune
from windtunnel.journal.transfer import Merged, backup, copy_run, merge


class Plan(Struct):
    """What a pruning would let go, the oldest first, and about how much room that gives."""

    runs: list[Found]
    bytes: int


class Swept(Struct):
    runs: list[str] = field(default_factory=list)
    made_whole: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def bring_in(workspace: Workspace, source: Path, run: str = "") -> tuple[str, Merged]:
    """Copy a run (or all) of another store here: the store it came to, and what became of each."""
    rows = look(source)
    if run:
        rows = [find_run(workspace, f"{source}:{run}")]
    if not rows:
        raise NotFound("this store holds no run", where=str(source))
    target = _home(workspace, rows)
    held = SqliteStore(source, read_only=True)
    try:
        with founded(target, workspace) as into:
            if run:
                run_id = rows[0].row.run_id
                done = copy_run(held, into, run_id)
                merged = Merged(copied=[run_id] if done else [], same=[] if done else [run_id])
            else:
                merged = merge(held, into)
    finally:
        held.close()
    return target, merged


def _home(workspace: Workspace, rows: list[Found]) -> str:
    """The store of the workspace that has some of these runs already, or where a new one goes."""
    names = {found.row.run_id for found in rows}
    for found in all_runs(workspace):
        if found.row.run_id in names and found.row.pruned is None:
            return found.location
    first = next((found for found in rows if found.row.parent is None), rows[0])
    return home_of(workspace, first.row.run_id)


def copy_out(workspace: Workspace, found: Found, to: Path) -> Path:
    """A file with a run in it, while it goes on: its whole store where that is a file, else the run alone
    with the past it shares."""
    if not is_address(found.location):
        return backup(found.path, to)
    if to.exists() or heads_path(to).exists():
        raise UsageError("there is a file here already", where=str(to), remedy="name another file")
    with opened(found, workspace, read_only=True) as source, founded(to) as target:
        copy_run(source, target, found.row.run_id)
    return to


def plan(
    workspace: Workspace,
    *,
    now: float,
    older_than: float | None = None,
    keep_last: int | None = None,
    status: Collection[Status] | None = None,
    max_bytes: int | None = None,
) -> Plan:
    """Which runs a pruning would let go. Nothing is touched."""
    known = {found.row.run_id: found for found in all_runs(workspace)}
    sizes = sizes_of(known.values())
    going = plan_prune(
        [found.row for found in known.values()],
        now=now,
        older_than=older_than,
        keep_last=keep_last,
        status=status,
        max_bytes=max_bytes,
        sizes=sizes,
    )
    return Plan([known[run_id] for run_id in going], sum(sizes[run_id] for run_id in going))


def sizes_of(runs: Iterable[Found]) -> dict[str, int]:
    """About how much each run takes: its store's size, shared evenly by the runs in it."""
    stores: dict[str, list[str]] = {}
    for found in runs:
        if found.row.pruned is None:
            stores.setdefault(found.location, []).append(found.row.run_id)
    return {run_id: size_of(place) // len(names) for place, names in stores.items() for run_id in names}


def size_of(location: str | Path) -> int:
    store = open_store(location, read_only=True)
    try:
        return store.size()
    finally:
        store.close()


def sweep(workspace: Workspace, runs: list[Found], *, at: float) -> Swept:
    """Let these runs go, store by store; a store that refuses keeps all of its own and is named."""
    stores: dict[str, list[str]] = {}
    for found in runs:
        stores.setdefault(found.location, []).append(found.row.run_id)
    swept = Swept()
    for location, names in stores.items():
        try:
            store = open_store(location, workspace)
            try:
                done: Pruned = prune(store, names, at=at)
            finally:
                store.close()
        except WindtunnelError as error:
            swept.refused.update(dict.fromkeys(names, error.message))
            continue
        swept.runs += done.runs
        swept.made_whole += done.made_whole
        swept.notes += [done.note] if done.note else []
    return swept


def swept_data(swept: Swept) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(swept)
    return plain
