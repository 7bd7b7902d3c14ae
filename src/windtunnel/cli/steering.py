"""`pause`, `cancel`, `inject`: mail for a run, whoever plays it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.forking import read_json
from windtunnel.cli.options import By, Run
from windtunnel.cli.taking import me
from windtunnel.control import Found
from windtunnel.journal import Status


def pause(run: Run) -> int:
    """Stop a run at the end of its turn; resume goes on from there.

    \b
    Example:
      windtunnel pause 4k2
    """
    control = door.the_control()
    return _steered(control.pause(run, sender=me()), "pauses at the end of its turn", "paused")


def cancel(run: Run) -> int:
    """End a run for good. What it did stays; it can be forked, not resumed.

    \b
    Example:
      windtunnel cancel 4k2
    """
    control = door.the_control()
    return _steered(control.cancel(run, sender=me()), "is told to stop", "cancelled")


def _steered(found: Found, asked: str, done: str) -> int:
    run, status = found.row.run_id, str(found.row.status)
    if say.door.json:
        say.data({"run_id": run, "status": status, "asked": done})
    else:
        say.show(f"{run} {asked if found.row.status is Status.RUNNING else f'is {done}'}")
    return 0


def inject(
    run: Run,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What happens, in the world's own words.")],
    body: Annotated[str, typer.Argument(metavar="[JSON]", help="What the world reads of it.")] = "",
    by: By = "",
) -> int:
    """Send an event into a run: it reaches the world in the next turn.

    \b
    Examples:
      windtunnel inject 4k2 shock '{"size": 0.2}'
      windtunnel inject 4k2 holiday
    """
    control = door.the_control()
    found = control.inject(run, kind, read_json(body, "JSON") if body else None, sender=by or me())
    return posted(found, f"event {kind!r} posted to {found.row.run_id}")


# --- shared ---


def posted(found: Found, text: str) -> int:
    row = found.row
    if say.door.json:
        say.data({"run_id": row.run_id, "posted": True, "status": str(row.status)})
        return 0
    say.show(escape(text))
    if row.status is not Status.RUNNING:
        say.show(render.next_steps([("take it in", f"windtunnel resume {found.name}")]))
    return 0
