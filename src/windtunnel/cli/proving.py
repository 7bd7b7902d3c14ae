"""`replay` and `verify`: does it happen again, and was it left as it was."""

from __future__ import annotations

import asyncio
from typing import Any

from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Run
from windtunnel.cli.progress import Progress
from windtunnel.journal.verify import Verified
from windtunnel.run.replay import Replayed
from windtunnel.words import counted

SHOWN = 10  # problems


def replay(run: Run) -> int:
    """Play a whole run again from its record, asking nobody anything, and hold it against the record.

    Ends with 0 if every entry is the same, with 1 if one differs; it is named.

    \b
    Examples:
      windtunnel replay 4k2
      windtunnel replay results/growth.sqlite --json
    """
    control = door.the_control()
    found = control.find(run)
    world = control.find_world(found.row.world)
    with Progress(world.headline) as progress:
        result = asyncio.run(control.replay(found.address, world=world, observer=progress))
    if say.door.json:
        about = {"run_id": result.run_id, "identical": result.identical, "turns": result.turns}
        say.data({**about, "first_difference": result.first_difference})
    else:
        _replayed(result, found.row.head_hash.hex())
    return 0 if result.identical else 1


def _replayed(result: Replayed, head: str) -> None:
    if result.identical:
        turns, end = counted(result.turns, "turn"), "ends" if result.turns == 1 else "end"
        say.show(
            f"[green]identical[/]  {turns} of {result.run_id}, played again, {end} in its head",
            f"[dim]head[/] {head}",
        )
        return
    about = result.first_difference or {}
    say.show(f"[red]different[/]  {result.run_id} parts from its record", render.facts(_difference(about)))


def _difference(about: dict[str, Any]) -> list[tuple[str, str]]:
    names = (
        ("message", "what"),
        ("where", "where"),
        ("recorded", "recorded"),
        ("played", "played"),
        ("remedy", "next"),
    )
    return [(name, escape(render.compact(about[key], 600))) for key, name in names if about.get(key)]


def verify(run: Run) -> int:
    """Check a run's journal: whether its chains hold, and whether it ends where it was seen to end.

    intact: both chains hold, and everything derived from them agrees. complete: it ends at the head
    that is kept beside the store; unknown where that file is missing. Ends with 1 if either does not
    hold.

    \b
    Examples:
      windtunnel verify 4k2
      windtunnel verify results/growth.sqlite --json
    """
    control = door.the_control()
    result = control.verify(run)
    if say.door.json:
        names = ("run_id", "intact", "complete", "entries", "first_problem", "problems", "notes", "pruned")
        say.data({name: getattr(result, name) for name in names})
    else:
        _verified(result)
    return 0 if result.intact and result.complete is not False else 1


def _verified(result: Verified) -> None:
    intact = "[green]intact[/]" if result.intact else "[red]not intact[/]"
    entries = counted(result.entries, "entry", "entries")
    words = {True: "[green]complete[/]", False: "[red]not complete[/]", None: "[yellow]complete: unknown[/]"}
    say.show(render.title(f"[bold]{result.run_id}[/]", intact, words[result.complete], entries))
    lines = [("note", escape(note)) for note in result.notes]
    for problem in result.problems[:SHOWN]:
        where = f"  [dim]{escape(str(problem['where']))}[/]" if problem.get("where") else ""
        lines.append(("problem", f"{escape(str(problem.get('message', problem)))}{where}"))
    if result.found > SHOWN:
        lines.append(("", f"and {result.found - SHOWN} more"))
    if lines:
        say.show(render.facts(lines))
    if not result.intact:
        say.show(render.next_steps([("put back", "a copy that windtunnel backup made, then verify that")]))
