"""Making room: which runs may go, and letting them go.

What stays is a tombstone: the run's row with its head, so that whoever kept the head elsewhere still finds
it named. A run that is being played never goes; a run that others were forked from goes only after they were
made whole. Every step is one transaction: cut short anywhere, a store holds whole runs and tombstones, and
doing it again goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from windtunnel.errors import StorageError, UsageError
from windtunnel.journal.model import RunRow, Status
from windtunnel.journal.store import Store
from windtunnel.journal.transfer import make_whole, refuse_played

ENDED = frozenset(status for status in Status if status.ended)


class Pruned(Struct):
    runs: list[str] = field(default_factory=list)
    made_whole: list[str] = field(default_factory=list)  # forks that took their past over
    note: str = ""


def plan_prune(
    rows: Sequence[RunRow],
    *,
    now: float,
    older_than: float | None = None,
    keep_last: int | None = None,
    status: Collection[Status] | None = None,
    max_bytes: int | None = None,
    sizes: Mapping[str, int] | None = None,
) -> list[str]:
    """The runs to let go, the oldest first; touches nothing.

    Only runs that ended, unless `status` names others. All conditions must hold; `keep_last` keeps that many
    of the newest; with `max_bytes` only as many go as must, so that the rest takes no more.
    """
    if older_than is None and keep_last is None and status is None and max_bytes is None:
        raise UsageError(
            "this would prune every run that ended", remedy="say which: by age, number, status or size"
        )
    if max_bytes is not None and sizes is None:
        raise UsageError("to prune by size the sizes must be known")
    wanted = ENDED if status is None else frozenset(status) - {Status.RUNNING}
    here = sorted((row for row in rows if row.pruned is None), key=lambda row: (row.updated, row.run_id))
    may_go = [row for row in here if row.status in wanted]
    if keep_last is not None:
        may_go = may_go[: max(0, len(may_go) - keep_last)]
    if older_than is not None:
        may_go = [row for row in may_go if row.updated < now - older_than]
    if max_bytes is None or sizes is None:
        return [row.run_id for row in may_go]
    total, going = sum(sizes.get(row.run_id, 0) for row in here), []
    for row in may_go:
        if total <= max_bytes:
            break
        going.append(row.run_id)
        total -= sizes.get(row.run_id, 0)
    return going


def prune(store: Store, run_ids: Collection[str], *, at: float) -> Pruned:
    """Leave tombstones of these runs. Refused as a whole if one, or a fork it feeds, is being played."""
    going = {run_id: row for run_id in run_ids if (row := store.run(run_id)).pruned is None}
    heirs = {run_id: _heirs(store, run_id, going) for run_id in going}
    for run_id in [*going, *(heir for names in heirs.values() for heir in names)]:
        refuse_played(store, run_id)
    result = Pruned()
    for run_id in _forks_first(going):
        for heir in heirs[run_id]:
            make_whole(store, heir)
            result.made_whole.append(heir)
        store.erase(run_id, at)
        result.runs.append(run_id)
    try:
        # Texts also where no run goes now: an earlier prune may have been cut short before it came to them.
        if store.sweep() or result.runs:
            store.shrink()
    except StorageError as error:
        result.note = f"the runs are gone, the file is not smaller yet: {error.message}"
    return result


def _heirs(store: Store, run_id: str, going: Collection[str]) -> list[str]:
    """The forks of a run that stay."""
    return [row.run_id for row in store.children(run_id) if row.pruned is None and row.run_id not in going]


def _forks_first(going: Mapping[str, RunRow]) -> list[str]:
    """A fork goes before its parent, whose past it needs to make its own forks whole."""

    def depth(run_id: str) -> int:
        steps, parent = 0, going[run_id].parent
        while parent is not None and parent in going and steps <= len(going):
            steps, parent = steps + 1, going[parent].parent
        return steps

    return sorted(going, key=lambda run_id: (-depth(run_id), going[run_id].updated, run_id))
