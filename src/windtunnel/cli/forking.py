"""`fork`: what if. Plays the changed branches with their unchanged controls, and says what the change did."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Agents, Model, Run, Settings
from windtunnel.cli.running import play
from windtunnel.cli.stopping import Stopper
from windtunnel.control import Done, Found, history
from windtunnel.control.changing import fork_change
from windtunnel.control.compare import Verdict, effect_of
from windtunnel.errors import UsageError
from windtunnel.journal import Status
from windtunnel.world import World


def fork(
    run: Run,
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TURN[.PHASE[.AGENT]]", help="After this turn, or inside it before a phase."
        ),
    ],
    set_: Settings = [],  # noqa: B006 - typer copies it
    agent: Agents = [],  # noqa: B006
    model: Model = "",
    inject: Annotated[
        list[str], typer.Option(metavar="KIND=JSON", help="An event that the branch meets in its first turn.")
    ] = [],  # noqa: B006
    branches: Annotated[int, typer.Option(metavar="K", help="So many branches, each with a control.")] = 1,
    play_: Annotated[
        bool, typer.Option("--play/--no-play", help="Play them, or leave them for resume.")
    ] = True,
) -> int:
    """Take another course from a turn on, and see what it changes.

    The past is shared with the parent and is not played again. With several branches, each is
    paired with an unchanged control that has the same luck, so that the difference between them
    is the change's own; it is told with a 95% interval over the pairs.

    \b
    Examples:
      windtunnel fork 4k2 --at 50 --set tax_rate=0.4
      windtunnel fork 4k2 --at 50 --set tax_rate=0.4 --branches 10
      windtunnel fork 4k2 --at 12.plan.alice --agent alice=cautious
      windtunnel fork 4k2 --at 30 --inject 'shock={"size": 0.2}'
    """
    control = door.the_control()
    found = control.find(run)
    world = control.find_world(found.row.world)
    change = fork_change(world, set_, agent, model, [_event(text) for text in inject])
    if change is None and branches > 1:
        raise UsageError(
            "branches without a change are all controls",
            where="--branches",
            remedy="say what is different: --set KEY=VALUE, --agent ID=POLICY, --inject KIND=JSON",
        )
    parent, made, controls = control.fork(run, at, change=change, branches=branches, world=world)
    if not play_:
        return _made(parent, at, made, controls)
    stopper = Stopper()
    done = play(control, [*made, *controls], world, stopper)
    return _close(parent, at, world, done[: len(made)], done[len(made) :], stopper)


def _event(text: str) -> dict[str, Any]:
    kind, equals, body = text.partition("=")
    if not kind:
        raise UsageError(
            f"{text!r} is not KIND=JSON", where="--inject", remedy="""as in --inject 'shock={"size": 0.2}'"""
        )
    return {"kind": kind, "body": read_json(body, "--inject") if equals else None}


def read_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"this is not JSON: {error}", where=where, remedy="""text stands in double quotes: '"yes"'"""
        ) from None


# --- telling ---


def _data(parent: Found, at: str, made: list[Found], controls: list[Found]) -> dict[str, Any]:
    return {
        "parent": parent.row.run_id,
        "at": at,
        "runs": [found.row.run_id for found in made],
        "controls": [found.row.run_id for found in controls],
        "store": parent.location,
        "statuses": {found.row.run_id: str(found.row.status) for found in [*made, *controls]},
    }


def _made(parent: Found, at: str, made: list[Found], controls: list[Found]) -> int:
    if say.door.json:
        say.data(_data(parent, at, made, controls))
        return 0
    steps = [("play it", f"windtunnel resume {found.name}") for found in made[:3]]
    say.show(f"{len(made) + len(controls)} forked from {parent.row.run_id} at {at}", render.next_steps(steps))
    return 0


def _close(
    parent: Found, at: str, world: World, branches: list[Done], controls: list[Done], stopper: Stopper
) -> int:
    made = [Found(done.job.location, done.row) for done in branches]
    unchanged = [Found(done.job.location, done.row) for done in controls]
    keys = history.telling(history.finals(parent), world.headline)
    verdicts = _verdicts(parent, made, unchanged, keys)
    if say.door.json:
        said = [{**say.plain(verdict), "difference": say.plain(verdict.difference)} for verdict in verdicts]
        say.data({**_data(parent, at, made, unchanged), "differences": said})
    else:
        _show(parent, at, made, unchanged, verdicts)
    if failed := next((done for done in [*branches, *controls] if done.error is not None), None):
        assert failed.error is not None
        return say.failure(failed.error)
    if stopper.asked:
        say.note(f"paused. To go on: windtunnel resume {made[0].name}")
        return 130
    return max(door.EXIT[found.row.status] for found in [*made, *unchanged])


def _verdicts(
    parent: Found, made: list[Found], controls: list[Found], keys: list[history.Key]
) -> list[Verdict]:
    """Only over pairs that both came to their end; a single branch against a parent that did."""
    if controls:
        ended = [(a, b) for a, b in zip(made, controls, strict=True) if _ended(a) and _ended(b)]
        return effect_of(parent, [a for a, _ in ended], [b for _, b in ended], keys) if ended else []
    return effect_of(parent, made, [], keys) if _ended(made[0]) and _ended(parent) else []


def _ended(found: Found) -> bool:
    return found.row.status is Status.COMPLETED


def _show(parent: Found, at: str, made: list[Found], controls: list[Found], verdicts: list[Verdict]) -> None:
    row = parent.row
    about = history.overview(made[0])
    said = about.forks[-1].changes if about.forks else {}
    what = escape(render.told_change(said)) if said else "[dim]nothing changed[/]"
    say.show(render.title(f"[bold]fork of {row.run_id}[/]", f"at {escape(at)}", what), "")
    table = render.grid("run", "", "status", ("turn", "right"), ("why it ended", "wrap"))
    shown = [*((f, "branch") for f in made[:5]), *((f, "[dim]control[/]") for f in controls[:5])]
    for found, kind in shown:
        mine = found.row
        table.add_row(
            mine.run_id, kind, render.status(str(mine.status)), str(mine.turn), escape(mine.reason or "")
        )
    say.show(table)
    if len(made) > 5:
        say.line(f"and {2 * (len(made) - 5)} more")
    say.line()
    if verdicts:
        _show_verdicts(verdicts)
    first = made[0].name
    other = controls[0].name if controls else parent.name
    say.show(
        render.next_steps(
            [
                ("side by side", f"windtunnel compare {other} {first}"),
                ("its course", f"windtunnel show {first}"),
                ("play again", f"windtunnel replay {first}"),
            ]
        )
    )


def _show_verdicts(verdicts: list[Verdict]) -> None:
    pairs = verdicts[0].difference.pairs
    against = verdicts[0].against
    table = render.grid(
        "who", "metric", (against, "right"), ("changed", "right"), ("difference", "right"), "95% interval"
    )
    for verdict in verdicts[: render.ROWS]:
        apart = verdict.difference
        reach = ""
        if apart.low is not None and apart.high is not None:
            reach = f"{render.short(apart.low, sign=True)} to {render.short(apart.high, sign=True)}"
            reach = reach if apart.clear else f"[dim]{reach} ~[/]"
        table.add_row(
            render.who(verdict.agent), escape(verdict.name), f"[dim]{render.short(verdict.reference)}[/]",
            render.short(verdict.branch), f"[bold]{render.short(apart.mean, sign=True)}[/]", reach,
        )  # fmt: skip
    say.show(table)
    if against == "controls":
        means = "one pair" if pairs == 1 else f"means of {pairs} pairs"
        say.show(f"[dim]{means}; each branch has its control's luck; ~ may be luck[/]", "")
    else:
        say.show("[dim]one branch tells no interval: --branches 10 does[/]", "")
