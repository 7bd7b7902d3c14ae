"""Every cent that moves, moves here: each payment has a payer and a payee, and is written twice.

The holdings change, and the flow is noted in the nation's matrix of ROWS by SECTORS. The checks below hold
the two against each other: every row of the matrix sums to zero, and every column to the change of that
sector's net financial assets, which is counted from the balance sheets alone. Nothing is ever overdrawn: the
caller pays what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from windtunnel.worlds.economy.state import Cents, Nation, Reals, State, Worth

SECTORS = ("households", "firms", "bank", "government", "central bank", "abroad")
HOUSEHOLDS, FIRMS, BANK, GOVERNMENT, CENTRAL, ABROAD = range(6)
ROWS = (
    "wages", "taxes", "benefits", "consumption", "public purchases", "investment", "trade", "tariffs",
    "interest", "dividends", "seigniorage", "foreign exchange", "write-offs", "rescue",
)  # fmt: skip
(
    WAGES, TAXES, BENEFITS, CONSUMPTION, PURCHASES, INVESTMENT, TRADE, TARIFFS, INTEREST, DIVIDENDS,
    SEIGNIORAGE, EXCHANGE, WRITE_OFFS, RESCUE,
) = range(len(ROWS))  # fmt: skip
CHANGES = ("deposits", "loans", "bonds", "treasury", "reserves", "advances")
_AT_THE_CENTRAL_BANK = (GOVERNMENT, CENTRAL)

Amount: TypeAlias = "int | Cents"
Part: TypeAlias = tuple[int, int, Amount, str]  # row, payee, amount, holder (of what goes abroad)


def allocate(total: int, weights: Reals) -> Cents:
    """A sum of cents shared out by weights, to the cent: each share lies between two rounded marks on the
    way to the total, so nobody's is off by more than a cent, and together they are the sum."""
    sums = np.cumsum(weights)
    whole = float(sums[-1])
    if total <= 0 or not 0.0 < whole < np.inf:
        shares = np.zeros(weights.size, np.int64)
        shares[0] = max(total, 0)
        return shares
    marks = np.rint(sums / whole * total).astype(np.int64)
    marks[-1] = total
    marks[1:] -= marks[:-1].copy()
    return marks


def open_turn(nation: Nation) -> None:
    nation.opening = worth(nation)
    nation.flows = np.zeros((len(ROWS), len(SECTORS)), np.int64)


def pay(
    nation: Nation, row: int, payer: int, payee: int, give: Amount, take: Amount | None = None, who: str = ""
) -> int:
    """One kind of payment between two sectors. `give` and `take` may be shared out differently among people
    or firms, but are the same sum. `who` names the holder of deposits when one side is abroad."""
    return spend(nation, payer, give, [(row, payee, give if take is None else take, who)], who)


def spend(nation: Nation, payer: int, give: Amount, parts: Sequence[Part], who: str = "") -> int:
    """One purse is opened, and several are paid from it."""
    total = _sum(give)
    sums = [total if take is give else _sum(take) for _, _, take, _ in parts]
    if sum(sums) != total:
        raise ArithmeticError(f"{SECTORS[payer]} would pay {total} cents, and another sum would arrive")
    if not total:
        return 0
    _hold(nation, payer, give, -total, who)
    for (row, payee, take, holder), cents in zip(parts, sums, strict=True):
        _hold(nation, payee, take, cents, holder)
        nation.flows[row, payer] -= cents
        nation.flows[row, payee] += cents
        if (payer in _AT_THE_CENTRAL_BANK) != (payee in _AT_THE_CENTRAL_BANK):
            nation.books.reserves += cents if payer in _AT_THE_CENTRAL_BANK else -cents
    settle_reserves(nation)
    return total


def settle_reserves(nation: Nation) -> None:
    """A bank short of reserves borrows them from the central bank, and pays back when it has some again."""
    books = nation.books
    if books.reserves < 0:
        books.advances -= books.reserves
        books.reserves = 0
    elif books.advances and books.reserves:
        back = min(books.advances, books.reserves)
        books.advances -= back
        books.reserves -= back


def lend(nation: Nation, loans: Cents) -> None:
    """The bank lends money into being."""
    nation.firms.loans += loans
    nation.firms.cash += loans


def repay(nation: Nation, cents: Cents) -> None:
    nation.firms.loans -= cents
    nation.firms.cash -= cents


def sell_bonds(nation: Nation, cents: int, holder: str = "") -> None:
    """The state borrows from its bank, or from whoever abroad holds deposits there."""
    books = nation.books
    if holder:
        books.abroad[holder] -= cents
        books.bonds_abroad[holder] = books.bonds_abroad.get(holder, 0) + cents
    else:
        books.bonds_bank += cents
    books.treasury += cents
    books.reserves -= cents
    settle_reserves(nation)


def buy_back_bonds(nation: Nation, cents: int) -> None:
    books = nation.books
    books.bonds_bank -= cents
    books.treasury -= cents
    books.reserves += cents
    settle_reserves(nation)


