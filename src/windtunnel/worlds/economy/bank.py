"""The bank of a nation: it lends money into being, pays and earns interest, bears losses, needs own funds.

It holds loans and bonds, keeps reserves at the central bank or owes it advances, and owes deposits. What it
owns beyond that is its equity, which limits what it lends; when that is gone, the state rescues it.
"""

from __future__ import annotations

import numpy as np

from windtunnel.worlds.economy import ledger, people
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import DEALER, Cents, Nation, Reals, Terms

FEAR = 0.04  # what a bank that would lend nothing any more adds to the loan rate
RECOVERED = 0.5  # what a failed firm goes on owing, over what it owns
RESCUE = 0.5  # own funds after a rescue, over those a bank should have


def equity(nation: Nation) -> int:
    return ledger.worth(nation).bank


def loan_rate(nation: Nation, p: Parameters) -> float:
    """Policy rate, spread, and what fear adds to it."""
    return nation.rate + p.loan_spread + FEAR * max(-nation.mood.credit, 0.0)


def deposit_rate(nation: Nation, p: Parameters | Terms) -> float:
    return p.deposit_share * nation.rate


def lend_up_to(nation: Nation, wished: Cents, p: Parameters) -> None:
    """Loans within each borrower's means and the bank's own funds."""
    firms = nation.firms
    value = firms.capital * firms.price + firms.stock * firms.price + firms.cash
    room = np.maximum(p.leverage * value - firms.loans, 0.0)
    ration = min(max(1.0 + nation.mood.credit, 0.0), 1.0)  # frightened banks lend less to everybody
    granted = (ration * np.minimum(wished, room)).astype(np.int64)
    total = int(granted.sum())
    if not total:
        return
    owed = int(firms.loans.sum())
    capacity = max(equity(nation) / p.bank_capital - owed, 0.0)
    if total > capacity:
        granted = (granted * (capacity / total)).astype(np.int64)
    ledger.lend(nation, granted)


def interest(nation: Nation, p: Parameters) -> None:
    """Interest on last quarter's deposits, loans, reserves and advances. What a firm cannot pay is added to
    what it owes."""
    firms, crowd, books = nation.firms, nation.people, nation.books
    rate = deposit_rate(nation, p)
    if rate > 0.0:
        to_people = (crowd.cash * rate).astype(np.int64)
        people.receive(
            nation, ledger.INTEREST, ledger.BANK, int(to_people.sum()), to_people.astype(np.float64)
        )
        to_firms = (firms.cash * rate).astype(np.int64)
        ledger.pay(nation, ledger.INTEREST, ledger.BANK, ledger.FIRMS, int(to_firms.sum()), to_firms)
        parts = []
        for who, cents in sorted(books.abroad.items()):
            own = max(cents - books.swaps, 0) if who == DEALER else cents  # on swaps he earns what he owes
            parts.append((ledger.INTEREST, ledger.ABROAD, int(own * rate), who))
        ledger.spend(nation, ledger.BANK, sum(cents for _, _, cents, _ in parts), parts)
    due = (firms.loans * loan_rate(nation, p)).astype(np.int64)
    ledger.lend(nation, np.maximum(due - firms.cash, 0))
    ledger.pay(nation, ledger.INTEREST, ledger.FIRMS, ledger.BANK, due, int(due.sum()))
    ledger.pay(nation, ledger.INTEREST, ledger.CENTRAL, ledger.BANK, int(books.reserves * nation.rate))
    ledger.pay(nation, ledger.INTEREST, ledger.BANK, ledger.CENTRAL, int(books.advances * nation.rate))


def failures(nation: Nation) -> int:
    """Firms that owe more than they own fail: the bank writes off what they will never pay, and they go on
    under new owners. Returns how many."""
    firms = nation.firms
    own: Reals = firms.cash + 0.7 * firms.price * (firms.capital + firms.stock)
    failed = firms.loans > own
    count = int(np.count_nonzero(failed))
    if count:
        lost = np.where(failed, firms.loans - (RECOVERED * own).astype(np.int64), 0)
        firms.loans -= lost
        nation.flows[ledger.WRITE_OFFS, ledger.BANK] -= int(lost.sum())
        nation.flows[ledger.WRITE_OFFS, ledger.FIRMS] += int(lost.sum())
    return count


def settle(nation: Nation, p: Parameters, room: int) -> int:
    """The bank's year-end, every quarter: owners get what is beyond the own funds it wants; one under water
    is rescued by the state, with bonds. Returns what the rescue cost."""
    owed = int(nation.firms.loans.sum())
    wanted = 1.5 * p.bank_capital * owed + 0.02 * ledger.deposits(nation)
    own = equity(nation)
    if own > wanted:
        people.receive(nation, ledger.DIVIDENDS, ledger.BANK, int(0.25 * (own - wanted)))
        return 0
    if own >= 0:
        return 0
    cost = int(RESCUE * p.bank_capital * owed) - own
    if cost > room:
        return 0  # the state has no credit left to lend its name: the bank lives on, and lends nothing
    nation.books.bonds_bank += cost  # the state gives its paper: no money moves
    nation.flows[ledger.RESCUE, ledger.GOVERNMENT] -= cost
    nation.flows[ledger.RESCUE, ledger.BANK] += cost
    return cost
