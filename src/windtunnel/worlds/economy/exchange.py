"""Currencies: a dealer holds some of each and moves his rates until he holds what he wants to; central banks
defend pegs from their reserves; traders change their portfolios.

What the dealer wants of a currency grows with its economy and with the interest it bears. Whatever trade,
traders and central banks do shows as what he holds too much or too little of: nothing else moves a rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from windtunnel.world import Event
from windtunnel.worlds.economy import ledger, market
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import DEALER, Folio, Nation, State

FEE = 0.001  # of what is changed
DEPTH = 0.1  # share of what the dealer holds that anybody may take in a quarter
EMPTY = 0.02  # share of a quarter's output below which reserves are as good as gone
PATIENCE = 0.1  # how the dealer answers what he holds too much, over how he answers what comes
REFILL = 0.1  # of what the dealer lacks of all currencies, what banks lend him in a quarter
STORAGE = 0.01  # goods that spoil in a quarter
SPREAD = 0.02  # what a trader loses when he sells goods

Portions: TypeAlias = tuple[float, float, float]  # cash, bonds, goods


def wanted(nation: Nation, others: float, p: Parameters) -> float:
    """Cents of this currency that the dealer wants to hold, `others` being the real rate elsewhere."""
    real = nation.rate - nation.mood.inflation
    lure = 1.0 + p.exchange_response * (real - others) - nation.mood.flight
    return max(p.dealer * nation.annual / 4.0 * min(max(lure, 0.1), 4.0), 1.0)


def set_rates(state: State, p: Parameters) -> list[Event]:
    """Each currency falls with what came to the dealer this quarter beyond what he wants, and slowly with
    what he holds too much; pegs are defended."""
    nations = state.nations
    if len(nations) < 2:
        return []
    real = sum(nation.rate - nation.mood.inflation for nation in nations.values()) / len(nations)
    goals = {name: wanted(nation, real, p) for name, nation in nations.items()}
    told = []
    for name, nation in nations.items():
        if nation.peg:
            told += _defend(name, nation, nations[nation.peg], _excesses(nations, goals), goals[name])
    _swap(nations, _excesses(nations, goals))
    excess = _excesses(nations, goals)
    mean = sum(excess.values()) / len(excess)
    for name, nation in nations.items():
        surplus = excess[name] - mean
        came, nation.surplus = surplus - nation.surplus, surplus
        move = p.exchange_speed * came + PATIENCE * p.exchange_speed * surplus
        nation.exchange *= math.exp(-min(max(move, -0.5), 0.5))
    level = math.exp(sum(math.log(nation.exchange) for nation in nations.values()) / len(nations))
    for nation in nations.values():
        nation.exchange /= level  # only ratios mean anything
    for nation in nations.values():
        if nation.peg:
            nation.exchange = nation.peg_rate * nations[nation.peg].exchange
    return told


def _swap(nations: Mapping[str, Nation], excess: Mapping[str, float]) -> None:
    """Banks keep the dealer in funds: when he holds too little of all currencies, each lends him the same
    part of what he has, and is paid back when it is too much. Rates do not move by it."""
    level = sum(excess.values()) / len(excess)
    part = math.exp(min(max(-REFILL * level, -0.2), 0.2)) - 1.0
    for nation in nations.values():
        held = nation.books.abroad.get(DEALER, 0)
        ledger.swap(nation, max(int(part * held), -nation.books.swaps), DEALER)


def _excesses(nations: Mapping[str, Nation], goals: Mapping[str, float]) -> dict[str, float]:
    return {
        name: math.log(max(nation.books.abroad.get(DEALER, 0), 1) / goals[name])
        for name, nation in nations.items()
    }


def _defend(
    name: str, nation: Nation, anchor: Nation, excess: Mapping[str, float], goal: float
) -> list[Event]:
    """Buy or sell the own currency until the dealer holds as much too much of it as of the anchor's. A peg
    whose reserves are gone is given up."""
    level = excess[nation.peg]
    held = nation.books.abroad.get(DEALER, 0)
    surplus = held - int(goal * math.exp(level))
    if surplus < 0:
        _sell_own(name, nation, anchor, -surplus)
        return []
    reserves = anchor.books.abroad.get(name, 0)
    ready = int(reserves * min(max(nation.defend, 0.0), 1.0))
    price = nation.exchange / anchor.exchange
    cost = min(int(surplus * price), ready)
    bought = min(int(cost / price), held)
    ledger.pay(nation, ledger.EXCHANGE, ledger.ABROAD, ledger.CENTRAL, bought, who=DEALER)
    _move(anchor, name, DEALER, cost)
    short = surplus - bought
    if short * price <= 0.02 * max(surplus * price, 1.0) or short < 0.005 * held:
        return []
    left = (reserves - cost) / max(anchor.annual / 4.0, 1.0)
    if ready < reserves and left > EMPTY and short < 0.25 * held:
        return []  # it spent what it may this quarter, and has more for the next
    peg, nation.peg = nation.peg, ""
    return [Event("peg_broken", {"to": peg, "reserves_left": (reserves - cost) / 100.0}, name)]


def _sell_own(name: str, nation: Nation, anchor: Nation, cents: int) -> None:
    """Too little of the currency is about: the central bank makes some, and takes the anchor's for it."""
    price = nation.exchange / anchor.exchange
    takes = min(int(cents * price), int(DEPTH * anchor.books.abroad.get(DEALER, 0)))
    _move(anchor, DEALER, name, takes)
    ledger.pay(nation, ledger.EXCHANGE, ledger.CENTRAL, ledger.ABROAD, int(takes / price), who=DEALER)


