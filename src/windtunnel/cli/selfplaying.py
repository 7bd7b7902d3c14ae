"""`selfplay NAME`: the newest version of a strategy against its own past."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from windtunnel.cli import door, say
from windtunnel.cli.options import Budget, Metric, Store
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.tabling import Scoreboard, show_standings
from windtunnel.cli.tournaments import play, scoring_by
from windtunnel.control.catalog import Found
from windtunnel.errors import NotFound
from windtunnel.journal import Status
from windtunnel.tournaments.entering import chosen, sources
from windtunnel.tournaments.reading import inline_tournament
from windtunnel.tournaments.running import begin_tournament
from windtunnel.tournaments.standings import standings


def selfplay(  # noqa: PLR0913, PLR0917 - one for each option
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME[@1]", help="A strategy of the registry; or those of its versions that begin so."
        ),
    ],
    scenario: Annotated[str, typer.Option(metavar="S", help="What they play: WORLD/NAME, or a file.")],
    last: Annotated[int, typer.Option(metavar="N", min=2, help="The highest so many of its versions.")] = 6,
    seats: Annotated[
        str,
        typer.Option(metavar="X,Y", help="The seats that they take; the first two of their role if unsaid."),
    ] = "",
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Lucks of a meeting, each with the seats changed round.")
    ] = 12,
    metric: Metric = "",
    turns: Annotated[int | None, typer.Option(metavar="N", help="A match ends after so many turns.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The seed of all chance.")] = 1,
    budget: Budget = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes that play.")] = 0,
    store: Store = None,
) -> int:
    """Is the newest version of a strategy better than its past, or did it forget something?

    All of the versions meet, so that it shows where the newest loses to an old one that one between beats.

    \b
    Examples:
      windtunnel selfplay spender --scenario economy/trade_war --turns 8
      windtunnel selfplay spender@1 --scenario economy/trade_war --last 4 --seeds 24
    """
    workspace = door.the_control().workspace
    found_here = sources(workspace)
    versions = chosen(found_here, name, last)
    if len(versions) < 2:
        raise NotFound(
            f"{versions[0].label} is the only version: there is no past to play against", where=name,
            remedy="change it, and register it again: windtunnel strategies add PATH",
        )  # fmt: skip
    given: dict[str, Any] = {
        "tournament": f"{versions[0].label} against its past",
        "entrants": [{"versions": name, "last": last}],
        "scenario": scenario,
        "seeds": seeds,
        "seed": seed,
        **scoring_by(metric),
        **({"turns": turns} if turns is not None else {}),
        **({"budget": budget} if budget is not None else {}),
        **({"seats": [seat.strip() for seat in seats.split(",")]} if seats else {}),
    }
    field = inline_tournament(given, found_here, Path.cwd())
    found = begin_tournament(workspace, field, name="selfplay", path=store)
    stopper = Stopper()
    board = Scoreboard(found, stopper)
    with stopper, board:
        row = asyncio.run(play(workspace, found, board, budget, workers))
    after = Found(found.location, row)
    show_standings(after, standings(after))
    if stopper.asked and row.status is Status.PAUSED:
        say.note(f"paused. To go on: windtunnel tournament {after.name}")
        return 130
    return door.EXIT[row.status]
