"""The channels that are not one run's: `runs`, `approvals`, and what a `Bulletin` announces.

The first two say how things stand: who comes hears it, and who comes back with a cursor hears again what may
have changed since. The workspace is looked through only while somebody listens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec import Struct, structs

from windtunnel.config.streams import Streams
from windtunnel.control.bulletin import Bulletin, Notice
from windtunnel.control.telling import MOST_REASON, Addressed, Phase, data
from windtunnel.control.watching import SLACK, Changes, Ruling, Standing
from windtunnel.errors import UsageError, WindtunnelError
from windtunnel.journal import Status
from windtunnel.server.streaming.client import Client, error_item, item_of
from windtunnel.server.streaming.outbox import Item

LOOKING_SHARE = 10  # between two looks at least so many times as long as a look takes
RETRY_SECONDS = 5.0


class Watching(Protocol):
    """What `control.watching.Watch` is; a catalog may be another."""

    @property
    def runs(self) -> Iterable[Standing]: ...
    @property
    def waiting(self) -> list[Ruling]: ...
    @property
    def latest(self) -> float: ...
    def standing(self, run_id: str) -> Standing | None: ...
    def look(self) -> Changes: ...
    def decided_since(self, moment: float) -> list[Ruling]: ...


class _Paced:
    """Who listens to `runs` at one pace: a status is told at once, turns once in so many seconds."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.clients: set[Client] = set()
        self._told: dict[str, tuple[str, float]] = {}  # by run: status and when it was told
        self._owed: dict[str, Standing] = {}

    def due(self, changed: Iterable[Standing], now: float) -> list[Standing]:
        for one in changed:
            self._owed[one.run_id] = one
        ready = [one for one in self._owed.values() if self._is_due(one, now)]
        for one in ready:
            del self._owed[one.run_id]
            if Status(one.status).ended:
                self._told.pop(one.run_id, None)
            else:
                self._told[one.run_id] = (one.status, now)
        return ready

    def _is_due(self, one: Standing, now: float) -> bool:
        told = self._told.get(one.run_id)
        return told is None or told[0] != one.status or now - told[1] >= self.every

    def forget(self, run_id: str) -> None:
        self._told.pop(run_id, None)
        self._owed.pop(run_id, None)


