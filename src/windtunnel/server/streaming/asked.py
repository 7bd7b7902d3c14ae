"""What a client may ask of the streams, typed: fields that are not known are refused by name."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.control.telling import View
from windtunnel.errors import UsageError

MOST_BYTES = 64 << 10  # of a client's message: they are short
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[0-9]{1,9})?")
NAMED = re.compile(r"(tournament|evolution|task):[A-Za-z0-9._-]{1,64}")
CHANNELS = "runs, approvals, proposals, run:ID, tournament:ID, evolution:ID, task:ID"
LEAST_EVERY = 0.1

_Text = Annotated[str, Meta(max_length=200)]


class Subscribe(Struct, forbid_unknown_fields=True):
    """One channel. `entries`, `words`, `as`, `state` are for `run:ID`; `words` for `approvals` too."""

    subscribe: _Text
    after: _Text | None = None
    entries: bool = False
    words: bool = False
    seat: _Text | None = field(default=None, name="as")
    state: bool = False
    every: float = 1.0

    @property
    def view(self) -> View:
        return View(self.entries, self.words, self.seat)

    @property
    def run_id(self) -> str | None:
        """The run that is meant, for the channel of a run."""
        kind, _, name = self.subscribe.partition(":")
        return name if kind == "run" else None

    def check(self) -> None:
        if not (math.isfinite(self.every) and LEAST_EVERY <= self.every <= 3600):
            raise UsageError("every is a number of seconds", where="every", remedy=f"{LEAST_EVERY} to 3600")
        self.every = round(self.every, 1)
        run_id = self.run_id
        if run_id is not None:
            if not RUN_ID.fullmatch(run_id):
                raise UsageError("this is no run id", where="subscribe", remedy="windtunnel runs lists them")
            if self.state and self.seat is not None:
                raise UsageError("who sits in a seat sees no state", where="state", remedy="leave out `as`")
            return
        if self.subscribe not in ("runs", "approvals", "proposals") and not NAMED.fullmatch(self.subscribe):
            raise UsageError("there is no such channel", where="subscribe", remedy=CHANNELS)
        strange = {"entries": self.entries, "as": self.seat is not None, "state": self.state}
        strange["words"] = self.words and self.subscribe != "approvals"
        for name, given in strange.items():
            if given:
                raise UsageError(f"{name} is for the channel of a run", where=name, remedy="leave it out")


class Unsubscribe(Struct, forbid_unknown_fields=True):
    unsubscribe: _Text


class Ping(Struct, forbid_unknown_fields=True):
    ping: Annotated[str, Meta(max_length=200)] | int | None = None


_FRAMES: dict[str, type[Subscribe | Unsubscribe | Ping]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}


def read_frame(text: str) -> Subscribe | Unsubscribe | Ping:
    """A client's message. UsageError says what is wrong with it."""
    try:
        plain = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        kind = next((_FRAMES[name] for name in _FRAMES if name in plain), None)
        if kind is None:
            raise UsageError(
                "a message says subscribe, unsubscribe or ping",
                remedy='{"subscribe": "run:ID"} follows a run',
            )
        asked = msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise UsageError(f"this message cannot be read: {error}", remedy=_REMEDY) from None
    if isinstance(asked, Subscribe):
        asked.check()
    return asked


_REMEDY = 'JSON such as {"subscribe": "run:ID", "after": CURSOR}; the fields stand in docs/streams.md'


def read_query(channel: str, query: dict[str, Any], known: tuple[str, ...] = ()) -> Subscribe:
    """The same, from the query of an address."""
    fields = {"after", "entries", "words", "as", "state", "every", *known}
    for name in query:
        if name not in fields:
            raise UsageError(f"there is no parameter {name!r}", where=name, remedy=", ".join(sorted(fields)))
    given = {name: value for name, value in query.items() if name not in known}
    try:
        asked = msgspec.convert({"subscribe": channel, **given}, Subscribe, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"this query cannot be read: {error}", remedy=_REMEDY) from None
    asked.check()
    return asked
