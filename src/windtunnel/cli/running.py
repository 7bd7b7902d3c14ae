"""`run` and `resume`: play, with progress while it goes and a closing word when it stops."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import typer

from windtunnel.cli import door, render, say
from windtunnel.cli.closing import close
from windtunnel.cli.options import Agents, Budget, Model, Run, Settings, Store, Until
from windtunnel.cli.progress import Progress
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.taking import taken_over
from windtunnel.control import Control, Done, Found
from windtunnel.control.changing import changed
from windtunnel.control.history import halted
from windtunnel.control.verbs import Players
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import FoundScenario, find_scenario, load_here
from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import Status
from windtunnel.scenario import load_scenario, models_of
from windtunnel.world import World


def run(  # noqa: PLR0913, PLR0917 - one for each option
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help="WORLD/NAME, such as economy/growth, or the path of a file."),
    ],
    seed: Annotated[int | None, typer.Option(metavar="N", help="The seed of all chance.")] = None,
    turns: Annotated[int | None, typer.Option(metavar="N", help="How many turns to play.")] = None,
    set_: Settings = [],  # noqa: B006 - typer copies it
    agent: Agents = [],  # noqa: B006
    model: Model = "",
    until: Until = None,
    store: Store = None,
    budget: Budget = None,
) -> int:
    """Play a scenario to its end.

    \b
    Examples:
      windtunnel run economy/growth
      windtunnel run economy/growth --seed 7 --turns 50 --set tax_rate=0.3
      windtunnel run economy/growth --model house
      windtunnel run economy/growth --agent aldland=ollama:qwen3 --budget 0.50
      windtunnel run economy/growth --agent aldland=@keynesian@1.0.1
      windtunnel run my_world/scenarios/first.yaml --json
    """
    control = door.the_control()
    chosen = chosen_scenario(scenario, control)
    world = load_here(chosen.source)
    played = load_scenario(chosen.path, world)
    shortcuts = [f"{key}={value}" for key, value in (("seed", seed), ("turns", turns)) if value is not None]
    named = [given for given in agent if "=@" in given]
    rest = [given for given in agent if given not in named]
    played = changed(played, world, [*shortcuts, *set_], rest, model)
    players: dict[str, Any] = {}
    if named:
        from windtunnel.cli.strategies import seat_all  # noqa: PLC0415 - few runs name one

        played, players = seat_all(control, world, played, named)
    if budget is not None and not models_of(played):
        raise UsageError(
            "a budget limits what models cost, and nothing here asks a model",
            where="--budget",
            remedy="leave --budget out, or name a --model",
        )
    found = control.create(world, played, path=store, players=players)
    Worlds(control.workspace).remember(chosen.source)
    return play_and_close(control, found, world, until=until, budget=budget, players=players)


def resume(
    run: Run,
    until: Until = None,
    budget: Budget = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take it over from a process on a machine that is gone.")
    ] = False,
) -> int:
    """Go on with a run that was paused, waited for an answer, crashed, or failed and was mended.

    \b
    Examples:
      windtunnel resume 4k2
      windtunnel resume .windtunnel/runs/4k2v9h0a7c.sqlite --until 100
      windtunnel resume 4k2 --budget 2.50
      windtunnel resume 4k2 --force
    """
    control = door.the_control()
    if force:
        taken_over(control, run)
    found = control.find(run)
    world = control.find_world(found.row.world)
    return play_and_close(control, found, world, until=until, budget=budget)


def chosen_scenario(scenario: str, control: Control) -> FoundScenario:
    try:
        return find_scenario(scenario, control.workspace)
    except NotFound as error:
        if error.remedy and (meant := re.fullmatch(r"did you mean '(.+)'\?", error.remedy)):
            error.remedy = (
                f"windtunnel run {meant[1]}" if "/" in meant[1] else f"windtunnel scenarios {meant[1]}"
            )
        raise


def play(
    control: Control,
    runs: list[Found],
    world: World,
    stopper: Stopper,
    until: int | None = None,
    budget: float | None = None,
    players: Players | None = None,
) -> list[Done]:
    """Play runs with progress; Ctrl-C is the stopper's."""
    progress = Progress(world.headline, stopper=stopper)
    with stopper, progress:
        return asyncio.run(
            control.play(
                runs, world=world, observer=progress, stop_after=until, budget=budget, players=players
            )
        )


def play_and_close(
    control: Control,
    found: Found,
    world: World,
    *,
    until: int | None,
    budget: float | None = None,
    players: Players | None = None,
) -> int:
    """Play one run and tell how it stands; its status is the exit code."""
    stopper = Stopper()
    (done,) = play(control, [found], world, stopper, until, budget, players)
    return told(found, done, world, stopper)


def told(found: Found, done: Done, world: World, stopper: Stopper) -> int:
    """How a run stands that was `found` and then played; its status is the exit code."""
    begun, after = found.row.turn, Found(found.location, done.row)
    if done.error is not None and (done.error.exit_code == 2 or after.row.turn == begun == 0):
        return _never_ran(after, done)
    close(after, world)
    if done.error is not None:
        return say.failure(done.error)
    if after.row.status is Status.PAUSED and (why := halted(after)) is not None:
        say.error(**why)
    if stopper.asked and after.row.status is Status.PAUSED:
        say.note(f"paused after turn {after.row.turn}. To go on: windtunnel resume {after.name}")
        return 130
    return door.EXIT[after.row.status]


def _never_ran(found: Found, done: Done) -> int:
    assert done.error is not None
    if done.error.exit_code == 3 and say.door.json:
        say.data(door.run_data(found, {}))
    elif done.error.exit_code == 3:
        say.show(render.title(f"run {found.row.run_id}", render.status(str(found.row.status))))
    return say.failure(done.error)
