"""What a government may do: announce a budget, or keep its course. Bounds stand in the types, so that
nothing outside them ever reaches the validator."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from windtunnel.world import Action

MAX_TARIFF = 2.0

Share = Annotated[float, Meta(ge=0.0, le=0.6)]
Tariff = Annotated[float, Meta(ge=0.0, le=MAX_TARIFF)]
PartnerName = Annotated[str, Meta(min_length=1, max_length=64)]
Tariffs = Annotated[dict[PartnerName, Tariff], Meta(max_length=16)]


class Budget(Action, frozen=True):
    """The course from now on. `spending` is what the state buys, as a share of potential output; `tax` is
    the rate on all income; `tariffs` names the partners whose rate changes, the others keep theirs."""

    spending: Share
    tax: Share
    tariffs: Tariffs = field(default_factory=dict)


class KeepCourse(Action, frozen=True):
    """Nothing changes: spending, tax and tariffs stay as they were announced."""
