"""The market for goods, at home and across borders.

Every buyer spreads his money over nations, and within a nation over firms, by what goods cost him (with
tariffs, at today's exchange rates). Firms deliver from stock; who asked for more than there is gets a part,
and what is not delivered is not paid. Money for goods from abroad goes to the dealer, who pays the seller in
his own currency.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from windtunnel.worlds.economy import ledger
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import DEALER, Cents, Nation, Reals, Terms

NOTHING = np.zeros(0)
CAUTION = 0.95  # share of what he has that the dealer pays out in a quarter


class Stall(Struct):
    """One nation on the market, with what its people, firms and state want to spend, in its own cents."""

    name: str
    nation: Nation
    consume: Cents
    invest: Cents
    purchases: int
    # what came of it
    made: float = 0.0
    asked: Reals = NOTHING
    share: Reals = NOTHING  # of the nation's sales, by firm
    delivered: Reals = NOTHING  # share of what was asked, by firm
    spent: Cents = NOTHING.astype(np.int64)  # by household
    exports: int = 0
    imports: int = 0


class Map(Struct):
    """Who buys where: shares of private spending, prices with tariffs, what is delivered. Rows are buyers."""

    shares: Reals
    tariffs: Reals
    filled: Reals  # share of the money that meets goods
    rates: Reals  # one cent of the row's currency in the column's


def index(nation: Nation, p: Parameters | Terms) -> float:
    """The price of the nation's goods together, in its cents."""
    power = 1.0 - p.variety
    return float(np.mean(nation.firms.price**power) ** (1.0 / power))


def basket(stalls: Sequence[Stall], p: Parameters) -> tuple[Reals, Reals]:
    """Shares of private spending by buyer and seller, and the price of each buyer's basket over the first."""
    count = len(stalls)
    worth = np.array([stall.nation.exchange for stall in stalls])
    prices = np.array([index(stall.nation, p) for stall in stalls])
    bases = np.array([stall.nation.base_price for stall in stalls])
    sizes = np.array([float(stall.nation.people.cash.size) for stall in stalls])
    paid = prices[None, :] * worth[None, :] / worth[:, None] * (1.0 + tariffs(stalls)) / bases[:, None]
    home = np.eye(count, dtype=bool)
    likes = np.where(home, 0.0, sizes[None, :])
    others = likes.sum(axis=1, keepdims=True)
    openness = p.openness if count > 1 else 0.0
    likes = np.where(home, 1.0 - openness, openness * likes / np.maximum(others, 1.0))
    power = 1.0 - p.elasticity
    pull = likes * paid**power
    whole = pull.sum(axis=1, keepdims=True)
    return pull / whole, whole[:, 0] ** (1.0 / power)


def tariffs(stalls: Sequence[Stall]) -> Reals:
    return np.array([[buyer.nation.tariffs.get(seller.name, 0.0) for seller in stalls] for buyer in stalls])


def meet(stalls: Sequence[Stall], p: Parameters) -> float:
    """Everyone buys. Returns what crossed borders, in money at the prices before the first turn."""
    shares, prices = basket(stalls, p)
    worth = np.array([stall.nation.exchange for stall in stalls])
    where = Map(shares, tariffs(stalls), np.ones_like(shares), worth[:, None] / worth[None, :])
    _deliver(stalls, where, p)
    received = [_buy_for_the_state(stall) for stall in stalls]
    bill = np.zeros(shares.shape, np.int64)  # for goods from the column, in cents of the row
    for row, stall in enumerate(stalls):
        fill = float((shares[row] * where.filled[row]).sum())
        stall.spent = (stall.consume * fill).astype(np.int64)
        stall.invest = (stall.invest * fill).astype(np.int64)
        wants = (
            (ledger.CONSUMPTION, ledger.HOUSEHOLDS, stall.spent),
            (ledger.INVESTMENT, ledger.FIRMS, stall.invest),
        )
        for kind, payer, give in wants:
            received[row] += _buy(stall, row, kind, payer, give, where, bill[row])
        stall.imports = int(bill[row].sum())
    for column in range(len(stalls)):
        received[column] += _export(stalls, column, bill, where.rates)
    traded = 0.0
    for stall, cents, price in zip(stalls, received, prices, strict=True):
        nation = stall.nation
        nation.firms.stock = np.maximum(nation.firms.stock - cents / nation.firms.price, 0.0)
        nation.basket = float(price)
        traded += stall.exports / index(nation, p) * nation.base_price / 100.0
    return traded


