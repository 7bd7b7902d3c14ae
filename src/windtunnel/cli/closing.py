"""The word at the end of a play: results and curves, why it stopped, where the file is, what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.markup import escape
from rich.panel import Panel

from windtunnel.cli import door, render, say
from windtunnel.control import Found, opened
from windtunnel.control.history import curves, finals, overview, telling
from windtunnel.errors import ScenarioError, WindtunnelError
from windtunnel.journal import Status
from windtunnel.journal.address import is_address
from windtunnel.run.at_once import at_once
from windtunnel.run.revising import revises, takes_now
from windtunnel.scenario import override_scenario, scenario_from_plain
from windtunnel.words import counted
from windtunnel.world import Scenario, World


def close(found: Found, world: World | None) -> None:
    """Say how a run stands, to a person or to a script."""
    table = finals(found)
    if say.door.json:
        say.data(door.run_data(found, table))
        return
    row = found.row
    keys = telling(table, world.headline if world else ())
    drawn = curves(found, keys)
    played = overview(found).seconds
    why = row.reason or ""
    head = [
        f"[bold]{escape(row.scenario or row.world)}[/]",
        render.status(str(row.status)),
        escape(why) if why and why != str(row.status) else "",
    ]
    turns = f"{row.turn:,} of {counted(row.turns, 'turn')}"
    how = f"{turns}  [dim]seed[/] {row.seed}  [dim]in[/] {render.duration(played)}"
    say.show(
        Panel(
            "   ".join(part for part in head if part) + "\n" + how,
            border_style="dim",
            padding=(0, 1),
            expand=False,
        )
    )
    if drawn:
        say.show(render.curve_table(drawn, keys), "")
    say.show(
        render.facts(
            [
                ("run", f"[bold]{row.run_id}[/]"),
                ("file", escape(short_place(found.location))),
                ("head", f"{row.head_hash.hex()[:16]}  [dim]entry {row.head_seq:,}[/]"),
            ]
        ),
        "",
        render.next_steps(steps(found, world)),
    )


def steps(found: Found, world: World | None) -> list[tuple[str, str]]:
    """What makes sense from here, nearest first."""
    row = found.row
    run, turn = found.name, row.turn
    if row.status is Status.WAITING:
        kinds = {effect.kind for effect in overview(found).waiting}
        asked = [("answer", f"windtunnel answer {run}")] if kinds - {"approval"} else []
        voted = (
            [("what waits", f"windtunnel approvals list {run}")] if "approval" in kinds or not asked else []
        )
        return [*asked, *voted, ("then go on", f"windtunnel resume {run}")]
    look = ("last turn", f"windtunnel show {run} --turn {turn}")
    if row.status in (Status.PAUSED, Status.CRASHED, Status.QUEUED):
        return [("go on", f"windtunnel resume {run}"), look]
    if row.status is Status.FAILED:
        return [look, ("mend, go on", f"windtunnel resume {run}")]
    change = f"--set {example}" if (example := example_change(found, world)) else "--model rule"
    return [
        look,
        ("what if", f"windtunnel fork {run} --at {turn // 2} --branches 5 {change}"),
        ("play again", f"windtunnel replay {run}"),
        ("untouched?", f"windtunnel verify {run}"),
    ]


def example_change(found: Found, world: World | None) -> str:
    """A parameter of this scenario with another value that a fork would be allowed."""
    if world is None or found.row.pruned is not None:
        return ""
    try:
        scenario = scenario_from_plain(overview(found).started.scenario, world)
    except WindtunnelError:  # its world has changed since
        return ""
    examples = _examples(scenario, world)
    if not revises(world):
        return next((example for example, _ in examples), "")
    run_id = found.row.run_id
    with opened(found, read_only=True) as store:
        taken = (text for text, changed in examples if at_once(takes_now(store, world, run_id, changed)))
        return next(taken, "")


def _examples(scenario: Scenario, world: World) -> Iterator[tuple[str, Scenario]]:
    """Each number of the parameters with another value that fits: as it is typed, and what it makes."""
    parameters = scenario.parameters
    for key in getattr(parameters, "__struct_fields__", ()):
        value = getattr(parameters, key)
        if type(value) not in (int, float):
            continue
        for other in (value * 2, value / 2, value + 1):
            example = f"{key}={other:.6g}" if isinstance(value, float) else f"{key}={int(other)}"
            with suppress(ScenarioError):
                changed = override_scenario(scenario, [example], world)
                if changed.parameters != parameters:
                    yield example, changed
                    break


def short_place(location: str) -> str:
    return location if is_address(location) else short_path(Path(location))


def short_path(path: Path) -> str:
    """From where one stands, when it lies below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
