"""The command line: a thin door over `control`.

`main` answers `--help` and `--version` by itself, from a table of words; everything else is loaded when a
command needs it, and only what that command needs. Nothing is decided here: commands read arguments, call
`control`, and show what came back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from windtunnel.cli import say  # noqa: PLC0415 - `import windtunnel.cli` costs nothing

    given = list(sys.argv[1:] if argv is None else argv)
    words, json, debug = _switches(given)
    say.begin(json=json, debug=debug)
    try:
        code = _answer(words)
    except OSError as problem:
        code = say.system(problem)
    except BaseException:
        say.end()
        raise
    lost = say.end()
    return say.system(lost) if lost is not None and code == 0 else code


def _answer(words: list[str]) -> int:
    from windtunnel.cli import say, table  # noqa: PLC0415

    if not words or (words[0] in ("--help", "-h", "help") and len(words) == 1):
        say.line(table.overview())
        return 0 if words else 2
    if words[0] == "help":
        words = [*words[1:], "--help"]
    if words[0] in ("--version", "-V"):
        say.version()
        return 0
    from windtunnel.cli import app  # noqa: PLC0415 - typer is not needed for the above

    return app.call(words)


def _switches(given: list[str]) -> tuple[list[str], bool, bool]:
    """`--json` and `--debug` may stand anywhere: they are about the door, not about a command."""
    end = given.index("--") if "--" in given else len(given)
    own, rest = given[:end], given[end:]
    words = [word for word in own if word not in ("--json", "--debug")]
    return words + rest, "--json" in own, "--debug" in own
