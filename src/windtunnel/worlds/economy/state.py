"""The state of the economy: people and firms as arrays, balance sheets in cents, statistics.

Money is integer cents of its nation's own currency. Prices, wages, exchange rates and volumes of goods are
floats: they are ratios and quantities, and nothing is owed in them. The state is hashed whole every turn, so
it holds what the next turn needs and a short memory of statistics, nothing else.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

Cents = NDArray[np.int64]
Reals = NDArray[np.float64]
Places = NDArray[np.int32]

HISTORY = 12  # quarters that a nation's statistics are kept
DEALER = "dealer"  # who makes the market for currencies, and holds some of each


class Books(Struct):
    """The balance sheets of one nation beside what people and firms hold themselves, in its cents.

    `reserves` and `advances` are the bank's account and debt at the central bank; `treasury` is the state's
    account there. Bonds are the state's debt, by holder. `abroad` are deposits at the nation's bank held by
    the dealer, by traders and by foreign central banks.
    """

    reserves: int = 0
    advances: int = 0
    treasury: int = 0
    swaps: int = 0  # lent by the bank to the dealer
    bonds_bank: int = 0
    bonds_central: int = 0
    abroad: dict[str, int] = field(default_factory=dict)
    bonds_abroad: dict[str, int] = field(default_factory=dict)

    @property
    def bonds(self) -> int:
        return self.bonds_bank + self.bonds_central + sum(self.bonds_abroad.values())


class Worth(Struct, array_like=True):
    """Net financial assets of the six sectors, in the order of the ledger's columns."""

    household: int
    firm: int
    bank: int
    government: int
    central: int
    abroad: int


class Record(Struct, array_like=True, frozen=True):
    """One quarter's statistics of one nation, as they were in truth."""

    turn: int
    gdp: float  # output in units of money at the prices before the first turn
    inflation: float  # of consumer prices, in this quarter
    unemployment: float
    consumption: float  # of households, at the prices before the first turn
    investment: float  # machines, and what firms laid up in stock
    rate: float  # the policy rate, a quarter
    bond_yield: float  # what the state pays, a quarter
    debt: float  # over a year's output
    deficit: float  # of the state, over this quarter's output
    trade_balance: float  # over this quarter's output
    exchange: float  # the value of the currency, 1 before the first turn
    wages: float  # a quarter's mean wage over the first


class People(Struct):
    """The households of a nation, one place each."""

    cash: Cents
    income: Cents  # disposable, of the last quarter
    skill: Reals
    job: Places  # the firm they work for, -1 for none


class Firms(Struct):
    """The firms of a nation, one place each."""

    cash: Cents
    loans: Cents
    capital: Reals  # goods
    stock: Reals  # goods made and not sold
    price: Reals  # cents for one good
    wage: Reals  # cents for one unit of skill and quarter
    orders: Reals  # goods they reckon to be asked for


class Mood(Struct):
    """What fades: shocks, and what people have come to expect."""

    demand: float = 0.0
    supply: float = 0.0
    credit: float = 0.0
    flight: float = 0.0  # how much less of the currency the world wants to hold
    felt: float = 0.0  # past inflation, as it is remembered
    inflation: float = 0.0  # expected, a quarter


class Nation(Struct):
    people: People
    firms: Firms
    books: Books
    flows: Cents  # the transaction matrix of the last turn, rows by sectors (see ledger.py)
    opening: Worth  # net financial assets before the last turn
    mood: Mood
    productivity: float
    base_price: float
    base_wage: float
    basket: float  # consumer prices over the first
    exchange: float  # value of one unit of the currency in the dealer's reckoning, 1 before the first turn
    surplus: float  # of the currency with the dealer, over what he wants, against the mean: a logarithm
    rate: float  # the central bank's
    bond_yield: float
    annual: float  # a year's nominal output, smoothed
    revenue: float  # the state's, a quarter, smoothed
    # the announced course
    spending: float
    tax: float
    tariffs: dict[str, float] = {}
    peg: str = ""  # the nation whose currency the central bank defends a rate to
    peg_rate: float = 0.0
    defend: float = 0.0  # share of its reserves the central bank is ready to lose in a quarter
    # sums that the next turn or an observer needs
    sold: dict[str, int] = {}  # to each partner, in own cents
    felt: float = 0.0  # utility, summed up since the first turn
    strain: float = 0.0  # the central bank's loss, summed up
    defaults: int = 0
    shut: int = 0  # quarters that nobody will lend to the state, after a default
    history: list[Record] = []
    first: list[Record] = []  # the same quarters as they were first published


class Terms(Struct, frozen=True):
    """What of the parameters people may know, and what counting a fortune needs."""

    inflation_target: float
    neutral_rate: float
    deposit_share: float
    variety: float


class Folio(Struct):
    """What a trader holds beside deposits and bonds, which stand in the nations' books: goods, by nation."""

    goods: dict[str, float] = field(default_factory=dict)
    paid: float = 0.0  # wealth before the first turn


class State(Struct):
    turn: int
    nations: dict[str, Nation]
    traders: dict[str, Folio]
    central: dict[str, str]  # who plays a central bank: agent to nation
    crowds: dict[str, str]  # who plays a nation's households
    terms: Terms
    trade: float = 0.0  # goods that crossed a border in the last turn, at the prices before the first
