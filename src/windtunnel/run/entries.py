"""What the lines of history say: one small Struct for each kind of entry, and the one way to read them.

A turn is sealed as a whole, in this order: the mail it took in; then for each phase the effects it used
and the phase's own entry. `start`, `fork` and `end` stand outside the turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import CodecError, StorageError, VersionMismatch
from windtunnel.journal import Entry

START, FORK, END = "start", "fork", "end"
PHASES = ("analyze", "plan", "validate", "execute", "evaluate", "consolidate")


class Started(Struct, omit_defaults=True):
    """The first entry: everything the run is a function of."""

    format: int
    world: str
    world_version: str
    scenario: dict[str, Any]
    schema: dict[str, dict[str, str]]
    platform: dict[str, str]
    state: str = ""  # the hash of the first state


class Forked(Struct, omit_defaults=True):
    """The first entry of a fork: the scenario as it is from here on, and which branch of luck it follows."""

    scenario: dict[str, Any]
    branch: int
    changes: dict[str, Any]
    before: str = ""  # a fork inside the turn: the phase and agent it starts before
    events: list[dict[str, Any]] = field(default_factory=list)


class Migrated(Struct, omit_defaults=True):
    """The state's types changed; a named function of the world brought it over."""

    schema: dict[str, dict[str, str]]
    state: str


class MailTaken(Struct, omit_defaults=True):
    kind: str
    body: Any = None
    sender: str = ""


class EffectUsed(Struct, omit_defaults=True):
    """An effect of this turn: the digests of what stands in the table `effect`."""

    index: int
    kind: str
    request: str
    result: str | None = None


class Observed(Struct, omit_defaults=True):
    seen: str  # the digest of what every actor observed, in the order in which they act


class Refused(Struct, omit_defaults=True):
    label: str
    why: str


class DecidedEntry(Struct, omit_defaults=True):
    actions: dict[str, Any]
    refused: dict[str, Refused] = field(default_factory=dict)
    attempt: int = 1


class Judgement(Struct, omit_defaults=True):
    kind: str
    reason: str = ""
    action: Any = None
    allowed: Any = None
    hold: Any = None
    votes: Any = None


class Judged(Struct, omit_defaults=True):
    verdicts: Any  # "accept" for all, or one by actor
    attempt: int = 1
    deferred: list[Any] = field(default_factory=list)  # held actions that came back, and what became of them


class AppliedEntry(Struct, omit_defaults=True):
    events: list[Any]


class Scored(Struct, omit_defaults=True):
    metrics: Mapping[str, Mapping[str, Any]]
    progress: tuple[float, float | None, str]
    period: bool = True


class Consolidated(Struct, omit_defaults=True):
    state: str
    memory: str = ""
    deferred: str = ""


class Ended(Struct, omit_defaults=True):
    reason: str
    turns: int


KINDS: dict[str, type[Struct]] = {
    "started": Started,
    "forked": Forked,
    "migrated": Migrated,
    "mail": MailTaken,
    "effect": EffectUsed,
    "observed": Observed,
    "decided": DecidedEntry,
    "judged": Judged,
    "applied": AppliedEntry,
    "scored": Scored,
    "consolidated": Consolidated,
    "ended": Ended,
}

Line: TypeAlias = tuple[str, str, str, bytes]  # phase, kind, actor, body


def line(phase: str, kind: str, body: Struct, actor: str = "") -> Line:
    return (phase, kind, actor, encode_body(body))


def read(entry: Entry) -> Any:
    """The body of an entry, typed by its kind."""
    kind = KINDS.get(entry.kind)
    if kind is None:
        raise VersionMismatch(
            f"{entry.place} is of a kind this Windtunnel does not know",
            remedy="open it with the newer Windtunnel that wrote it",
        )
    try:
        return decode_body(entry.body, kind)
    except (CodecError, ValueError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise StorageError(
            f"{entry.place} cannot be read: {error}", remedy="windtunnel verify tells what else is damaged"
        ) from None
