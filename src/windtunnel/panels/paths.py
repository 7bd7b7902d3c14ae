"""Paths into a state or an answer: fields, keys and places, `*` for all of them.

Only declared fields are read, never a property or a method: a path runs no code of a world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from msgspec import Struct

from windtunnel.errors import UsageError

ALL = "*"
LONGEST, DEEPEST, WIDEST = 200, 12, 10_000  # characters, steps, and rows that are looked at
MISSING: Any = object()


class Row(NamedTuple):
    names: tuple[str, ...]
    value: Any


def parsed(path: str) -> tuple[str, ...]:
    """The steps of a path; a UsageError says what is wrong with it."""
    if len(path) > LONGEST:
        raise UsageError(f"a path of {len(path)} characters", where="path", remedy=f"at most {LONGEST}")
    if not path:
        return ()
    if path.startswith("/"):
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
    else:
        steps = tuple(path.split("."))
    if not all(steps) or len(steps) > DEEPEST:
        raise UsageError(
            f"{path!r} is no path", where="path", remedy="names and places with dots between: nations.*.rate"
        )
    return steps


def rows_at(root: Any, path: str) -> Iterator[Row]:
    """Every value that the path leads to, with what each `*` stood for."""
    yield from _walk(root, parsed(path), (), path)


def _walk(value: Any, steps: tuple[str, ...], names: tuple[str, ...], path: str) -> Iterator[Row]:
    if not steps:
        yield Row(names, value)
    elif steps[0] == ALL:
        for name, part in _parts(value, path):
            yield from _walk(part, steps[1:], (*names, name), path)
    else:
        found = step_into(value, steps[0], path)
        if found is MISSING and isinstance(value, Mapping) and not names and value:
            there = ", ".join(str(key)[:40] for key in islice(value, 8))
            raise UsageError(f"{path}: there is no {steps[0]!r}", where="path", remedy=f"there are: {there}")
        if found is not MISSING:
            yield from _walk(found, steps[1:], names, path)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, Mapping):
        yield from ((str(key), part) for key, part in value.items())
    elif _is_list(value):
        yield from ((str(place), part) for place, part in enumerate(value))
    elif value is not None:
        raise UsageError(f"{path}: there is nothing for * in a {type(value).__name__}", where="path")


def step_into(value: Any, step: str, path: str) -> Any:
    """One field, key or place; MISSING where a mapping has no such key, or a list no such place."""
    if isinstance(value, Struct):
        if step not in value.__struct_fields__:
            raise UsageError(
                f"{path}: {type(value).__name__} has no field {step!r}",
                where="path",
                remedy=f"it has: {', '.join(value.__struct_fields__)}",
            )
        return getattr(value, step)
    if isinstance(value, Mapping):
        if step in value:
            return value[step]
        return next((part for key, part in value.items() if str(key) == step), MISSING)
    if _is_list(value):
        if not step.lstrip("-").isdecimal():
            raise UsageError(f"{path}: {step!r} is no place in a list", where="path", remedy="0, -1 or *")
        place, size = int(step), len(value)
        return value[place] if -size <= place < size else MISSING
    if value is None:
        return MISSING
    raise UsageError(f"{path}: there is no {step!r} in a {type(value).__name__}", where="path")


def part_of(row: Row, path: str) -> Any:
    """What a column's path names in a row: `#1` its first name, empty the row itself."""
    if path.startswith("#"):
        place = int(path[1:]) if path[1:].isdecimal() else 0
        if not 0 < place <= len(row.names):
            raise UsageError(
                f"{path}: the row has {len(row.names)} names",
                where="path",
                remedy="one for each * of its source, counted from #1",
            )
        return row.names[place - 1]
    value = row.value
    for step in parsed(path):
        value = step_into(value, step, path)
        if value is MISSING:
            return MISSING
    return value


def _is_list(value: Any) -> bool:
    """A list, a tuple, an array or a Log, and no text."""
    if isinstance(value, (str, bytes)):
        return False
    return isinstance(value, Sequence) or (hasattr(value, "__len__") and hasattr(value, "__getitem__"))
