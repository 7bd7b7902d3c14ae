"""The roles of the economy, and rule policies that play them. A policy sees what any agent of its role sees,
and keeps nothing: all that it knows stands in the observation."""

from windtunnel.worlds.economy.roles.central_banks import central_bank
from windtunnel.worlds.economy.roles.governments import government
from windtunnel.worlds.economy.roles.households import households
from windtunnel.worlds.economy.roles.traders import trader

ROLES = {
    "government": government,
    "central_bank": central_bank,
    "trader": trader,
    "households": households,
}
