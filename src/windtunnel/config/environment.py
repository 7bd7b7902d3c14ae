"""The `.env` beside windtunnel.toml: variables for whoever does not want them in a shell.

Lines of KEY=VALUE, with or without quotes and `export`; `#` begins a comment. What the environment has set
already stays as it is, an empty value too. Nothing is expanded, and nothing of the file is ever shown: an
error names the line, never what stands there, which may be a key.
"""

from __future__ import annotations

import re
from pathlib import Path

from windtunnel.errors import UsageError

FILE = ".env"
_MAX_BYTES = 1 << 20
_LINE = re.compile(
    r"""(?:export\s+)? (?P<name>[A-Za-z_]\w*) \s*=\s*
    (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<plain>[^"'\#\s].*?) )?
    (?: \s*(?<=\s)\#.* | \s* )""",
    re.VERBOSE | re.ASCII,
)


def read_env(file: Path) -> dict[str, str]:
    """The variables of a file; none where there is no file. The last line of a name counts."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="mend its rights"
        ) from None
    if len(raw) > _MAX_BYTES:
        raise UsageError("is larger than 1 MiB", where=str(file), remedy="it holds lines of KEY=VALUE")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8", where=str(file), remedy="save the file as UTF-8") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        match = _LINE.fullmatch(said)
        if match is None:  # what was written may be a key: it is not shown
            raise UsageError(
                "this line is not KEY=VALUE",
                where=f"{file}:{number}",
                remedy="write KEY=VALUE, in quotes where a # is part of it",
            )
        values = match["double"], match["single"], match["plain"]
        found[match["name"]] = next((value for value in values if value is not None), "")
    return found