def _move(nation: Nation, giver: str, taker: str, cents: int) -> None:
    """Deposits at the nation's bank change hands abroad."""
    abroad = nation.books.abroad
    abroad[giver] = abroad.get(giver, 0) - cents
    abroad[taker] = abroad.get(taker, 0) + cents


# --- traders ------------------------------------------------------------------------------------------


def holdings(state: State, who: str, folio: Folio) -> dict[str, Portions]:
    """Cash, bonds and goods by nation, in the dealer's reckoning."""
    found = {}
    for name, nation in state.nations.items():
        cash, bonds = nation.books.abroad.get(who, 0), nation.books.bonds_abroad.get(who, 0)
        goods = folio.goods.get(name, 0.0) * market.index(nation, state.terms) * (1.0 - SPREAD)
        found[name] = (cash * nation.exchange, bonds * nation.exchange, goods * nation.exchange)
    return found


def fortune(state: State, who: str, folio: Folio) -> float:
    return sum(sum(part) for part in holdings(state, who, folio).values())


def rebalance(
    state: State, who: str, folio: Folio, wish: Mapping[str, Mapping[str, float]], p: Parameters
) -> None:
    """Move a portfolio towards the shares its trader wishes: sell first, change money, then buy."""
    for name in folio.goods:
        folio.goods[name] *= 1.0 - STORAGE
    if not wish:
        return
    have = holdings(state, who, folio)
    whole = sum(sum(part) for part in have.values())
    goal = {name: _portions(whole, wish, name) for name in state.nations}
    for name, nation in state.nations.items():
        _sell(nation, name, who, folio, have[name], goal[name], p)
    _change(state, who, holdings(state, who, folio), goal)
    have = holdings(state, who, folio)
    for name, nation in state.nations.items():
        _buy(nation, name, who, folio, have[name], goal[name], p)


def _portions(whole: float, wish: Mapping[str, Mapping[str, float]], name: str) -> Portions:
    cash, bonds, goods = (whole * wish[kind].get(name, 0.0) for kind in ("cash", "bonds", "goods"))
    return cash, bonds, goods


def _sell(
    nation: Nation, name: str, who: str, folio: Folio, have: Portions, goal: Portions, p: Parameters
) -> None:
    bonds = min(int((have[1] - goal[1]) / nation.exchange), nation.books.bonds_abroad.get(who, 0))
    if bonds > 0:
        ledger.trade_bonds(nation, -bonds, who)
    price = market.index(nation, p) * (1.0 - SPREAD)
    goods = min((have[2] - goal[2]) / nation.exchange / price, folio.goods.get(name, 0.0))
    if goods > 0.0:
        firms = nation.firms
        can = (0.1 * firms.cash).astype(int)
        cents = min(int(goods * price), int(can.sum()))
        give = ledger.allocate(cents, can.astype(float))
        ledger.pay(nation, ledger.TRADE, ledger.FIRMS, ledger.ABROAD, give, cents, who)
        firms.stock = firms.stock + give / price
        folio.goods[name] = max(folio.goods[name] - cents / price, 0.0)


def _change(state: State, who: str, have: Mapping[str, Portions], goal: Mapping[str, Portions]) -> None:
    """Give currencies he has too much of to the dealer, and take those he lacks, as deep as the dealer
    goes."""
    nations = state.nations
    gap = {}
    for name in nations:
        cash, bonds, goods = have[name]
        needs = goal[name][0] + max(goal[name][1] - bonds, 0.0) + max(goal[name][2] - goods, 0.0)
        gap[name] = cash - needs
    spare = {name: max(gap[name], 0.0) for name in nations}
    takes = {
        name: min(max(-gap[name], 0.0), DEPTH * nation.books.abroad.get(DEALER, 0) * nation.exchange)
        for name, nation in nations.items()
    }
    given = min(sum(spare.values()), sum(takes.values()))
    if given <= 0.0:
        return
    purse, share = 0.0, given / sum(spare.values())
    for name, nation in nations.items():
        cents = min(int(spare[name] * share / nation.exchange), nation.books.abroad.get(who, 0))
        _move(nation, who, DEALER, cents)
        purse += cents * nation.exchange * (1.0 - FEE)
    share = purse / sum(takes.values())
    for name, nation in nations.items():
        cents = min(int(takes[name] * share / nation.exchange), nation.books.abroad.get(DEALER, 0))
        _move(nation, DEALER, who, cents)


def _buy(
    nation: Nation, name: str, who: str, folio: Folio, have: Portions, goal: Portions, p: Parameters
) -> None:
    cash = nation.books.abroad.get(who, 0)
    bonds = min(int((goal[1] - have[1]) / nation.exchange), cash, nation.books.bonds_bank)
    if bonds > 0:
        ledger.trade_bonds(nation, bonds, who)
        cash -= bonds
    firms = nation.firms
    price = market.index(nation, p)
    cents = min(int((goal[2] - have[2]) / nation.exchange), cash, int(0.05 * (firms.stock * price).sum()))
    if cents > 0:
        take = ledger.allocate(cents, firms.stock)
        ledger.pay(nation, ledger.TRADE, ledger.ABROAD, ledger.FIRMS, cents, take, who)
        firms.stock = np.maximum(firms.stock - take / price, 0.0)
        folio.goods[name] = folio.goods.get(name, 0.0) + cents / price