class AllRuns:
    """The channels `runs` and `approvals`: one watch for both."""

    def __init__(self, settings: Streams, watch: Watching) -> None:
        self._settings, self._watch = settings, watch
        self._paces: dict[float, _Paced] = {}
        self._voters: dict[bool, set[Client]] = {False: set(), True: set()}
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._looking = asyncio.Lock()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- subscribing ---

    async def runs(self, client: Client, every: float, after: str | None) -> None:
        moment = _moment(after)
        await self._looked()
        client.offer(self._subscribed("runs", every))
        pace = self._paces.setdefault(every, _Paced(every))
        pace.clients.add(client)
        client.leaves["runs"] = lambda: self._leave_runs(pace, client)
        if moment is not None:
            for run_id in [one.run_id for one in self._watch.runs if one.updated >= moment]:
                one = self._watch.standing(run_id)  # as it is when there is room to tell it
                if one is not None:
                    await client.send(self._run_item(one, every))

    def _leave_runs(self, pace: _Paced, client: Client) -> None:
        pace.clients.discard(client)
        if not pace.clients and self._paces.get(pace.every) is pace:
            del self._paces[pace.every]

    async def approvals(self, client: Client, after: str | None, *, words: bool) -> None:
        """Who comes hears what waits; with a cursor, also what was decided since."""
        moment = _moment(after)
        await self._looked()
        decided: list[Ruling] = []
        if moment is not None:
            async with self._looking:
                decided = await asyncio.to_thread(self._watch.decided_since, moment)
        client.offer(self._subscribed("approvals", 0))
        waiting = self._watch.waiting
        self._voters[words].add(client)
        client.leaves["approvals"] = lambda: self._voters[words].discard(client)
        for one in [*decided, *waiting]:
            await client.send(self._ruling_item(one, words=words))

    def _subscribed(self, channel: str, every: float) -> Item:
        cursor = self._cursor(every)
        return item_of({"type": "subscribed", "channel": channel, "cursor": cursor}, channel, cursor)

    def _cursor(self, every: float) -> str:
        """From when on something may not have been told yet."""
        return f"{max(0.0, self._watch.latest - every - SLACK):.3f}"

    # --- watching ---

    @property
    def _heard(self) -> bool:
        return bool(self._paces or self._voters[False] or self._voters[True])

    async def _looked(self) -> None:
        """The watch runs, and has looked at least once since somebody asked."""
        if self._task is None or self._task.done():
            self._ready = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._work())
        await self._ready.wait()

    async def _work(self) -> None:
        idle, first = 0, True
        while idle < 3:  # those who lost the line for a moment find it warm
            began = time.monotonic()
            try:
                async with self._looking:
                    changes = await asyncio.to_thread(self._watch.look)
            except WindtunnelError as error:
                self._complain(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._tell(changes)
            self._ready.set()
            took = time.monotonic() - began
            # The first look reads every run there is; those that follow read what was written since.
            await asyncio.sleep(
                self._settings.look if first else max(self._settings.look, LOOKING_SHARE * took)
            )
            first = False
            idle = 0 if self._heard else idle + 1

    def _complain(self, error: WindtunnelError) -> None:
        for pace in self._paces.values():
            for client in list(pace.clients):
                client.offer(error_item(error, "runs"))

    def _tell(self, changes: Changes) -> None:
        now = time.monotonic()
        for pace in list(self._paces.values()):
            for run_id in changes.gone:
                pace.forget(run_id)
            for one in pace.due(changes.runs, now):
                item = self._run_item(one, pace.every)
                for client in list(pace.clients):
                    client.offer(item)
        for words, clients in self._voters.items():
            for ruled in changes.rulings if clients else ():
                item = self._ruling_item(ruled, words=words)
                for client in list(clients):
                    client.offer(item)

    def _run_item(self, one: Standing, every: float) -> Item:
        status = Status(one.status)
        phase: Phase = "complete" if status.ended else "start" if status is Status.QUEUED else "progress"
        body: dict[str, Any] = {"world": one.world, "scenario": one.scenario, "parent": one.parent}
        if one.reason:
            body["reason"] = one.reason[:MOST_REASON]
        cursor = self._cursor(every)
        told = Addressed(phase, "run", one.run_id, one.turn, one.turns, one.status, body, cursor, "runs")
        return item_of(told, "runs", cursor)

    def _ruling_item(self, one: Ruling, *, words: bool) -> Item:
        body = {**one.body, "action": data(one.action, one.actor)} if words else one.body
        cursor = self._cursor(0)
        told = _Approval(one.type, "approval", one.run_id, one.turn, body, cursor, "approvals")
        return item_of(told, "approvals", cursor)


class _Approval(Struct):
    type: str
    kind: str
    run_id: str
    turn: int
    body: Any
    cursor: str
    channel: str


def _moment(after: str | None) -> float | None:
    if after is None:
        return None
    if after == "start":
        return 0.0
    try:
        moment = float(after) if len(after) < 30 and after[:1].isdecimal() else -1.0
    except ValueError:
        moment = -1.0
    if not 0 <= moment < 1e12:  # seconds; no NaN passes here
        raise UsageError(
            "this is no cursor of this channel", where="after", remedy="leave it out, or `start`"
        )
    return moment


class Boards:
    """The channels that a bulletin fills."""

    def __init__(self, bulletin: Bulletin) -> None:
        self._bulletin = bulletin
        self._clients: dict[str, set[Client]] = {}
        self._deaf: Callable[[], None] | None = None

    def start(self) -> None:
        self._deaf = self._bulletin.listen(self._hear)

    def stop(self) -> None:
        if self._deaf is not None:
            self._deaf()

    def subscribe(self, client: Client, channel: str, after: str | None) -> None:
        missed, gone = self._bulletin.since(channel, after)
        cursor = self._bulletin.cursor(channel, missed[0].number - 1 if missed else None)
        told = {"type": "subscribed", "channel": channel, "cursor": cursor}
        client.offer(item_of({**told, "missed": True} if gone else told, channel, cursor))
        for notice in missed:
            client.offer(self._item(notice))
        self._clients.setdefault(channel, set()).add(client)
        client.leaves[channel] = lambda: self._leave(channel, client)

    @property
    def heard(self) -> list[str]:
        """The channels that somebody listens to."""
        return list(self._clients)

    def _leave(self, channel: str, client: Client) -> None:
        clients = self._clients.get(channel, set())
        clients.discard(client)
        if not clients:
            self._clients.pop(channel, None)

    def _hear(self, notice: Notice) -> None:
        clients = self._clients.get(notice.channel)
        if clients:
            item = self._item(notice)
            for client in list(clients):
                client.offer(item)

    def _item(self, notice: Notice) -> Item:
        cursor = self._bulletin.cursor(notice.channel, notice.number)
        told = {key: value for key, value in structs.asdict(notice).items() if key != "number" and value}
        return item_of({**told, "kind": "task", "cursor": cursor}, notice.channel, cursor)
