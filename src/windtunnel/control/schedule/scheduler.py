"""The task that fires: it waits for what is due, calls the verb, and writes down what became of it.

One runs in each server, or in the foreground (`windtunnel schedule run`); any number may share a catalog. It
looks once a second, so that a clock that jumps, a schedule that is added and a machine that slept are
noticed. A firing is bounded in time, one that another took over is given up, and a database that refuses is
asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from windtunnel.control.schedule.claims import Claims
from windtunnel.control.schedule.model import Firing, Schedule, State
from windtunnel.control.schedule.table import Schedules
from windtunnel.errors import NotFound, StorageError, WindtunnelError
from windtunnel.journal import Owner
from windtunnel.journal.lease import here, lives

LOOK = 1.0  # seconds between looks, at most
BEAT = 5.0  # seconds between signs of life of a firing
LOST = 60.0  # seconds without one, after which a process on another machine is taken for dead
GRACE = 10.0  # seconds that a verb may take to end once it was told to
PATIENCE = 30.0  # seconds for a message to whoever is to be told
_WATCHED = 10_000  # owners elsewhere that are remembered
_CALM = 60.0  # seconds between looks, at most, while the database refuses

T = TypeVar("T")
Verb = Callable[[dict[str, Any]], Awaitable[Any]]
Verbs = Mapping[str, Verb]
Notify = Callable[[str, dict[str, Any]], Awaitable[None] | None]


class Clock(Protocol):
    """What the scheduler needs besides the time of day, which is the catalog's."""

    def tick(self) -> float:
        """Seconds that only go forward."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class MachineClock:
    def tick(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Now(NamedTuple):
    """What a verb may know of the firing that it is called for."""

    firing: Firing
    note: Callable[[dict[str, Any]], None]  # on the disk when it returns; from any thread


class Ended(NamedTuple):
    """What became of a firing; `schedule` is None where it was taken over or removed meanwhile."""

    firing: Firing
    state: State
    outcome: Any
    reason: str | None
    schedule: Schedule | None


_current: ContextVar[Now | None] = ContextVar("firing", default=None)


def firing_now() -> Now | None:
    """The firing that the verb was called for, inside of a verb that a schedule called."""
    return _current.get()


class Scheduler:
    """`heard` is told of every firing that ended here. `alive`: whether an owner on this machine lives."""

    def __init__(
        self,
        schedules: Schedules,
        *,
        clock: Clock | None = None,
        heard: Callable[[Ended], None] | None = None,
        owner: Owner | None = None,
        alive: Callable[[Owner], bool] = lives,
    ) -> None:
        self.claims, self.clock = Claims(schedules, owner), clock or MachineClock()
        self._now, self._heard, self._alive = schedules.now, heard, alive
        self._limit = schedules.settings.limit_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: dict[int, tuple[int, float]] = {}  # of owners elsewhere, and since when they stand still
        self.trouble: str | None = None  # what the database said last, while it refuses
        self.unheard: str | None = None  # what the port said when an alert failed

    async def run(self, verbs: Verbs, notify: Notify | None = None, *, seconds: float | None = None) -> None:
        """Fire what is due until this is cancelled (or for so many seconds). What then still goes is told to
        end, and whoever comes next goes on with it."""
        end, calm = None if seconds is None else self.clock.tick() + seconds, LOOK
        try:
            while end is None or self.clock.tick() < end:
                try:
                    rest = await self._look(verbs, notify)
                    self.trouble, calm = None, LOOK
                except StorageError as error:
                    self.trouble, rest = str(error), calm
                    calm = min(_CALM, calm * 2)
                if end is not None:
                    rest = min(rest, max(0.0, end - self.clock.tick()))
                await self.clock.sleep(rest)
        finally:
            await self._leave()

    async def play_due(self, verbs: Verbs, notify: Notify | None = None) -> None:
        """Fire what is due at this moment, and wait for its end."""
        try:
            await self._look(verbs, notify)
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            await self._leave()

    # --- looking ---

    async def _look(self, verbs: Verbs, notify: Notify | None) -> float:
        """Begin what is to be begun; the seconds until the next look."""
        names, next_at = list(verbs), None
        firings: list[Firing] = []
        if names:
            firings = await _thread(self.claims.recover, names, self._dead)
            next_at = await _thread(self.claims.next_at, names)
            if next_at is not None and next_at <= self._now():
                firings += await _thread(self.claims.take, names)
                next_at = await _thread(self.claims.next_at, names)
        for firing in firings:
            self._start(self._fire(firing, verbs[firing.verb], notify))
        if notify is not None:
            for firing in await _thread(self.claims.untold, self._dead):
                with suppress(NotFound):  # removed meanwhile
                    schedule = await _thread(self.claims.schedules.find, firing.schedule)
                    await self._tell(notify, Ended(firing, firing.state, None, firing.reason, schedule))
        if next_at is None:
            return LOOK
        return min(LOOK, max(0.0, next_at - self._now()))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _dead(self, firing: Firing) -> bool:
        """Whether nobody will end it. The system knows of processes here; others are known by their beat."""
        if firing.token == self.claims.token:
            return False
        if here(firing.owner):
            return not self._alive(firing.owner)
        if len(self._beats) > _WATCHED:
            self._beats.clear()
        beat, since = self._beats.get(firing.id, (-1, 0.0))
        if beat != firing.beat:
            self._beats[firing.id] = (firing.beat, self.clock.tick())
            return False
        return self.clock.tick() - since > LOST

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * GRACE)
        try:
            await _thread(self.claims.let_go)
        except StorageError as error:  # whoever comes next sees that this process is gone
            self.trouble = str(error)

    # --- one firing ---

    async def _fire(self, firing: Firing, verb: Verb, notify: Notify | None) -> None:
        if not await self._written(self.claims.begin, firing):
            return
        state, outcome, reason = await self._called(firing, verb)
        if state is None:  # another took it over: it is not ours to tell
            return
        end = partial(self.claims.end, firing, state, outcome=outcome, reason=reason)
        if state is State.STOPPED:
            await _thread(end)
            raise asyncio.CancelledError
        schedule = await self._written(end)
        ended = Ended(firing, state, outcome, reason, schedule)
        if self._heard is not None:
            self._heard(ended)
        if state is State.FAILED and schedule is not None and notify is not None:
            await self._tell(notify, ended)

    async def _written(self, write: Callable[..., T], *values: Any) -> T:
        """What must be on the disk before anything goes on; a database that refuses is asked again."""
        calm = LOOK
        while True:
            try:
                return await _thread(write, *values)
            except StorageError as error:
                self.trouble = str(error)
                await self.clock.sleep(calm)
                calm = min(_CALM, calm * 2)

    async def _called(self, firing: Firing, verb: Verb) -> tuple[State | None, Any, str | None]:
        """Call the verb, within its time, as long as the firing is ours."""
        limit = firing.limit_seconds or self._limit
        work = asyncio.create_task(self._work(firing, verb))
        over = asyncio.create_task(self.clock.sleep(limit))
        lost = asyncio.create_task(self._beating(firing))
        try:
            await asyncio.wait((work, over, lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if work.done():
                return _read(work)
            await _ended(work)
            return State.STOPPED, None, "its process was asked to end"
        finally:
            over.cancel()
            lost.cancel()
        if work.done():
            return _read(work)
        if lost.done():
            await _ended(work)
            return None, None, None
        gone = await _ended(work)
        said = "" if gone else ", and does not end when it is told to"
        return State.FAILED, None, f"it did not end within {limit:g} seconds{said}"

    async def _work(self, firing: Firing, verb: Verb) -> Any:
        _current.set(Now(firing, partial(self.claims.note, firing)))
        return await verb(dict(firing.arguments))

    async def _beating(self, firing: Firing) -> None:
        """Give signs of life; ends when the firing is another's."""
        while True:
            await self.clock.sleep(BEAT)
            try:
                if not await _thread(self.claims.beat, firing):
                    return
            except StorageError as error:
                self.trouble = str(error)

    async def _tell(self, notify: Notify, ended: Ended) -> None:
        """An alert that fails is told again by whoever looks later, as long as it is news."""
        firing, schedule = ended.firing, ended.schedule
        assert schedule is not None
        body = {
            "schedule": firing.schedule,
            "verb": firing.verb,
            "due": firing.due,
            "attempt": firing.attempt,
            "state": str(ended.state),
            "error": ended.reason,
            "errors": schedule.errors,
            "enabled": schedule.enabled,
            "off": schedule.off,
            "next_at": schedule.next_at,
        }
        event = "schedule.error" if schedule.enabled else "schedule.disabled"
        try:
            async with asyncio.timeout(PATIENCE):
                if (told := notify(event, body)) is not None:
                    await told
        except Exception as error:  # noqa: BLE001 - whatever the port is, it must not stop what is due
            self.unheard = f"{type(error).__name__}: {error}"
            return
        await self._written(self.claims.told, firing)


def _read(work: asyncio.Task[Any]) -> tuple[State, Any, str | None]:
    if work.cancelled():
        return State.FAILED, None, "it was cancelled from within"
    error = work.exception()
    if error is None:
        return State.DONE, work.result(), None
    if isinstance(error, WindtunnelError):
        return State.FAILED, None, str(error)
    return State.FAILED, None, f"{type(error).__name__}: {error}"


async def _ended(work: asyncio.Task[Any]) -> bool:
    """Tell a verb to end, and whether it did."""
    work.cancel()
    await asyncio.wait((work,), timeout=GRACE)
    if work.done() and not work.cancelled():
        work.exception()  # seen: nobody else asks for it
    return work.done()


async def _thread(work: Callable[..., T], *values: Any) -> T:
    """Ask the database without holding up everybody else. A call that was made is waited for, whatever
    happens: what it wrote must be known."""
    call = asyncio.ensure_future(asyncio.to_thread(work, *values))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        if not call.done():
            await asyncio.wait((call,))
        if not call.cancelled():
            call.exception()
        raise
