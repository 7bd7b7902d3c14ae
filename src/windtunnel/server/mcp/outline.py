"""Large values in few words, so that one look does not fill a model's context. What is left out is said, and
how to see it: by a path into the value."""

from __future__ import annotations

import json
from typing import Any

from windtunnel.errors import NotFound

ITEMS = 20  # of a list that are shown
MOST = 16_000  # characters of one value


def at_path(value: Any, path: str) -> Any:
    """`nations.aldland.books`; a number takes one item of a list."""
    for step in filter(None, path.split(".")):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            # Which keys there are is not told here: agents may have named them.
            raise NotFound(
                f"the state has no {step!r} there", where=f"path {path!r}",
                remedy="get_state with a shorter path shows what there is",
            )  # fmt: skip
    return value


def outlined(value: Any, most: int = MOST) -> Any:
    """The value itself if it is small; otherwise with its long lists cut and its depths summed up."""
    if _size(value) <= most:
        return value
    for depth in (8, 6, 5, 4, 3, 2, 1):
        made = _cut(value, depth)
        if _size(made) <= most:
            return made
    return _cut(value, 0)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str))


def _cut(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        if not depth:
            return f"[an object of {len(value)} keys, left out; path shows it]"
        return {key: _cut(part, depth - 1) for key, part in value.items()}
    if isinstance(value, list):
        if not depth:
            return f"[a list of {len(value)}, left out; path shows it]"
        made = [_cut(part, depth - 1) for part in value[:ITEMS]]
        return [*made, f"[{len(value) - ITEMS} more]"] if len(value) > ITEMS else made
    return value
