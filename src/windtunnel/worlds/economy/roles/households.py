"""Households as a crowd: one actor decides in arrays for all households of a nation.

A nation whose households nobody plays follows `buffer_stock` inside the engine: the same function. A
scenario's crowd names its nation and its size: `{id: people, role: households, size: 10000, settings:
{nation: aldland}}`.
"""

from __future__ import annotations

import numpy as np

from windtunnel.world import Context, Role
from windtunnel.worlds.economy.actions import Spend
from windtunnel.worlds.economy.observing import SeenByHouseholds
from windtunnel.worlds.economy.parameters import parameters
from windtunnel.worlds.economy.state import Cents, Reals

INSTRUCTIONS = """\
You are the households of a nation. Spend says, for each of them, what it would spend on goods this quarter,
in cents; who has less spends what he has.
"""


def buffer_stock(seen: SeenByHouseholds, context: Context) -> Spend:
    """Most of the income and a little of what was put by, less when saving pays."""
    p = parameters(context)
    return _spend(_habit(seen, context) * _keen(seen, p.saving_response, p.neutral_rate))


def precautionary(seen: SeenByHouseholds, context: Context) -> Spend:
    """The same, but unemployment frightens: the more of it there is, the more is put by."""
    p = parameters(context)
    fear = min(max(1.0 - 2.0 * (seen.unemployment - 0.05), 0.5), 1.1)
    return _spend(_habit(seen, context) * _keen(seen, p.saving_response, p.neutral_rate) * fear)


def hand_to_mouth(seen: SeenByHouseholds, _: Context) -> Spend:
    """Spends what comes in."""
    return _spend(seen.income)


def _spend(wish: Reals | Cents) -> Spend:
    """A wish is a rough thing: single precision halves what is written down of it."""
    return Spend(wish.astype(np.float32))


def _habit(seen: SeenByHouseholds, context: Context) -> Reals:
    p = parameters(context)
    return p.spend_income * seen.income + p.spend_wealth * seen.cash


def _keen(seen: SeenByHouseholds, response: float, neutral: float) -> float:
    return min(max(1.0 - response * (seen.real_rate - neutral), 0.5), 1.2)


households = Role(
    actions=(Spend,),
    no_op=Spend(np.zeros(0)),
    policies={
        "buffer_stock": buffer_stock,
        "precautionary": precautionary,
        "hand_to_mouth": hand_to_mouth,
    },
    instructions=INSTRUCTIONS,
)
