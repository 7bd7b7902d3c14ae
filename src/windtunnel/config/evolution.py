"""What `[evolution]` of windtunnel.toml may say: what evolutions may propose, and who decides."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Evolving(Struct, frozen=True):
    """At most `proposals_per_hour`, each with a confidence of `confidence` or more. `policy` is an approval
    policy by its name or path: proposals are the actions ChangeParameters, ChangePrompt and ChangeModel."""

    proposals_per_hour: Annotated[int, Meta(ge=1, le=10_000)] = 5
    confidence: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.8
    policy: Annotated[str, Meta(max_length=1000)] = ""
