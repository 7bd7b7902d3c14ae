"""`pause`, `cancel`, `inject`, `approvals`: mail for a run, whoever plays it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.forking import read_json
from windtunnel.cli.options import By, Run
from windtunnel.cli.taking import me
from windtunnel.control import Asked, Control, Found, all_runs
from windtunnel.errors import UsageError
from windtunnel.journal import Status

DECISIONS = ("list", "approve", "reject")


def pause(run: Run) -> int:
    """Stop a run at the end of its turn; resume goes on from there.

    \b
    Example:
      windtunnel pause 4k2
    """
    control = door.the_control()
    return _steered(control.pause(run, sender=me()), "pauses at the end of its turn", "paused")


def cancel(run: Run) -> int:
    """End a run for good. What it did stays; it can be forked, not resumed.

    \b
    Example:
      windtunnel cancel 4k2
    """
    control = door.the_control()
    return _steered(control.cancel(run, sender=me()), "is told to stop", "cancelled")


def _steered(found: Found, asked: str, done: str) -> int:
    run, status = found.row.run_id, str(found.row.status)
    if say.door.json:
        say.data({"run_id": run, "status": status, "asked": done})
    else:
        say.show(f"{run} {asked if found.row.status is Status.RUNNING else f'is {done}'}")
    return 0


def inject(
    run: Run,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What happens, in the world's own words.")],
    body: Annotated[str, typer.Argument(metavar="[JSON]", help="What the world reads of it.")] = "",
    by: By = "",
) -> int:
    """Send an event into a run: it reaches the world in the next turn.

    \b
    Examples:
      windtunnel inject 4k2 shock '{"size": 0.2}'
      windtunnel inject 4k2 holiday
    """
    control = door.the_control()
    found = control.inject(run, kind, read_json(body, "JSON") if body else None, sender=by or me())
    return posted(found, f"event {kind!r} posted to {found.row.run_id}")


def approvals(
    action: Annotated[str, typer.Argument(metavar="[list|approve|reject]", help="What to do.")] = "list",
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Whose; without it, list looks at every run.")
    ] = "",
    effect: Annotated[str, typer.Argument(metavar="[EFFECT]", help="Which, if several wait.")] = "",
    by: By = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="A word to the decision; it is recorded.")] = "",
) -> int:
    """See what waits for people, and decide it.

    \b
    Examples:
      windtunnel approvals
      windtunnel approvals approve 4k2 --by kim
      windtunnel approvals reject 4k2 12.validate.alice.0 --by kim --note "too large"
    """
    door.one_of(action, DECISIONS, "approvals")
    control = door.the_control()
    if action == "list":
        return _list(control, run)
    if not run:
        raise UsageError(f"{action} what?", where="approvals", remedy="windtunnel approvals lists what waits")
    found = control.vote(run, effect, action == "approve", sender=by or me(), note=note)
    word = "approval" if action == "approve" else "rejection"
    return posted(found, f"{word} posted to {found.row.run_id}")


# --- shared ---


def posted(found: Found, text: str) -> int:
    row = found.row
    if say.door.json:
        say.data({"run_id": row.run_id, "posted": True, "status": str(row.status)})
        return 0
    say.show(escape(text))
    if row.status is not Status.RUNNING:
        say.show(render.next_steps([("take it in", f"windtunnel resume {found.name}")]))
    return 0


def _list(control: Control, run: str) -> int:
    names = [run] if run else [
        f"{found.path}:{found.row.run_id}"
        for found in all_runs(control.workspace)
        if not found.row.status.ended and found.row.pruned is None
    ]  # fmt: skip
    asked = [one for name in names for one in control.waiting(name)]
    if say.door.json:
        for one in asked:
            say.data(_asked(one))
        return 0
    if not asked:
        say.show("nothing waits for anyone")
        return 0
    for one in asked:
        say.show(*_told(one), "")
    return 0


def _asked(one: Asked) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _told(one: Asked) -> list[Any]:
    since = render.age(door.seconds_since(one.asked))
    if one.kind != "approval":
        how = f"windtunnel answer {one.run_id} {one.effect}"
        return [
            render.title(
                f"[bold]{one.run_id}[/]", f"{escape(one.kind)} {escape(one.actor)}", f"[dim]{since}[/]"
            ),
            render.facts([("question", escape(render.compact(one.request, 600))), ("answer", escape(how))]),
        ]
    terms = one.request["hold"]
    facts = [
        ("action", escape(render.compact(one.request["action"], 600))),
        ("because", escape(str(terms.get("reason", "")))),
        ("risk", f"{terms.get('risk', 'medium')}, {terms.get('approvers', 1)} to approve"),
        ("approve", escape(f"windtunnel approvals approve {one.run_id} {one.effect}")),
        ("reject", escape(f"windtunnel approvals reject {one.run_id} {one.effect}")),
    ]
    return [render.title(f"[bold]{one.run_id}[/]", f"{escape(one.actor)} wants to act", f"[dim]{since}[/]"),
            render.facts(facts)]  # fmt: skip
