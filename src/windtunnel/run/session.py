"""Taking a run up: the lease, the first operations, the play, and letting go of it again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from windtunnel.errors import StorageError, WindtunnelError, WrongState
from windtunnel.journal import Owner, RunRow, Status, Store
from windtunnel.journal.lease import here, lives, this_process
from windtunnel.journal.lineage import Lineage
from windtunnel.models.hub import Hub
from windtunnel.run.begin import Said, fingerprint
from windtunnel.run.calls import BUDGET
from windtunnel.run.clock import Clock
from windtunnel.run.player import Between, Observer, Player
from windtunnel.run.tape import Tape
from windtunnel.world import EffectKind, World


async def play_run(  # noqa: PLR0913 - what a play stands on, each by name
    store: Store,
    world: World,
    run_id: str,
    *,
    players: Mapping[str, Any] | None = None,
    effects: Mapping[str, EffectKind] | None = None,
    clock: Clock | None = None,
    observer: Observer | None = None,
    stop_after: int | None = None,
    hub: Hub | None = None,
    budget: float | None = None,
    between: Between | None = None,
    said: Said = (),
    seen: int | None = None,
) -> RunRow:
    """Play a run from where it is until it ends, waits or is told to stop. One process at a time.

    `hub` is where its models are asked; without one, only those of this process are. `budget`, in dollars, is
    set for the run from now on. `between` is awaited after each turn: a run whose agents ask nobody gives its
    event loop to others only there. `said` are operations to be written as it is taken up. `seen` is the
    number of its last operation when it was decided to play it: who paused or cancelled it since is heard."""
    clock = clock or Clock()
    before = store.run(run_id)
    if _stopped_since(before, seen):
        return before
    _playable(before)
    fence = store.acquire(run_id, this_process())
    try:
        tape = Tape(Lineage(store, run_id), clock, fence=fence)
        if _stopped_since(tape.lineage.row, seen):
            return tape.lineage.row
        _playable(tape.lineage.row)
        player = Player(
            world,
            tape,
            players=players,
            effects=effects,
            clock=clock,
            observer=observer,
            stop_after=stop_after,
            hub=hub,
        )
        player.between = between
        for kind, body in [*said, *([(BUDGET, {"money": budget})] if budget is not None else [])]:
            tape.operate(kind, **body)
        _take_up(tape, fence)
        if observer:
            observer(player)
        try:
            await player.play()
        finally:
            player.part()
    finally:
        _let_go(store, run_id, fence)
    return store.run(run_id)


def _stopped_since(row: RunRow, seen: int | None) -> bool:
    return seen is not None and row.op_seq > seen and row.status in (Status.PAUSED, Status.CANCELLED)


def _playable(row: RunRow) -> None:
    if row.pruned is not None:
        raise WrongState(f"run {row.run_id} was pruned; only its head is left")
    if not row.status.playable:
        raise WrongState(
            f"run {row.run_id} is {row.status}",
            remedy=f"windtunnel fork {row.run_id} --at {row.turn} goes on from any of its turns",
        )


def _take_up(tape: Tape, fence: int) -> None:
    again = tape.status is not Status.QUEUED or tape.store.last_operation(tape.run_id, "started") is not None
    kind = "resumed" if again else "started"
    if tape.status is Status.RUNNING:  # whoever played it before is gone
        tape.operate("crashed", turn=tape.lineage.row.turn)
        tape.move(Status.CRASHED)
    owner = this_process()
    tape.operate(kind, fence=fence, pid=owner.pid, host=owner.host, platform=fingerprint())
    tape.move(Status.RUNNING)
    tape.flush()


def _let_go(store: Store, run_id: str, fence: int) -> None:
    try:
        store.release(run_id, fence)
    except StorageError:
        if sys.exc_info()[0] is None:  # an error already on its way says more than this one
            raise


def take_over(store: Store, run_id: str, sender: str, clock: Clock | None = None) -> Owner | None:
    """Take a run away from a process on another machine, of which nobody here can know whether it lives.

    None if nobody holds it. From now on nothing that process writes is accepted: its fencing number is old.
    What it had asked of the outside and not recorded is in doubt, as after a crash."""
    lease = store.lease(run_id)
    holder = lease.owner if lease else None
    if holder is None or not lives(holder):
        return None
    if here(holder):
        raise WrongState(
            f"run {run_id} is being played by process {holder.pid} of this machine, which lives",
            where="--force",
            remedy=f"windtunnel pause {run_id}; --force is for machines that are gone",
        )
    fence = store.acquire(run_id, this_process(), force=True)
    try:
        tape = Tape(Lineage(store, run_id), clock or Clock(), fence=fence)
        tape.operate("taken_over", sender=sender, pid=holder.pid, host=holder.host)
        if tape.status is Status.RUNNING:
            tape.operate("crashed", turn=tape.lineage.row.turn)
            tape.move(Status.CRASHED)
        tape.flush()
    finally:
        _let_go(store, run_id, fence)
    return holder


def fail_run(
    store: Store, run_id: str, error: WindtunnelError, sender: str, clock: Clock | None = None, **known: Any
) -> RunRow:
    """Declare a run failed that nobody plays: whoever played it did not live to say so. `known`: what there
    is to say of its end. It can be resumed once the cause is mended, like any that failed."""
    fence = store.acquire(run_id, this_process())
    try:
        tape = Tape(Lineage(store, run_id), clock or Clock(), fence=fence)
        tape.status.move(Status.FAILED)
        if tape.status is Status.RUNNING:
            tape.operate("crashed", turn=tape.lineage.row.turn)
            tape.move(Status.CRASHED)
        tape.operate("failed", **error.as_dict(), sender=sender, **known)
        tape.move(Status.FAILED, str(error))
        tape.flush()
    finally:
        _let_go(store, run_id, fence)
    return store.run(run_id)


def move_run(store: Store, run_id: str, to: Status, sender: str, clock: Clock | None = None) -> RunRow:
    """Give a run that nobody plays another status: a pause or a cancel from outside."""
    fence = store.acquire(run_id, this_process())
    try:
        tape = Tape(Lineage(store, run_id), clock or Clock(), fence=fence)
        if tape.status is Status.RUNNING:
            tape.operate("crashed", turn=tape.lineage.row.turn)
            tape.move(Status.CRASHED)
        tape.operate(str(to), sender=sender)
        tape.move(to, f"{to} by {sender}")
        tape.flush()
    finally:
        _let_go(store, run_id, fence)
    return store.run(run_id)
