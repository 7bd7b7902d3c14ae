"""What a run may take: seconds of play, memory, money, and whether it gets a process of its own.

Limits are said when a run is created or resumed, and written into its operations, so that they hold whoever
plays it next and are known when the queue is lost. Those that nobody said come from `[runs]` of
windtunnel.toml. Time and memory are kept by workers; a run that is played in a process of one's own, as the
command line does, is under no watch of ours.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from windtunnel.codec import decode_body
from windtunnel.config.runs import Runs
from windtunnel.errors import RunError, UsageError
from windtunnel.journal import Store
from windtunnel.run.calls import BUDGET

LIMITS = "limits"  # the operation that says them
SUBMITTED = "submitted"  # the operation of a run that was made for the queue
MOST_MONEY = 1e9  # dollars: more is a mistake


class Limits(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    seconds: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    memory_mb: Annotated[int, Meta(ge=1, le=1 << 30)] | None = None
    spend: Annotated[float, Meta(ge=0, le=MOST_MONEY)] | None = None  # dollars for models: the run's budget
    isolate: bool = False

    @property
    def alone(self) -> bool:
        """Memory can be told apart only where a run has a process to itself."""
        return self.isolate or self.memory_mb is not None


class TimeIsUp(RunError):
    """A run played longer than it may."""

    code = "time_limit"


class TooMuchMemory(RunError):
    """A run's process took more memory than it may."""

    code = "memory_limit"


def read_limits(given: Any) -> Limits | None:
    """Limits as a client says them; None where it says none."""
    if given is None or isinstance(given, Limits):
        return given
    try:
        return msgspec.convert(given, Limits)
    except msgspec.ValidationError as error:
        said = f"limits: {error}"
        raise UsageError(said, where="limits", remedy="seconds, memory_mb, spend, isolate") from None


def effective(said: Limits | None, defaults: Runs) -> Limits:
    """What holds for a run: what was said of it, and the workspace's word where nothing was."""
    mine = said or Limits()
    return Limits(
        seconds=mine.seconds if mine.seconds is not None else defaults.seconds,
        memory_mb=mine.memory_mb if mine.memory_mb is not None else defaults.memory_mb,
        spend=mine.spend,
        isolate=mine.isolate or defaults.isolate,
    )


def told_limits(store: Store, run_id: str) -> tuple[Limits | None, int]:
    """The limits that a run's operations say, and the number of that operation."""
    found = store.last_operation(run_id, LIMITS)
    if found is None:
        return None, -1
    return decode_body(found.body, Limits), found.seq


def played_since(store: Store, run_id: str, seq: int) -> float:
    """Seconds of play after an operation: from each time the run was taken up to the last that was
    written."""
    total, since, latest = 0.0, None, 0.0
    for operation in store.operations(run_id, seq):
        if operation.kind in ("started", "resumed"):
            if since is not None:
                total += max(0.0, latest - since)
            since = operation.at
        if operation.kind != "crashed":  # written when it was found, long after
            latest = operation.at
    return total + (max(0.0, latest - since) if since is not None else 0.0)


def begun_with(
    limits: Limits | None, budget: float | None, **ticket: Any
) -> list[tuple[str, dict[str, Any]]]:
    """The first operations of a run that is made for the queue: enough to put it there again."""
    said: list[tuple[str, dict[str, Any]]] = [(SUBMITTED, ticket)]
    spend = limits.spend if budget is None and limits is not None else budget
    if limits is not None:
        said.append((LIMITS, msgspec.to_builtins(limits)))
    if spend is not None:
        said.append((BUDGET, {"money": spend}))
    return said
