"""`schedule`: what is done by the clock: add, look, switch, and fire what is due without a server."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.options import Budget, Model, Settings
from windtunnel.cli.taking import me
from windtunnel.control import Control
from windtunnel.control.database import open_database
from windtunnel.control.notify import alert
from windtunnel.control.schedule import Ended, Schedule, Scheduler, Schedules, State, Wanted, moment_text
from windtunnel.control.schedule.when import read_seconds
from windtunnel.errors import UsageError
from windtunnel.words import counted

if TYPE_CHECKING:
    from windtunnel.control.schedule import Verb

ACTIONS = ("list", "add", "show", "enable", "disable", "remove", "run")
COLOURS = {"done": "green", "failed": "red", "interrupted": "red", "stopped": "yellow", "skipped": "yellow"}
SHOWN = 5  # planned times that are told


def schedule(  # noqa: PLR0913, PLR0917 - one for each option
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[list|add|show|enable|disable|remove|run] [NAME] [SCENARIO]", help="What to do."
        ),
    ] = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="add: hourly, '6 hours', 90s, 'daily at 07:30', and the like.")
    ] = "",
    cron: Annotated[str, typer.Option(metavar="FIELDS", help="add: five fields, as in '0 3 * * 1-5'.")] = "",
    zone: Annotated[str, typer.Option(metavar="ZONE", help="add: whose clocks, as in Europe/Berlin.")] = "",
    verb: Annotated[str, typer.Option(metavar="VERB", help="add: run, health or prune.")] = "run",
    seed: Annotated[int | None, typer.Option(metavar="N", help="add: the seed of a run.")] = None,
    turns: Annotated[int | None, typer.Option(metavar="N", help="add: how many turns a run plays.")] = None,
    set_: Settings = [],  # noqa: B006 - typer copies it
    model: Model = "",
    budget: Budget = None,
    arg: Annotated[
        list[str], typer.Option(metavar="KEY=VALUE", help="add: an argument of the verb; again for more.")
    ] = [],  # noqa: B006
    later: Annotated[
        bool, typer.Option("--later", help="add: not at once, but when it is due for the first time.")
    ] = False,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="add: fire even while the last firing still goes.")
    ] = False,
    limit: Annotated[
        str, typer.Option(metavar="TIME", help="add: the longest that a firing may take, such as 2h.")
    ] = "",
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="run: end after so long.")] = "",
    once: Annotated[bool, typer.Option("--once", help="run: fire what is due now, and end.")] = False,
) -> int:
    """Do something by the clock: play runs, look after the machine, let old runs go.

    A server fires what is due; without one, schedule run does, for as long as it goes. The first firing
    comes at once. After an error it is tried again in 5 minutes; after 5 in a row it is disabled.

    \b
    Examples:
      windtunnel schedule add nightly economy/growth --every daily --seed 7
      windtunnel schedule add early economy/growth --cron "0 3 * * 1-5" --zone Europe/Berlin --later
      windtunnel schedule add check --verb health --every hourly
      windtunnel schedule add tidy --verb prune --arg older_than=30d --every weekly
      windtunnel schedule
      windtunnel schedule show nightly
      windtunnel schedule run --for 12h
    """
    action, *rest = words or ["list"]
    door.one_of(action, ACTIONS, "schedule")
    control = door.the_control()
    schedules = _schedules(control)
    try:
        if action == "add":
            name, arguments = _named(rest), _arguments(rest[1:], verb, seed, turns, set_, model, budget, arg)
            wanted = Wanted(
                name, _time(every, cron), verb, arguments, zone, not later, overlap,
                float(read_seconds(limit, "--limit")) if limit else None,
            )  # fmt: skip
            return _add(schedules, control, wanted)
        if action == "list":
            return _list(schedules)
        if action == "run":
            return _run(schedules, control, float(read_seconds(for_, "--for")) if for_ else None, once)
        if action == "show":
            return _show(schedules, _named(rest))
        return _switch(schedules, action, rest or [_named(rest)])
    finally:
        schedules.database.close()


def _schedules(control: Control) -> Schedules:
    workspace = control.workspace
    return Schedules(open_database(workspace), workspace.settings.schedule)


def _named(rest: list[str]) -> str:
    if not rest:
        raise UsageError("which one?", where="schedule", remedy="windtunnel schedule lists them")
    return rest[0]


def _verbs(control: Control) -> dict[str, Verb]:
    from windtunnel.control.schedule.apart import house_verbs  # noqa: PLC0415 - looking needs none of it

    return house_verbs(control)


# --- adding ---


def _time(every: str, cron: str) -> str:
    if bool(every) == bool(cron):
        said = "when? --every and --cron are both given" if every else "when?"
        raise UsageError(said, where="schedule add", remedy="--every daily, or --cron '0 3 * * *'")
    if cron and len(cron.split()) != 5:
        fields = counted(len(cron.split()), "field")
        raise UsageError(f"cron has five fields, not {fields}", where="--cron", remedy="as in '0 3 * * 1-5'")
    return every or cron


def _arguments(
    rest: list[str], verb: str, seed: int | None, turns: int | None, set_: list[str], model: str,
    budget: float | None, arg: list[str],
) -> dict[str, Any]:  # fmt: skip
    """What the verb is called with: options are short for arguments of a run."""
    given: dict[str, Any] = {"seed": seed, "turns": turns, "model": model, "budget": budget, "set": set_}
    arguments = {key: value for key, value in given.items() if value not in (None, "", [])}
    if len(rest) > 1:
        raise UsageError(f"{rest[1]!r} is too much", where="schedule add", remedy="NAME and SCENARIO")
    if rest:
        arguments["scenario"] = rest[0]
    elif verb == "run":
        remedy = "windtunnel schedule add NAME economy/growth --every daily"
        raise UsageError("which scenario?", where="schedule add", remedy=remedy)
    for given_one in arg:
        key, equals, value = given_one.partition("=")
        if not (key and equals):
            raise UsageError(f"{given_one!r} is not KEY=VALUE", where="--arg", remedy="as in older_than=30d")
        arguments[key] = _value(value)
    return arguments


def _value(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    return text


def _add(schedules: Schedules, control: Control, wanted: Wanted) -> int:
    made = schedules.add(wanted, _verbs(control), by=me())
    if say.door.json:
        say.data(made.plain(SHOWN))
        return 0
    say.show(
        render.title(f"schedule [bold]{escape(made.name)}[/]", escape(_does(made))),
        render.facts(_times(made)),
    )
    steps = [
        ("fire what is due", "windtunnel schedule run"),
        ("how it goes", f"windtunnel schedule show {made.name}"),
    ]
    say.show("", render.next_steps(steps))
    return 0


# --- looking ---


def _list(schedules: Schedules) -> int:
    found = schedules.list()
    if say.door.json:
        for one in found:
            say.data(one.plain(SHOWN))
        return 0
    if not found:
        say.show("nothing is done by the clock", "")
        add = "windtunnel schedule add nightly economy/growth --every daily"
        say.show(render.next_steps([("begin", add)]))
        return 0
    table = render.grid("name", ("does", "wrap"), ("when", "wrap"), "last", "next", ("errors", "right"))
    for one in found:
        last = "-" if one.last_at is None else render.age(door.seconds_since(one.last_at))
        state = "" if one.last_state is None else f"{_state(one.last_state)}\n"
        table.add_row(
            f"[bold]{escape(one.name)}[/]", escape(_does(one)), escape(_when(one)), f"{state}[dim]{last}[/]",
            _next(one), f"[red]{one.errors}[/]" if one.errors else "0",
        )  # fmt: skip
    say.show(table)
    return 0


def _show(schedules: Schedules, name: str) -> int:
    one, history = schedules.find(name), schedules.history(name)
    if say.door.json:
        say.data({**one.plain(SHOWN), "history": [firing.plain() for firing in history]})
        return 0
    facts = [("does", escape(_does(one))), *_times(one), ("errors", f"{one.errors} in a row")]
    facts += [("last error", escape(one.last_error))] if one.last_error else []
    facts += [("off", f"[yellow]{escape(one.off)}[/]")] if one.off else []
    say.show(render.title(f"schedule [bold]{escape(one.name)}[/]"), render.facts(facts))
    if history:
        table = render.grid("due", "attempt", "state", ("outcome", "wrap"))
        for firing in history:
            text = firing.reason or (render.compact(firing.outcome) if firing.outcome is not None else "")
            if firing.since < firing.due:
                text += f" (for all since {moment_text(firing.since, one.zone)})"
            when = moment_text(firing.due, one.zone)
            table.add_row(when, str(firing.attempt), _state(firing.state), escape(text.strip()))
        say.show("", table)
    if not one.enabled:
        say.show("", render.next_steps([("go on", f"windtunnel schedule enable {one.name}")]))
    return 0


def _times(one: Schedule) -> list[tuple[str, str]]:
    times = [moment_text(moment, one.zone) for moment in one.upcoming(SHOWN)]
    rows = [("when", escape(_when(one))), ("next", "\n".join(times) or "[yellow]disabled[/]")]
    if one.enabled and one.retry_at is not None:
        rows.append(("tried again", moment_text(one.retry_at, one.zone)))
    return rows


def _does(one: Schedule) -> str:
    arguments = dict(one.arguments)
    what = f"{one.verb} {arguments.pop('scenario', '')}".strip()
    return " ".join([what, *(f"{key}={render.compact(value)}" for key, value in arguments.items())])


def _when(one: Schedule) -> str:
    return f"{one.time} {one.zone}" if one.when.cron else one.time


def _next(one: Schedule) -> str:
    return "[yellow]disabled[/]" if one.next_at is None else moment_text(one.next_at, one.zone)


def _state(state: str) -> str:
    return f"[{COLOURS.get(state, 'cyan')}]{state}[/]"


# --- switching and firing ---


def _switch(schedules: Schedules, action: str, names: list[str]) -> int:
    for name in names:
        if action == "disable":
            done = schedules.disable(name, by=me())
        else:
            done = schedules.enable(name) if action == "enable" else schedules.remove(name)
        if say.door.json:
            say.data({**done.plain(SHOWN), "done": action})
        else:
            more = f"; next {_next(done)}" if action == "enable" else ""
            say.show(f"{escape(name)} {action.removesuffix('e')}ed{more}")
    return 0


def _run(schedules: Schedules, control: Control, seconds: float | None, once: bool) -> int:
    verbs, bad = _verbs(control), 0

    def heard(ended: Ended) -> None:
        nonlocal bad
        bad += ended.state is not State.DONE
        _tell(ended)

    def told(event: str, about: dict[str, Any]) -> Awaitable[None]:
        return alert(control.workspace, event, about)

    scheduler = Scheduler(schedules, heard=heard)
    if not once:
        known = [one for one in schedules.list() if one.enabled and one.verb in verbs]
        say.note(f"{counted(len(known), 'schedule')} to watch over; Ctrl-C ends it")
    try:
        asyncio.run(
            _until_told(
                scheduler.play_due(verbs, told) if once else scheduler.run(verbs, told, seconds=seconds)
            )
        )
    except asyncio.CancelledError:  # by SIGTERM; what was stopped goes on at the next start
        return 130
    if once and not say.door.json and not bad:
        say.note("nothing more is due")
    return 3 if bad else 0


async def _until_told(work: Any) -> None:
    """SIGTERM ends it as Ctrl-C does."""
    task = asyncio.ensure_future(work)
    with suppress(NotImplementedError):  # where a system has no signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


def _tell(ended: Ended) -> None:
    firing = ended.firing
    if say.door.json:
        say.data({**firing.plain(), "state": ended.state, "outcome": ended.outcome, "reason": ended.reason})
        return
    text = ended.reason or (render.compact(ended.outcome) if ended.outcome is not None else "")
    due = moment_text(firing.due, firing.zone)
    say.show(f"{due}  [bold]{escape(firing.schedule)}[/]  {_state(ended.state)}  {escape(text)}")
    if ended.schedule is not None and not ended.schedule.enabled:
        say.show(f"[yellow]{escape(ended.schedule.off or 'disabled')}[/]")
