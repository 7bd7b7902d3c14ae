"""The economy's own page: nations side by side, their course, who sells to whom, the transaction matrix."""

from __future__ import annotations

from windtunnel.panels import (
    Ask,
    At,
    Column,
    Curves,
    Feed,
    Figures,
    Flows,
    Journal,
    Matrix,
    Panel,
    Scores,
    Table,
)
from windtunnel.world import WORLD

NATION = "government"  # the role whose agents are the nations
FIGURES = (
    "gdp", "inflation", "unemployment", "wealth", "welfare", "debt", "deficit", "trade_balance", "exchange",
)  # fmt: skip


def _share(path: str, label: str) -> Column:
    return Column(path, label, "%", 100.0)


PANELS: tuple[Panel, ...] = (
    Figures(
        id="world",
        title="The world",
        help="All nations together, and what the turn before had.",
        source=Scores(("gdp", "inflation", "unemployment", "trade"), (WORLD,)),
        columns=(
            Column("gdp", "GDP", "money"),
            _share("inflation", "Inflation"),
            _share("unemployment", "Unemployment"),
            Column("trade", "Trade", "goods"),
        ),
    ),
    Curves(
        id="output",
        title="Output",
        help="Each nation's GDP, at the prices before the first turn.",
        width=4,
        source=Scores(("gdp",), role=NATION),
        unit="money",
    ),
    Curves(
        id="inflation",
        title="Inflation",
        help="In a quarter.",
        width=4,
        source=Scores(("inflation",), role=NATION),
        unit="%",
        scale=100.0,
    ),
    Curves(
        id="unemployment",
        title="Unemployment",
        help="Of those who could work.",
        width=4,
        source=Scores(("unemployment",), role=NATION),
        unit="%",
        scale=100.0,
    ),
    Table(
        id="nations",
        title="Nations",
        help="After this turn. Wealth is what a nation would be worth if it stopped now.",
        source=Scores(FIGURES, role=NATION),
        rows=("nation",),
        columns=(
            Column("gdp", "GDP", "money"),
            _share("inflation", "Inflation"),
            _share("unemployment", "Unemployment"),
            Column("wealth", "Wealth", "money"),
            Column("welfare", "Welfare"),
            _share("debt", "Debt over a year's output"),
            _share("deficit", "Deficit over output"),
            _share("trade_balance", "Trade balance over output"),
            Column("exchange", "Currency"),
        ),
    ),
    Table(
        id="course",
        title="Policies",
        help="The course that each state has announced, and its central bank's rate.",
        width=6,
        source=At("nations.*"),
        rows=("nation",),
        columns=(
            _share("spending", "Spending of potential output"),
            _share("tax", "Tax on income"),
            _share("rate", "Policy rate, a quarter"),
            _share("bond_yield", "Bond yield, a quarter"),
            Column("peg", "Currency held to"),
            Column("shut", "Quarters without credit"),
        ),
    ),
    Matrix(
        id="tariffs",
        title="Tariffs",
        help="What the nation of a row takes on goods from the nation of a column.",
        width=6,
        source=At("nations.*.tariffs.*"),
        unit="%",
        scale=100.0,
    ),
    Flows(
        id="trade",
        title="Trade",
        help="What each nation sold to each other in this turn, in the seller's own money.",
        source=At("nations.*.sold.*"),
        unit="money",
        scale=0.01,
    ),
    Matrix(
        id="matrix",
        title="Transactions",
        help="Who paid whom in this turn: every row and every column sums to zero.",
        each=NATION,
        source=Ask("matrix", path="*.*"),
        unit="money",
    ),
    Feed(
        id="decisions",
        title="Decisions",
        help="What was decided, and what was changed, refused or held.",
        source=Journal(("decisions", "verdicts")),
        columns=(Column("what", ""),),
        limit=60,
    ),
)
