"""Making forks: what a change asks for, as the kernel takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from windtunnel.api import elsewhere, seats
from windtunnel.api.playing import Playing, at_once
from windtunnel.control import Found
from windtunnel.control.catalog import look
from windtunnel.errors import UsageError
from windtunnel.run.fork import Change
from windtunnel.scenario import override_scenario, with_model
from windtunnel.world import Scenario, World

if TYPE_CHECKING:
    from windtunnel.api.forks import Forks
    from windtunnel.api.handle import Run


class Made(Struct):
    """Forks that were made and not played yet."""

    parent: Any  # the Run they come from
    runs: list[Found]
    controls: list[Found]
    several: bool

    def ready(self) -> Run | Forks:
        return self._handles(None)

    def play(self) -> Run | Forks:
        home = self.parent._home

        async def work(playing: Playing) -> None:
            runs = [*self.runs, *self.controls]
            if home.elsewhere(runs[0].row.world):
                for one in runs:
                    await elsewhere.ask(home.workspace, ["resume", one.address], playing)
            else:
                await home.play(playing, runs)

        playing = Playing(work)
        handles = self._handles(playing)
        playing.start()
        return handles

    def _handles(self, playing: Playing | None) -> Run | Forks:
        from windtunnel.api.forks import Forks  # noqa: PLC0415 - handles make forks, and forks are handles
        from windtunnel.api.handle import Run  # noqa: PLC0415

        home = self.parent._home
        runs = [Run(home, one, playing) for one in self.runs]
        if not self.several:
            return runs[0]
        return Forks(self.parent, runs, [Run(home, one, playing) for one in self.controls], playing)


def fork(
    run: Run,
    at: str,
    wanted: list[str],
    agents: Mapping[str, Any] | None,
    model: str,
    inject: Any,
    branches: int | None,
) -> Made:
    home, found = run._home, run._where()
    count = 1 if branches is None else branches
    events = events_of(inject)
    if home.elsewhere(found.row.world):
        options = {"--model": model or None, "--branches": branches}
        return _elsewhere(run, at, wanted, agents, events, options)
    world = home.world(found.row.world)
    named = seats.handed_in(agents, home.players, at)
    change = Change(_edit(world, wanted, named, model), events, _said(wanted, named, model, events))
    _, runs, controls = home.control.fork(
        run._name, at, change=change, branches=count, world=world, players=home.players
    )
    return Made(run, runs, controls, branches is not None)


def _edit(world: World, wanted: list[str], agents: Mapping[str, Any], model: str) -> Any:
    def edit(scenario: Scenario) -> Scenario:
        asking = with_model(scenario, model) if model else scenario
        changed = override_scenario(asking, wanted, world) if wanted else asking
        return seats.seated(changed, world, agents)

    return edit if wanted or agents or model else None


def _said(
    wanted: list[str], agents: Mapping[str, Any] | None, model: str, events: list[dict[str, Any]]
) -> dict[str, Any]:
    """What was asked, for people."""
    said: dict[str, Any] = {}
    if wanted:
        said["set"] = wanted
    if agents:
        said["agents"] = {name: seats.said(given) for name, given in agents.items()}
    if model:
        said["model"] = model
    if events:
        said["inject"] = [event["kind"] for event in events]
    return said


def events_of(inject: Any) -> list[dict[str, Any]]:
    """`inject=` in its forms: "boom", ("boom", body), {"kind": "boom", "body": …}, or a list of them."""
    if inject is None:
        return []
    if isinstance(inject, list):
        return [event for one in inject for event in events_of(one)]
    if isinstance(inject, str):
        return [{"kind": inject}]
    if isinstance(inject, tuple) and len(inject) == 2 and isinstance(inject[0], str):
        return [{"kind": inject[0], "body": inject[1]}]
    if (
        isinstance(inject, Mapping)
        and isinstance(inject.get("kind"), str)
        and inject.keys() <= {"kind", "body", "visible_to"}
    ):
        return [dict(inject)]
    raise UsageError(
        f"{inject!r} is no event"[:160], where="inject", remedy='as in inject={"kind": "boom", "body": {}}'
    )


def _elsewhere(
    run: Run,
    at: str,
    wanted: list[str],
    agents: Mapping[str, Any] | None,
    events: Sequence[Any],
    options: Mapping[str, Any],
) -> Made:
    if events:
        raise UsageError("events are injected into forks of worlds that are loaded here", where="inject")
    words = ["fork", run._name, "--at", at, "--no-play", *(word for one in wanted for word in ("--set", one))]
    words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    words += agent_words(agents)
    answer = at_once(elsewhere.ask(run._home.workspace, words))
    there = {one.row.run_id: one for one in look(run._where().location)}
    controls = [there[name] for name in answer.get("controls", ())]
    several = options.get("--branches") is not None
    return Made(run, [there[name] for name in answer["runs"]], controls, several)


def agent_words(agents: Mapping[str, Any] | None) -> list[str]:
    """Seats as the command line takes them; what is no name cannot go there."""
    from windtunnel.api.handle import check_own  # noqa: PLC0415 - handles make forks

    check_own({name: given for name, given in (agents or {}).items() if not isinstance(given, str)})
    return [word for name, given in (agents or {}).items() for word in ("--agent", f"{name}={given}")]
