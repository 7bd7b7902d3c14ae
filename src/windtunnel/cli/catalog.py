"""`worlds`, `scenarios`, `schema`: what there is to play, and how its files are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import render, say
from windtunnel.cli.closing import short_path
from windtunnel.config import find_workspace
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import ScenarioInfo, WorldInfo, list_worlds
from windtunnel.errors import NotFound
from windtunnel.scenario import scenario_schema
from windtunnel.words import counted, suggest


def worlds() -> int:
    """List the worlds that are installed, or listed in windtunnel.toml.

    \b
    Examples:
      windtunnel worlds
      windtunnel worlds --json
    """
    known = list_worlds(find_workspace())
    if say.door.json:
        for world in known:
            say.data(_world_data(world))
        return 0
    if not known:
        say.show("no worlds", render.next_steps([("write one", "windtunnel new world my_world")]))
        return 0
    for world in known:
        version = f"[dim]{escape(world.version)}[/]" if world.version not in ("", "0") else ""
        say.show(render.title(f"[bold]{escape(world.name)}[/]", version, f"[dim]{escape(world.origin)}[/]"))
        if world.error:
            facts = [("broken", f"[red]{escape(world.error)}[/]"), ("next", escape(world.remedy or ""))]
        else:
            names = ", ".join(one.name.partition("/")[2] for one in world.scenarios) or "none"
            facts = [("scenarios", escape(names)), ("roles", escape(", ".join(world.roles)))]
            facts = [("", escape(world.description)), *facts] if world.description else facts
        say.show(render.facts(facts), "")
    return 0


def _world_data(world: WorldInfo) -> dict[str, Any]:
    plain = {name: getattr(world, name) for name in world.__struct_fields__}
    return {**plain, "scenarios": [one.name for one in world.scenarios]}


def scenarios(
    world: Annotated[str, typer.Argument(metavar="[WORLD]", help="Only those of this world.")] = "",
) -> int:
    """List scenarios: what can be played by name.

    \b
    Examples:
      windtunnel scenarios
      windtunnel scenarios economy --json
    """
    known = list_worlds(find_workspace())
    if world and world not in {one.name for one in known}:
        raise NotFound(f"there is no world {world!r}", remedy=suggest(world, [one.name for one in known]))
    found = [one for info in known if not world or info.name == world for one in info.scenarios]
    if say.door.json:
        for one in found:
            say.data({name: getattr(one, name) for name in one.__struct_fields__})
        return 0
    for one in found:
        say.show(*_scenario(one))
    if not found:
        say.show("no scenarios", render.next_steps([("what there is", "windtunnel worlds")]))
    else:
        say.show("", render.next_steps([("play one", f"windtunnel run {found[0].name}")]))
    return 0


def _scenario(one: ScenarioInfo) -> list[Any]:
    if one.error:
        return [f"[bold]{escape(one.name)}[/]  [red]{escape(one.error)}[/]"]
    said = [counted(number, name) for number, name in ((one.turns, "turn"), (one.agents, "agent")) if number]
    counts = f"[dim]{', '.join(said)}[/]"
    lines: list[Any] = [render.title(f"[bold]{escape(one.name)}[/]", escape(one.title), counts)]
    return lines


def schema(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="Whose scenario files it describes.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="PATH", help="Write it to this file.")] = None,
) -> int:
    """Print the JSON schema of a world's scenario files, from which editors complete and check them.

    A file names its schema in its first line: # yaml-language-server: $schema=PATH

    \b
    Examples:
      windtunnel schema economy > economy.schema.json
      windtunnel schema economy --to economy.schema.json
    """
    made = scenario_schema(Worlds(find_workspace())(world))
    if to is None:
        say.data(made) if say.door.json else say.line(json.dumps(made, indent=2))
        return 0
    to.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    if say.door.json:
        say.data({"world": world, "path": str(to)})
    else:
        say.show(f"written to {escape(short_path(to))}")
    return 0
