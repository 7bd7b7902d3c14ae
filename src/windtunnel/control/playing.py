"""One run in a worker's hands: from its ticket to how it left.

Time limits and wishes to cancel are kept here as long as the event loop comes round; where it does not, the
manager kills the worker and judges by the journal.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from contextlib import suppress
from typing import Any

import msgspec

from windtunnel.config import Workspace
from windtunnel.control.carrying import error_to_plain
from windtunnel.control.catalog import open_store
from windtunnel.control.limits import LIMITS, TimeIsUp, effective, played_since, told_limits
from windtunnel.control.queue import Left, Standing
from windtunnel.control.verdicts import SENDER, cancel_wish, is_void, opened_store, refused, untaken
from windtunnel.errors import LeaseHeld, LeaseLost, RunError, StorageError, UsageError, WindtunnelError
from windtunnel.journal import RunRow, Status, Store
from windtunnel.models.hub import Hub
from windtunnel.run.calls import BUDGET
from windtunnel.run.effects import Halted
from windtunnel.run.player import QUEUE, Player
from windtunnel.run.session import fail_run, move_run, play_run
from windtunnel.world import World

SLICE_SECONDS = 0.02  # how long a run computes before the others get their turn
TRIES = 6  # of runs whose store cannot be written
HELD_TRIES = 10  # of runs that another process holds


class Playing:
    def __init__(self, workspace: Workspace, world: World, standing: Standing) -> None:
        self._workspace, self._world, self.standing = workspace, world, standing
        self.run_id = standing.ticket.run_id
        settings = workspace.settings.runs
        self.limits = effective(standing.ticket.limits, settings)
        self._grace = settings.grace_seconds  # for a turn: then it is cut short
        self.task: asyncio.Task[None] | None = None
        self.turn = 0
        self._player: Player | None = None
        self._began = self._slice = time.monotonic()
        self._store: Store | None = None
        self._used = 0.0  # of its seconds, before this worker
        self._cut: str | None = None  # why the turn under way was cut short
        self._canceller = ""
        self._cancel_seen: float | None = None
        self._handing_back = False

    # --- how it stands ---

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def total(self) -> float:
        """Of its seconds, with those that were played before."""
        return self._used + self.seconds

    @property
    def over(self) -> float:
        """Seconds past its limit."""
        limit = self.limits.seconds
        return max(0.0, self.total - limit) if limit is not None else 0.0

    @property
    def cancel_age(self) -> float:
        return time.monotonic() - self._cancel_seen if self._cancel_seen is not None else 0.0

    # --- playing ---

    async def play(self, hub: Hub) -> Left:
        ticket = self.standing.ticket
        store = self._store = open_store(ticket.location, self._workspace)
        try:
            row = store.run(self.run_id)
            self.turn = row.turn
            if is_void(self.standing, row):
                return Left(self.standing, str(row.status))
            said = self._terms(store)
            budget, seen = ticket.budget, ticket.seen
            while True:
                known = untaken(store, self.run_id)
                row = await self._played(
                    store, observer=self._take_up, stop_after=ticket.stop_after, hub=hub, budget=budget,
                    between=self._between, said=said, seen=seen,
                )  # fmt: skip
                said, budget, seen = [], None, None
                # What was posted while the run was about to park: nobody else will wake it.
                if row.status is not Status.WAITING or untaken(store, self.run_id) <= known:
                    break
            if row.status is Status.QUEUED:
                return self._elsewhere()
            return Left(self.standing, str(row.status))
        finally:
            self._store = None
            store.close()

    async def _played(self, store: Store, **terms: Any) -> RunRow:
        return await play_run(store, self._world, self.run_id, **terms)

    def _terms(self, store: Store) -> list[tuple[str, dict[str, Any]]]:
        """What holds for the run: limits that its ticket says anew are written down, others are
        remembered."""
        told, seq = told_limits(store, self.run_id)
        asked = self.standing.ticket.limits
        if asked is not None and (asked != told or self._paused_by_it(store, seq)):
            spend = [(BUDGET, {"money": asked.spend})] if asked.spend is not None else []
            return [(LIMITS, msgspec.to_builtins(asked)), *spend]
        if told is not None and asked is None:
            keep = {"memory_mb": self.limits.memory_mb, "isolate": self.limits.isolate}
            self.limits = msgspec.structs.replace(told, seconds=told.seconds or self.limits.seconds, **keep)
        self._used = self.standing.played
        if self.limits.seconds is not None:
            self._used += played_since(store, self.run_id, seq)
        return []

    def _paused_by_it(self, store: Store, seq: int) -> bool:
        """The same limit said again, after the run had come to it, is as much time again."""
        limit = self.limits.seconds
        return (
            limit is not None and self.standing.tries == 0 and played_since(store, self.run_id, seq) >= limit
        )

    def _take_up(self, player: Player) -> None:
        if self._player is None:
            self._player = player
            if self._handing_back:
                self.hand_back()
        self.turn = player.tape.turn

    async def _between(self, player: Player) -> None:
        """After each turn."""
        self.turn = player.tape.turn
        if self.over and player.tape.live:  # what is only computed again comes to where it was
            raise Halted(self._time_is_up())
        if time.monotonic() - self._slice >= SLICE_SECONDS:
            await asyncio.sleep(0)
            self._slice = time.monotonic()

    def _time_is_up(self) -> TimeIsUp:
        limit = self.limits.seconds
        return TimeIsUp(
            f"it was played for {self.total:.1f} seconds; its limit is {limit:g}",
            where=self.run_id,
            remedy=f"windtunnel resume {self.run_id} goes on, without a limit; or raise limits.seconds",
            seconds=limit,
        )

    # --- steering ---

    def hand_back(self) -> None:
        """Let another worker go on, from the end of this turn."""
        self._handing_back = True
        if self._player is not None and self._player.stop is None:
            self._player.stop = QUEUE

    def watch(self) -> None:
        """Asked now and then by the event loop."""
        if self._cancel_seen is None and self._store is not None:
            self._saw(cancel_wish(self._store, self.run_id))
        if self.cancel_age > self._grace:
            self.cut("cancel")
        elif self.over > self._grace:
            self.cut("time")
        elif self.over > 1.0 and self._player is not None and self._player.stop is None:
            error = self._time_is_up()
            self._player.stop, self._player.end_reason = "pause", str(error)
            self._player.tape.operate("halted", **error.as_dict())

    def look_for_cancel(self) -> None:
        """Whether somebody wishes to cancel the run, asked by the thread that beats: it reads for itself."""
        if self._cancel_seen is not None:
            return
        with suppress(WindtunnelError), opened_store(self._workspace, self.standing, read_only=True) as store:
            self._saw(cancel_wish(store, self.run_id))

    def _saw(self, canceller: str | None) -> None:
        if canceller is not None:
            self._cancel_seen, self._canceller = time.monotonic(), canceller

    def cut(self, why: str) -> None:
        """End the turn that is under way, which may wait for something that never comes."""
        if self._cut is None and self.task is not None:
            self._cut = why
            self.task.cancel()

    # --- when it went wrong ---

    def broken(self, error: BaseException) -> Left:
        """How it left, when playing raised."""
        try:
            return self._judged(error)
        except WindtunnelError as worse:  # the journal cannot be asked, or written: another shall try
            if self.standing.tries < TRIES:
                return self._elsewhere(after=float(2**self.standing.tries))
            return Left(self.standing, "", error_to_plain(worse))

    def _judged(self, error: BaseException) -> Left:
        if isinstance(error, asyncio.CancelledError):
            return self._was_cut()
        if isinstance(error, LeaseHeld):
            if self.standing.tries < HELD_TRIES:
                return self._elsewhere(after=0.5)
            return Left(self.standing, self._status(), error_to_plain(error))
        if isinstance(error, LeaseLost):
            return Left(self.standing, self._status(), error_to_plain(error))
        if isinstance(error, StorageError) and self.standing.tries < TRIES:
            return self._elsewhere(after=float(2**self.standing.tries))
        if isinstance(error, UsageError):
            return refused(self._workspace, self.standing, error)
        if isinstance(error, WindtunnelError):
            return Left(self.standing, self._status(), error_to_plain(error))
        traceback.print_exception(error)
        said = RunError(
            f"{type(error).__name__}: {error}",
            where=f"{self._world.name}, turn {self.turn + 1}",
            remedy="mend the world or the agent, then resume the run",
        )
        return self._failed(said)

    def _was_cut(self) -> Left:
        if self._cut == "cancel":
            with opened_store(self._workspace, self.standing) as store:
                row = move_run(store, self.run_id, Status.CANCELLED, self._canceller)
            return Left(self.standing, str(row.status))
        if self._cut == "time":
            return self._failed(self._time_is_up())
        return self._elsewhere()

    def _failed(self, error: WindtunnelError) -> Left:
        with opened_store(self._workspace, self.standing) as store:
            row = store.run(self.run_id)
            if not row.status.ended:
                row = fail_run(store, self.run_id, error, SENDER)
        return Left(self.standing, str(row.status), error_to_plain(error))

    def _elsewhere(self, after: float = 0.0) -> Left:
        was = self.standing
        return Left(
            was,
            "queued",
            elsewhere=True,
            after=after,
            alone=was.alone,
            deaths=was.deaths,
            death_turn=was.death_turn,
        )

    def _status(self) -> str:
        with opened_store(self._workspace, self.standing) as store:
            return str(store.run(self.run_id).status)