def _deliver(stalls: Sequence[Stall], where: Map, p: Parameters) -> None:
    """What each firm is asked for, and the share of it that it has; what the dealer can pay of it."""
    private = np.array([float(stall.consume.sum() + stall.invest.sum()) for stall in stalls])
    goods = where.shares * private[:, None] / (1.0 + where.tariffs) * where.rates  # in the seller's cents
    here = np.diag(goods).copy()
    state = np.array([float(stall.purchases) for stall in stalls])
    abroad = goods.sum(axis=0) - here
    filled = np.ones(len(stalls))
    for column, stall in enumerate(stalls):
        firms = stall.nation.firms
        pull = firms.price ** (1.0 - p.variety)
        stall.share = pull / pull.sum()
        stall.asked = stall.share * (here[column] + state[column] + abroad[column]) / firms.price
        stall.delivered = np.minimum(1.0, firms.stock / np.maximum(stall.asked, 1e-12))
        filled[column] = float((stall.share * stall.delivered).sum())
    paid_in = (where.shares * private[:, None] / (1.0 + where.tariffs) * filled[None, :]).sum(axis=1)
    paid_in -= np.diag(where.shares) * private * filled
    held = np.array([float(stall.nation.books.abroad.get(DEALER, 0)) for stall in stalls])
    can = np.minimum(1.0, CAUTION * (held + 0.5 * paid_in) / np.maximum(abroad * filled, 1.0))
    for column, stall in enumerate(stalls):  # what the dealer cannot pay, nobody asks for
        stall.asked -= stall.share * (1.0 - can[column]) * abroad[column] / stall.nation.firms.price
    where.filled = np.where(np.eye(len(stalls), dtype=bool), filled[None, :], (filled * can)[None, :])


def _buy_for_the_state(stall: Stall) -> Cents:
    cents = int(stall.purchases * float((stall.share * stall.delivered).sum()))
    take = ledger.allocate(cents, stall.share * stall.delivered)
    ledger.pay(stall.nation, ledger.PURCHASES, ledger.GOVERNMENT, ledger.FIRMS, cents, take)
    return take


def _buy(stall: Stall, row: int, kind: int, payer: int, give: Cents, where: Map, bill: Cents) -> Cents:
    """People or firms of one nation buy. What comes from abroad is paid to the dealer, and noted in the bill.
    Returns what the firms at home received."""
    met = where.shares[row] * where.filled[row]
    goods = met / (1.0 + where.tariffs[row])
    count = met.size
    parts = ledger.allocate(int(give.sum()), np.concatenate([goods, met - goods]))
    at_home, duties = int(parts[row]), int(parts[count:].sum())
    imports = parts[:count].copy()
    imports[row] = 0
    bill += imports
    take = ledger.allocate(at_home, stall.share * stall.delivered)
    flows: list[ledger.Part] = [(kind, ledger.FIRMS, take, "")]
    if count > 1:
        flows.append((ledger.TRADE, ledger.ABROAD, int(imports.sum()), DEALER))
    if duties:
        flows.append((ledger.TARIFFS, ledger.GOVERNMENT, duties, ""))
    ledger.spend(stall.nation, payer, give, flows)
    return take


def _export(stalls: Sequence[Stall], column: int, bill: Cents, rates: Reals) -> Cents:
    """The dealer pays the firms of one nation for what went abroad, in their own currency."""
    stall = stalls[column]
    paid = (bill[:, column] * rates[:, column]).astype(np.int64)
    cents = min(int(paid.sum()), stall.nation.books.abroad.get(DEALER, 0))
    if not cents:
        return np.zeros(stall.share.size, np.int64)
    paid = ledger.allocate(cents, paid.astype(np.float64))
    stall.nation.sold = {
        buyer.name: int(sold) for buyer, sold in zip(stalls, paid, strict=True) if buyer is not stall
    }
    stall.exports = cents
    take = ledger.allocate(cents, stall.share * stall.delivered)
    ledger.pay(stall.nation, ledger.TRADE, ledger.ABROAD, ledger.FIRMS, cents, take, DEALER)
    return take