def swap(nation: Nation, cents: int, holder: str) -> None:
    """The bank lends to the dealer, or is paid back (a negative sum)."""
    nation.books.swaps += cents
    nation.books.abroad[holder] = nation.books.abroad.get(holder, 0) + cents


def trade_bonds(nation: Nation, cents: int, holder: str) -> None:
    """A trader buys bonds from the nation's bank, or sells them to it (a negative sum)."""
    books = nation.books
    books.bonds_bank -= cents
    books.bonds_abroad[holder] = books.bonds_abroad.get(holder, 0) + cents
    books.abroad[holder] -= cents


def _hold(nation: Nation, sector: int, amount: Amount, total: int, who: str) -> None:
    """One sector's holdings change: by `amount`, shared out as it is, received (or paid, if `total` is
    negative)."""
    if sector == HOUSEHOLDS:
        nation.people.cash += amount if total > 0 else -amount
    elif sector == FIRMS:
        nation.firms.cash += amount if total > 0 else -amount
    elif sector == GOVERNMENT:
        nation.books.treasury += total
    elif sector == ABROAD:
        abroad = nation.books.abroad
        abroad[who] = abroad.get(who, 0) + total


def _sum(amount: Amount) -> int:
    return amount if isinstance(amount, int) else int(np.add.reduce(amount))


# --- counting ---------------------------------------------------------------------------------------


def deposits(nation: Nation) -> int:
    people, firms = int(nation.people.cash.sum()), int(nation.firms.cash.sum())
    return people + firms + sum(nation.books.abroad.values())


def worth(nation: Nation) -> Worth:
    """Net financial assets by sector, from the balance sheets alone."""
    books = nation.books
    loans = int(nation.firms.loans.sum())
    return Worth(
        household=int(nation.people.cash.sum()),
        firm=int(nation.firms.cash.sum()) - loans,
        bank=loans + books.swaps + books.bonds_bank + books.reserves - books.advances - deposits(nation),
        government=books.treasury - books.bonds,
        central=books.advances + books.bonds_central - books.reserves - books.treasury,
        abroad=sum(books.abroad.values()) + sum(books.bonds_abroad.values()) - books.swaps,
    )


def _worths(worth: Worth) -> list[int]:
    return [worth.household, worth.firm, worth.bank, worth.government, worth.central, worth.abroad]


def table(nation: Nation) -> dict[str, object]:
    """The transaction matrix of the last turn as people read it, in units of money: flows, then what became
    of them. Every row and every column sums to zero."""
    rows = {name: [cents / 100.0 for cents in nation.flows[i].tolist()] for i, name in enumerate(ROWS)}
    before, now = _worths(nation.opening), _worths(worth(nation))
    rows["change of assets"] = [(b - n) / 100.0 for b, n in zip(before, now, strict=True)]
    return {"columns": list(SECTORS), "rows": rows}


# --- the invariants -----------------------------------------------------------------------------------


def rows_sum_to_zero(state: State) -> str | None:
    for name, nation in state.nations.items():
        for row in np.flatnonzero(nation.flows.sum(axis=1)):
            return f"{name}: {ROWS[row]} do not sum to zero: {nation.flows[row].tolist()}"
        if total := sum(_worths(worth(nation))):
            return f"{name}: what its sectors owe and own differs by {total} cents"
    return None


def columns_sum_to_zero(state: State) -> str | None:
    for name, nation in state.nations.items():
        before, now = _worths(nation.opening), _worths(worth(nation))
        for sector, flow in enumerate(nation.flows.sum(axis=0).tolist()):
            if flow != now[sector] - before[sector]:
                changed = now[sector] - before[sector]
                return f"{name}: {SECTORS[sector]} received {flow} cents net, and own {changed} more"
    return None


def stocks_are_not_negative(state: State) -> str | None:
    for name, nation in state.nations.items():
        people, firms, books = nation.people, nation.firms, nation.books
        arrays = {
            "households' deposits": people.cash, "firms' deposits": firms.cash, "loans": firms.loans,
            "capital": firms.capital, "goods in stock": firms.stock, "prices": firms.price,
        }  # fmt: skip
        scalars = {
            "reserves": books.reserves, "swaps": books.swaps,
            "advances": books.advances, "the treasury": books.treasury,
            "bonds of the bank": books.bonds_bank, "bonds of the central bank": books.bonds_central,
            **{f"deposits of {who}": cents for who, cents in books.abroad.items()},
            **{f"bonds of {who}": cents for who, cents in books.bonds_abroad.items()},
        }  # fmt: skip
        for what, array in arrays.items():
            if not array.min() >= 0:  # a NaN is not either
                return f"{name}: {what} fell to {array.min():g}"
        for what, cents in scalars.items():
            if cents < 0:
                return f"{name}: {what} fell to {cents}"
    for who, folio in state.traders.items():
        for place, goods in folio.goods.items():
            if not goods >= 0.0:
                return f"{who}: goods from {place} fell to {goods:g}"
    return None
