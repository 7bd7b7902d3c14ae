"""Metrics by agent and for the world, and what everyone is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from windtunnel.world import WORLD, Metrics
from windtunnel.worlds.economy import exchange, ledger
from windtunnel.worlds.economy.state import Nation, Record, State


def scores(state: State) -> Mapping[str, Metrics]:
    found: dict[str, Metrics] = {}
    gdp = inflation = idle = labour = consumption = 0.0
    for name, nation in state.nations.items():
        if not nation.history:
            continue
        last = nation.history[-1]
        found[name] = _of_a_nation(state, name, nation, last)
        gdp += last.gdp
        consumption += last.consumption
        inflation += last.inflation * last.gdp
        idle += last.unemployment * nation.people.cash.size
        labour += nation.people.cash.size
    for who, name in state.central.items():
        nation = state.nations[name]
        turns = max(state.turn, 1)
        found[who] = {
            "wealth": central_wealth(state, name) / 100.0,
            "loss": nation.strain / turns,
            "rate": nation.rate,
            "reserves": _reserves(state, name) / 100.0,
        }
    for who, folio in state.traders.items():
        found[who] = {"wealth": exchange.fortune(state, who, folio) / 100.0}
    for who, name in state.crowds.items():
        crowd = state.nations[name].people
        found[who] = {
            "wealth": (crowd.cash / 100.0).astype(np.float32),
            "income": (crowd.income / 100.0).astype(np.float32),
        }
    if gdp > 0.0:
        found[WORLD] = {
            "gdp": gdp,
            "inflation": inflation / gdp,
            "unemployment": idle / labour,
            "consumption": consumption,
            "trade": state.trade,
        }
    return found


def _of_a_nation(state: State, name: str, nation: Nation, last: Record) -> Metrics:
    return {
        "wealth": wealth(state, name),
        "welfare": nation.felt / max(state.turn, 1),
        "gdp": last.gdp,
        "inflation": last.inflation,
        "unemployment": last.unemployment,
        "consumption": last.consumption,
        "investment": last.investment,
        "rate": last.rate,
        "bond_yield": last.bond_yield,
        "debt": last.debt,
        "deficit": last.deficit,
        "trade_balance": last.trade_balance,
        "exchange": last.exchange,
    }


def wealth(state: State, name: str) -> float:
    """What the nation would be worth if it stopped now, in units of money at the prices before the first
    turn: its machines and stocks, and what it owns abroad less what it owes there. What its own people owe
    each other cancels out."""
    nation = state.nations[name]
    goods = float(nation.firms.capital.sum() + nation.firms.stock.sum()) * nation.base_price
    abroad = _reserves(state, name) / nation.exchange - ledger.worth(nation).abroad
    return (goods + abroad / nation.basket) / 100.0


def central_wealth(state: State, name: str) -> float:
    """A central bank's own funds, its foreign reserves included, in cents of its currency."""
    nation = state.nations[name]
    return ledger.worth(nation).central + _reserves(state, name) / nation.exchange


def _reserves(state: State, name: str) -> float:
    """Deposits of the nation's central bank at banks abroad, in the dealer's reckoning."""
    return sum(nation.books.abroad.get(name, 0) * nation.exchange for nation in state.nations.values())
