"""`strategies`: versions of ways to play a role: add, look, compare, tag, put in force and back, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.errors import UsageError
from windtunnel.words import counted

if TYPE_CHECKING:
    from windtunnel.control import Control
    from windtunnel.control.strategies import Listed, Strategies
    from windtunnel.strategies.lineage import Line
    from windtunnel.strategies.model import Strategy
    from windtunnel.strategies.tables import Move
    from windtunnel.strategies.versions import Version
    from windtunnel.world import Scenario, World

# What each action is given, and how it is written.
ACTIONS = {
    "list": (0, ""),
    "show": (1, "NAME[@VERSION]"),
    "add": (1, "PATH"),
    "diff": (2, "A B"),
    "lineage": (1, "NAME"),
    "tag": (2, "NAME@VERSION TAG"),
    "apply": (1, "NAME@VERSION"),
    "rollback": (1, "NAME"),
    "export": (2, "NAME[@VERSION] FOLDER"),
}
SHOWN = 12  # digits of a hash


def strategies(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"[{'|'.join(ACTIONS)}] …", help="What to do, and with which."),
    ] = None,
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="add, apply, rollback, tag: why; it is kept.")
    ] = "",
    by: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Who does it; yourself if unsaid. It is kept.")
    ] = "",
    aside: Annotated[
        bool, typer.Option("--aside", help="add: leave in force what is, and only register it.")
    ] = False,
    to: Annotated[
        str, typer.Option(metavar="VERSION", help="rollback: to this one, not to the one before.")
    ] = "",
    world: Annotated[str, typer.Option(metavar="WORLD", help="list: only those for this world.")] = "",
) -> int:
    """Keep ways to play a role as versions that never change, and say which one is in force.

    A strategy is a file or a folder: strategy.yaml, and instructions.md beside it. The number of a version
    follows from what changed: parameters a patch, instructions or model minor, kind or actions major.

    \b
    Examples:
      windtunnel strategies add strategies/keynesian --why "less debt"
      windtunnel strategies
      windtunnel strategies show keynesian@1.0.0
      windtunnel strategies diff keynesian@1.0.0 strategies/keynesian
      windtunnel strategies lineage keynesian
      windtunnel strategies tag keynesian@1.2.0 champion
      windtunnel strategies rollback keynesian --why "it lost to austerity"
      windtunnel strategies export keynesian@champion handed/keynesian
    """
    action, *rest = words or ["list"]
    door.one_of(action, ACTIONS, "strategies")
    expected, written = ACTIONS[action]
    if len(rest) != expected:
        usage = f"windtunnel strategies {action} {written}".strip()
        said = f"{action} takes {written or 'nothing more'}, not {' '.join(rest) or 'nothing'}"
        raise UsageError(said, where="strategies", remedy=usage)
    from windtunnel.cli.taking import me  # noqa: PLC0415 - the rooms behind this command, not --help's
    from windtunnel.control.strategies import Strategies  # noqa: PLC0415 - as above

    control, who = door.the_control(), by or me()
    with Strategies(control.workspace, control.find_world) as kept:
        if action == "list":
            return _list(kept, world)
        if action == "show":
            return _show(kept, *rest)
        if action == "add":
            return _add(kept, rest[0], why, who, aside=aside)
        if action == "diff":
            return _diff(kept, *rest)
        if action == "lineage":
            return _lineage(kept, *rest)
        if action == "export":
            return _export(kept, *rest)
        if action == "tag":
            return _moved(kept.tag(*rest, why=why, by=who), rest[0])
        if action == "apply":
            return _moved(kept.apply(rest[0], why=why, by=who), rest[0])
        return _moved(kept.rollback(rest[0], to or None, why=why, by=who), rest[0])


def seat_all(
    control: Control, world: World, scenario: Scenario, named: list[str]
) -> tuple[Scenario, dict[str, Any]]:
    """`run --agent ID=@NAME`: the scenario with these seats played by strategies, and their code."""
    from windtunnel.control.strategies import Strategies  # noqa: PLC0415 - as above

    def find_world(name: str) -> World:
        return world if name == world.name else control.find_world(name)

    players: dict[str, Any] = {}
    with Strategies(control.workspace, find_world) as kept:
        for given in named:
            agent, _, reference = given.partition("=@")
            try:
                scenario, brought = kept.seat(scenario, agent, reference)
            except UsageError as error:
                if not error.data.get("line"):  # else it stands in a file, and says where
                    error.where = f"--agent {given}"
                raise
            players |= brought
    return scenario, players


def _data(value: Any) -> None:
    import msgspec  # noqa: PLC0415 - with the rooms behind this command

    say.data(msgspec.to_builtins(value))


# --- looking ---


def _pages(kept: Strategies, world: str) -> Iterator[Listed]:
    page = kept.list(world=world)
    yield from page.items
    while page.next is not None:
        page = kept.list(world=world, after=page.next)
        yield from page.items


def _list(kept: Strategies, world: str) -> int:
    found = _pages(kept, world)
    if say.door.json:
        for one in found:
            _data(one)
        return 0
    listed = list(found)
    if not listed:
        say.show("no strategies", "")
        say.show(render.next_steps([("add one", "windtunnel strategies add PATH")]))
        return 0
    table = render.grid("name", "in force", "for", "kind", ("versions", "right"), ("tags", "wrap"), "since")
    for one in listed:
        table.add_row(
            f"[bold]{escape(one.name)}[/]",
            one.number,
            escape(f"{one.world}/{one.role}"),
            one.kind,
            f"{one.versions:,}",
            escape(_tags(one.tags)),
            f"[dim]{render.age(door.seconds_since(one.at))}[/]",
        )
    say.show(table)
    return 0


def _tags(tags: dict[str, str]) -> str:
    return ", ".join(f"{tag} {number}" for tag, number in tags.items())


def _show(kept: Strategies, reference: str) -> int:
    shown = kept.show(reference)
    if say.door.json:
        _data(shown)
        return 0
    version, strategy = shown.version, shown.version.strategy
    force = "[green]in force[/]" if version.number == shown.in_force else f"in force is {shown.in_force}"
    say.show(render.title(f"strategy [bold]{escape(version.label)}[/]", force))
    facts = [("", escape(strategy.description))] if strategy.description else []
    facts += [("plays", escape(f"{strategy.role} in {strategy.world}")), ("kind", _decides(strategy))]
    facts += [("actions", escape(", ".join(version.actions)))] if version.actions else []
    facts += [("settings", escape(render.compact(strategy.settings)))] if strategy.settings else []
    facts += [("from", escape(_came(version)))]
    facts += [("why", escape(version.why))] if version.why else []
    facts += [("tags", escape(_tags(shown.tags)))] if shown.tags else []
    facts += [("hash", version.hash)]
    say.show(render.facts(facts))
    if strategy.parameters:
        say.show("", _parameters(strategy))
    if strategy.instructions:
        say.show("", "[dim]instructions[/]")
        say.line(strategy.instructions)
    return 0


def _decides(strategy: Strategy) -> str:
    named = strategy.entry or " ".join(part for part in (strategy.policy, strategy.model) if part)
    return escape(f"{strategy.kind}  {named}".strip())


def _came(version: Version) -> str:
    of = f" of {', '.join(_brief(label) for label in version.parents)}" if version.parents else ""
    when = render.age(door.seconds_since(version.at))
    bump = "" if version.bump == "first" else f", {version.bump}"
    return f"{version.operator}{of}, by {version.by}, {when}{bump}"


def _brief(label: str) -> str:
    return label[: len("sha256:") + SHOWN] if label.startswith("sha256:") else label


def _parameters(strategy: Strategy) -> Any:
    table = render.grid("parameter", ("value", "right"), "bounds", ("", "wrap"))
    for name, value in strategy.parameters.items():
        bounds: Any = strategy.schema[name]
        if hasattr(bounds, "minimum"):
            span = f"{bounds.minimum:g} to {bounds.maximum:g}"
        else:
            span = ", ".join(_value(option) for option in getattr(bounds, "options", (True, False)))
        table.add_row(escape(name), _value(value), span, escape(bounds.description))
    return table


def _diff(kept: Strategies, a: str, b: str) -> int:
    found = kept.diff(a, b)
    if say.door.json:
        _data(found)
        return 0
    say.show(render.title(f"[bold]{escape(found.a)}[/]", "and", f"[bold]{escape(found.b)}[/]", found.bump))
    if not (found.changes or found.instructions):
        say.show("nothing differs")
        return 0
    if found.changes:
        table = render.grid("field", ("before", "wrap"), ("after", "wrap"))
        for change in found.changes:
            table.add_row(escape(change.field), *(_value(side) for side in (change.before, change.after)))
        say.show(table)
    if found.instructions:
        say.show("", "[dim]instructions[/]")
        say.line(found.instructions)
    return 0


def _value(value: Any) -> str:
    """Numbers as they are: what is compared must not be rounded."""
    if value is None:
        return "[dim]-[/]"
    return str(value) if type(value) in (int, float) else escape(render.compact(value))


def _lineage(kept: Strategies, name: str) -> int:
    page = kept.lineage(name)
    lines = list(page.items)
    while page.next is not None:
        page = kept.lineage(name, after=page.next)
        lines += page.items
    if say.door.json:
        for line in lines:
            _data(line)
        return 0
    table = render.grid("version", "by", ("", "wrap"), "when", header=False)
    for line, branch in zip(lines, _branches(lines), strict=True):
        number = f"[bold green]{line.number}[/]" if line.in_force else line.number
        marks = [*(["in force"] if line.in_force else []), *line.tags]
        told = f"  [cyan]{escape(', '.join(marks))}[/]" if marks else ""
        others = f" with {', '.join(map(_brief, line.others))}" if line.others else ""
        table.add_row(
            f"[dim]{branch}[/]{number}{told}",
            escape(f"{line.operator}{others}"),
            escape(line.why),
            f"[dim]{render.age(door.seconds_since(line.at))}[/]",
        )
    say.show(table)
    return 0


def _branches(lines: list[Line]) -> list[str]:
    """What stands before each version: the lines of the tree. Deep ones are cut, since nobody has that wide
    a terminal."""
    through, corner, along = ("├─ ", "└─ ", "│  ") if say.utf8() else ("|- ", "`- ", "|  ")
    last = _last_children(lines)
    prefix: list[str] = []
    drawn = []
    for position, line in enumerate(lines):
        del prefix[max(0, line.depth - 1) :]
        if line.depth == 0:
            drawn.append("")
            continue
        own = corner if position in last else through
        text = "".join(prefix) + own
        drawn.append(text if len(text) <= 30 else f"…{text[-29:]}")
        prefix.append("   " if position in last else along)
    return drawn


def _last_children(lines: list[Line]) -> set[int]:
    """The positions of those behind whom no child of the same version comes."""
    seen: dict[str | None, int] = {line.under: position for position, line in enumerate(lines)}
    return set(seen.values())


# --- changing ---


def _add(kept: Strategies, path: str, why: str, who: str, *, aside: bool) -> int:
    done = kept.add(path, why=why, by=who, apply=not aside)
    if say.door.json:
        _data({"version": done.version, "fresh": done.fresh, "in_force": done.in_force})
        return 0
    version = done.version
    if not done.fresh:
        say.show(f"nothing that plays is new: it is {escape(version.label)} already")
        if not done.in_force:
            put = f"windtunnel strategies apply {version.label}"
            say.show("", render.next_steps([("put it in force", put)]))
        return 0
    force = "[green]in force[/]" if done.in_force else "not in force"
    say.show(render.title(f"[bold]{escape(version.label)}[/]", version.bump, force))
    say.show(f"[dim]{escape(_came(version))}[/]")
    return 0


def _moved(move: Move, reference: str) -> int:
    name = reference.partition("@")[0]
    if say.door.json:
        _data({"name": name, "move": move})
        return 0
    what = "in force" if not move.tag else move.tag
    before = f"; it was {move.before}" if move.before and move.before != move.number else ""
    say.show(f"{escape(name)}@{move.number} is {escape(what)}{before}")
    return 0


def _export(kept: Strategies, reference: str, to: str) -> int:
    from windtunnel.cli.closing import short_path  # noqa: PLC0415 - with the rooms behind this command

    done = kept.export(reference, to)
    if say.door.json:
        _data({"version": done.version.label, "hash": done.version.hash, "files": done.files})
        return 0
    say.show(f"{escape(done.version.label)} is written, in {counted(len(done.files), 'file')}:")
    for file in done.files:
        say.show(f"  {escape(short_path(Path(file)))}")
    return 0
