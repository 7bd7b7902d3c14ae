"""`estimate`: what a run will ask of its models and what that may cost, before anything is paid."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Agents, Model, Settings
from windtunnel.cli.running import chosen_scenario
from windtunnel.control.changing import changed
from windtunnel.control.estimate import Asked, Estimate
from windtunnel.discovery import load_here
from windtunnel.errors import UsageError
from windtunnel.scenario import load_scenario, models_of


def estimate(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="WORLD/NAME, or the path of a scenario file.")
    ],
    turns: Annotated[int | None, typer.Option(metavar="N", help="How many turns would be played.")] = None,
    set_: Settings = [],  # noqa: B006 - typer copies it
    agent: Agents = [],  # noqa: B006
    model: Model = "",
) -> int:
    """Say what a run would ask of its models, and what that may cost.

    Its first turns are rehearsed with house in every model's place; nothing is asked and nothing is kept.

    \b
    Examples:
      windtunnel estimate economy/llm_growth --model claude
      windtunnel estimate economy/growth --agent aldland=openai:gpt-6.1-terra --turns 20 --json
    """
    from windtunnel.control.estimate import estimate as rehearse  # noqa: PLC0415 - the verb has this name

    control = door.the_control()
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


def _tell(found: Estimate, scenario: str, model: str) -> None:
    if say.door.json:
        total = {"calls": found.calls, "seen": found.seen, "most": found.most}
        say.data({**say.plain(found), **total})
        return
    say.show(
        render.title(
            f"[bold]{escape(found.scenario)}[/]", f"{found.turns:,} turns, {found.rehearsed} rehearsed"
        ),
        "",
    )
    table = render.grid(
        "model", ("calls", "right"), ("tokens in", "right"), ("out", "right"), ("as seen", "right"),
        ("at most", "right"),
    )  # fmt: skip
    for one in found.models:
        table.add_row(escape(one.model), f"{one.calls:,}", f"{one.input:,}", f"{one.output:,}", *_money(one))
    say.show(table, "")
    most = found.most
    budget = f" --budget {max(most / 1e6, 0.01):.2f}" if most else ""
    asked = f" --model {model}" if model else ""
    say.show(
        "[dim]as seen: house is brief, a real model writes more[/]",
        "[dim]at most: each call as long as it may be, asked once; --budget is never exceeded[/]",
        "",
        render.next_steps([("play it", f"windtunnel run {scenario}{asked}{budget}")]),
    )


def _money(one: Asked) -> tuple[str, str]:
    if one.seen is None or one.most is None:
        return "no price", "no price"
    return f"${one.seen / 1e6:,.4f}", f"${one.most / 1e6:,.4f}"
