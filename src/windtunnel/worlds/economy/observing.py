"""What each role sees: its own accounts at once, statistics as they are published, announcements. Nobody sees
another's books, anybody's mood, or a quarter before the statistical office does."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from windtunnel.world import Actor
from windtunnel.worlds.economy import bank, exchange
from windtunnel.worlds.economy.state import Nation, Record, State
from windtunnel.worlds.economy.statistics import published

SHOWN = 6  # quarters of statistics


class Partner(Struct, frozen=True):
    """What is public about a partner, and what one's own customs count."""

    exchange: float  # its currency over ours, 1 before the first turn
    price: float  # of its goods in our money, over the first
    tariff_on_us: float
    our_tariff: float
    exports: int  # sold to it last turn, in our cents
    imports: int  # bought from it, in its cents
    rate: float


class Seen(Struct, frozen=True):
    """What a government knows when it decides. The newest statistics are of the quarter before the last."""

    turn: int
    spending: float
    tax: float
    treasury: int
    debt: int
    debt_ratio: float
    bond_yield: float
    deficit: float  # of the last quarter, over output as it is estimated
    gdp: float
    growth: float
    inflation: float
    unemployment: float
    rate: float
    trade_balance: float
    partners: dict[str, Partner]
    statistics: list[Record]


class SeenByCentralBank(Struct, frozen=True):
    nation: str
    turn: int
    rate: float
    inflation: float  # in the newest quarter published
    inflation_year: float  # over the newest four, a quarter
    unemployment: float
    growth: float
    target: float
    neutral: float
    exchange: float  # against the mean of all currencies, 1 before the first turn
    peg: str
    reserves: int  # in the anchor's cents, where there is a peg
    statistics: list[Record]


class Market(Struct, frozen=True):
    """What traders see of a nation."""

    exchange: float
    rate: float
    deposit_rate: float
    bond_yield: float
    price: float  # of its goods, over the first
    inflation: float
    debt: float
    trade_balance: float
    peg: str
    cash: float  # own holdings, over own wealth
    bonds: float
    goods: float


class SeenByTrader(Struct, frozen=True):
    turn: int
    wealth: float
    nations: dict[str, Market]


class SeenByHouseholds(Struct, frozen=True):
    """What households know: what they have and earned, whether they have work, what money costs. Arrays, one
    place for each."""

    cash: NDArray[np.int64]
    income: NDArray[np.int64]
    employed: NDArray[np.bool_]
    real_rate: float  # of the central bank, as they expect it
    unemployment: float  # in the newest quarter published


def newest(nation: Nation) -> Record | None:
    told = published(nation)
    return told[-1] if told else None


def for_government(state: State, actor: Actor) -> Seen:
    own = state.nations[actor.id]
    told = published(own)[-SHOWN:]
    last = told[-1] if told else None
    before = told[-2] if len(told) > 1 else None
    partners = {
        name: Partner(
            exchange=other.exchange / own.exchange,
            price=_price(other) * other.exchange / own.exchange,
            tariff_on_us=other.tariffs.get(actor.id, 0.0),
            our_tariff=own.tariffs.get(name, 0.0),
            exports=own.sold.get(name, 0),
            imports=other.sold.get(actor.id, 0),
            rate=other.rate,
        )
        for name, other in state.nations.items()
        if other is not own
    }
    return Seen(
        turn=state.turn,
        spending=own.spending,
        tax=own.tax,
        treasury=own.books.treasury,
        debt=own.books.bonds,
        debt_ratio=own.books.bonds / max(own.annual, 1.0),
        bond_yield=own.bond_yield,
        deficit=own.history[-1].deficit if own.history else 0.0,
        gdp=last.gdp if last else 0.0,
        growth=last.gdp / before.gdp - 1.0 if last and before and before.gdp > 0 else 0.0,
        inflation=last.inflation if last else 0.0,
        unemployment=last.unemployment if last else 0.05,
        rate=own.rate,
        trade_balance=last.trade_balance if last else 0.0,
        partners=partners,
        statistics=told,
    )


def for_central_bank(state: State, nation: str) -> SeenByCentralBank:
    own, p = state.nations[nation], state.terms
    told = published(own)[-SHOWN:]
    last = told[-1] if told else None
    year = [record.inflation for record in told[-4:]]
    return SeenByCentralBank(
        nation=nation,
        turn=state.turn,
        rate=own.rate,
        inflation=last.inflation if last else p.inflation_target,
        inflation_year=sum(year) / len(year) if year else p.inflation_target,
        unemployment=last.unemployment if last else 0.05,
        growth=told[-1].gdp / told[-2].gdp - 1.0 if len(told) > 1 and told[-2].gdp > 0 else 0.0,
        target=p.inflation_target,
        neutral=p.neutral_rate,
        exchange=own.exchange,
        peg=own.peg,
        reserves=state.nations[own.peg].books.abroad.get(nation, 0) if own.peg else 0,
        statistics=told,
    )


def for_trader(state: State, who: str) -> SeenByTrader:
    p = state.terms
    folio = state.traders[who]
    held = exchange.holdings(state, who, folio)
    whole = max(sum(sum(part) for part in held.values()), 1.0)
    nations = {}
    for name, nation in state.nations.items():
        last = newest(nation)
        cash, bonds, goods = held[name]
        nations[name] = Market(
            exchange=nation.exchange,
            rate=nation.rate,
            deposit_rate=bank.deposit_rate(nation, p),
            bond_yield=nation.bond_yield,
            price=_price(nation),
            inflation=last.inflation if last else p.inflation_target,
            debt=last.debt if last else nation.books.bonds / max(nation.annual, 1.0),
            trade_balance=last.trade_balance if last else 0.0,
            peg=nation.peg,
            cash=cash / whole,
            bonds=bonds / whole,
            goods=goods / whole,
        )
    return SeenByTrader(state.turn, whole / 100.0, nations)


def for_households(nation: Nation) -> SeenByHouseholds:
    people, last = nation.people, newest(nation)
    return SeenByHouseholds(
        cash=people.cash.copy(),
        income=people.income.copy(),
        employed=people.job >= 0,
        real_rate=nation.rate - nation.mood.inflation,
        unemployment=last.unemployment if last else 0.05,
    )


def _price(nation: Nation) -> float:
    """Shop windows are public, on the day."""
    prices = nation.firms.price
    return float(np.add.reduce(prices) / len(prices)) / nation.base_price  # `mean`, without its ceremony
