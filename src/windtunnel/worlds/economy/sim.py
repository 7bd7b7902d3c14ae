"""Godley and Lavoie's model SIM (Monetary Economics, 2007, chapter 3), played on the same books.

One nation, one state that buys services with money it makes, no bank credit, no machines, no prices that
move. Its equations hold within a quarter: what is bought is earned, taxed and spent again until nothing is
left to go round. So the turn lets the money go round: here that limit is reached cent by cent, not solved
for. The parameters are `spending` and `tax` of the nation, `spend_income` and `spend_wealth`.
"""

from __future__ import annotations

import numpy as np

from windtunnel.errors import ScenarioError
from windtunnel.world import Scenario
from windtunnel.worlds.economy import ledger
from windtunnel.worlds.economy.parameters import NationStart, Parameters, terms
from windtunnel.worlds.economy.state import (
    HISTORY,
    Books,
    Firms,
    Mood,
    Nation,
    People,
    Reals,
    Record,
    State,
    Worth,
)

UNIT = 1_000_000  # cents for one unit of the model, so that a cent is a millionth of it
FULL = 100  # units that the nation could make: `spending` is a share of it
ROUNDS = 1000


def found(scenario: Scenario, p: Parameters) -> State:
    ids = [agent.id for agent in scenario.agents if agent.role == "government"]
    if len(ids) != 1 or len(scenario.agents) != 1:
        raise ScenarioError(
            "model SIM has one agent, a government", where="agents", remedy="or set parameters.model: nations"
        )
    start = p.nations.get(ids[0], NationStart())
    people, nothing = start.people, np.zeros(1, np.int64)
    crowd = People(
        np.zeros(people, np.int64), np.zeros(people, np.int64), np.ones(people), np.zeros(people, np.int32)
    )
    shop = Firms(nothing, nothing.copy(), np.zeros(1), np.zeros(1), np.ones(1), np.ones(1), np.zeros(1))
    nation = Nation(
        people=crowd, firms=shop, books=Books(),
        flows=np.zeros((len(ledger.ROWS), len(ledger.SECTORS)), np.int64),
        opening=Worth(0, 0, 0, 0, 0, 0), mood=Mood(), productivity=1.0, base_price=1.0, base_wage=1.0,
        basket=1.0, exchange=1.0, surplus=0.0, rate=0.0, bond_yield=0.0, annual=0.0, revenue=0.0,
        spending=start.spending, tax=start.tax,
    )  # fmt: skip
    return State(0, {ids[0]: nation}, {}, {}, {}, terms(p))


def turn(state: State, p: Parameters) -> State:
    state.turn += 1
    (nation,) = state.nations.values()
    ledger.open_turn(nation)
    people, books = nation.people, nation.books
    wealth = people.cash.copy()
    people.income = np.zeros_like(people.cash)
    bought = int(nation.spending * FULL * UNIT)
    books.bonds_central += bought  # the central bank makes the money the state spends
    books.treasury += bought
    consumed, output = 0, bought
    wish: Reals = p.spend_wealth * wealth.astype(np.float64)
    ledger.pay(nation, ledger.PURCHASES, ledger.GOVERNMENT, ledger.FIRMS, bought, np.array([bought]))
    for _ in range(ROUNDS):
        wish = wish + _earn(nation, p)
        spent = np.minimum(wish.astype(np.int64), people.cash)
        wish -= spent
        total = int(spent.sum())
        if not total and not int(nation.firms.cash.sum()):
            break
        ledger.pay(nation, ledger.CONSUMPTION, ledger.HOUSEHOLDS, ledger.FIRMS, spent, np.array([total]))
        consumed += total
        output += total
    back = min(books.treasury, books.bonds_central)
    books.treasury -= back
    books.bonds_central -= back
    _note(state, nation, output, consumed)
    return state


def _earn(nation: Nation, p: Parameters) -> Reals:
    """All that firms took in is paid as wages, and taxed; part of the rest will be spent."""
    people = nation.people
    total = int(nation.firms.cash.sum())
    wages = ledger.allocate(total, people.skill)
    ledger.pay(nation, ledger.WAGES, ledger.FIRMS, ledger.HOUSEHOLDS, np.array([total]), wages)
    tax = np.rint(wages * nation.tax).astype(np.int64)
    ledger.pay(nation, ledger.TAXES, ledger.HOUSEHOLDS, ledger.GOVERNMENT, tax, int(tax.sum()))
    people.income = people.income + wages - tax
    wish: Reals = p.spend_income * (wages - tax).astype(np.float64)
    return wish


def _note(state: State, nation: Nation, output: int, consumed: int) -> None:
    before = -nation.opening.government
    now = -ledger.worth(nation).government
    record = Record(
        turn=state.turn, gdp=output / UNIT, inflation=0.0, unemployment=0.0, consumption=consumed / UNIT,
        investment=0.0, rate=0.0, bond_yield=0.0, debt=now / max(4 * output, 1),
        deficit=(now - before) / max(output, 1), trade_balance=0.0, exchange=1.0, wages=1.0,
    )  # fmt: skip
    nation.annual = 4.0 * output
    nation.history = [*nation.history[1 - HISTORY :], record]
    nation.first = [*nation.first[1 - HISTORY :], record]
