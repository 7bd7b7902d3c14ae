"""`python -m windtunnel.tournaments.hand HOME`: a process that plays matches, and nothing else.

Orders come in on standard input, a line of JSON each; outcomes go out on the pipe that was standard output,
in the order in which matches end. What strategies print goes to standard error. Whoever reads the lines may
kill it at any moment: a match goes on from its journal in another hand.

Code of strategies is run here. A call that never comes back is broken off when the match's seconds are over;
a process that ends in the middle of a strategy's decision leaves the name of its seat behind.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from windtunnel.config import Workspace
from windtunnel.control.carrying import TookTooLong, error_to_plain
from windtunnel.control.catalog import open_store
from windtunnel.control.executor import hub_of
from windtunnel.control.worlds import Worlds
from windtunnel.errors import LeaseHeld, RunError, StorageError, WindtunnelError
from windtunnel.journal import Store
from windtunnel.journal.gathering import Gathering
from windtunnel.models.hub import Hub
from windtunnel.run.player import Player
from windtunnel.strategies.model import Strategy
from windtunnel.strategies.seats import load_entry
from windtunnel.tournaments.guard import Guard
from windtunnel.tournaments.model import Outcome
from windtunnel.tournaments.playing import NotNow, Order, Played, play_match
from windtunnel.world import World

AT_ONCE = 16  # matches in one hand: those that wait for models cost nothing
BEGIN_TOGETHER = 4  # between two looks at what else is to be done: one that asks nobody plays to its end
GARBAGE = 5000  # objects between two looks for those that point at each other, as what played a match does
SLICE_SECONDS = 0.05  # how long a match computes before the others get their turn
HANGS_SECONDS = float(os.environ.get("WINDTUNNEL_HANGS_SECONDS", "20"))  # of one call


class Reply(Struct, frozen=True, omit_defaults=True):
    """What a hand says: a match was begun, or it is over, or could not be played now, or never."""

    run_id: str
    began: bool = False
    outcome: Outcome | None = None
    error: dict[str, Any] | None = None
    not_now: bool = False


class Hand:
    def __init__(
        self, workspace: Workspace, say: Callable[[Reply], None], blame: Callable[[str], None]
    ) -> None:
        self._workspace, self._say, self._blame = workspace, say, blame
        self._stores: dict[str, tuple[Store, Gathering]] = {}
        self._worlds: dict[str, World] = {}
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._beginning = asyncio.Semaphore(BEGIN_TOGETHER)
        self._slice = 0.0

    async def take(self, order: Order, hub: Hub) -> None:
        async with AsyncExitStack() as place:
            await place.enter_async_context(self._limit)
            self._say(Reply(order.run_id, began=True))
            async with self._beginning:
                await asyncio.sleep(0)  # it is said before it is done: it may end this process
            limit = asyncio.timeout(order.seconds)
            try:
                async with limit:
                    outcome = await self._play(order, hub, played=place.aclose)
                self._say(Reply(order.run_id, outcome=outcome))
            except NotNow as late:
                self._say(Reply(order.run_id, error=error_to_plain(late.error), not_now=True))
            except WindtunnelError as error:
                no_fault = isinstance(error, (StorageError, LeaseHeld))  # of the match: it may go on later
                self._say(Reply(order.run_id, error=error_to_plain(error), not_now=no_fault))
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                if limit.expired():
                    told: WindtunnelError = over_time(order)
                else:
                    told = RunError(f"{type(error).__name__}: {error}", where=order.run_id)
                self._say(Reply(order.run_id, error=error_to_plain(told)))

    async def _play(self, order: Order, hub: Hub, *, played: Played) -> Outcome:
        if order.account:
            hub.charged = (order.payer, order.account, order.budget)
        world = self._worlds.get(order.world)
        if world is None:
            world = self._worlds[order.world] = Worlds(self._workspace)(order.world)
            gc.freeze()  # what is loaded by now stays: it is not looked through again
        if order.location not in self._stores:
            opened = open_store(order.location, self._workspace)
            self._stores[order.location] = (opened, Gathering(opened))
        store, gathering = self._stores[order.location]

        def blame(seat: str) -> None:
            self._blame(f"{order.run_id} {seat}" if seat else "")

        players = {entry: Guard(_code(entry), world, blame) for entry in order.entries}
        return await play_match(
            store, world, order, players=players, hub=hub, between=self._between, gathering=gathering,
            played=played,
        )  # fmt: skip

    async def _between(self, _player: Player) -> None:
        if time.monotonic() - self._slice >= SLICE_SECONDS:
            await asyncio.sleep(0)
            self._slice = time.monotonic()


def _code(entry: str) -> Any:
    return load_entry(Strategy(entry, world="", role="", kind="python", entry=entry))


def over_time(order: Order) -> TookTooLong:
    return TookTooLong(
        f"it took longer than {order.seconds:g} seconds",
        where=order.run_id,
        remedy="limits.seconds of the tournament says how long a match may take",
    )


async def serve(
    workspace: Workspace, orders: BinaryIO, outcomes: BinaryIO, blame: Callable[[str], None]
) -> None:
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(Order).decode
    hub = hub_of(workspace)

    loop, lines = asyncio.get_running_loop(), asyncio.StreamReader(limit=1 << 26)
    told: list[bytes] = []

    def say(reply: Reply) -> None:
        """What is said in one moment is said at once."""
        if not told:
            loop.call_soon(tell)
        told.append(encode(reply) + b"\n")

    def tell() -> None:
        outcomes.write(b"".join(told))
        outcomes.flush()
        told.clear()

    deciding = ""  # whose code is running

    def noted(who: str) -> None:
        nonlocal deciding
        deciding = who
        blame(who)

    hand = Hand(workspace, say, noted)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), orders)
    work: set[asyncio.Task[None]] = set()
    watch_loop(loop, lambda: bool(deciding))
    try:
        while line := await lines.readline():
            task = asyncio.ensure_future(hand.take(decode(line), hub))
            work.add(task)
            task.add_done_callback(work.discard)
    finally:
        for one in work:
            one.cancel()
        await hub.aclose()


class Hangs(Exception):
    """Raised in the middle of what hangs."""


def watch_loop(loop: asyncio.AbstractEventLoop, strategy_runs: Callable[[], bool]) -> None:
    """Break off what keeps the loop from coming round: the error is raised where it hangs, so that it is the
    strategy's whose decision that was. What is no strategy's code (a package that a busy machine loads) may
    take its time: the match's seconds are the limit of that."""

    def broken_off(_number: int, _frame: FrameType | None) -> None:
        if not strategy_runs():
            signal.setitimer(signal.ITIMER_REAL, HANGS_SECONDS)
            return
        raise Hangs(f"it computed for more than {HANGS_SECONDS:g} seconds without an end")

    def again() -> None:
        signal.setitimer(signal.ITIMER_REAL, HANGS_SECONDS)
        loop.call_later(HANGS_SECONDS / 4, again)

    signal.signal(signal.SIGALRM, broken_off)
    again()


def main() -> None:
    workspace = Workspace(Path(sys.argv[1]))
    blame_file = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT, 0o600)
    outcomes = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what strategies print is not ours to say
    gc.set_threshold(GARBAGE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever gives the orders

    def blame(who: str) -> None:
        os.pwrite(blame_file, who.encode()[:256].ljust(256), 0)

    asyncio.run(serve(workspace, sys.stdin.buffer, outcomes, blame))


if __name__ == "__main__":
    main()
