"""Asking a world whether it takes other parameters, before anything is written.

A fork that changes parameters hands them to the engine's `revise`, in the moment it is played. A world may
refuse them there (what founds a nation cannot change any more in turn 40). The same question is asked here of
a copy of the state, so that such a fork is refused instead of left behind as a failed run. Where the state
cannot be made again here, nothing is refused: whoever plays the fork will be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windtunnel.errors import WindtunnelError
from windtunnel.journal import Store
from windtunnel.journal.lineage import Lineage
from windtunnel.run import checkpoints
from windtunnel.run.clock import Clock
from windtunnel.run.player import Player
from windtunnel.run.replay import peek
from windtunnel.run.tape import Tape
from windtunnel.run.turn import blame_engine, settled
from windtunnel.world import Engine, Scenario, World


def revises(world: World) -> bool:
    """Whether the world has a word in it when parameters change."""
    return getattr(type(world.engine), "revise", Engine.revise) is not Engine.revise


async def ask_revise(
    store: Store,
    world: World,
    run_id: str,
    turn: int,
    scenario: Scenario,
    players: Mapping[str, Any] | None = None,
) -> None:
    """Raises what `revise` would raise if the run went on after this turn with this scenario."""
    try:
        player = await peek(store, world, run_id, turn, players=players)
        changed = player.scenario.parameters != scenario.parameters
        player.become(scenario, branch=player.frame.branch)
    except WindtunnelError:
        return
    if changed:
        with blame_engine(player, "revise"):
            await settled(player.engine.revise(player.frame.state, player.scenario))


async def takes_now(store: Store, world: World, run_id: str, scenario: Scenario) -> bool:
    """Whether the world would take these parameters after the last checkpoint. Nothing is played for it."""
    player = Player(world, Tape(Lineage(store, run_id), Clock(), fence=None))
    try:
        if not await checkpoints.restore(player):
            return False
        player.become(scenario, branch=player.frame.branch)
        with blame_engine(player, "revise"):
            await settled(player.engine.revise(player.frame.state, player.scenario))
    except WindtunnelError:
        return False
    return True
