"""Two processes, one catalog: whoever dies and however clocks jump, each due time fires once.

Hypothesis makes up the story. What is expected is worked out here, without the room that is tested.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.schedule.fakes import NOON, VERBS, Clock, add, owner
from windtunnel.config.schedule import Scheduling
from windtunnel.control.schedule import Firing, Schedules, State
from windtunnel.control.schedule.claims import Claims
from windtunnel.journal.database import SqliteDatabase

PERIODS = {"every 20 min": 1200, "*/20 * * * *": 1200, "hourly": 3600, "every 70s": 70}
PROCESSES = st.integers(0, 1)


class Process:
    def __init__(self, schedules: Schedules, pid: int) -> None:
        self.claims = Claims(schedules, owner(pid))
        self.taken: list[Firing] = []
        self.begun: list[Firing] = []


class Story(RuleBasedStateMachine):
    @initialize(when=st.sampled_from(sorted(PERIODS)), first_now=st.booleans(), overlap=st.booleans())
    def begin(self, when: str, first_now: bool, overlap: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = SqliteDatabase(Path(self.folder.name) / "catalog.sqlite")
        self.database.rows("PRAGMA synchronous=OFF")  # the machine that runs this goes on
        self.clock = Clock(NOON + 11)
        self.schedules = Schedules(self.database, Scheduling(errors=1000), now=self.clock.wall)
        made = add(self.schedules, when, first_now=first_now, overlap=overlap)
        self.period, self.anchor, self.overlap = PERIODS[when], made.anchor, overlap
        self.grid = 0 if made.when.cron else made.anchor % self.period
        self.seen_back: float = made.anchor  # due times up to here may have been planned away by a clock
        self.looked = True
        self.pids, self.living = 10, {1, 2}
        self.processes = [Process(self.schedules, 1), Process(self.schedules, 2)]
        self.calls: Counter[tuple[int, int]] = Counter()
        self.good: Counter[int] = Counter()

    def dead(self, firing: Firing) -> bool:
        return firing.owner.pid not in self.living

    # --- what may happen ---

    @rule(seconds=st.integers(1, 4000))
    def time_passes(self, seconds: int) -> None:
        self.clock.jump(seconds)

    @rule(seconds=st.sampled_from((5400, 86_400, 40 * 86_400)))
    def the_clock_jumps_forward(self, seconds: int) -> None:
        self.clock.jump(seconds)

    @rule(seconds=st.sampled_from((1, 30, 1800, 90_000, 40 * 86_400)))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.clock.jump(-seconds)
        self.looked = False

    @rule(number=PROCESSES)
    def one_looks(self, number: int) -> None:
        process = self.processes[number]
        process.taken += process.claims.recover(VERBS, self.dead)
        process.taken += process.claims.take(VERBS)
        if not self.looked:
            self.seen_back, self.looked = self.clock.wall(), True

    @rule(number=PROCESSES)
    def one_begins_all_it_took(self, number: int) -> None:
        process = self.processes[number]
        for firing in process.taken:
            if process.claims.begin(firing):
                self.calls[firing.due, firing.attempt] += 1
                process.begun.append(firing)
        process.taken.clear()

    @rule(number=PROCESSES, good=st.booleans())
    def one_ends_all_it_began(self, number: int, good: bool) -> None:
        process = self.processes[number]
        for firing in process.begun:
            done = process.claims.end(firing, State.DONE if good else State.FAILED, reason="so")
            assert done is not None
            self.good[firing.due] += good
        process.begun.clear()

    @rule(number=PROCESSES)
    def one_is_killed(self, number: int) -> None:
        self.living.discard(self.processes[number].claims.owner.pid)
        self.pids += 1
        self.living.add(self.pids)
        self.processes[number] = Process(self.schedules, self.pids)

    @rule(number=PROCESSES)
    def one_ends_in_order(self, number: int) -> None:
        self.processes[number].claims.let_go()
        self.one_is_killed(number)

    # --- what must hold ---

    @invariant()
    def no_attempt_is_called_twice(self) -> None:
        assert all(calls == 1 for calls in self.calls.values())

    @invariant()
    def no_due_time_is_done_twice(self) -> None:
        assert all(times <= 1 for times in self.good.values())

    @invariant()
    def only_planned_times_fire(self) -> None:
        for due, _ in self.calls:
            assert due % self.period == self.grid or due == self.anchor

    @invariant()
    def nothing_overlaps_unless_it_may(self) -> None:
        assert self.overlap or len(self.schedules.going()) <= 1

    @precondition(lambda self: self.looked)
    @rule(number=PROCESSES)
    def what_is_due_has_fired_once_somebody_looked(self, number: int) -> None:
        self.one_looks(number)
        now = int(self.clock.wall())
        last = (now - self.grid) // self.period * self.period + self.grid
        fired = {row[0] for row in self.database.rows("SELECT due FROM firing")}
        if last > self.seen_back:
            assert last in fired
        assert self.schedules.find("one").due > now

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()


def play(examples: int, steps: int) -> None:
    told = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    case = Story.TestCase
    case.settings = told
    case("runTest").debug()


@pytest.mark.slow
def test_each_due_time_fires_once_whatever_happens() -> None:
    play(40, 30)


@pytest.mark.soak
def test_each_due_time_fires_once_in_a_thousand_stories() -> None:
    play(1000, 60)
