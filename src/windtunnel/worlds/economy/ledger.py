"""Every cent that moves, moves here: each payment has a payer and a payee, and is written twice.

The books change and the flow is noted separately, so that the checks below compare two accounts of the
same turn. A nation's flows are a matrix of ROWS by SECTORS. Every row sums to zero over the nations, every
column to zero once the changes of its balance sheet are set against it. Nothing is ever overdrawn: who
lacks the money pays what there is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import astuple

from windtunnel.worlds.economy.state import Books, Nation, State

SECTORS = ("household", "firm", "government", "bank")
ROWS = (
    "wages",
    "taxes",
    "benefits",
    "consumption",
    "public purchases",
    "trade",
    "tariffs",
    "interest",
    "dividends",
)
HOUSEHOLD, FIRM, GOVERNMENT, BANK = range(4)
WAGES, TAXES, BENEFITS, CONSUMPTION, PURCHASES, TRADE, TARIFFS, INTEREST, DIVIDENDS = range(
    0, 4 * len(ROWS), 4
)
NO_FLOWS = [0] * (4 * len(ROWS))


def open_turn(nation: Nation) -> None:
    books = nation.books
    nation.opening = Books(
        books.household, books.firm, books.treasury, books.loans, books.bonds, books.clearing
    )
    nation.flows = NO_FLOWS.copy()


def household_pays_firm(nation: Nation, cents: int, row: int = CONSUMPTION) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.household)
    books.household -= cents
    books.firm += cents
    flows[row + HOUSEHOLD] -= cents
    flows[row + FIRM] += cents
    return cents


def firm_pays_household(nation: Nation, cents: int, row: int) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.firm)
    books.firm -= cents
    books.household += cents
    flows[row + FIRM] -= cents
    flows[row + HOUSEHOLD] += cents
    return cents


def household_pays_state(nation: Nation, cents: int, row: int) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.household)
    books.household -= cents
    books.treasury += cents
    flows[row + HOUSEHOLD] -= cents
    flows[row + GOVERNMENT] += cents
    return cents


def firm_pays_state(nation: Nation, cents: int, row: int) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.firm)
    books.firm -= cents
    books.treasury += cents
    flows[row + FIRM] -= cents
    flows[row + GOVERNMENT] += cents
    return cents


def state_pays_household(nation: Nation, cents: int, row: int) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.treasury)
    books.treasury -= cents
    books.household += cents
    flows[row + GOVERNMENT] -= cents
    flows[row + HOUSEHOLD] += cents
    return cents


def state_pays_firm(nation: Nation, cents: int, row: int = PURCHASES) -> int:
    books, flows = nation.books, nation.flows
    cents = min(cents, books.treasury)
    books.treasury -= cents
    books.firm += cents
    flows[row + GOVERNMENT] -= cents
    flows[row + FIRM] += cents
    return cents


def import_goods(buyer: Nation, seller: Nation, consumed: int, invested: int) -> tuple[int, int]:
    """Households and firms pay firms abroad; the two banks settle by their claims on each other."""
    books, flows, other = buyer.books, buyer.flows, seller.books
    consumed = min(consumed, books.household)
    invested = min(invested, books.firm)
    books.household -= consumed
    books.firm -= invested
    flows[TRADE + HOUSEHOLD] -= consumed
    flows[TRADE + FIRM] -= invested
    both = consumed + invested
    books.clearing -= both
    other.firm += both
    other.clearing += both
    seller.flows[TRADE + FIRM] += both
    return consumed, invested


def lend_to_firm(nation: Nation, cents: int) -> None:
    nation.books.loans += cents
    nation.books.firm += cents


def repay_loans(nation: Nation, cents: int) -> None:
    books = nation.books
    cents = min(cents, books.firm, books.loans)
    books.loans -= cents
    books.firm -= cents


def sell_bonds(nation: Nation, cents: int) -> None:
    nation.books.bonds += cents
    nation.books.treasury += cents


def buy_back_bonds(nation: Nation, cents: int) -> None:
    books = nation.books
    cents = min(cents, books.treasury, books.bonds)
    books.bonds -= cents
    books.treasury -= cents


# --- the checks ---------------------------------------------------------------------------------------


def financial_rows(nation: Nation) -> dict[str, tuple[int, int, int, int]]:
    """How the balance sheets took up the turn: an asset that grew is a use of money (minus), a liability
    that grew a source (plus). Columns as in SECTORS."""
    now, then = nation.books, nation.opening
    household, firm = now.household - then.household, now.firm - then.firm
    treasury, loans = now.treasury - then.treasury, now.loans - then.loans
    bonds, clearing = now.bonds - then.bonds, now.clearing - then.clearing
    return {
        "change of deposits": (-household, -firm, -treasury, household + firm + treasury),
        "change of loans": (0, loans, 0, -loans),
        "change of bonds": (0, 0, bonds, -bonds),
        "change of clearing": (0, 0, 0, -clearing),
    }


def transaction_matrix(nation: Nation) -> dict[str, dict[str, int]]:
    """The nation's last turn in cents, row by row. Its columns sum to zero; of its rows only `trade` and
    `change of clearing` do not, since their other ends stand in other nations' matrices."""
    matrix = {
        name: dict(zip(SECTORS, nation.flows[4 * index : 4 * index + 4], strict=True))
        for index, name in enumerate(ROWS)
    }
    for name, cells in financial_rows(nation).items():
        matrix[name] = dict(zip(SECTORS, cells, strict=True))
    return matrix


def rows_sum_to_zero(state: State) -> str | None:
    nations = list(state.nations.values())
    for index, name in enumerate(ROWS):
        start = 4 * index
        if total := sum([sum(nation.flows[start : start + 4]) for nation in nations]):
            return f"row {name!r} sums to {total} cents over all nations"
    if total := sum([nation.books.clearing for nation in nations]):
        return f"the banks' claims on each other sum to {total} cents"
    return None


def columns_sum_to_zero(state: State) -> str | None:
    for name, nation in state.nations.items():
        now, then, flows = nation.books, nation.opening, nation.flows
        columns = (
            sum(flows[0::4]) - (now.household - then.household),
            sum(flows[1::4]) - (now.firm - then.firm) + (now.loans - then.loans),
            sum(flows[2::4]) - (now.treasury - then.treasury) + (now.bonds - then.bonds),
        )
        for sector, total in zip(SECTORS, columns, strict=False):
            if total:
                return f"the column of {name}'s {sector} sums to {total} cents"
        owed = now.household + now.firm + now.treasury
        if held := now.loans + now.bonds + now.clearing - owed:
            return f"{name}'s bank holds {held} cents more than it owes"
    return None


def stocks_are_not_negative(state: State) -> str | None:
    for name, nation in state.nations.items():
        stocks: Mapping[str, float] = {
            **dict(zip(Books.__struct_fields__[:5], astuple(nation.books)[:5], strict=True)),
            "capital": nation.capital,
            "employed": nation.employed,
            "price": nation.price,
            "wage": nation.wage,
        }
        for stock, value in stocks.items():
            if not value >= 0:  # catches NaN too
                return f"{name}'s {stock} is {value}"
        if nation.employed > nation.labour:
            return f"{name} employs {nation.employed} of {nation.labour}"
    return None
