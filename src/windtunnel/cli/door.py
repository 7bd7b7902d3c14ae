"""What every command begins with: the workspace one stands in, and the verbs over it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from windtunnel.cli import say
from windtunnel.config import Workspace, find_workspace
from windtunnel.control import Control, Found
from windtunnel.control.history import Finals
from windtunnel.control.worlds import Worlds
from windtunnel.errors import UsageError
from windtunnel.journal import Status
from windtunnel.world import World

EXIT = {
    Status.COMPLETED: 0,
    Status.FAILED: 3,
    Status.CRASHED: 3,
    Status.CANCELLED: 130,
    Status.WAITING: 4,
    Status.PAUSED: 4,
    Status.QUEUED: 4,
}


def the_control() -> Control:
    workspace = find_workspace()
    return Control(workspace, Worlds(workspace))


def told_world(name: str, workspace: Workspace) -> World | None:
    """A run's world, where it can be had: looking at a run must not fail because its world is gone."""
    try:
        return Worlds(workspace)(name)
    except UsageError:
        return None


def headline(name: str, workspace: Workspace) -> tuple[str, ...]:
    world = told_world(name, workspace)
    return world.headline if world is not None else ()


def run_data(found: Found, metrics: Finals) -> dict[str, Any]:
    """What scripts rely on."""
    row = found.row
    return {
        "run_id": row.run_id,
        "status": str(row.status),
        "store": found.location,
        "turns": row.turn,
        "head": row.head_hash.hex(),
        "metrics": metrics,
        "world": row.world,
        "scenario": row.scenario,
        "seed": row.seed,
        "of": row.turns,
        "reason": row.reason,
        "parent": row.parent,
    }


def row_data(found: Found) -> dict[str, Any]:
    row = found.row
    return {
        **{key: value for key, value in run_data(found, {}).items() if key != "metrics"},
        "mode": row.mode,
        "parent_turn": row.parent_turn,
        "branch": row.branch,
        "created": row.created,
        "updated": row.updated,
        "pruned": row.pruned,
    }


def now() -> float:
    return time.time()  # ambient: ages are for people


def seconds_since(moment: float) -> float:
    return max(0.0, now() - moment)


def one_of(value: str, options: Iterable[str], where: str) -> str:
    known = list(options)
    if value not in known:
        raise UsageError(f"{value!r} is not valid", where=where, remedy=f"one of: {', '.join(known)}")
    return value


def ask(question: str) -> bool:
    """A yes from a person; no terminal, no yes."""
    import sys  # noqa: PLC0415 - with the streams as they are now

    if say.door.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
