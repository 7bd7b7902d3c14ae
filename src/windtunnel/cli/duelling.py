"""`duel A B`: two strategies, pair after pair, until it is known which is better."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import structs, to_builtins
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Budget, Metric, Store
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.tabling import Scoreboard
from windtunnel.cli.tournaments import play, scoring_by
from windtunnel.control.catalog import Found, opened
from windtunnel.journal import Status
from windtunnel.tournaments.duel import BATCH, Answer, answer
from windtunnel.tournaments.model import Field
from windtunnel.tournaments.rating.sequential import Rules, checked, expected_pairs
from windtunnel.tournaments.reading import inline_tournament, sources
from windtunnel.tournaments.running import begin_tournament, field_of, outcomes_of
from windtunnel.tournaments.scoring import in_words
from windtunnel.words import counted

LONG = 3000  # pairs: what a difference takes is said beyond one's limit too


def duel(  # noqa: PLR0913, PLR0917 - one for each option
    a: Annotated[
        str, typer.Argument(metavar="A", help="A strategy: a folder, NAME@VERSION, or a rule's name.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="Whom it is held against.")],
    scenario: Annotated[str, typer.Option(metavar="S", help="What they play: WORLD/NAME, or a file.")],
    seats: Annotated[
        str,
        typer.Option(metavar="X,Y", help="The seats that they take; the first two of their role if unsaid."),
    ] = "",
    margin: Annotated[
        float, typer.Option(metavar="ELO", help="A difference below this is not worth the name.")
    ] = 25.0,
    alpha: Annotated[
        float, typer.Option(metavar="P", help="How often it may say better or worse of two that are equal.")
    ] = 0.05,
    limit: Annotated[int, typer.Option(metavar="PAIRS", help="It gives up after so many.")] = 400,
    tell: Annotated[
        float, typer.Option(metavar="ELO", help="Say first how many pairs tell so much of a difference.")
    ] = 50.0,
    metric: Metric = "",
    turns: Annotated[int | None, typer.Option(metavar="N", help="A match ends after so many turns.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The seed of all chance.")] = 1,
    budget: Budget = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes that play.")] = 0,
    store: Store = None,
) -> int:
    """Is A better than B? Matches in pairs of the same luck with the seats swapped, as many as it takes to
    know.

    \b
    Examples:
      windtunnel duel keynesian austerity --scenario economy/trade_war --turns 40
      windtunnel duel keynesian@1.0.1 keynesian@1.0.0 --scenario economy/quick --metric welfare:mean
      windtunnel duel dove@1.2.0 dove@1.1.0 --scenario economy/growth --alpha 0.01
    """
    workspace = door.the_control().workspace
    rules = checked(Rules(alpha, margin, limit))
    field = _field(sources(workspace), a, b, scenario, seats, turns, seed, rules, budget, metric)
    _plan(field, rules, tell)
    found = begin_tournament(workspace, field, name="duel", path=store)
    stopper = Stopper()
    board = Scoreboard(found, stopper)
    with stopper, board:
        row = asyncio.run(play(workspace, found, board, budget, workers))
    after = Found(found.location, row)
    with opened(after, read_only=True) as opened_store:
        told = answer(field_of(opened_store, row.run_id), outcomes_of(opened_store, row.run_id))
    _show(after, told, finished=row.status is Status.COMPLETED)
    if stopper.asked and row.status is Status.PAUSED:
        return 130
    return door.EXIT[row.status]


def _field(  # noqa: PLR0913, PLR0917 - what a duel is made of
    where: Any, a: str, b: str, scenario: str, seats: str, turns: int | None, seed: int, rules: Rules,
    budget: float | None, metric: str,
) -> Field:  # fmt: skip
    entrants: list[Any] = [a, b]
    if a == b:
        entrants = [
            {"strategy": a, "name": f"{Path(a).name}-1"},
            {"strategy": b, "name": f"{Path(b).name}-2"},
        ]
    given: dict[str, Any] = {
        "tournament": f"{a} or {b}",
        "entrants": entrants,
        "scenario": scenario,
        "format": {"kind": "ladder", "rounds": math.ceil(rules.limit / BATCH)},
        "seeds": min(BATCH, rules.limit),
        "seed": seed,
        **scoring_by(metric),
        **({"turns": turns} if turns is not None else {}),
        **({"budget": budget} if budget is not None else {}),
        **({"seats": [seat.strip() for seat in seats.split(",")]} if seats else {}),
    }
    return structs.replace(inline_tournament(given, where, Path.cwd()), stop=rules)


def _plan(field: Field, rules: Rules, tell: float) -> None:
    """Said before anything is played: how long it may take to know."""
    if say.door.json:
        return
    unlimited = expected_pairs(tell, structs.replace(rules, limit=max(rules.limit, LONG)))
    within = expected_pairs(tell, rules).verdicts["better"]
    say.note(f"matches are won by {in_words(field.scoring)}")
    say.note(
        f"{tell:g} Elo points are told apart after about {unlimited.median:,.0f} pairs of"
        f" {2 * len(field.stages)} matches; of such duels {within:.0%} know it within"
        f" {counted(rules.limit, 'pair')}, where this one gives up (--limit)"
    )


def _show(found: Found, told: Answer, *, finished: bool) -> None:
    if say.door.json:
        say.data({**to_builtins(told), "run_id": found.row.run_id, "store": found.location})
        return
    rows = [("run", f"[bold]{found.row.run_id}[/]")]
    if (score := told.score) is not None:
        low, high = (render.short(bound, sign=True) for bound in (score.low, score.high))
        interval = f"  [dim]{low} … {high}[/]" if score.low is not None else ""
        less = f"score of {told.first} less {told.second}'s"
        rows.append((less, f"{render.short(score.mean, sign=True)}{interval}"))
    say.show(f"[bold]{escape(told.sentence)}[/]", "", render.facts(rows), "")
    steps = [] if finished else [("go on", f"windtunnel tournament {found.name}")]
    steps.append(("a match", f"windtunnel show {found.row.run_id}.1"))
    steps.append(("all of it", f"windtunnel standings {found.name}"))
    say.show(render.next_steps(steps))
