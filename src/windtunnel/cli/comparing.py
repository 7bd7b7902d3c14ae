"""`compare`: runs side by side, and the first entry in which their histories part."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.control import history
from windtunnel.control.compare import Comparison, Parting
from windtunnel.control.compare import compare as compared
from windtunnel.control.history import telling

SIDE_BY_SIDE = 5  # columns of runs that fit a terminal


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN…", help="Two or more; the first is the measure.")
    ],
    all_: Annotated[bool, typer.Option("--all", help="Every metric, not only headline and wealth.")] = False,
) -> int:
    """Put runs side by side: final values, differences, and where their histories part.

    \b
    Examples:
      windtunnel compare 4k2 4k7
      windtunnel compare 4k2 4k7 4m1 --all --json
    """
    control = door.the_control()
    found = list({run.row.run_id: run for run in map(control.find, runs)}.values())
    headline = door.headline(found[0].row.world, control.workspace)
    keys = [] if all_ or say.door.json else telling(history.finals(found[0]), headline)
    result = compared(found, keys)
    if say.door.json:
        say.data(_data(result))
        return 0
    _show(result)
    return 0


def _data(result: Comparison) -> dict[str, Any]:
    return {
        "runs": [door.run_data(run, table) for run, table in zip(result.runs, result.finals, strict=True)],
        "differences": [
            {"agent": row.agent, "name": row.name, "values": row.values, "differences": row.differences}
            for row in result.rows
        ],
        "partings": [say.plain(parting) for parting in result.partings],
    }


def _show(result: Comparison) -> None:
    shown = result.runs[:SIDE_BY_SIDE]
    table = render.grid("who", "metric", *((run.row.run_id, "right") for run in shown))
    for row in result.rows[: 2 * render.ROWS]:
        cells = [render.number(row.values[0])]
        for value, apart in list(zip(row.values, row.differences, strict=True))[1:SIDE_BY_SIDE]:
            cells.append(f"{render.number(value)} {_coloured(apart)}")
        table.add_row(render.who(row.agent), escape(row.name), *cells)
    say.show(table, "")
    if len(result.runs) > SIDE_BY_SIDE:
        say.note(f"the first {SIDE_BY_SIDE} of {len(result.runs)} runs; --json has them all")
    _curves(result)
    for parting in result.partings:
        say.show(*_parted(result, parting))
    run, other = result.runs[0].row.run_id, result.partings[0]
    if other.turn is not None:
        steps = [("look", f"windtunnel show {name} --turn {other.turn}") for name in (run, other.run_id)]
        say.show("", render.next_steps(steps))


def _coloured(apart: float | None) -> str:
    if apart is None:
        return ""
    return "[dim]=[/]" if apart == 0 else f"[{'green' if apart > 0 else 'red'}]({render.signed(apart)})[/]"


def _curves(result: Comparison) -> None:
    """One curve for each run: the first two metrics."""
    keys = [(row.agent, row.name) for row in result.rows[:2]]
    if not keys:
        return
    table = render.grid("run", *(f"{agent} {name}" if agent != "world" else name for agent, name in keys))
    for run in result.runs[: 2 * SIDE_BY_SIDE]:
        drawn = history.curves(run, keys)
        cells = [f"[cyan]{render.spark(drawn[key].values)}[/]" if key in drawn else "" for key in keys]
        table.add_row(run.row.run_id, *cells)
    say.show(table, "")


def _parted(result: Comparison, parting: Parting) -> list[str]:
    one, other = result.runs[0].row.run_id, parting.run_id
    if parting.seq is None:
        return [f"{one} and {other} have the same history, entry by entry"]
    who = f" of {parting.actor}" if parting.actor else ""
    place = f"entry {parting.seq} (turn {parting.turn}, {parting.phase}: {parting.kind}{who})"
    return [
        f"{one} and {other} part at {escape(place)}",
        *(f"  [dim]{escape(d)}[/]" for d in parting.differences),
    ]
