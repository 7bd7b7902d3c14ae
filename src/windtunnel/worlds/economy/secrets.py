"""The same world as somebody else could imagine it: everything an actor may not know is drawn anew."""

from __future__ import annotations

import copy

import numpy as np
from msgspec import structs

from windtunnel.world import Actor, Chance
from windtunnel.worlds.economy.state import Mood, Nation, Record, State
from windtunnel.worlds.economy.statistics import FINAL_AFTER


def redraw_hidden(state: State, actor: Actor, chance: Chance) -> State:
    """Another state that looks the same to this actor. Prices in shop windows, rates, tariffs, what crossed
    the actor's own border and what the office has published stay; private purses, plans, moods, what nobody
    has published yet and other traders' portfolios do not."""
    other = copy.deepcopy(state)
    home = actor.id if actor.id in other.nations else other.central.get(actor.id, other.crowds.get(actor.id))
    for name, nation in other.nations.items():
        _redraw_firms(nation, chance)
        _redraw_statistics(nation, chance)
        if actor.role != "households" or name != home:
            nation.people.cash = nation.people.cash[chance.permutation(nation.people.cash.size)]
            nation.people.skill = nation.people.skill[chance.permutation(nation.people.skill.size)]
            felt = chance.uniform(-0.01, 0.02)
            nation.mood = Mood(chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2), 0.0, 0.0, felt, felt)
        if actor.role != "government" or name != home:
            nation.revenue *= chance.uniform(0.5, 1.5)
            nation.spending = chance.uniform(0.1, 0.4)
            if actor.role != "trader":
                nation.bond_yield *= chance.uniform(0.5, 1.5)
            nation.tariffs = {
                to: rate if to == home else chance.random() for to, rate in nation.tariffs.items()
            }
            nation.sold = {
                to: cents if to == home and actor.role == "government" else chance.integer(0, 2 * cents + 1)
                for to, cents in nation.sold.items()
            }
    return other


def _redraw_firms(nation: Nation, chance: Chance) -> None:
    firms = nation.firms
    order = chance.permutation(firms.cash.size)
    firms.cash, firms.loans = firms.cash[order], firms.loans[order]
    firms.capital = firms.capital * (0.5 + chance.randoms(order.size))
    firms.stock = firms.stock * (0.5 + chance.randoms(order.size))
    firms.orders = firms.orders * (0.5 + chance.randoms(order.size))


def _redraw_statistics(nation: Nation, chance: Chance) -> None:
    """The newest quarter is not out yet; of the younger ones only the first release is."""
    count = len(nation.history)
    nation.history = [
        record if place < count - FINAL_AFTER else _other(record, chance, deficit=place < count - 1)
        for place, record in enumerate(nation.history)
    ]
    nation.first = [
        _other(record, chance, deficit=False) if place == count - 1 else record
        for place, record in enumerate(nation.first)
    ]


def _other(record: Record, chance: Chance, *, deficit: bool) -> Record:
    changed = structs.replace(
        record,
        gdp=record.gdp * chance.uniform(0.9, 1.1),
        inflation=chance.uniform(-0.01, 0.03),
        unemployment=chance.uniform(0.0, 0.3),
        consumption=record.consumption * chance.uniform(0.9, 1.1),
    )
    return structs.replace(changed, deficit=chance.uniform(-0.1, 0.1)) if deficit else changed


def finite(state: State) -> str | None:
    """No figure of the state is a NaN or an infinity."""
    for name, nation in state.nations.items():
        for what in ("productivity", "basket", "exchange", "rate", "bond_yield", "annual", "revenue", "felt"):
            if not np.isfinite(getattr(nation, what)):
                return f"{name}: {what} is {getattr(nation, what)}"
    return None
