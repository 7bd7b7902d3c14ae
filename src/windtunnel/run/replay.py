"""Replay: the whole run again from its recorded answers, with nothing asked of anyone.

It ends in the same head, or names the first entry that differs. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from windtunnel.errors import Divergence, NotFound
from windtunnel.journal import Store
from windtunnel.journal.lineage import Lineage
from windtunnel.run.clock import Clock
from windtunnel.run.player import Observer, Player
from windtunnel.run.tape import Tape
from windtunnel.world import World


class Replayed(Struct):
    run_id: str
    identical: bool
    turns: int
    first_difference: dict[str, Any] | None = None


async def replay(
    store: Store,
    world: World,
    run_id: str,
    *,
    players: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    observer: Observer | None = None,
) -> Replayed:
    player = await replayed(store, world, run_id, players=players, clock=clock, observer=observer)
    if isinstance(player, Divergence):
        about = {"message": player.message, "where": player.where, "remedy": player.remedy, **player.data}
        return Replayed(run_id, False, player.data.get("turn", 0), about)
    row = player.tape.lineage.row
    identical = player.tape.head == (row.head_seq, row.head_hash)
    difference = None if identical else {"message": "the head differs from the run's row", "where": "run"}
    return Replayed(run_id, identical, player.tape.turn, difference)


async def replayed(
    store: Store,
    world: World,
    run_id: str,
    *,
    players: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    observer: Observer | None = None,
) -> Player | Divergence:
    clock = clock or Clock()
    tape = Tape(Lineage(store, run_id), clock, fence=None)
    player = Player(world, tape, players=players, clock=clock, observer=observer)
    try:
        await player.play()
    except Divergence as difference:
        return difference
    return player


async def peek(
    store: Store,
    world: World,
    run_id: str,
    turn: int | None = None,
    *,
    players: Mapping[str, Any] | None = None,
) -> Player:
    """The run as it stood after a turn (the last one by default): played from the checkpoint before it."""
    lineage = Lineage(store, run_id)
    last = lineage.row.turn
    wanted = last if turn is None else turn
    if not 0 <= wanted <= last:
        raise NotFound(f"run {run_id} has no turn {wanted}; its last is {last}", where="--turn")
    player = Player(world, Tape(lineage, Clock(), fence=None), players=players)
    await player.stand(upto=max(wanted - 1, 0))
    while player.tape.turn < wanted or player.fork_ahead:
        if await player.step() is not None:
            break
    return player
