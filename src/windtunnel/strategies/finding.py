"""What a reference means: `name`, `name@1.2.0`, `name@tag`, `name@` and how a hash begins, or a path."""

from __future__ import annotations

import re
from pathlib import Path

from windtunnel.errors import NotFound, UsageError
from windtunnel.journal.database import Rows
from windtunnel.strategies.model import NAME
from windtunnel.strategies.reading import FILE
from windtunnel.strategies.tables import HEAD, find
from windtunnel.strategies.versions import Version, read_number
from windtunnel.words import quote, suggest

SHORTEST = 8  # digits of a hash
HASH = re.compile(rf"(?:sha256:)?([0-9a-f]{{{SHORTEST},64}})")
TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
LISTED = 1000


def is_path(reference: str) -> bool:
    """Whether a reference is meant as a path: names have neither slashes nor dots."""
    return (
        "/" in reference
        or "\\" in reference
        or reference.startswith(".")
        or reference.endswith((".yaml", ".yml"))
    )


def find_version(rows: Rows, reference: str) -> Version:
    """The version that a reference means; without more than a name, the one in force."""
    if reference.startswith("sha256:"):
        return _by_hash(rows, None, reference, reference)
    name, at, which = reference.partition("@")
    if not re.fullmatch(NAME, name) or (at and not which):
        raise UsageError(
            f"{quote(reference)} names no strategy", where="strategy",
            remedy="as in NAME, NAME@1.2.0, NAME@TAG, or ./a/folder",
        )  # fmt: skip
    marks: dict[str, int] = dict(rows.rows("SELECT tag, version FROM strategy_mark WHERE name=?", [name]))
    if HEAD not in marks:
        raise _no_such_name(rows, name)
    if which in marks:  # the head's own tag is empty, as nothing behind the name is
        return find(rows, "id=?", [marks[which]])[0]
    if (number := read_number(which)) is not None:
        found = find(rows, "name=? AND major=? AND minor=? AND patch=?", [name, *number])
        if found:
            return found[0]
    elif HASH.fullmatch(which):
        return _by_hash(rows, name, which, reference)
    recent = rows.rows(
        "SELECT major,minor,patch FROM strategy_version WHERE name=? ORDER BY id DESC LIMIT 12", [name]
    )
    known = [f"{name}@{major}.{minor}.{patch}" for major, minor, patch in recent]
    known += [f"{name}@{tag}" for tag in sorted(marks) if tag]
    raise NotFound(f"there is no {quote(reference)}", where="strategy", remedy=suggest(reference, known))


def _by_hash(rows: Rows, name: str | None, text: str, reference: str) -> Version:
    match = HASH.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{quote(reference)} is no hash", where="strategy", remedy=f"sha256: and {SHORTEST} to 64 digits"
        )
    low, high = match[1], match[1] + "g"  # what begins with these digits
    where, values = "hash>=? AND hash<?", [low, high]
    if name is not None:
        where, values = f"name=? AND {where}", [name, *values]
    found = find(rows, where, values)
    if not found:
        raise NotFound(f"there is no {quote(reference)}", where="strategy", remedy="windtunnel strategies")
    if len({version.hash for version in found}) > 1:
        labels = ", ".join(version.label for version in found[:12])
        raise UsageError(
            f"{quote(reference)} is the beginning of several hashes",
            where="strategy",
            remedy=f"one of: {labels}",
        )
    return found[-1]


def _no_such_name(rows: Rows, name: str) -> NotFound:
    known = [
        row[0]
        for row in rows.rows("SELECT name FROM strategy_mark WHERE tag='' ORDER BY name LIMIT ?", [LISTED])
    ]
    remedy = suggest(name, known) if known else "windtunnel strategies add PATH"
    if (Path(name) / FILE).is_file():
        remedy = f"the folder is meant by ./{name}"
    return NotFound(f"no strategy is called {quote(name)}", where="strategy", remedy=remedy)
