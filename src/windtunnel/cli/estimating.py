"""`estimate`: what a run, a tournament or an evolution will ask of its models and what that may cost, before
anything is paid."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Agents, Model, Settings
from windtunnel.cli.running import chosen_scenario
from windtunnel.config import Workspace
from windtunnel.control.changing import changed
from windtunnel.control.estimate import Asked, Costs, Estimate
from windtunnel.discovery import load_here
from windtunnel.errors import UsageError
from windtunnel.scenario import load_scenario, models_of
from windtunnel.scenario.kinds import KINDS, kind_of
from windtunnel.strategies.reading import read_document
from windtunnel.words import counted

if TYPE_CHECKING:
    from windtunnel.tournaments.estimating import Forecast

CONTESTS = {"tournament": "tournament", "evolution": "evolve"}  # the key of a file, and its command


def estimate(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE", help="WORLD/NAME, or a file: a scenario, a tournament, an evolution."
        ),
    ],
    turns: Annotated[int | None, typer.Option(metavar="N", help="How many turns would be played.")] = None,
    set_: Settings = [],  # noqa: B006 - typer copies it
    agent: Agents = [],  # noqa: B006
    model: Model = "",
) -> int:
    """Say what a run would ask of its models, and what that may cost; of a tournament or an evolution also
    how many matches it comes to, and how long they take.

    First turns are rehearsed with house in every model's place; nothing is asked and nothing is kept.

    \b
    Examples:
      windtunnel estimate economy/llm_growth --model claude
      windtunnel estimate economy/growth --agent aldland=openai:gpt-6.1-terra --turns 20 --json
      windtunnel estimate examples/house_league.yaml
    """
    from windtunnel.control.estimate import estimate as rehearse  # noqa: PLC0415 - the verb has this name

    control = door.the_control()
    if contest := _contest(scenario):
        if turns is not None or set_ or agent or model:
            raise UsageError(
                f"--turns, --set, --agent and --model are of a scenario, and this is {KINDS[contest][0]}",
                where=scenario,
                remedy="say it in the file: turns, scenarios, entrants",
            )
        _tell_contest(asyncio.run(_forecast(control.workspace, scenario, contest)), scenario, contest)
        return 0
    chosen = chosen_scenario(scenario, control)
    world = load_here(chosen.source)
    settings = [*([f"turns={turns}"] if turns is not None else []), *set_]
    given = changed(load_scenario(chosen.path, world), world, settings, agent, model)
    if not models_of(given):
        raise UsageError(
            "nothing in this scenario asks a model", where=given.name, remedy="name one: --model MODEL"
        )
    _tell(asyncio.run(rehearse(control.workspace, world, given)), scenario, model)
    return 0


def _contest(named: str) -> str:
    """Which key of CONTESTS the file has; nothing where it is a scenario, or no file."""
    file = Path(named)
    if not named.endswith((".yaml", ".yml")) or not file.is_file():
        return ""
    kind = kind_of(read_document(file, "scenario"))
    return kind if kind in CONTESTS else ""


async def _forecast(workspace: Workspace, file: str, kind: str) -> Forecast:
    from windtunnel.tournaments import estimating, reading  # noqa: PLC0415 - only these need it

    found = reading.sources(workspace)
    with say.console_for(sys.stderr).status("rehearsing") if say.wide() else nullcontext():
        if kind == "tournament":
            return await estimating.forecast(workspace, reading.read_tournament(file, found))
        from windtunnel.evolution.estimating import forecast  # noqa: PLC0415 - as above
        from windtunnel.evolution.reading import read_evolution  # noqa: PLC0415

        return await forecast(workspace, read_evolution(file, found))


def _tell_contest(found: Forecast, file: str, kind: str) -> None:
    if say.door.json:
        say.data(found.plain())
        return
    rounds = counted(found.rounds, "round" if kind == "tournament" else "generation")
    matches = f"{counted(found.matches, 'match', 'matches')} in {rounds}, {found.rehearsed} rehearsed"
    say.show(render.title(f"[bold]{escape(found.title)}[/]", matches), "")
    if found.models:
        say.show(_table(found), "")
    thinking = ", and what models take to think" if found.models else ""
    processes = counted(found.processes, "process", "processes")
    say.show(f"about {render.duration(found.seconds)} on {processes}{thinking}")
    for note in found.notes:
        say.show(f"[dim]{escape(note)}[/]")
    if found.models:
        say.show(*MEANING)
    if found.budget is not None and found.most is not None and found.most > found.budget * 1e6:
        say.show(f"its budget of ${found.budget:,.2f} may end it before: then --budget gives it more")
    say.show("", render.next_steps([("play it", f"windtunnel {CONTESTS[kind]} {file}{_budget(found)}")]))


def _tell(found: Estimate, scenario: str, model: str) -> None:
    if say.door.json:
        say.data(found.plain())
        return
    say.show(
        render.title(
            f"[bold]{escape(found.scenario)}[/]", f"{found.turns:,} turns, {found.rehearsed} rehearsed"
        ),
        "",
    )
    asked = f" --model {model}" if model else ""
    say.show(
        _table(found),
        "",
        *MEANING,
        "",
        render.next_steps([("play it", f"windtunnel run {scenario}{asked}{_budget(found)}")]),
    )


MEANING = (
    "[dim]as seen: house is brief, a real model writes more[/]",
    "[dim]at most: each call as long as it may be, asked once; --budget is never exceeded[/]",
)


def _table(found: Costs) -> Table:
    table = render.grid(
        "model", ("calls", "right"), ("tokens in", "right"), ("out", "right"), ("as seen", "right"),
        ("at most", "right"),
    )  # fmt: skip
    for one in found.models:
        table.add_row(escape(one.model), f"{one.calls:,}", f"{one.input:,}", f"{one.output:,}", *_money(one))
    return table


def _budget(found: Costs) -> str:
    return f" --budget {max(found.most / 1e6, 0.01):.2f}" if found.most else ""


def _money(one: Asked) -> tuple[str, str]:
    if one.seen is None or one.most is None:
        return "no price", "no price"
    return f"${one.seen / 1e6:,.4f}", f"${one.most / 1e6:,.4f}"
