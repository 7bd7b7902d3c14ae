"""`wt.run`, `wt.open`, and what there is: `wt.runs`, `wt.worlds`, `wt.scenarios`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.api import elsewhere, seats
from windtunnel.api.forking import agent_words
from windtunnel.api.handle import Run, Set
from windtunnel.api.home import Home, the_workspace
from windtunnel.api.playing import Playing
from windtunnel.config import Workspace
from windtunnel.control import Found, all_runs, find_run
from windtunnel.control.catalog import look
from windtunnel.discovery import FoundScenario, ScenarioInfo, WorldInfo, find_scenario, list_worlds, load_here
from windtunnel.errors import NotFound, UsageError
from windtunnel.scenario import load_scenario, override_scenario, with_model
from windtunnel.world import Scenario, World

Where = Workspace | str | os.PathLike[str] | None

TURNS = 100  # of a World that is played without saying how long


def run(  # noqa: PLR0913 - a verb of many adverbs, all named
    what: str | os.PathLike[str] | Scenario | World,
    *,
    seed: int | None = None,
    turns: int | None = None,
    set: Set = None,  # noqa: A002 - the word of the command line
    agents: Mapping[str, Any] | None = None,
    model: str | None = None,
    budget: float | None = None,
    parameters: Any = None,
    world: World | None = None,
    store: str | os.PathLike[str] | None = None,
    workspace: Where = None,
) -> Run:
    """Play a scenario: its name, the path of its file, a `Scenario`, or a `World` made here.

    Without a running event loop it plays to the end and returns. With one (a notebook, async code) it starts
    at once and returns: the first use of the result waits for it, `await` waits without blocking the loop.
    `model` is the model of all who ask one, `budget` the most in dollars that models may cost.

    >>> import windtunnel as wt
    >>> run = wt.run("economy/growth", seed=7, turns=5)
    >>> run.seed, run.metrics.final()["world"]["gdp"] > 0
    (7, True)
    """
    place = the_workspace(workspace)
    wanted = seats.overrides(set)
    wanted += [f"{key}={value}" for key, value in (("seed", seed), ("turns", turns)) if value is not None]
    path = None if store is None else Path(store).expanduser().absolute()
    if isinstance(what, (str, os.PathLike)):
        found = find_scenario(os.fspath(what), place)
        if world is None and found.source.kind == "path":
            wanted += [f"parameters.{one}" for one in seats.overrides(parameters)]
            options = {"--model": model, "--budget": budget, "--store": path}
            return _run_elsewhere(found, place, wanted, agents, options)
        world = world or load_here(found.source)
        scenario = load_scenario(found.path, world)
    elif isinstance(what, World):
        world = what
        scenario = Scenario(what.name, turns=TURNS, agents=seats.seats_of(what, agents))
    elif isinstance(what, Scenario):
        scenario = what
        world = world or Home(place).world(scenario.world)
    else:
        raise UsageError(
            f"a {type(what).__name__} cannot be played",
            remedy='give a name such as "economy/growth", a path, a Scenario or a World',
        )
    players: seats.Players = {}
    if parameters is not None:
        scenario = msgspec.structs.replace(scenario, parameters=parameters)
    if model:
        scenario = with_model(scenario, model)
    if wanted:
        scenario = override_scenario(scenario, wanted, world)
    scenario = seats.seated(scenario, world, seats.handed_in(agents, players))
    home = Home(place, world=world, players=players)
    begun = home.control.create(world, scenario, path=path, players=players)
    playing = Playing(lambda playing: home.play(playing, [begun], budget))
    made = Run(home, begun, playing)
    _start(playing, made)
    return made


def _start(playing: Playing, made: Run) -> None:
    try:
        playing.start()
    except KeyboardInterrupt as stopped:
        stopped.add_note(f"the run is kept: wt.open({made.run_id!r}).resume()")
        raise


def _run_elsewhere(
    found: FoundScenario,
    place: Workspace,
    wanted: list[str],
    agents: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> Run:
    """In a process of its own, as the command line plays it."""
    words = ["run", found.path, *(word for one in wanted for word in ("--set", one)), *agent_words(agents)]
    words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    home = Home(place, source=found.source)
    made = Run(home, None)

    async def work(playing: Playing) -> None:
        try:
            answer = await elsewhere.ask(place, words, playing)
        except Exception as error:
            if run_id := getattr(error, "data", {}).get("run_id"):
                made._found = find_run(place, run_id)
            raise
        made._found = _of(Path(answer["store"]), answer["run_id"])

    made._playing = Playing(work)
    _start(made._playing, made)
    return made


def _of(path: Path, run_id: str) -> Found:
    for found in look(path):
        if found.row.run_id == run_id:
            return found
    raise NotFound(f"no run {run_id!r} in this store", where=str(path))


def open_run(
    name: str | os.PathLike[str],
    *,
    agents: Mapping[str, Any] | None = None,
    world: World | None = None,
    workspace: Where = None,
) -> Run:
    """A run that was played before: by its id, a unique prefix of it, or the path of its store.

    Functions that played in it are given again with `agents`, a world made in Python with `world`.

    >>> import windtunnel as wt
    >>> run = wt.run("economy/growth", turns=3)
    >>> wt.open(run.run_id).head == run.head
    True
    """
    place = the_workspace(workspace)
    return Run(Home(place, world=world, players=agents), find_run(place, os.fspath(name)))


def runs(*, workspace: Where = None) -> list[Run]:
    """Every run of the workspace, the oldest first.

    >>> import windtunnel as wt
    >>> run = wt.run("economy/growth", turns=1)
    >>> run.run_id in [one.run_id for one in wt.runs()]
    True
    """
    place = the_workspace(workspace)
    found = sorted(all_runs(place), key=lambda one: (one.row.created, one.row.run_id))
    return [Run(Home(place), one) for one in found]


def worlds(*, workspace: Where = None) -> list[WorldInfo]:
    """The worlds there are, broken ones with what is wrong with them.

    >>> import windtunnel as wt
    >>> "economy" in [world.name for world in wt.worlds()]
    True
    """
    return list_worlds(the_workspace(workspace))


def scenarios(world: str | None = None, *, workspace: Where = None) -> list[ScenarioInfo]:
    """The scenarios of a world, or of all.

    >>> import windtunnel as wt
    >>> "economy/growth" in [scenario.name for scenario in wt.scenarios("economy")]
    True
    """
    there = worlds(workspace=workspace)
    if world is not None and world not in [one.name for one in there]:
        names = ", ".join(one.name for one in there) or "none"
        raise NotFound(f"there is no world {world!r}", remedy=f"there is: {names}")
    return [scenario for one in there if world in (None, one.name) for scenario in one.scenarios]
