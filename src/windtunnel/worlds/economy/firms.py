"""Firms: what they make, ask for it, pay for work, invest, owe and leave to their owners.

Each firm decides by its own figures: its orders, its stock, its staff, what it owes. What the nation does is
what they do together.
"""

from __future__ import annotations

import numpy as np

from windtunnel.world import Chance
from windtunnel.worlds.economy import bank, ledger, people
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import Cents, Nation, Reals

MOST_ORDERS = 4.0  # over what a firm could make: beyond that it does not believe them
ENOUGH = 0.85  # the use of capital that firms build for


def wanted_staff(nation: Nation, p: Parameters) -> Reals:
    """Skill needed for the orders a firm reckons with, and for bringing its stock to where it wants it."""
    firms = nation.firms
    output = firms.orders + 0.5 * (p.stock_target * firms.orders - firms.stock)
    output = np.clip(output, 0.0, firms.capital / p.capital_output)
    return output / yields(nation)


def yields(nation: Nation) -> float:
    """Goods that one unit of skill makes in a quarter."""
    return nation.productivity * (1.0 + nation.mood.supply)


def set_wages(nation: Nation, hired: people.Hired, p: Parameters) -> None:
    """Wages follow what is expected of prices and productivity. Who found nobody offers more; who sees many
    idle hands holds back."""
    open_share = 1.0 - hired.filled / np.maximum(hired.vacancies, 1.0)
    short = np.where(hired.vacancies > 0, open_share, 0.0)
    rise = nation.mood.inflation + p.growth + p.wage_raise * short - p.wage_slack * 10.0 * hired.queue
    nation.firms.wage *= 1.0 + np.maximum(rise, -p.wage_cut)


def make(nation: Nation, p: Parameters, chance: Chance) -> None:
    """Staff are paid, from cash and credit, and make goods. Whom that cannot pay is let go."""
    firms, crew = nation.firms, nation.people
    working = np.flatnonzero(crew.job >= 0)
    places = crew.job[working]
    pay = np.zeros(crew.job.size, np.int64)
    pay[working] = (firms.wage[places] * crew.skill[working]).astype(np.int64)
    bill = _by_firm(places, pay[working], firms.cash.size)
    bank.lend_up_to(nation, np.maximum(bill - firms.cash, 0), p)
    short = bill > firms.cash
    kept = np.where(short, firms.cash / np.maximum(bill, 1), 1.0)
    if short.any():
        pay[working] = np.where(short[places], (pay[working] * kept[places]).astype(np.int64), pay[working])
        bill = _by_firm(places, pay[working], firms.cash.size)
    output = np.minimum(people.staff(nation) * yields(nation), firms.capital / p.capital_output)
    if short.any():
        output *= kept
        go = chance.randoms(working.size) > kept[places]
        crew.job[working[go]] = -1
    people.pay_wages(nation, bill, pay)
    firms.stock += output


def _by_firm(places: np.ndarray, cents: Cents, count: int) -> Cents:
    return np.bincount(places, cents, minlength=count).astype(np.int64)


def set_prices(nation: Nation, p: Parameters) -> None:
    """Towards unit labour cost and a markup, which is larger where more is asked for than lies in stock. What
    prices do elsewhere is expected, and followed."""
    firms = nation.firms
    pressure = firms.orders * (1.0 + p.stock_target) / np.maximum(firms.stock, 1e-9) - 1.0
    scarce = 1.0 + p.price_pressure * np.clip(pressure, -0.5, 2.0)
    target = firms.wage / yields(nation) * (1.0 + p.markup) * scarce
    gap = np.clip(target / firms.price - 1.0, -0.3, 0.5)
    firms.price *= 1.0 + p.price_speed * gap


def machines_wanted(nation: Nation, p: Parameters) -> Reals:
    """What wears out, and part of the gap to the capital that orders and the real cost of credit call for."""
    firms = nation.firms
    real = bank.loan_rate(nation, p) - nation.mood.inflation
    at_rest = p.neutral_rate + p.loan_spread
    keen = float(np.clip(1.0 - p.investment_response * (real - at_rest), 0.3, 1.5))
    goal = firms.orders * (1.0 + 4.0 * p.growth) * p.capital_output / ENOUGH * keen
    return np.maximum(p.depreciation * firms.capital + p.investment_speed * (goal - firms.capital), 0.0)


def plan_investment(nation: Nation, p: Parameters) -> Cents:
    """Money for machines, from cash that wages do not need and from loans."""
    firms = nation.firms
    price = nation.basket * nation.base_price
    cost = machines_wanted(nation, p) * price * max(1.0 + nation.mood.demand, 0.1)
    kept = 0.1 * _wage_bill(nation)
    lacking = np.maximum(cost + kept - firms.cash, p.loan_share * cost)
    bank.lend_up_to(nation, lacking.astype(np.int64), p)
    return np.minimum(cost, np.maximum(firms.cash - kept, 0.0)).astype(np.int64)


def _wage_bill(nation: Nation) -> Reals:
    return people.staff(nation) * nation.firms.wage


def wear(nation: Nation, bought: Reals, p: Parameters) -> None:
    """Machines arrive, old ones wear out."""
    firms = nation.firms
    firms.capital = np.maximum(firms.capital * (1.0 - p.depreciation) + bought, 1e-6)


def learn(nation: Nation, asked: Reals, p: Parameters) -> None:
    """Orders came, served or not: expectations move towards them."""
    firms = nation.firms
    asked = np.minimum(asked, MOST_ORDERS * firms.capital / p.capital_output + firms.stock)
    firms.orders = (p.order_memory * firms.orders + (1.0 - p.order_memory) * asked) * (1.0 + p.growth)
    floor = 0.02 * float(firms.orders.mean()) + 1e-6
    firms.orders = np.maximum(firms.orders, floor)


def pay_owners(nation: Nation, p: Parameters) -> None:
    """Debts first: part of the loans is paid back. Then owners get a share of the cash beyond need."""
    firms = nation.firms
    back = np.minimum((firms.loans * p.amortisation).astype(np.int64), firms.cash)
    ledger.repay(nation, back)
    own = (1.0 - p.loan_share) * nation.basket * nation.base_price
    needs = 1.1 * _wage_bill(nation) + own * machines_wanted(nation, p)
    beyond = firms.cash - needs
    dividends = np.maximum(p.payout * beyond, 0.0).astype(np.int64)
    people.receive(nation, ledger.DIVIDENDS, ledger.FIRMS, dividends)
