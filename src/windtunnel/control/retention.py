"""Retention: the runs that `[retention]` of windtunnel.toml lets go, and letting them go.

Who goes is planned from the index, and asked of each store once more before anything is touched: a run that
was taken up meanwhile stays. What is played, waits or is paused never goes, whatever a rule says. The rest is
the journal's: forks are made whole first, a tombstone with the head stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from msgspec import Struct, field

from windtunnel.config import Workspace
from windtunnel.config.retention import Rule, bytes_of, seconds_of
from windtunnel.control.catalog import UNUSABLE, Found, all_runs, indexed, look
from windtunnel.control.keeping import Plan, Swept, sizes_of, sweep
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Status
from windtunnel.journal.prune import ENDED, plan_prune

MAY_GO = ENDED | {Status.CRASHED}


class Retained(Struct):
    """What was done, as an audit log may keep it."""

    at: float
    runs: list[str] = field(default_factory=list)  # of which only the head is left now
    bytes: int = 0  # about how much they took
    made_whole: list[str] = field(default_factory=list)
    stayed: list[str] = field(default_factory=list)  # were written since the plan was made
    refused: dict[str, str] = field(default_factory=dict)  # by run: why its store kept it
    notes: list[str] = field(default_factory=list)


def plan_policy(workspace: Workspace, *, now: float) -> Plan:
    """What the rules of the workspace let go now. Nothing is touched; no rules are an error, not a plan."""
    rules = workspace.settings.retention
    if rules.says_nothing and all(rule.says_nothing for rule in rules.worlds.values()):
        raise UsageError(
            "no rule says which runs may go",
            where=str(workspace.file),
            remedy='write one: [retention] older_than = "30d"',
        )
    known = {found.row.run_id: found for found in all_runs(workspace)}
    sizes = sizes_of(known.values())
    going = _ruled(
        [found for found in known.values() if found.row.world not in rules.worlds],
        rules,
        "retention",
        sizes,
        now,
    )
    for world, rule in rules.worlds.items():
        mine = [found for found in known.values() if found.row.world == world]
        going += _ruled(mine, rule, f"retention.worlds.{world}", sizes, now)
    return Plan([known[run_id] for run_id in going], sum(sizes[run_id] for run_id in going))


def _ruled(runs: Iterable[Found], rule: Rule, where: str, sizes: dict[str, int], now: float) -> list[str]:
    older_than = seconds_of(rule.older_than, f"{where}.older_than") if rule.older_than is not None else None
    max_bytes = bytes_of(rule.max_bytes, f"{where}.max_bytes") if rule.max_bytes is not None else None
    if rule.says_nothing:
        return []
    wanted = {Status(word) for word in rule.status} or ENDED
    return plan_prune(
        [found.row for found in runs],
        now=now,
        older_than=older_than,
        keep_last=rule.keep_last,
        status=wanted & MAY_GO,
        max_bytes=max_bytes,
        sizes=sizes,
    )


def retain(workspace: Workspace, *, now: float | None = None) -> Retained:
    """Apply the rules of the workspace: what a schedule calls. It may be called again at any time."""
    at = time.time() if now is None else now  # ambient: ages of runs
    return let_go(workspace, plan_policy(workspace, now=at), at=at)


def let_go(workspace: Workspace, plan: Plan, *, at: float) -> Retained:
    """Let the runs of a plan go, those that are still as they were."""
    told = _as_planned(plan.runs)
    swept: Swept = sweep(workspace, [found for found, same in told if same], at=at)
    stayed = [found.row.run_id for found, same in told if not same]
    share = plan.bytes * len(swept.runs) // len(plan.runs) if plan.runs else 0
    if swept.runs:
        _tell(workspace)
    return Retained(at, swept.runs, share, swept.made_whole, stayed, swept.refused, swept.notes)


def _as_planned(runs: list[Found]) -> list[tuple[Found, bool]]:
    """Each run with whether its store still says what the plan was made from."""
    now: dict[str, Any] = {}
    told = []
    for found in runs:
        where = found.location
        if where not in now:
            try:
                now[where] = {one.row.run_id: one.row for one in look(where)}
            except WindtunnelError:
                now[where] = {}  # sweeping it says what is wrong
        row = now[where].get(found.row.run_id, found.row)
        same = (row.status, row.updated, row.pruned) == (
            found.row.status,
            found.row.updated,
            found.row.pruned,
        )
        told.append((found, same and row.status in MAY_GO))
    return told


def _tell(workspace: Workspace) -> None:
    """Lists show the tombstones at once; where the index cannot be used, they will when it can."""
    with suppress(*UNUSABLE), indexed(workspace):
        pass
