"""A run's page as its world lays it out, after a turn: computed again from the nearest checkpoint."""

from __future__ import annotations

from msgspec import Struct

from windtunnel.control.catalog import Found, opened
from windtunnel.control.verbs import Control
from windtunnel.panels.shapes import Drawn
from windtunnel.run.drawing import Drawing
from windtunnel.run.replay import peek
from windtunnel.world import World


class Page(Struct):
    run_id: str
    turn: int
    panels: list[Drawn]


async def drawn(
    control: Control,
    found: Found,
    turn: int | None = None,
    panel: str = "",
    *,
    world: World | None = None,
) -> Page:
    """All panels of its world, or the one that is named. The store stays open: a state is read out of it."""
    world = world or control.find_world(found.row.world)
    with opened(found, control.workspace, read_only=True) as store:
        player = await peek(store, world, found.row.run_id, turn)
        made = await Drawing(player, store).draw(panel)
    return Page(found.row.run_id, player.tape.turn, made)
