"""The channel of one run, `run:{id}`: how a client comes to its lane, from wherever it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from windtunnel.config.streams import Streams
from windtunnel.control.follow import PIECE_BYTES, Position, ahead, read_cursor, read_news
from windtunnel.control.telling import Message, Teller, View, standing
from windtunnel.errors import StorageError, UsageError, WindtunnelError
from windtunnel.server.streaming.client import Client, error_item, item_of
from windtunnel.server.streaming.lane import Lane, addressed
from windtunnel.server.streaming.outbox import Item
from windtunnel.server.streaming.reader import Opener, Reader

READERS = 4  # clients whose past is being read at the same time
OPEN_SECONDS = 30.0
LINGER = 5.0  # seconds a lane is kept when nobody is on it: most who go come back
ReadState = Callable[[str, int | None], Awaitable[Any]]  # run id, turn


class RunChannels:
    def __init__(self, settings: Streams, opener: Opener, read_state: ReadState | None) -> None:
        self._settings, self._opener, self._read_state = settings, opener, read_state
        self._reader = Reader(opener, settings.poll)
        self._lanes: dict[tuple[str, View], Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Semaphore(READERS)
        self._states: dict[tuple[str, float], StateChannel] = {}

    def start(self) -> None:
        self._reader.start()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reader.stop()

    @property
    def followed(self) -> int:
        return len({run_id for run_id, _ in self._lanes})

    def follows(self, run_id: str) -> bool:
        return any(known == run_id and lane.failed is None for (known, _), lane in self._lanes.items())

    # --- subscribing ---

    async def subscribe(
        self, client: Client, run_id: str, view: View, after: str | None, *, state: float | None = None
    ) -> None:
        """Put a client on the lane of a view. It hears where the run stands, or goes on from its cursor."""
        if state is not None and self._read_state is None:
            raise UsageError("states are not to be had here", where="state")
        channel = f"run:{run_id}"
        at = read_cursor(run_id, after) if after is not None else None
        lane = self._lane(run_id, view)
        lane.users += 1
        try:
            await self._opened(lane)
        except BaseException:
            self._part(lane, client)
            raise
        leaves: list[Callable[[], Any]] = [lambda: self._part(lane, client)]
        client.leaves[channel] = lambda: _all(leaves)
        if at is None:
            assert lane.run is not None
            cursor = lane.cursor()
            client.offer(item_of({"type": "subscribed", "channel": channel, "cursor": cursor}))
            client.offer(addressed(standing(lane.run, cursor), channel))
            lane.join(client, lane.at)
        else:
            client.offer(item_of({"type": "subscribed", "channel": channel, "cursor": after}))
            task = self._task(self._catch_up(client, lane, at))
            leaves.append(lambda: _cancel(task))
        if state is not None and client.dropped is None:
            leaves.append(self._state_channel(lane, state).join(client))

    def _lane(self, run_id: str, view: View) -> Lane:
        lane = self._lanes.get((run_id, view))
        if lane is not None and lane.failed is None:
            return lane
        if self.followed >= self._settings.runs and not any(known == run_id for known, _ in self._lanes):
            raise UsageError(
                f"{self._settings.runs} runs are followed already",
                where="[streams] runs",
                remedy="come back later",
            )
        lane = self._lanes[run_id, view] = Lane(run_id, view)
        self._reader.add(lane)
        return lane

    async def _opened(self, lane: Lane) -> None:
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await asyncio.shield(lane.opened)
        except TimeoutError:
            raise StorageError("the store did not answer in time", where=lane.channel) from None
        if lane.failed is not None:
            raise lane.failed

    def _part(self, lane: Lane, client: Client) -> None:
        lane.part(client)
        if lane.users <= 0:
            asyncio.get_running_loop().call_later(LINGER, self._forget, lane)

    def _forget(self, lane: Lane) -> None:
        if lane.users <= 0 and self._lanes.get((lane.run_id, lane.view)) is lane:
            del self._lanes[lane.run_id, lane.view]
            self._reader.remove(lane)

    def _task(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- the past ---

    async def _catch_up(self, client: Client, lane: Lane, at: Position) -> None:
        """Read up to what the lane keeps, no faster than the client takes it, then join."""
        try:
            while True:
                await client.outbox.room()
                if client.dropped is not None:
                    return
                if lane.failed is not None:
                    raise lane.failed
                if lane.can_take(at):
                    lane.join(client, at)
                    return
                if at.covers(lane.start):  # ahead of the lane, as who was served by another process
                    await self._read(lane, at, at)  # refused, if it is ahead of the run itself
                    await lane.moved(self._settings.poll)
                    continue
                items, at = await self._read(lane, at, lane.at)
                for item in items:
                    await client.send(item)
        except WindtunnelError as error:
            client.offer(error_item(error, lane.channel))
            client.leave_one(lane.channel)

    async def _read(self, lane: Lane, at: Position, upto: Position) -> tuple[list[Item], Position]:
        async with self._reading:
            return await asyncio.to_thread(self._piece, lane, at, upto)

    def _piece(self, lane: Lane, at: Position, upto: Position) -> tuple[list[Item], Position]:
        try:
            with self._opener(lane.run_id) as store:
                # A client that takes nothing holds what was read for it: no more than may wait for it.
                most = min(PIECE_BYTES, self._settings.queue_bytes)
                news = read_news(store, lane.run_id, at, upto=upto, most_bytes=most)
                teller = Teller(store, lane.run_id)
                items: list[Item] = []
                for row in news.rows:
                    at = at.after(row)
                    message = teller.tell(row, news.run, lane.view, at)
                    if message is not None:
                        items.append(addressed(message, lane.channel))
                return items, at if news.rows else ahead(
                    at, upto
                )  # rows that were taken out are not waited for
        except WindtunnelError:
            raise
        except Exception as error:
            raise StorageError(f"run {lane.run_id} cannot be read: {error}") from error

    # --- states ---

    def _state_channel(self, lane: Lane, every: float) -> StateChannel:
        key = (lane.run_id, every)
        found = self._states.get(key)
        if found is None:
            assert self._read_state is not None
            found = self._states[key] = StateChannel(
                lane, every, self._read_state, lambda: self._states.pop(key, None)
            )
            self._task(found.work())
        return found


class StateChannel:
    """The state of a run after its last turn, read once for all who want it, no more often than they said."""

    def __init__(self, lane: Lane, every: float, read: ReadState, forget: Callable[[], Any]) -> None:
        self._lane, self._every, self._read, self._forget = lane, every, read, forget
        self._clients: set[Client] = set()
        self._last: Item | None = None
        self._told = -1

    def join(self, client: Client) -> Callable[[], None]:
        self._clients.add(client)
        if self._last is not None:
            client.offer(self._last)
        return lambda: self._clients.discard(client)

    async def work(self) -> None:
        try:
            while self._clients and self._lane.failed is None:
                run = self._lane.run
                if run is not None and run.turn != self._told:
                    await self._tell(run.turn)
                await asyncio.sleep(self._every)
        finally:
            self._forget()

    async def _tell(self, turn: int) -> None:
        lane, run = self._lane, self._lane.run
        assert run is not None
        self._told = turn
        try:
            body = await self._read(lane.run_id, turn)
        except WindtunnelError as error:
            item = error_item(error, lane.channel)
        else:
            told = Message("progress", "state", run.run_id, turn, run.turns, str(run.status), body)
            item = self._last = addressed(told, lane.channel)
        for client in list(self._clients):
            client.offer(item)


def _all(leaves: list[Callable[[], Any]]) -> None:
    for leave in leaves:
        leave()


def _cancel(task: asyncio.Task[None]) -> None:
    if task is not asyncio.current_task():
        task.cancel()
