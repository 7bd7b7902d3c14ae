"""Run, pause, resume, fork, cancel in any order, against a model that needs six lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from tests.run.toy import make, scene
from windtunnel.errors import WrongState
from windtunnel.journal import Status
from windtunnel.testing.lab import Lab

TURNS = 6


class Life(RuleBasedStateMachine):
    """The model: a run's turn, its status, and that every run of one seed has the same turns."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.lab = Lab(make())
        self.model: dict[str, tuple[Status, int]] = {}
        self.forks: set[str] = set()
        self.lab.play(scene(turns=TURNS), "truth")
        self.truth = [entry.body for entry in self.lab.history("truth")]
        self.count = 0

    def teardown(self) -> None:
        self.lab.close()

    def name(self) -> str:
        self.count += 1
        return f"run-{self.count}"

    @rule(target=runs)
    def start(self) -> str:
        name = self.name()
        self.lab.begin(scene(turns=TURNS), name)
        self.model[name] = (Status.QUEUED, 0)
        return name

    def play(self, name: str, stop_after: int | None) -> None:
        status, turn = self.model[name]
        if status in (Status.COMPLETED, Status.CANCELLED):
            with pytest.raises(WrongState):
                self.lab.go(name, stop_after=stop_after)
            return
        row = self.lab.go(name, stop_after=stop_after)
        done = TURNS if stop_after is None else max(turn, min(stop_after, TURNS))
        ended = stop_after is None or stop_after >= TURNS
        self.model[name] = (Status.COMPLETED if ended else Status.PAUSED, done)
        assert (row.status, row.turn) == self.model[name]

    @rule(name=runs, turns=st.integers(0, 4))
    def step(self, name: str, turns: int) -> None:
        self.play(name, self.model[name][1] + turns)

    @rule(name=runs)
    def resume(self, name: str) -> None:
        self.play(name, None)

    def wish(self, name: str, kind: str, to: Status) -> None:
        status, turn = self.model[name]
        if status.ended:
            return
        self.lab.post(kind, run_id=name)
        row = self.lab.go(name)
        ends = turn == TURNS  # nothing is left to be stopped
        self.model[name] = (Status.COMPLETED if ends else to, turn)
        assert (row.status, row.turn) == self.model[name]

    @rule(name=runs)
    def pause(self, name: str) -> None:
        self.wish(name, "pause", Status.PAUSED)

    @rule(name=consumes(runs))
    def cancel(self, name: str) -> None:
        self.wish(name, "cancel", Status.CANCELLED)

    @rule(target=runs, parent=runs, data=st.data())
    def fork(self, parent: str, data: Any) -> Any:
        at = data.draw(st.integers(0, self.model[parent][1]))
        name = self.name()
        if parent not in self.forks and self.model[parent][0] is Status.QUEUED:
            with pytest.raises(WrongState, match="not played yet"):
                self.lab.fork(str(at), name, of=parent)
            return multiple()
        self.forks.add(name)
        self.lab.fork(str(at), name, of=parent)
        self.model[name] = (Status.QUEUED, at)
        return name

    @rule(name=runs)
    def replay(self, name: str) -> None:
        assert self.lab.replay(name).identical

    @invariant()
    def every_run_goes_the_way_of_the_truth(self) -> None:
        for name, (status, turn) in self.model.items():
            row = self.lab.row(name)
            assert (row.status, row.turn) == (status, turn)
            mine = [entry.body for entry in self.lab.history(name) if entry.phase != "fork"]
            assert mine == self.truth[: len(mine)]
            assert (len(mine) == len(self.truth)) is (status is Status.COMPLETED)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
