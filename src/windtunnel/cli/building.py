"""`new world NAME`: a package with a small world that runs, and passes the conformance kit, at once."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from windtunnel.cli import door, render, say
from windtunnel.cli.closing import short_path
from windtunnel.config import find_workspace
from windtunnel.discovery import list_worlds
from windtunnel.errors import UsageError

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".tmpl"


def new(
    what: Annotated[str, typer.Argument(metavar="world", help="What to make: world.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, which is also its package's.")],
    in_: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="Where; here by default.")
    ] = None,
) -> int:
    """Write a new world: one page of rules, a scenario, and a test that runs the conformance kit.

    \b
    Examples:
      windtunnel new world harbour
      windtunnel new world harbour --in worlds
    """
    door.one_of(what, ["world"], "new")
    folder = (in_ or Path()) / name
    _good_word(name)
    _free(folder)
    _not_taken(name)
    made = _write(folder, name)
    scenario = folder / name / "scenarios" / "first.yaml"
    if say.door.json:
        files = [str(path) for path in made]
        say.data({"world": name, "folder": str(folder), "scenario": str(scenario), "files": files})
        return 0
    say.show(f"[bold]{name}[/] is written to {short_path(folder)}", "")
    for path in made:
        say.show(f"  [dim]{path.relative_to(folder)}[/]")
    say.show(
        "",
        render.next_steps(
            [
                ("play it", f"windtunnel run {short_path(scenario)}"),
                ("test it", f"python -m pytest {short_path(folder)}"),
                ("make it yours", short_path(folder / name / "world.py")),
            ]
        ),
    )
    return 0


def _no(message: str, remedy: str) -> UsageError:
    return UsageError(message, where="NAME", remedy=remedy)


def _good_word(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > 64:
        likely = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_0123456789")
        example = likely if likely and not keyword.iskeyword(likely) else "my_world"
        raise _no(
            f"{name!r} cannot be a package's name: small letters, digits and _, a letter first",
            f"windtunnel new world {example}",
        )
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise _no(f"{name!r} is Python's own", f"windtunnel new world {name}_world")


def _not_taken(name: str) -> None:
    if name in {one.name for one in list_worlds(find_workspace())}:
        raise _no(f"there is a world {name!r} already", f"windtunnel new world my_{name}")
    if name in ("windtunnel", "tests", "test") or _installed(name):
        raise _no(
            f"a package {name!r} is installed here; the new one would hide it",
            f"windtunnel new world my_{name}",
        )


def _installed(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.origin is not None  # a mere folder is no package


def _free(folder: Path) -> None:
    if folder.exists():
        raise UsageError(
            "there is something of that name already", where=str(folder), remedy="choose another name"
        )


def _write(folder: Path, name: str) -> list[Path]:
    words = {"name": name, "folder": short_path(folder), "distribution": name.replace("_", "-")}
    made = []
    for source in sorted((TEMPLATES / "world").rglob(f"*{SUFFIX}")):
        place = source.relative_to(TEMPLATES / "world")
        parts = [name if part == "package" else part for part in place.parts]
        target = folder.joinpath(*parts).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"{{{{{word}}}}}", value)
        target.write_text(text, encoding="utf-8")
        made.append(target)
    return made
