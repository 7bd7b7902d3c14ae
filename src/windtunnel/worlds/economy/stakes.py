"""What is at stake in an action, for policies that decide which of them wait for people.

Amounts are cents: what a quarter's budget moves, what a portfolio turns over, what a crowd would spend; those
of a central bank are basis points a quarter. What is risky is a matter of taste in every economy; here a full
step at once, a tariff that closes a border, a wider deficit on a heavy debt, one bet with most of a fortune.
"""

from __future__ import annotations

from typing import Any

from windtunnel.world import Actor, Risk, Stakes
from windtunnel.worlds.economy.actions import Budget, Rebalance, SetRate, Spend
from windtunnel.worlds.economy.exchange import holdings
from windtunnel.worlds.economy.state import State

CENTS, POINTS = "cents", "basis points"
HEAVY = 1.0  # debt over a year's output that a wider deficit should not meet
CLOSED = 0.5  # a tariff at which little crosses the border


def stakes(state: State, actor: Actor, action: Any) -> Stakes:
    if type(action) is Budget:
        return _budget(state, actor.id, action)
    if type(action) is SetRate:
        return _rate(state, actor.id, action)
    if type(action) is Rebalance:
        return _portfolio(state, actor.id, action)
    if type(action) is Spend:
        cents = float(abs(action.cents).sum())
        return Stakes(cents, "low", f"the households of {state.crowds[actor.id]} spend", CENTS)
    return Stakes(0.0, "low", f"{actor.id} changes nothing", CENTS)


def _budget(state: State, name: str, action: Budget) -> Stakes:
    nation = state.nations[name]
    more, taxed = action.spending - nation.spending, action.tax - nation.tax
    tariffs = {who: rate for who, rate in action.tariffs.items() if rate != nation.tariffs.get(who, 0.0)}
    moved, wider = round(abs(more) + abs(taxed), 9), round(more - taxed, 9)  # a full step is one
    debt = nation.books.bonds / max(nation.annual, 1.0)
    risk: Risk = "low"
    if moved >= 0.005 or tariffs:
        risk = "medium"
    if moved >= 0.02 or any(rate >= CLOSED for rate in tariffs.values()) or (wider > 0.0 and debt > HEAVY):
        risk = "high"
    if wider > 0.0 and nation.shut:
        risk = "critical"  # nobody lends what this would cost
    said = [f"spending {_change(nation.spending, action.spending)}", f"tax {_change(nation.tax, action.tax)}"]
    for who, rate in tariffs.items():
        said.append(f"tariff on {who} {_change(nation.tariffs.get(who, 0.0), rate)}")
    return Stakes(moved * nation.annual / 4.0, risk, _cut(f"{name}: {', '.join(said)}"), CENTS)


def _rate(state: State, who: str, action: SetRate) -> Stakes:
    name = state.central[who]
    nation = state.nations[name]
    points = round(abs(action.rate - nation.rate) * 10_000.0, 6)
    risk: Risk = "low" if points < 15.0 else "medium" if points < 40.0 else "high"
    said = f"{name}: the rate {_change(nation.rate, action.rate)}"
    if nation.peg:
        said += f", {action.defend:.0%} of the reserves for the peg"
        risk = "high" if action.defend > 0.8 else risk
    return Stakes(points, risk, said, POINTS)


def _portfolio(state: State, who: str, action: Rebalance) -> Stakes:
    have = holdings(state, who, state.traders[who])
    whole = max(sum(sum(part) for part in have.values()), 0.0)
    wishes = {
        name: (action.cash.get(name, 0.0), action.bonds.get(name, 0.0), action.goods.get(name, 0.0))
        for name in state.nations
    }
    bought = sum(
        max(wish * whole - held, 0.0)
        for name, parts in wishes.items()
        for wish, held in zip(parts, have[name], strict=True)
    )
    largest = max((wish for parts in wishes.values() for wish in parts), default=0.0)
    turned = bought / whole if whole > 0.0 else 0.0
    risk: Risk = "low" if turned < 0.1 else "medium"
    if turned >= 0.25 and largest > 0.75:
        risk = "high"
    said = f"{who} moves {turned:.0%} of its fortune; {largest:.0%} in the largest place"
    return Stakes(bought, risk, said, CENTS)


def _change(before: float, after: float) -> str:
    return f"stays {after:.4g}" if before == after else f"{before:.4g} to {after:.4g}"


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:399]}…"
