"""`show`: one run, from its result back to the entry that caused it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from msgspec.structs import asdict
from rich.markup import escape

from windtunnel.cli import asking, door, judging, laying, render, say, turning
from windtunnel.cli.closing import short_place, steps
from windtunnel.cli.options import Run
from windtunnel.codec import decode_body
from windtunnel.control import Found, history
from windtunnel.errors import UsageError
from windtunnel.journal import Entry
from windtunnel.run.entries import PHASES
from windtunnel.words import counted
from windtunnel.world import World

DEEPEST = 12  # leaps that are told


def show(  # noqa: PLR0913, PLR0917 - one for each option
    run: Run,
    turn: Annotated[int | None, typer.Option(metavar="N", help="One turn, phase by phase.")] = None,
    agent: Annotated[str, typer.Option(metavar="AGENT", help="Only what concerns this agent.")] = "",
    phase: Annotated[str, typer.Option(metavar="PHASE", help=f"Only this phase: {', '.join(PHASES)}.")] = "",
    entries: Annotated[
        bool, typer.Option("--entries", help="The entries of history as they are stored.")
    ] = False,
    operations: Annotated[
        bool, typer.Option("--operations", help="Who did what to the run, and when.")
    ] = False,
    query: Annotated[
        str, typer.Option(metavar="NAME", help="Ask the world a question of its own, as it stood then.")
    ] = "",
    arg: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What it takes; may be given again."),
    ] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="Short for --query matrix.")] = False,
    panels: Annotated[bool, typer.Option("--panels", help="The page that its world lays out.")] = False,
) -> int:
    """Look at a run: its results, and from there back to the entry that caused them.

    \b
    Examples:
      windtunnel show 4k2
      windtunnel show 4k2 --turn 12
      windtunnel show 4k2 --turn 12 --agent alice --phase plan
      windtunnel show 4k2 --entries --json
      windtunnel show 4k2 --query history --agent alice
      windtunnel show 4k2 --panels --turn 12
    """
    if phase:
        door.one_of(phase, [*PHASES, "start", "fork", "end"], "--phase")
    control = door.the_control()
    found = control.find(run)
    if agent:
        _known_agent(found, agent)
    if query or matrix:
        return asking.show_query(control, found, query or "matrix", turn, agent, arg or [])
    if panels:
        return laying.show_panels(control, found, turn)
    if operations:
        return _operations(found)
    if entries or ((turn is not None or agent or phase) and say.door.json):
        return _entries(found, turn, agent, phase)
    if turn is None and (agent or phase):
        turn = found.row.turn
    if turn is not None:
        return turning.show_turn(control, found, turn, agent, phase)
    return _overview(found, door.told_world(found.row.world, control.workspace))


def _known_agent(found: Found, agent: str) -> None:
    seats = history.overview(found).started.scenario.get("agents", [])
    known = [seat["id"] for seat in seats]
    if agent not in known:
        raise UsageError(
            f"nobody is called {agent!r}", where="--agent", remedy=f"agents: {', '.join(known[:12])}"
        )


# --- as it is stored ---


def _operations(found: Found) -> int:
    said = history.operations(found)
    if say.door.json:
        for operation in said:
            say.data(operation)
        return 0
    table = render.grid(("seq", "right"), "when", "what", ("about", "wrap"))
    for operation in said:
        body = operation["body"]
        about = ", ".join(
            f"{key} {render.compact(value, 60)}" for key, value in body.items() if key != "platform"
        )
        when = render.age(door.seconds_since(operation["at"]))
        table.add_row(str(operation["seq"]), f"[dim]{when}[/]", operation["kind"], escape(about))
    say.show(table)
    return 0


def _entries(found: Found, turn: int | None, agent: str, phase: str) -> int:
    chosen = history.turn_entries(found, turn) if turn is not None else history.entries(found)
    for entry in chosen:
        if phase and entry.phase != phase:
            continue
        body = decode_body(entry.body)
        if agent and (body := turning.narrowed(entry, body, agent)) is None:
            continue
        if say.door.json:
            say.data(_entry_data(entry, body))
        else:
            text = json.dumps(body, ensure_ascii=False)
            actor = f" {entry.actor}" if entry.actor else ""
            say.line(f"{entry.seq} {entry.turn} {entry.phase} {entry.kind}{actor} {text}")
    return 0


def _entry_data(entry: Entry, body: Any) -> dict[str, Any]:
    return {
        "seq": entry.seq, "turn": entry.turn, "phase": entry.phase, "kind": entry.kind, "actor": entry.actor,
        "body": body, "prev": entry.prev.hex(), "hash": entry.hash.hex(),
    }  # fmt: skip


# --- the whole run ---


def _overview(found: Found, world: World | None) -> int:
    row = found.row
    if row.pruned is not None:
        return _tombstone(found)
    table = history.finals(found)
    about = history.overview(found)
    if say.door.json:
        children = [child.run_id for child in about.children]
        waiting = [effect.name for effect in about.waiting]
        more = {
            "operations": about.operations,
            "forks": children,
            "waiting": waiting,
            "seconds": about.seconds,
            "feedback": [asdict(one) for one in about.feedback],
            "asked_again": about.again,
            "models": [asdict(one) for one in history.models_used(found)],
        }
        say.data({**door.run_data(found, table), **more})
        return 0
    keys = history.telling(table, world.headline if world else ())
    reason = f"[dim]{escape(row.reason)}[/]" if row.reason and row.reason != str(row.status) else ""
    say.show(
        render.title(f"[bold]{escape(row.scenario or row.world)}[/]", render.status(str(row.status)), reason),
        render.facts(_facts(found, about)),
        "",
    )
    if drawn := history.curves(found, keys):
        say.show(render.curve_table(drawn, keys), "")
        _leaps(found, keys)
    if about.feedback:
        judging.show_feedback(about.feedback)
    say.show(
        render.next_steps([*steps(found, world), ("every entry", f"windtunnel show {found.name} --entries")])
    )
    return 0


def _facts(found: Found, about: history.Overview) -> list[tuple[str, str]]:
    row = found.row
    facts = [("run", f"[bold]{row.run_id}[/]")]
    if row.parent:
        facts.append(("fork of", f"{row.parent} at turn {row.parent_turn}, branch {row.branch}"))
        said = about.forks[-1].changes if about.forks else {}
        facts.append(("changed", escape(render.told_change(said)) if said else "[dim]nothing: a control[/]"))
    agents = about.started.scenario.get("agents", [])
    entries = counted(row.head_seq + 1, "entry", "entries")
    facts += [
        ("turns", f"{row.turn:,} of {row.turns:,}"),
        (
            "agents",
            f"{len(agents)}  [dim]{escape(_listed([a['id'] for a in agents]))}[/]",
        ),
        ("seed", str(row.seed)),
        (
            "played",
            f"{render.duration(about.seconds)}  [dim]{render.age(door.seconds_since(row.created))}[/]",
        ),
        ("history", f"{entries}  [dim]head[/] {row.head_hash.hex()[:16]}"),
        ("operations", ", ".join(f"{count} {escape(kind)}" for kind, count in about.operations.items())),
    ]
    facts += [("models", _used(one)) for one in history.models_used(found)]
    if about.again.calls or about.again.money:
        kept = f"  [dim]${about.again.money / 1_000_000:,.6f} stay reserved for what nobody knows[/]"
        facts.append(
            ("asked again", f"{about.again.calls} calls of models{kept if about.again.money else ''}")
        )
    if about.waiting:
        facts.append(
            ("waits for", ", ".join(f"{escape(e.name)} ({escape(e.kind)})" for e in about.waiting[:5]))
        )
    if about.children:
        names = _listed([child.run_id for child in about.children])
        facts.append(("forks", f"{len(about.children)}  [dim]{names}[/]"))
    facts.append(("file", escape(short_place(found.location))))
    return facts


def _used(one: history.ModelUse) -> str:
    cost = f"  ${one.cost / 1_000_000:,.6f}" if one.cost else ""
    return (
        f"{escape(one.model)}  [dim]{counted(one.replies, 'reply', 'replies')}, "
        f"{one.input:,} + {one.output:,} tokens{cost}[/]"
    )


def _listed(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + ("…" if len(names) > most else "")


def _leaps(found: Found, keys: list[history.Key]) -> None:
    """Where to look: the turn in which each curve moved most."""
    moved = history.leaps(found, keys[:DEEPEST])
    if not moved:
        return
    table = render.grid("moved most", "", ("turn", "right"), ("from", "right"), ("to", "right"), "look at")
    for leap in moved[:6]:
        table.add_row(
            render.who(leap.agent),
            escape(leap.name),
            str(leap.turn),
            f"[dim]{render.number(leap.before)}[/]",
            render.number(leap.after),
            f"[dim]--turn[/] {leap.turn}",
        )
    say.show(table, "")


def _tombstone(found: Found) -> int:
    row = found.row
    if say.door.json:
        say.data(door.row_data(found))
        return 0
    text = f"was pruned {render.age(door.seconds_since(row.pruned or 0))}; its head is kept"
    say.show(
        render.title(f"[bold]{escape(row.scenario or row.world)}[/]", f"[dim]{text}[/]"), row.head_hash.hex()
    )
    return 0
