"""`tournament` and `standings`: strategies against each other, live, and the table at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from windtunnel.cli import door, say
from windtunnel.cli.options import Budget, Store
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.tabling import Scoreboard, show_standings
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, all_runs
from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import RunRow, Status
from windtunnel.tournaments.hands import LocalHands
from windtunnel.tournaments.model import WORLD_NAME, Of
from windtunnel.tournaments.reading import read_tournament, sources
from windtunnel.tournaments.running import begin_tournament, find_tournament, play_tournament
from windtunnel.tournaments.standings import standings as drawn_up

SUFFIXES = (".yaml", ".yml")
OF, BETTER = get_args(Of), ("higher", "lower")


def tournament(
    what: Annotated[
        str, typer.Argument(metavar="FILE|RUN", help="A tournament's file; or one that was begun, to go on.")
    ],
    budget: Budget = None,
    workers: Annotated[
        int, typer.Option(metavar="N", help="Processes that play; the machine's cores if unsaid.")
    ] = 0,
    store: Store = None,
    html: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write the standings as one html file too.")
    ] = None,
) -> int:
    """Play strategies against each other, and tell who is better, by how much, and how sure that is.

    Every match is a run of its own that can be shown and replayed. Stopped or killed, it goes on where it
    was.

    \b
    Examples:
      windtunnel tournament examples/economy_cup.yaml
      windtunnel tournament examples/economy_cup.yaml --html cup.html
      windtunnel tournament 4k2 --budget 2.50
    """
    control = door.the_control()
    workspace = control.workspace
    if _is_file(what):
        field = read_tournament(what, sources(workspace))
        found = begin_tournament(workspace, field, name=Path(what).stem, path=store)
    else:
        found = find_tournament(workspace, what)
    stopper, row = Stopper(), found.row
    if not row.status.ended or row.status is Status.FAILED:  # what is over is shown
        board = Scoreboard(found, stopper)
        with stopper, board:
            row = asyncio.run(play(workspace, found, board, budget, workers))
    after = Found(found.location, row)
    told = drawn_up(after)
    if html is not None:
        from windtunnel.tournaments.report import write_report  # noqa: PLC0415 - only who wants one

        write_report(told, html)
    show_standings(after, told, html)
    if stopper.asked and row.status is Status.PAUSED:
        say.note(f"paused. To go on: windtunnel tournament {after.name}")
        return 130
    return door.EXIT[row.status]


async def play(
    workspace: Workspace, found: Found, board: Scoreboard, budget: float | None, workers: int
) -> RunRow:
    """With hands of its own."""
    hands = LocalHands(workspace, processes=workers)
    try:
        return await play_tournament(
            workspace, found, hands=hands, heard=board.heard, observer=board, budget=budget
        )
    finally:
        await hands.aclose()


def standings(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN", help="A tournament that was begun; or its file: the latest of it."
        ),
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write them as one html file too.")
    ] = None,
) -> int:
    """How a tournament stands: places, ratings with their intervals, and ranks as far as matches tell them.

    \b
    Examples:
      windtunnel standings 4k2
      windtunnel standings examples/economy_cup.yaml --json
    """
    workspace = door.the_control().workspace
    found = latest(workspace, Path(what)) if _is_file(what) else find_tournament(workspace, what)
    told = drawn_up(found)
    if html is not None:
        from windtunnel.tournaments.report import write_report  # noqa: PLC0415 - as above

        write_report(told, html)
    show_standings(found, told, html)
    return 0


def latest(workspace: Workspace, file: Path) -> Found:
    """The tournament that was begun last from a file of that name."""
    name = f"{WORLD_NAME}/{file.stem}"
    known = [found for found in all_runs(workspace) if found.row.scenario == name]
    if not known:
        raise NotFound(
            "no tournament of that file was played here", where=str(file),
            remedy=f"windtunnel tournament {file}",
        )  # fmt: skip
    return max(known, key=lambda found: (found.row.created, found.row.run_id))


def scoring_by(metrics: str) -> dict[str, Any]:
    """`welfare:mean,debt:final:lower` as a tournament's file would say it."""
    found = []
    for one in filter(None, (part.strip() for part in metrics.split(","))):
        name, *words = one.split(":")
        if not name or not set(words) <= {*OF, *BETTER} or len(words) > 2:
            raise UsageError(
                f"{one!r} is no metric to win by", where="--metric",
                remedy=f"NAME, NAME:OF or NAME:OF:lower; OF is one of {', '.join(OF)}",
            )  # fmt: skip
        of = next((word for word in words if word in OF), "final")
        better = next((word for word in words if word in BETTER), "higher")
        found.append({"metric": name, "of": of, "better": better})
    return {"scoring": {"metrics": found}} if found else {}


def _is_file(what: str) -> bool:
    if not what.endswith(SUFFIXES):
        return False
    if not Path(what).is_file():
        raise UsageError("there is no such file", where=what, remedy="examples/ has some to begin with")
    return True
