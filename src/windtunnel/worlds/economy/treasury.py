"""The state's money: interest, purchases, borrowing, and what lenders fear.

Lenders ask what the state's revenue can carry: the debt whose interest, at the riskless rate, would take
`service_limit` of it. The nearer the debt is to that, the likelier a default, the higher the yield they want;
at that limit nobody lends any more. A state that cannot pay its interest then has defaulted.
"""

from __future__ import annotations

import math

from windtunnel.worlds.economy import firms, ledger
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import Nation

NERVES = 0.1  # how sharply fear rises around the limit, as a share of it
LOWEST_RATE = 0.005  # lenders do not believe that money stays free for long
TODAY = 0.25  # weight of today's rate in what lenders expect interest to be
FLIGHT = 0.5  # how much less of a currency the world wants to hold when its state defaults
SHUT = 12  # quarters that lenders remember a default
DEAREST = 0.02  # premium above which lenders rather do not lend at all
USUAL_STAFF = 0.95


def limit(nation: Nation, p: Parameters) -> float:
    """The debt that revenue can carry."""
    usual = p.neutral_rate + p.inflation_target
    rate = max(TODAY * nation.rate + (1.0 - TODAY) * usual, LOWEST_RATE)
    return p.service_limit * max(nation.revenue, 1.0) / rate


def fear(nation: Nation, p: Parameters) -> float:
    """How likely lenders think a default within a year."""
    strain = nation.books.bonds / limit(nation, p) - 1.0
    return 1.0 / (1.0 + math.exp(min(max(-strain / NERVES, -50.0), 50.0)))


def set_yield(nation: Nation, p: Parameters) -> None:
    """The riskless rate, and what makes up for the loss that is expected."""
    loss = fear(nation, p) * p.haircut / 4.0
    nation.bond_yield = nation.rate + min((1.0 + nation.rate) * loss / (1.0 - loss), DEAREST)


def room(nation: Nation, p: Parameters) -> int:
    """What lenders would still lend."""
    if nation.shut:
        return 0
    return max(int(limit(nation, p)) - nation.books.bonds, 0)


def raise_funds(nation: Nation, need: int, p: Parameters) -> int:
    """Sell bonds until the treasury holds `need`, as far as anybody buys. Returns what can be spent of it."""
    books = nation.books
    lacking = need - books.treasury
    if lacking > 0:
        ledger.sell_bonds(nation, min(lacking, room(nation, p)))
    return max(min(need, books.treasury), 0)


def serve_debt(nation: Nation, p: Parameters) -> bool:
    """Interest on all bonds. Whether the state defaulted on them."""
    due = int(nation.books.bonds * nation.bond_yield)
    defaulted = raise_funds(nation, due, p) < due
    if defaulted:
        _cut(nation, p)
    books = nation.books
    funds = raise_funds(nation, int(books.bonds * nation.bond_yield), p)
    rate = min(nation.bond_yield, funds / max(books.bonds, 1))
    for payee, cents in ((ledger.BANK, books.bonds_bank), (ledger.CENTRAL, books.bonds_central)):
        ledger.pay(nation, ledger.INTEREST, ledger.GOVERNMENT, payee, int(cents * rate))
    for who, cents in sorted(books.bonds_abroad.items()):
        ledger.pay(nation, ledger.INTEREST, ledger.GOVERNMENT, ledger.ABROAD, int(cents * rate), who=who)
    return defaulted


def _cut(nation: Nation, p: Parameters) -> None:
    """Every holder loses the same part of his bonds."""
    books, flows = nation.books, nation.flows
    nation.defaults += 1
    nation.shut = SHUT
    nation.mood.flight = min(nation.mood.flight + FLIGHT, 0.9)
    lost_bank, lost_central = int(books.bonds_bank * p.haircut), int(books.bonds_central * p.haircut)
    books.bonds_bank -= lost_bank
    books.bonds_central -= lost_central
    lost_abroad = 0
    for who, cents in books.bonds_abroad.items():
        lost = int(cents * p.haircut)
        books.bonds_abroad[who] = cents - lost
        lost_abroad += lost
    row = flows[ledger.WRITE_OFFS]
    row[ledger.BANK] -= lost_bank
    row[ledger.CENTRAL] -= lost_central
    row[ledger.ABROAD] -= lost_abroad
    row[ledger.GOVERNMENT] += lost_bank + lost_central + lost_abroad


def potential(nation: Nation) -> float:
    """What the nation would make in a quarter with its people at work, at today's prices."""
    price = float((nation.firms.price * nation.firms.orders).sum() / nation.firms.orders.sum())
    return float(nation.people.skill.sum()) * USUAL_STAFF * firms.yields(nation) * price


def purchases(nation: Nation, p: Parameters) -> int:
    """What the state sets aside for goods this quarter: what it announced, as far as it can pay."""
    return raise_funds(nation, int(nation.spending * potential(nation)), p)


def close(nation: Nation) -> None:
    """The central bank hands over its profit; with all that is left the state buys back its bonds."""
    nation.shut = max(nation.shut - 1, 0)
    profit = int(nation.flows[ledger.INTEREST, ledger.CENTRAL])
    if profit > 0:
        ledger.pay(nation, ledger.SEIGNIORAGE, ledger.CENTRAL, ledger.GOVERNMENT, profit)
    ledger.buy_back_bonds(nation, min(nation.books.treasury, nation.books.bonds_bank))
    revenue = int(nation.flows[[ledger.TAXES, ledger.TARIFFS, ledger.SEIGNIORAGE], ledger.GOVERNMENT].sum())
    nation.revenue += (revenue - nation.revenue) / 4.0
