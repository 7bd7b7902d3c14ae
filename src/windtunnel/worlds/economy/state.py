"""The state of the economy, and what a government sees of it.

Money is integer cents. Prices, wages and quantities of goods are floats: they are ratios and volumes, and
nothing is owed in them. The state is hashed every turn, so it holds the last turn and a short memory only.
"""

from __future__ import annotations

from msgspec import Struct

HISTORY = 8  # turns that a nation's statistics are kept: two years


class Books(Struct):
    """The balance sheets of one nation, in cents. `clearing` is the bank's net claim on foreign banks and may
    have either sign (all of them sum to zero); everything else is never negative.

    The bank holds loans, bonds and clearing, and owes the deposits (household, firm, treasury): it has no
    capital of its own in this form of the world, so both sides are equal.
    """

    household: int
    firm: int
    treasury: int
    loans: int
    bonds: int
    clearing: int = 0


class Record(Struct, array_like=True, frozen=True):
    """One turn's published statistics of one nation."""

    turn: int
    gdp: float  # output in units of money at the prices before the first turn
    inflation: float  # of consumer prices, in this turn
    unemployment: float
    consumption: float  # of households, at consumer prices before the first turn
    debt: float  # over a year's output
    deficit: float  # of the state, over this turn's output
    trade_balance: float  # over this turn's output


class Nation(Struct):
    labour: float
    base_price: float
    books: Books
    opening: Books  # as the books stood before the last turn
    flows: list[int]  # the transaction matrix of the last turn, row by row (see ledger.py)
    # real
    capital: float
    productivity: float
    employed: float
    expected: float  # orders that firms reckon with, in goods
    # mood and luck
    confidence: float = 0.0
    supply: float = 0.0
    # prices
    price: float = 0.0
    wage: float = 0.0
    cpi: float = 1.0
    pressure: float = 0.0  # orders over normal capacity, less one
    felt_inflation: float = 0.0
    rate: float = 0.0
    # sums that the next turn needs
    annual: float = 0.0  # a year's nominal output, smoothed
    capital_income: int = 0  # what households received as owners and lenders, after tax
    # the announced course
    spending: float = 0.0
    tax: float = 0.0
    tariffs: dict[str, float] = {}
    sold: dict[str, int] = {}
    history: list[Record] = []


class State(Struct):
    turn: int
    nations: dict[str, Nation]
    trade: float = 0.0  # goods that crossed a border in the last turn, at the prices before the first


class Partner(Struct, frozen=True):
    """What is public about a partner, and what one's own customs count."""

    price: float  # of its goods, over the price before the first turn of one's own
    tariff_on_us: float
    our_tariff: float
    exports: int  # sold to it last turn, in cents
    imports: int


class Seen(Struct, frozen=True):
    """What a government knows when it decides: its own accounts, last turn's statistics, its partners'
    announcements. No other nation's books, and no household's mood."""

    turn: int
    spending: float
    tax: float
    treasury: int
    debt: int
    debt_ratio: float
    deficit: float
    gdp: float
    growth: float
    inflation: float
    unemployment: float
    rate: float
    trade_balance: float
    partners: dict[str, Partner]
