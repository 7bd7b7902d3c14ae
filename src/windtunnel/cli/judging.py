"""`feedback`: what a person thinks of a run, kept with it; and how `show` lists what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec.structs import asdict
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import By
from windtunnel.cli.taking import me
from windtunnel.control.feedback import find_subject, give
from windtunnel.run.feedback import Given

LISTED = 10
COMMENT = 160  # characters of a comment in a list


def feedback(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN[:ENTRY]", help="A run; or an entry of it by number, or an effect by its name."
        ),
    ],
    score: Annotated[
        float | None, typer.Option(metavar="X", help="How good, in a measure of your own.")
    ] = None,
    comment: Annotated[str, typer.Option(metavar="TEXT", help="Why; at most 10,000 characters.")] = "",
    by: By = "",
) -> int:
    """Say how good a run was, or one entry of it: a score, a comment, or both.

    It is kept with the run and changes nothing in its history, so a run that has ended takes it as well.
    show lists it, export carries it, and export --to chat --min-score chooses by it.

    \b
    Examples:
      windtunnel feedback 4k2 --score 1 --comment "held its nerve"
      windtunnel feedback 4k2:118 --score -1 --by kim
      windtunnel feedback 4k2:3.plan.alice.0 --score 0.5
    """
    found, entry = find_subject(door.the_control(), run)
    given = give(door.the_control(), found, score=score, comment=comment, entry=entry, sender=by or me())
    if say.door.json:
        say.data(asdict(given))
        return 0
    about = f"entry {given.of} of {given.run_id}" if given.of else given.run_id
    say.show(
        escape(f"feedback on {about} is kept"),
        render.next_steps([("all of it", f"windtunnel show {found.name}")]),
    )
    return 0


def show_feedback(given: Sequence[Given]) -> None:
    table = render.grid("feedback", ("score", "right"), "by", "comment")
    table.columns[-1].no_wrap, table.columns[-1].overflow = False, "fold"
    for one in given[-LISTED:]:
        table.add_row(
            escape(one.of) or "[dim]the run[/]",
            render.number(one.score),
            escape(one.by),
            escape(render.compact(one.comment, COMMENT)),
        )
    say.show(table)
    if len(given) > LISTED:
        say.show(f"[dim]the last {LISTED} of {len(given):,}; --json shows all[/]")
    say.show("")
