"""The economy world: nations that tax, spend and trade, with money conserved to the cent."""

from windtunnel.worlds.economy.world import world

__all__ = ["world"]
