"""What the entry point names: the world `economy`, put together from its parts."""

from __future__ import annotations

from pathlib import Path

from windtunnel.world import World
from windtunnel.worlds.economy import ledger, queries
from windtunnel.worlds.economy.engine import Economy
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.reports import calibration
from windtunnel.worlds.economy.roles import ROLES
from windtunnel.worlds.economy.secrets import finite, redraw_hidden
from windtunnel.worlds.economy.state import State
from windtunnel.worlds.economy.validator import Institutions

world = World(
    name="economy",
    version="0.2.0",
    description="Nations of people, firms, banks and states that work, trade and owe, counted to the cent.",
    engine=Economy(),
    state=State,
    roles=ROLES,
    validator=Institutions(),
    parameters=Parameters,
    queries={
        "history": queries.history,
        "matrix": queries.matrix,
        "forecast": queries.forecast,
        "partners": queries.partners,
    },
    invariants={
        "rows of the transaction matrix": ledger.rows_sum_to_zero,
        "columns of the transaction matrix": ledger.columns_sum_to_zero,
        "no negative stock": ledger.stocks_are_not_negative,
        "finite figures": finite,
    },
    reports=(calibration,),
    headline=("gdp", "inflation", "unemployment"),
    redraw_hidden=redraw_hidden,
    scenarios=str(Path(__file__).with_name("scenarios")),
)
