"""Worlds by path are played by a process of their own; the caller never imports them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import windtunnel as wt
from windtunnel.errors import NotFound, ScenarioError, UsageError, WorldError

WORLD = """
from msgspec import Struct
from windtunnel.world import Action, Applied, Engine, Role, World

class Step(Action, frozen=True):
    far: float = 1.0

class State(Struct):
    at: float = 0.0

class Rules(Engine[State]):
    def start(self, scenario, context):
        return State()
    def observe(self, state, actor):
        return state.at
    def apply(self, state, decided, events, context):
        state.at += sum(step.far for step in decided.values())
        return Applied(state)
    def score(self, state):
        return {"world": {"at": state.at}}
    def over(self, state):
        return None

walk, run = (lambda seen, context: Step()), (lambda seen, context: Step(3.0))
world = World("road", Rules(), State, {"walker": Role((Step,), Step(), {"walk": walk, "run": run})})
"""


@pytest.fixture
def first(here) -> Path:
    package = here / "project" / "far_road"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(WORLD)
    scenario: Path = here / "project" / "scenarios" / "first.yaml"
    scenario.parent.mkdir()
    scenario.write_text("world: road\nturns: 4\nagents:\n  - id: ada\n")
    return scenario


@pytest.mark.slow
def test_a_world_beside_its_scenario_runs_resumes_and_forks_without_being_imported(first):
    run = wt.run(str(first), seed=3, set={"turns": 5}, agents={"ada": "run"})
    assert (run.status, run.turns, run.seed) == ("completed", 5, 3)
    assert run.metrics.final() == {"world": {"at": 15.0}}
    assert run.replay().identical
    assert run.fork(2, agents={"ada": "walk"}).metrics.final() == {"world": {"at": 9.0}}
    assert run.decisions[0].action == {"type": "Step", "far": 3.0}
    assert "far_road" not in sys.modules
    with pytest.raises(WorldError, match="process of its own"):
        _ = run.state


@pytest.mark.slow
def test_errors_of_that_process_are_raised_here(first):
    with pytest.raises(ScenarioError, match="turms"):
        wt.run(str(first), set=["turms=3"])
    with pytest.raises(NotFound):
        wt.run(str(first.parent / "second.yaml"))
    with pytest.raises(UsageError, match="cannot go"):
        wt.run(str(first), agents={"ada": lambda seen, context: None})
