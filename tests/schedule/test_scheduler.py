"""The task that fires, by a clock that the tests move: nothing here waits for real time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.schedule.fakes import NOON, Clock, add, inline, owner, settle
from windtunnel.control.schedule import Ended, Firing, Scheduler, Schedules, State, firing_now, scheduler
from windtunnel.control.schedule.claims import Claims
from windtunnel.errors import RunError, StorageError

HOUR = 3600


@pytest.fixture(autouse=True)
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_thread", inline)
    monkeypatch.setattr(scheduler, "GRACE", 0.05)


class Stage:
    """A scheduler, its clock, and what was heard."""

    def __init__(self, schedules: Schedules, clock: Clock, pid: int = 1) -> None:
        self.schedules, self.clock = schedules, clock
        self.ended: list[Ended] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.calls: list[Firing] = []
        self.dead: set[int] = set()
        self.scheduler = Scheduler(
            schedules, clock=clock, heard=self.ended.append, owner=owner(pid),
            alive=lambda one: one.pid not in self.dead,
        )  # fmt: skip
        self.task: asyncio.Task[None] | None = None

    async def notify(self, event: str, body: dict[str, Any]) -> None:
        self.told.append((event, body))

    def begin(self, verb: Callable[[dict[str, Any]], Awaitable[Any]] | None = None, **more: Any) -> None:
        async def count(arguments: dict[str, Any]) -> Any:
            now = firing_now()
            assert now is not None
            self.calls.append(now.firing)
            return None if verb is None else await verb(arguments)

        self.task = asyncio.create_task(self.scheduler.run({"run": count}, self.notify, **more))

    async def end(self) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    @property
    def states(self) -> list[State]:
        return [one.state for one in self.ended]


@pytest.fixture
def stage(schedules: Schedules, clock: Clock) -> Stage:
    return Stage(schedules, clock)


def played(story: Awaitable[None]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(200):
            await story

    asyncio.run(whole())


@pytest.mark.slow
def test_it_fires_at_once_and_then_as_planned(stage):
    async def story() -> None:
        add(stage.schedules, arguments={"seed": 7})
        stage.begin()
        await stage.clock.go(2 * HOUR + 1)
        await stage.end()

    played(story())
    assert [(call.due, call.arguments) for call in stage.calls] == [
        (NOON + hour * HOUR, {"seed": 7}) for hour in range(3)
    ]
    assert stage.states == [State.DONE] * 3


def test_what_is_added_while_it_waits_is_seen(stage):
    async def story() -> None:
        stage.begin()
        await stage.clock.go(100)
        add(stage.schedules)
        await stage.clock.go(2)
        await stage.end()

    played(story())
    assert len(stage.calls) == 1


def test_two_of_them_fire_each_due_time_once(stage, schedules, clock):
    async def story() -> None:
        second = Stage(schedules, clock)
        add(schedules, "every 10s")
        stage.begin()
        second.begin()
        await clock.go(95)
        await stage.end()
        await clock.go(10)
        await second.end()
        dues = sorted(call.due for call in stage.calls + second.calls)
        assert dues == [NOON + 10 * number for number in range(11)]

    played(story())


@pytest.mark.slow
def test_a_clock_that_jumps_is_noticed_within_a_second(stage):
    async def story() -> None:
        add(stage.schedules)
        stage.begin()
        await stage.clock.go(10)
        stage.clock.jump(5 * HOUR)
        await stage.clock.go(2)
        assert len(stage.calls) == 2
        stage.clock.jump(-5 * HOUR)
        await stage.clock.go(HOUR)
        await stage.end()

    played(story())
    assert [call.due - NOON for call in stage.calls] == [0, 5 * HOUR, HOUR]


@pytest.mark.slow
def test_an_error_is_told_and_tried_again_and_the_fifth_disables(stage):
    async def refuse(_: dict[str, Any]) -> None:
        raise RunError("the wind is wrong", remedy="wait")

    async def story() -> None:
        add(stage.schedules, "daily")
        stage.begin(refuse)
        await stage.clock.go(HOUR)
        await stage.end()

    played(story())
    assert [(call.due, call.attempt, call.claimed) for call in stage.calls] == [
        (NOON, attempt, NOON + 300 * (attempt - 1)) for attempt in range(1, 6)
    ]
    events = [event for event, _ in stage.told]
    assert events == ["schedule.error"] * 4 + ["schedule.disabled"]
    last = stage.told[-1][1]
    assert (last["errors"], last["enabled"], last["error"]) == (5, False, "the wind is wrong (wait)")
    assert stage.told[0][1]["next_at"] == NOON + 300
    assert not stage.schedules.find("one").enabled


def test_a_bug_in_a_verb_is_an_error_of_its_firing_alone(stage):
    async def broken(_: dict[str, Any]) -> None:
        raise ZeroDivisionError("by zero")

    async def story() -> None:
        add(stage.schedules)
        stage.begin(broken)
        await stage.clock.go(10)
        assert stage.task is not None
        assert not stage.task.done()
        await stage.end()

    played(story())
    assert stage.ended[0].reason == "ZeroDivisionError: by zero"


def test_a_verb_that_never_returns_is_ended_at_its_limit(stage):
    ends: list[str] = []

    async def hang(_: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async def story() -> None:
        add(stage.schedules, "daily", limit_seconds=100)
        stage.begin(hang)
        await stage.clock.go(99)
        assert stage.ended == []
        await stage.clock.go(2)
        await stage.end()

    played(story())
    assert ends == ["cancelled"]
    assert [(one.state, one.reason) for one in stage.ended] == [
        (State.FAILED, "it did not end within 100 seconds")
    ]


def test_a_verb_that_will_not_end_holds_nobody_up(stage):
    let_go = asyncio.Event()

    async def deaf(_: dict[str, Any]) -> None:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    async def story() -> None:
        add(stage.schedules, "daily", limit_seconds=100)
        stage.begin(deaf)
        await stage.clock.go(101)
        await asyncio.sleep(0.2)  # longer than it is given
        await settle()
        assert (
            stage.ended[0].reason == "it did not end within 100 seconds, and does not end when it is told to"
        )
        let_go.set()
        await stage.end()

    played(story())


def test_a_firing_longer_than_its_period_makes_others_skip(stage):
    async def slow(_: dict[str, Any]) -> None:
        await stage.clock.sleep(25)

    async def story() -> None:
        add(stage.schedules, "every 10s")
        stage.begin(slow)
        await stage.clock.go(36)
        await stage.end()

    played(story())
    assert [call.due - NOON for call in stage.calls] == [0, 30]
    history = stage.schedules.history("one")[::-1]
    assert [(one.due - NOON, one.state) for one in history] == [
        (0, State.DONE), (10, State.SKIPPED), (20, State.SKIPPED), (30, State.STOPPED),
    ]  # fmt: skip


def test_what_goes_when_it_ends_is_stopped_and_gone_on_with_at_the_next_start(stage, schedules, clock):
    async def hang(_: dict[str, Any]) -> None:
        now = firing_now()
        assert now is not None
        now.note({"run_id": "r1"})
        await asyncio.Event().wait()

    async def story() -> None:
        add(schedules, "daily")
        stage.begin(hang)
        await clock.go(10)
        await stage.end()
        assert schedules.history("one")[0].state is State.STOPPED
        second = Stage(schedules, clock)
        second.begin()
        await clock.go(2)
        await second.end()
        (call,) = second.calls
        assert (call.due, call.attempt, call.noted) == (NOON, 2, {"run_id": "r1"})
        assert schedules.find("one").errors == 0

    played(story())


def test_what_was_taken_over_is_given_up(stage, schedules, clock):
    async def hang(_: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        add(schedules, "daily")
        stage.begin(hang)
        await clock.go(2)
        Claims(schedules, owner(9)).recover(["run"], lambda _: True)
        await clock.go(10)
        assert stage.ended == []
        assert schedules.history("one")[0].attempt == 2
        at_work = [task for task in asyncio.all_tasks() if "_work" in repr(task)]
        assert len(at_work) == 1  # the second attempt's; the first was given up
        await stage.end()

    played(story())
    assert schedules.history("one")[-1].state is State.INTERRUPTED


def elsewhere(schedules: Schedules) -> Firing:
    """Something that a process on another machine has begun."""
    there = Claims(schedules, owner(5, "elsewhere"))
    (firing,) = there.take(["run"])
    assert there.begin(firing)
    return firing


def test_a_process_elsewhere_is_dead_when_it_gives_no_sign_for_a_minute(stage, schedules, clock):
    async def story() -> None:
        add(schedules, "weekly")
        firing = elsewhere(schedules)
        stage.begin()
        clock.jump(3 * HOUR)  # a clock that jumps says nothing about others
        for _ in range(10):
            await clock.go(30)
            Claims.beat(there := Claims(schedules, firing.owner), firing)
            assert there.schedules.history("one")[0].state is State.BEGUN
        await clock.go(59)
        assert schedules.history("one")[0].state is State.BEGUN
        await clock.go(4)
        assert [one.state for one in schedules.history("one")] == [State.DONE, State.INTERRUPTED]
        await stage.end()

    played(story())


def test_an_alert_that_failed_is_told_by_the_next(stage, schedules, clock):
    async def refuse(_: dict[str, Any]) -> None:
        raise RunError("no")

    async def deaf(_event: str, _body: dict[str, Any]) -> None:
        raise OSError("no network")

    async def story() -> None:
        add(schedules, "daily")
        stage.notify = deaf
        stage.begin(refuse)
        await clock.go(2)
        await stage.end()
        assert "no network" in (stage.scheduler.unheard or "")
        second = Stage(schedules, clock, pid=2)
        second.begin()
        await clock.go(3)
        assert second.told == []  # the first lives, and may still tell it
        second.dead = {1}
        await clock.go(3)
        await second.end()
        assert [(event, body["error"]) for event, body in second.told] == [("schedule.error", "no")]

    played(story())


def test_a_database_that_refuses_for_a_while_is_asked_again(stage, monkeypatch):
    refusals = 3
    end = Claims.end

    def refuse(*values: Any, **named: Any) -> Any:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise StorageError("the disk is full")
        return end(*values, **named)

    async def story() -> None:
        add(stage.schedules, "daily")
        monkeypatch.setattr(Claims, "end", refuse)
        stage.begin()
        await stage.clock.go(30)
        await stage.end()

    played(story())
    assert (stage.states, len(stage.calls)) == ([State.DONE], 1)


def test_a_look_that_fails_does_not_end_it(stage, monkeypatch):
    take = Claims.take
    refused: list[int] = []

    def refuse(claims: Claims, verbs: Any) -> Any:
        if len(refused) < 2:
            refused.append(1)
            raise StorageError("the catalog cannot be used")
        return take(claims, verbs)

    async def story() -> None:
        add(stage.schedules, "daily")
        monkeypatch.setattr(Claims, "take", refuse)
        stage.begin()
        await stage.clock.go(1)
        assert stage.scheduler.trouble == "the catalog cannot be used"
        await stage.clock.go(10)
        assert stage.scheduler.trouble is None
        await stage.end()

    played(story())
    assert stage.states == [State.DONE]


def test_it_ends_by_itself_after_its_time(stage):
    async def story() -> None:
        add(stage.schedules, "every 10s")
        stage.begin(seconds=25)
        await stage.clock.go(60)
        assert stage.task is not None
        await stage.task

    played(story())
    assert [call.due - NOON for call in stage.calls] == [0, 10, 20]


def test_what_is_due_now_is_fired_and_waited_for(stage):
    async def verb(_: dict[str, Any]) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"turns": 3}

    async def story() -> None:
        add(stage.schedules)
        await stage.scheduler.play_due({"run": verb})
        await stage.scheduler.play_due({"run": verb})

    played(story())
    assert [(one.state, one.outcome) for one in stage.ended] == [(State.DONE, {"turns": 3})]
