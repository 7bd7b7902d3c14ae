"""Text to int, float, bool, path or list, without pydantic: typer would load it for every command, and take
as long for that as for all the rest. A type that is not known here is left to typer."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import typer


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not isfinite(number):
        raise ValueError(f"{text!r} is no finite number")
    return number


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: str,
    bool: bool,  # flags come as True or False already
    int: _whole,
    float: _number,
    Path: Path,
}


class _Plain:
    """What typer asks of the type of a parameter, in one method."""

    def __init__(self, reader: Callable[[Any], Any], low: float | None, high: float | None) -> None:
        self._reader, self._low, self._high = reader, low, high

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        try:
            if param.multiple or param.nargs == -1:
                return [self._read(item) for item in value]
            return self._read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None

    def _read(self, value: Any) -> Any:
        read = self._reader(value)
        if self._low is not None and read < self._low:
            raise ValueError(f"{value} is less than {self._low:g}")
        if self._high is not None and read > self._high:
            raise ValueError(f"{value} is more than {self._high:g}")
        return read


def use_plain_types(params: Iterable[Any]) -> None:
    """Give every parameter of plain type a plain reader."""
    for param in params:
        kind = _kind(getattr(getattr(param, "type_descriptor", None), "annotation", None))
        if kind in _READERS and hasattr(param, "get_runtime_param"):
            reader = _Plain(_READERS[kind], getattr(param, "min", None), getattr(param, "max", None))
            param.get_runtime_param = lambda reader=reader: reader


def _kind(annotation: Any) -> Any:
    """`int` from `int | None` and from `list[int]`."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [item for item in get_args(annotation) if item is not type(None)]
        return _kind(inner[0]) if len(inner) == 1 else None
    if get_origin(annotation) is list:
        return _kind(get_args(annotation)[0])
    return annotation
