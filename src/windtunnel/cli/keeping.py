"""`backup`, `import`, `prune`, `export`: runs kept, moved, let go, and turned into files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.cli.closing import short_path
from windtunnel.cli.options import Run
from windtunnel.config import Workspace, find_workspace
from windtunnel.config.retention import bytes_of, seconds_of
from windtunnel.control import Found, keeping, retention
from windtunnel.errors import UsageError
from windtunnel.export import FORMATS, check_format, export_chat, export_run
from windtunnel.journal import Status
from windtunnel.journal.address import is_address
from windtunnel.journal.transfer import backup as copy_store
from windtunnel.words import counted

LEFT_OUT = {
    "failed": "failed",
    "waiting": "without a reply",
    "below": "below the score",
    "other": "of another form",
}


def backup(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A store's path, or a run in it.")],
    to: Annotated[Path, typer.Argument(metavar="TO", help="The file to make; nothing is overwritten.")],
) -> int:
    """Copy a store while its runs go on: whole, and checked by nothing but itself.

    \b
    Examples:
      windtunnel backup 4k2 copies/growth.sqlite
      windtunnel backup .windtunnel/runs/4k2v9h0a7c.sqlite /mnt/usb/growth.sqlite
    """
    if Path(store).is_file():
        place, name = store, Path(store).name
        made = copy_store(place, to / name if to.is_dir() else to)
    else:
        control = door.the_control()
        found = control.find(store)
        place = found.location
        name = f"{found.row.run_id}.sqlite" if is_address(place) else found.path.name
        made = keeping.copy_out(control.workspace, found, to / name if to.is_dir() else to)
    if say.door.json:
        say.data({"store": place, "to": str(made), "bytes": made.stat().st_size})
    else:
        say.show(f"copied to {escape(short_path(made))}  [dim]{render.size(made.stat().st_size)}[/]")
    return 0


def import_(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The store to bring runs from.")],
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="Only this run, with the past it shares.")] = "",
) -> int:
    """Bring the runs of another store into this workspace. A run that does not verify is refused.

    \b
    Examples:
      windtunnel import copies/growth.sqlite
      windtunnel import copies/growth.sqlite 4k2
    """
    control = door.the_control()
    target, merged = keeping.bring_in(control.workspace, store, run)
    if say.door.json:
        about = {"copied": merged.copied, "same": merged.same, "refused": merged.refused}
        say.data({"store": target, **about})
    else:
        facts = [("copied", ", ".join(merged.copied) or "none")]
        facts += [("here already", ", ".join(merged.same))] if merged.same else []
        facts += [("refused", f"{name}: {escape(why)}") for name, why in merged.refused.items()]
        say.show(render.facts(facts))
        if merged.copied:
            say.show("", render.next_steps([("look", f"windtunnel show {merged.copied[0]}")]))
    return 1 if merged.refused else 0


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Only those older than this, such as 30d.")
    ] = "",
    keep_last: Annotated[int | None, typer.Option(metavar="N", min=0, help="Keep the newest N.")] = None,
    status: Annotated[list[str], typer.Option(metavar="STATUS", help="Only those that are so.")] = [],  # noqa: B006
    max_bytes: Annotated[
        str, typer.Option(metavar="SIZE", help="As many as must, so that SIZE is left.")
    ] = "",
    policy: Annotated[
        bool, typer.Option("--policy", help="Those that [retention] of windtunnel.toml lets go.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without it, say what would go.")] = False,
) -> int:
    """Remove old runs. What stays of each is its head, so that it is known to have been.

    A run that is played never goes; a fork whose parent goes is made whole first.

    \b
    Examples:
      windtunnel prune --older-than 30d
      windtunnel prune --status failed --status cancelled --yes
      windtunnel prune --max-bytes 2GB --keep-last 20 --yes
      windtunnel prune --policy --yes
    """
    workspace = find_workspace()
    if policy:
        if older_than or keep_last is not None or status or max_bytes:
            raise UsageError("the policy says it all", where="--policy", remedy="leave the other options out")
        return _by_policy(workspace, yes=yes)
    wanted = [Status(door.one_of(word, [str(known) for known in Status], "--status")) for word in status]
    now = time.time()  # ambient: ages of runs
    plan = keeping.plan(
        workspace,
        now=now,
        older_than=seconds_of(older_than, "--older-than") if older_than else None,
        keep_last=keep_last,
        status=wanted or None,
        max_bytes=bytes_of(max_bytes, "--max-bytes") if max_bytes else None,
    )
    names = [found.row.run_id for found in plan.runs]
    if not names:
        if say.door.json:
            say.data({"runs": [], "would": [], "refused": {}})
        else:
            say.show("nothing to prune")
        return 0
    if not (yes or door.ask(f"Prune {counted(len(names), 'run')}, about {render.size(plan.bytes)}?")):
        return _would(plan)
    swept = keeping.sweep(workspace, plan.runs, at=now)
    if say.door.json:
        say.data(keeping.swept_data(swept))
    else:
        kept = "its head is kept" if len(swept.runs) == 1 else "their heads are kept"
        say.show(f"{counted(len(swept.runs), 'run')} pruned, about {render.size(plan.bytes)}; {kept}")
        for name, why in swept.refused.items():
            say.show(f"[yellow]kept[/] {name}: {escape(why)}")
        for text in swept.notes:
            say.show(escape(text))
    return 1 if swept.refused else 0


def _by_policy(workspace: Workspace, *, yes: bool) -> int:
    now = time.time()  # ambient: ages of runs
    plan = retention.plan_policy(workspace, now=now)
    if not plan.runs:
        say.data(_retained(retention.Retained(now))) if say.door.json else say.show("nothing to prune")
        return 0
    runs = counted(len(plan.runs), "run")
    if not (yes or door.ask(f"Prune {runs}, about {render.size(plan.bytes)}?")):
        return _would(plan)
    done = retention.let_go(workspace, plan, at=now)
    if say.door.json:
        say.data(_retained(done))
    else:
        say.show(f"{counted(len(done.runs), 'run')} pruned, about {render.size(done.bytes)}")
        for name in done.stayed:
            say.show(f"[yellow]kept[/] {name}: it was taken up meanwhile")
        for name, why in done.refused.items():
            say.show(f"[yellow]kept[/] {name}: {escape(why)}")
        for text in done.notes:
            say.show(escape(text))
    return 1 if done.refused else 0


def _retained(done: retention.Retained) -> dict[str, Any]:
    return {name: getattr(done, name) for name in done.__struct_fields__}


def _would(plan: keeping.Plan) -> int:
    if say.door.json:
        say.data({"runs": [], "would": [found.row.run_id for found in plan.runs], "bytes": plan.bytes})
        return 0
    table = render.grid("would go", ("scenario", "cut"), "status", "age")
    for found in plan.runs[:20]:
        row = found.row
        when = render.age(door.seconds_since(row.updated))
        table.add_row(row.run_id, escape(row.scenario or row.world), render.status(str(row.status)), when)
    say.show(table)
    rest = f" and {len(plan.runs) - 20} more;" if len(plan.runs) > 20 else ""
    say.show(
        f"[dim]{rest} about {render.size(plan.bytes)}. Nothing was removed: add --yes[/]".replace(
            "[dim] ", "[dim]"
        )
    )
    return 0


def export(
    run: Run,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")] = "html",
    path: Annotated[
        Path | None, typer.Option("--path", "-o", metavar="PATH", help="The file to write.")
    ] = None,
    effects: Annotated[bool, typer.Option("--effects", help="jsonl: requests and replies as well.")] = False,
    operations: Annotated[bool, typer.Option("--operations", help="jsonl: operations as well.")] = False,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", metavar="X", help="chat: only calls with feedback of at least X."),
    ] = None,
) -> int:
    """Write a run to a file: metrics (csv, parquet), the journal (jsonl), a report (html), or chat.

    Chat is training data: a line for each model call, with what became of it and what people said of it.

    The report is one file: curves, events and decisions, and it opens offline.

    \b
    Examples:
      windtunnel export 4k2
      windtunnel export 4k2 --to csv -o growth.csv
      windtunnel export 4k2 --to jsonl --effects
      windtunnel export 4k2 --to chat --min-score 0.5
    """
    check_format(to, min_score=min_score)
    control = door.the_control()
    found = control.find(run)
    if to == "chat":
        return _chat(found, path, min_score)
    world = door.told_world(found.row.world, control.workspace)
    target = export_run(
        found.location, found.row.run_id, to, path, world=world, effects=effects, operations=operations
    )
    if say.door.json:
        say.data({"run_id": found.row.run_id, "to": to, "path": str(target), "bytes": target.stat().st_size})
    else:
        say.show(f"written to {escape(short_path(target))}  [dim]{render.size(target.stat().st_size)}[/]")
    return 0


def _chat(found: Found, path: Path | None, min_score: float | None) -> int:
    done = export_chat(found.location, found.row.run_id, path, min_score=min_score)
    left_out = {name: getattr(done, name) for name in LEFT_OUT}
    size = done.path.stat().st_size
    if say.door.json:
        about = {"run_id": found.row.run_id, "to": "chat", "path": str(done.path), "bytes": size}
        say.data({**about, "lines": done.lines, "left_out": left_out})
        return 0
    calls = f"{done.lines:,} call{'s' * (done.lines != 1)}"
    say.show(f"{calls} written to {escape(short_path(done.path))}  [dim]{render.size(size)}[/]")
    if told := ", ".join(f"{count:,} {LEFT_OUT[name]}" for name, count in left_out.items() if count):
        say.show(f"left out: {told}")
    return 0
