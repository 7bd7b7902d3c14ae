"""`runs`: which runs there are, from the index of the workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

import msgspec
import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.closing import short_place
from windtunnel.config import Workspace
from windtunnel.config.retention import seconds_of
from windtunnel.control.catalog import UNUSABLE, Found, database, files_beside, indexed, looked_through
from windtunnel.control.index import ALL, MOST, Filter, Index, Listed, Page
from windtunnel.control.index_sql import matches
from windtunnel.errors import UsageError
from windtunnel.journal import Status

LIMIT = 30


def runs(  # noqa: PLR0913, PLR0917 - one for each option
    status: Annotated[
        str, typer.Option(metavar="STATUS", help="Only those that are so, such as paused.")
    ] = "",
    world: Annotated[str, typer.Option(metavar="WORLD", help="Only those of this world.")] = "",
    scenario: Annotated[str, typer.Option(metavar="NAME", help="Only those of this scenario.")] = "",
    tag: Annotated[str, typer.Option(metavar="TAG", help="Only those whose scenario has this tag.")] = "",
    text: Annotated[
        str, typer.Option(metavar="TEXT", help="Only those with this in id, scenario, tags or reason.")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Only those made since: an age such as 12h, or a date.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="WHEN", help="Only those made before.")] = "",
    parent: Annotated[str, typer.Option(metavar="RUN", help="Only the forks of this run.")] = "",
    order: Annotated[
        str, typer.Option(metavar="ORDER", help="created, or updated: by when they were last written.")
    ] = "created",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most so many; 0 for all.")] = LIMIT,
    all_: Annotated[bool, typer.Option("--all", help="All of them: short for --limit 0.")] = False,
    after: Annotated[str, typer.Option(metavar="RUN", help="Those that come after this run.")] = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read every journal anew for it, whatever the index says.")
    ] = False,
) -> int:
    """List the runs of this workspace, newest first.

    \b
    Examples:
      windtunnel runs
      windtunnel runs --status paused --json
      windtunnel runs --world economy --since 7d --tag night
      windtunnel runs --text "budget" --after 4k2
    """
    if status:
        door.one_of(status, [str(known) for known in Status], "--status")
    door.one_of(order, ["created", "updated"], "--order")
    control = door.the_control()
    asked = Filter(
        world=world, scenario=scenario, status=status, tag=tag, text=text,
        since=_moment(since, "--since"), until=_moment(until, "--until"),
        parent=control.find(parent).row.run_id if parent else "",
        order=cast(Literal["created", "updated"], order),
    )  # fmt: skip
    page = _asked(control.workspace, asked, after, 0 if all_ else limit, rebuild=rebuild)
    if say.door.json:
        for run in page.items:
            say.data(_data(run))
        return 0
    if not page.items:
        _none(control.workspace, asked)
        return 0
    table = render.grid(
        "run", ("scenario", "cut"), "status", ("turn", "right"), ("seed", "right"), ("age", "right"), "from"
    )
    for run in page.items:
        table.add_row(*_cells(run))
    say.show(table)
    if page.total:
        say.note(f"and {page.total} more; --all shows them, --after {page.items[-1].run_id} the next")
    return 0


def _asked(workspace: Workspace, asked: Filter, after: str, limit: int, *, rebuild: bool) -> Page:
    """The runs, and as `total` how many come after them."""
    try:
        with indexed(workspace, refreshed=not rebuild) as index:
            if index is None:
                return Page([])
            if rebuild:
                index.rebuild(_rebuilding)
            if not files_beside(workspace):
                return _page(index, asked, after, limit)
            say.note("some runs lie in files of this folder; windtunnel import FILE brings one in")
            return _by_looking(workspace, asked, after, limit)
    except UNUSABLE:
        if rebuild:
            raise
    say.note("the index of runs cannot be used, every store is looked into; windtunnel doctor says why")
    return _by_looking(workspace, asked, after, limit)


def _rebuilding(done: int, of: int) -> None:
    if not say.door.json:
        say.note(f"{done:,} of {of:,} stores read")


def _page(index: Index, asked: Filter, after: str, limit: int) -> Page:
    cursor = index.cursor(index.find(after), asked.order) if after else None
    if not limit or limit > MOST:
        found: list[Listed] = []
        for run in index.each(asked, after=cursor):
            if limit and len(found) == limit:
                return Page(found, total=index.behind(asked, index.cursor(found[-1], asked.order)))
            found.append(run)
        return Page(found)
    page = index.page(asked, after=cursor, limit=limit)
    return Page(page.items, total=index.behind(asked, page.next) if page.next else 0)


def _by_looking(workspace: Workspace, asked: Filter, after: str, limit: int) -> Page:
    """The same without an index."""
    found = sorted(
        (one for one in looked_through(workspace) if matches(one.row, asked)),
        key=lambda one: (getattr(one.row, asked.order), one.row.run_id),
        reverse=True,
    )
    if after:
        names = [one.row.run_id for one in found]
        starts = [number for number, name in enumerate(names, 1) if name.startswith(after)]
        if not starts:
            raise UsageError(f"no run {after!r} among these", where="--after")
        found = found[starts[0] :]
    shown = found[:limit] if limit else found
    return Page([_listed(one) for one in shown], total=len(found) - len(shown))


def _listed(found: Found) -> Listed:
    return Listed(**msgspec.structs.asdict(found.row), location=found.location)


def _data(run: Listed) -> dict[str, Any]:
    tags = [] if run.tags in ("", "[]") else msgspec.json.decode(run.tags)
    return {
        **door.row_data(Found(run.location, run.row)),
        "tags": tags,
        "spend": run.spend,
        "wake": run.wake,
    }


def _none(workspace: Workspace, asked: Filter) -> None:
    if asked != ALL:
        say.show("no such runs", render.next_steps([("all of them", "windtunnel runs")]))
        return
    where = short_place(database(workspace) or str(workspace.runs))
    say.show(
        f"no runs in {escape(where)}", render.next_steps([("play one", "windtunnel run economy/growth")])
    )


def _cells(row: Listed) -> list[str]:
    origin = f"[dim]{row.parent} at {row.parent_turn}[/]" if row.parent else ""
    turn = f"{row.turn:,}" if row.turn == row.turns else f"{row.turn:,}/{row.turns:,}"
    state = "[dim]pruned[/]" if row.pruned is not None else render.status(str(row.status))
    name = escape(row.scenario or row.world)
    return [row.run_id, name, state, turn, str(row.seed), render.age(door.seconds_since(row.created)), origin]


def _moment(text: str, where: str) -> float | None:
    """An age back from now, or a date as people write it, in the time of this machine."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        return door.now() - seconds_of(text, where)
    except UsageError:
        raise UsageError(
            f"{text!r} is no moment", where=where, remedy="an age such as 12h or 30d, or 2026-05-01"
        ) from None
