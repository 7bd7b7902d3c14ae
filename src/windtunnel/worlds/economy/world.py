"""What the entry point names: the world `economy`, put together from its parts."""

from __future__ import annotations

from pathlib import Path

from windtunnel.world import World
from windtunnel.worlds.economy import minds, queries
from windtunnel.worlds.economy.page import PANELS
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.reports import calibration
from windtunnel.worlds.economy.roles import ROLES
from windtunnel.worlds.economy.secrets import redraw_hidden
from windtunnel.worlds.economy.stakes import stakes
from windtunnel.worlds.economy.state import State

world = World(
    name="economy",
    version="0.2.0",
    description="Nations of people, firms, banks and states that work, trade and owe, counted to the cent.",
    engine=minds.engine,
    state=State,
    roles=ROLES,
    validator=minds.validator,
    stakes=stakes,
    parameters=Parameters,
    queries={
        "history": queries.history,
        "matrix": queries.matrix,
        "forecast": queries.forecast,
        "partners": queries.partners,
    },
    invariants=minds.INVARIANTS,
    reports=(calibration,),
    panels=PANELS,
    headline=("gdp", "inflation", "unemployment"),
    redraw_hidden=redraw_hidden,
    scenarios=str(Path(__file__).with_name("scenarios")),
)
