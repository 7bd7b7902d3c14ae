"""What the entry point names: the world `economy`, put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from windtunnel.world import Actor, Chance, World
from windtunnel.worlds.economy import ledger
from windtunnel.worlds.economy.agents import government
from windtunnel.worlds.economy.engine import Economy
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.state import HISTORY, Nation, Record, State
from windtunnel.worlds.economy.validator import Parliament


def history(state: State, actor: Actor, turns: int = HISTORY) -> Sequence[dict[str, float]]:
    """Your own published statistics of the last turns (at most eight), oldest first."""
    kept = state.nations[actor.id].history
    records = kept[-turns:] if turns > 0 else []
    return [
        dict(zip(Record.__struct_fields__, msgspec.structs.astuple(each), strict=True)) for each in records
    ]


def matrix(state: State, actor: Actor) -> dict[str, dict[str, int]]:
    """Your own nation's transaction matrix of the last turn: who paid whom for what, in cents."""
    return ledger.transaction_matrix(state.nations[actor.id])


def redraw_hidden(state: State, actor: Actor, chance: Chance) -> State:
    """Another state that looks the same to this actor: foreign books, foreign factories and everyone's
    mood are drawn anew. Prices, tariffs and what crossed the actor's own border stay."""
    other = msgspec.convert(msgspec.to_builtins(state), State)
    for name, nation in other.nations.items():
        nation.confidence = chance.uniform(-0.2, 0.2)
        nation.supply = chance.uniform(-0.2, 0.2)
        nation.expected *= chance.uniform(0.5, 1.5)
        nation.productivity *= chance.uniform(0.8, 1.2)
        nation.capital *= chance.uniform(0.5, 1.5)
        _redraw_books(nation, chance, foreign=name != actor.id)
        if name != actor.id:
            nation.employed = nation.labour * chance.uniform(0.5, 0.99)
            nation.wage *= chance.uniform(0.8, 1.2)
            nation.rate, nation.felt_inflation = chance.uniform(0.0, 0.03), chance.uniform(-0.01, 0.02)
            nation.annual *= chance.uniform(0.5, 1.5)
            nation.spending, nation.tax = chance.uniform(0.0, 0.6), chance.uniform(0.0, 0.6)
            nation.tariffs = {
                to: rate if to == actor.id else chance.random() for to, rate in nation.tariffs.items()
            }
            nation.sold = {
                to: cents if to == actor.id else chance.integer(0, 2 * cents + 1)
                for to, cents in nation.sold.items()
            }
            nation.history = []
    return other


def _redraw_books(nation: Nation, chance: Chance, *, foreign: bool) -> None:
    """The same bank with other customers: both its sides stay equal, and so does its claim abroad."""
    moved = chance.integer(0, nation.books.household)
    more = chance.integer(0, nation.books.bonds + 1) if foreign else 0
    for books in (nation.books, nation.opening):  # both, so that the turn between them still adds up
        books.household -= moved
        books.firm += moved
        books.bonds += more
        books.treasury += more


world = World(
    name="economy",
    version="0.1.0",
    description="Nations that tax, spend, borrow and trade, with money conserved to the cent.",
    engine=Economy(),
    state=State,
    roles={"government": government},
    validator=Parliament(),
    parameters=Parameters,
    queries={"history": history, "matrix": matrix},
    invariants={
        "rows of the transaction matrix": ledger.rows_sum_to_zero,
        "columns of the transaction matrix": ledger.columns_sum_to_zero,
        "no negative stock": ledger.stocks_are_not_negative,
    },
    headline=("gdp", "inflation", "unemployment"),
    redraw_hidden=redraw_hidden,
    scenarios=str(Path(__file__).with_name("scenarios")),
)
