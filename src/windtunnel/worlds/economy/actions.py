"""What may be done in the economy, by role. Bounds stand in the types, so that nothing outside them ever
reaches the validator."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, field
from numpy.typing import NDArray

from windtunnel.world import Action

MAX_TARIFF = 2.0

Share = Annotated[float, Meta(ge=0.0, le=0.6)]
Part = Annotated[float, Meta(ge=0.0, le=1.0)]
Tariff = Annotated[float, Meta(ge=0.0, le=MAX_TARIFF)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Tariffs = Annotated[dict[Name, Tariff], Meta(max_length=64)]
Portions = Annotated[dict[Name, Part], Meta(max_length=64)]


class Budget(Action, frozen=True):
    """The course from now on. `spending` is what the state buys, as a share of potential output; `tax` is
    the rate on all income; `tariffs` names the partners whose rate changes, the others keep theirs."""

    spending: Share
    tax: Share
    tariffs: Tariffs = field(default_factory=dict)


class KeepCourse(Action, frozen=True):
    """Nothing changes: spending, tax and tariffs stay as they were announced."""


class SetRate(Action, frozen=True):
    """The policy rate from now on, a quarter (0.01 is one per cent a quarter). `defend` is the share of its
    reserves that the bank is ready to lose in a quarter for its peg, where it has one."""

    rate: Annotated[float, Meta(ge=0.0, le=0.25)]
    defend: Part = 0.5


class HoldRate(Action, frozen=True):
    """The policy rate stays."""


class Rebalance(Action, frozen=True):
    """The shares of its wealth that a trader wants to hold, by nation: deposits, state bonds, stored goods.
    They add up to one at most; the rest stays in the currencies it is in."""

    cash: Portions = field(default_factory=dict)
    bonds: Portions = field(default_factory=dict)
    goods: Portions = field(default_factory=dict)


class Wait(Action, frozen=True):
    """The portfolio stays as it is."""


class Spend(Action, frozen=True):
    """What each household of a crowd would spend on goods this quarter, in cents. Who has less spends what he
    has; an empty array leaves everyone to his habits."""

    cents: NDArray[np.floating]
