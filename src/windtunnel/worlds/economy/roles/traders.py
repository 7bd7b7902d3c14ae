"""Traders: they hold the currencies, bonds and goods of all nations, and want to be worth more."""

from __future__ import annotations

import math
from collections.abc import Mapping

from windtunnel.world import Action, Context, Role
from windtunnel.worlds.economy.actions import Rebalance, Wait
from windtunnel.worlds.economy.observing import SeenByTrader

FEARFUL = 0.003  # a premium a quarter at which a hedger leaves

INSTRUCTIONS = """\
You trade. Each turn is a quarter. Rebalance to the shares of your wealth that you want to hold as deposits
(`cash`), state bonds (`bonds`) and stored goods (`goods`), by nation; they add up to one at most. Or Wait.
Deposits bear the deposit rate, bonds the bond yield and the risk of a default; goods follow prices, spoil
by a hundredth a quarter and sell below what they cost. Changing money costs a thousandth, and the dealer's
rates move against whoever deals much. You are judged by your wealth in the dealer's reckoning.

How to read what you see: by nation, `exchange` is its currency's value in the dealer's reckoning, 1 before
the first quarter; `price` is that of its goods in its own money over the first, so that price times
exchange tells who is dear. Rates, yields and inflation are shares a quarter (0.01 is one per cent a
quarter). `debt` is the state's over a year's output, `trade_balance` is over a quarter's output. `cash`,
`bonds` and `goods` are what you hold now, as shares of your wealth.
"""


def carry(seen: SeenByTrader, _: Context) -> Action:
    """Holds the bonds that pay most, whatever the reason why they pay it."""
    goal = _weights({name: 400.0 * market.bond_yield for name, market in seen.nations.items()})
    held = {name: market.bonds for name, market in seen.nations.items()}
    return Rebalance(bonds=_towards(held, goal, 0.5))


def value(seen: SeenByTrader, _: Context) -> Action:
    """Holds the currencies that buy more goods than they should, and leaves those that buy too few: prices
    and rates come together in the end."""
    cheap = {
        name: -6.0 * math.log(max(market.price * market.exchange, 1e-9))
        for name, market in seen.nations.items()
    }
    held = {name: market.bonds for name, market in seen.nations.items()}
    return Rebalance(bonds=_towards(held, _weights(cheap), 0.25))


def hedger(seen: SeenByTrader, _: Context) -> Action:
    """The same of everything: bonds of states whose yield shows no fear, deposits elsewhere, a tenth in
    goods."""
    share = 0.9 / len(seen.nations)
    safe = {name: market.bond_yield < market.rate + FEARFUL for name, market in seen.nations.items()}
    return Rebalance(
        cash={name: 0.0 if calm else share for name, calm in safe.items()},
        bonds={name: share if calm else 0.0 for name, calm in safe.items()},
        goods=dict.fromkeys(seen.nations, 0.1 / len(seen.nations)),
    )


def _weights(scores: Mapping[str, float]) -> dict[str, float]:
    """More of what scores higher."""
    best = max(scores.values())
    pull = {name: math.exp(max(score - best, -50.0)) for name, score in scores.items()}
    whole = sum(pull.values())
    return {name: weight / whole for name, weight in pull.items()}


def _towards(held: Mapping[str, float], goal: Mapping[str, float], part: float) -> dict[str, float]:
    """Part of the way only: who deals much in a quarter moves the rates against himself."""
    have = sum(held.values()) or 1.0
    moved = {name: (1.0 - part) * held[name] / have + part * share for name, share in goal.items()}
    return {name: min(share, 1.0) * 0.999999 for name, share in moved.items()}  # rounding asks for no more


trader = Role(
    actions=(Rebalance, Wait),
    no_op=Wait(),
    policies={"hedger": hedger, "carry": carry, "value": value},
    instructions=INSTRUCTIONS,
)
