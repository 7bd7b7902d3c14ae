"""Errors that cross from one process to another, and come out as what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from windtunnel.errors import RunError, WindtunnelError

KILLED = "ask again; if it ends so every time, memory runs out, or something on this machine kills it"


class ProcessDied(RunError):
    """A process that ran a world's code ended in the middle of its work."""

    code = "process_died"


class TookTooLong(RunError):
    """Something was not done within its time, and was stopped."""

    code = "too_long"


def error_to_plain(error: WindtunnelError) -> dict[str, Any]:
    """What of it can be written down: its data too, where it is plain."""
    data = {key: value for key, value in error.data.items() if _is_plain(value)}
    return {**error.as_dict(), "data": data}


def error_from_plain(told: Mapping[str, Any]) -> WindtunnelError:
    """The same error again, of the same class where this process knows it."""
    kinds = {kind.code: kind for kind in reversed(list(_kinds(WindtunnelError)))}
    kind = kinds.get(str(told.get("code")), WindtunnelError)
    error = kind.__new__(kind)
    data = told.get("data") or {}
    WindtunnelError.__init__(
        error, str(told.get("message", "")), where=told.get("where"), remedy=told.get("remedy"), **data
    )
    if "label" in data:
        error.label = data["label"]  # type: ignore[attr-defined]
    return error


def _kinds(kind: type[WindtunnelError]) -> Iterator[type[WindtunnelError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _is_plain(value: Any) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True
