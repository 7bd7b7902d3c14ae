"""How far a team may go. Each limit is finite, whatever is written: there is no word for "for ever"."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1, le=100_000)]
Some = Annotated[int, Meta(ge=0, le=100_000)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The limits of one `invoke`. A team inside a team shares the outer one's `calls`."""

    rounds: Annotated[Count, Meta(description="Turns that members take in all.")] = 20
    calls: Annotated[Count, Meta(description="Calls of models in all, inner teams included.")] = 200
    tool_rounds: Annotated[Count, Meta(description="How often a member may call tools in one turn.")] = 8
    tool_calls: Annotated[Count, Meta(description="Tool calls that are taken from one reply.")] = 16
    attempts: Annotated[Count, Meta(description="How often one answer is asked for when it is bad.")] = 3
    text: Annotated[Count, Meta(description="Characters of a tool's result that a model is shown.")] = 20_000
    depth: Annotated[Count, Meta(description="Teams within teams.")] = 5
