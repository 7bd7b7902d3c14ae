"""`approvals`: what waits for people, in words that one can decide on; and the decision."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from msgspec import to_builtins
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.running import play, play_and_close
from windtunnel.cli.stopping import Stopper
from windtunnel.cli.taking import me
from windtunnel.control import Approval, Asked, Control, Found, Voted, all_runs
from windtunnel.control.history import finals
from windtunnel.control.notify import flush
from windtunnel.errors import UsageError

DECISIONS = ("list", "show", "approve", "reject")
WIDTH = 600  # characters of an action in a list; `show` and --json have all of it


def approvals(
    action: Annotated[str, typer.Argument(metavar="[list|show|approve|reject]", help="What to do.")] = "list",
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Whose; without it, list looks at every run.")
    ] = "",
    effect: Annotated[str, typer.Argument(metavar="[EFFECT]", help="Which, if several wait.")] = "",
    by: Annotated[
        str, typer.Option("--as", "--by", metavar="NAME", help="Whose vote it is; else whoever is logged in.")
    ] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="A word to the decision; it is recorded.")] = "",
    digest: Annotated[
        str, typer.Option(metavar="DIGEST", help="Vote only if this is what waits, as show tells it.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run if it now can.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List what was decided too.")] = False,
) -> int:
    """See what waits for people, and decide it.

    \b
    Examples:
      windtunnel approvals
      windtunnel approvals show 4k2
      windtunnel approvals approve 4k2 --as kim --resume
      windtunnel approvals reject 4k2 12.validate.alice.0 --as kim --note "too large"
    """
    door.one_of(action, DECISIONS, "approvals")
    control = door.the_control()
    if ":" in run and ".sqlite" not in run:
        run, _, effect = run.partition(":")  # as it is told: RUN:EFFECT
    if action == "list":
        return _list(control, run, every=every)
    if not run:
        raise UsageError(f"{action} what?", where="approvals", remedy="windtunnel approvals lists what waits")
    if action == "show":
        return _show(control.approval(run, effect))
    via = f"cli: {me()}" if by and by != me() else "cli"
    voted = control.vote(
        run, effect, action == "approve", sender=by or me(), note=note, digest=digest, via=via
    )
    try:
        return _voted(control, voted, resume=resume)
    finally:
        asyncio.run(flush(control.workspace))


# --- deciding ---


def _voted(control: Control, voted: Voted, *, resume: bool) -> int:
    one, found = voted.approval, voted.found
    goes_on = resume and voted.resume is not None
    if say.door.json:
        told = {**data(one), "posted": True, "status": one.status, "resume": voted.resume}
        if not goes_on:
            say.data(told)
            return 0
        return _resumed(control, found, told)
    say.show(f"{escape(one.run_id)} {escape(one.effect)}: [bold]{escape(_stands(one))}[/]")
    if goes_on:
        return play_and_close(control, found, control.find_world(found.row.world), until=None)
    say.show(render.next_steps(_steps(voted)))
    return 0


def _resumed(control: Control, found: Found, told: dict[str, Any]) -> int:
    world = control.find_world(found.row.world)
    (done,) = play(control, [found], world, Stopper())
    after = Found(found.location, done.row)
    say.data({**told, "run": door.run_data(after, finals(after))})
    return say.failure(done.error) if done.error is not None else door.EXIT[done.row.status]


def _stands(one: Approval) -> str:
    if one.status == "waiting":
        return f"{one.word} said yes; it waits for {one.needed - len(one.by)} more"
    return one.word


def _steps(voted: Voted) -> list[tuple[str, str]]:
    if voted.resume:
        return [("go on", f"windtunnel resume {voted.found.name}")]
    if voted.others:
        return [("what waits", f"windtunnel approvals list {voted.found.name}")]
    return []


# --- looking ---


def data(one: Approval) -> dict[str, Any]:
    plain: dict[str, Any] = to_builtins(one)
    return plain


def _list(control: Control, run: str, *, every: bool) -> int:
    runs = [control.find(run)] if run else [
        found
        for found in all_runs(control.workspace)
        if found.row.pruned is None and (every or not found.row.status.ended)
    ]  # fmt: skip
    held = control.pending(runs, every=every)
    alive = [found for found in runs if not found.row.status.ended]
    asked = [one for found in alive for one in control.waiting(found.address)]
    questions = [one for one in asked if one.kind != "approval"]
    if say.door.json:
        for one in held:
            say.data(data(one))
        for question in questions:
            say.data({name: getattr(question, name) for name in question.__struct_fields__})
        return 0
    if not held and not questions:
        say.show("nothing waits for anyone")
        return 0
    for one in held:
        say.show(*told(one, lambda value: render.compact(value, WIDTH)), "")
    for question in questions:
        say.show(*_question(question), "")
    return 0


def _show(one: Approval) -> int:
    if say.door.json:
        say.data(data(one))
    else:
        say.show(*told(one, lambda value: render.compact(value, 1_000_000)))
    return 0


def told(one: Approval, compact: Callable[[Any], str]) -> list[Any]:
    """A held action as a person reads it."""
    what = f"{one.actor} wants to act" if one.status == "waiting" else f"{one.actor} wanted to act"
    facts = [
        ("what", one.summary),
        ("action", compact(one.action)),
        ("because", one.reason),
        ("at stake", at_stake(one)),
        ("rule", one.rule),
        ("votes", one.word),
        *[("", _vote(vote)) for vote in one.votes],
        ("note", one.note),
        ("expires", _expiry(one)),
        ("told", ", ".join(one.tell)),
        ("digest", one.digest),
    ]
    if one.status == "waiting":
        facts += [
            ("approve", f"windtunnel approvals approve {one.run_id} {one.effect}"),
            ("reject", f"windtunnel approvals reject {one.run_id} {one.effect}"),
        ]
    since = render.age(door.seconds_since(one.asked))
    return [
        render.title(f"[bold]{escape(one.run_id)}[/]", escape(what), f"[dim]{since}[/]"),
        render.facts([(name, escape(value)) for name, value in facts if value]),
    ]


def at_stake(one: Approval) -> str:
    amount = "" if one.amount is None else f"{render.number(one.amount)} {one.unit}".rstrip() + ", "
    return f"{amount}{one.risk} risk, {one.needed} to approve"


def _vote(vote: Any) -> str:
    said = "yes" if vote.approve else "no"
    note = f", {vote.note!r}" if vote.note else ""
    why = f" (does not count: {vote.why})" if vote.refused else ""
    return f"{vote.sender} said {said}{note}{why}"


def _expiry(one: Approval) -> str:
    if one.status != "waiting":
        return ""
    turns = f"with turn {one.expires_turn}" if one.expires_turn is not None else ""
    if one.expires is None:
        return turns
    left = one.expires - time.time()  # ambient: what is left is for people
    return ", or ".join(part for part in (f"in {_span(left)}", turns) if part)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _question(one: Asked) -> list[Any]:
    since = render.age(door.seconds_since(one.asked))
    how = f"windtunnel answer {one.run_id} {one.effect}"
    return [
        render.title(f"[bold]{one.run_id}[/]", f"{escape(one.kind)} {escape(one.actor)}", f"[dim]{since}[/]"),
        render.facts([("question", escape(render.compact(one.request, WIDTH))), ("answer", escape(how))]),
    ]
