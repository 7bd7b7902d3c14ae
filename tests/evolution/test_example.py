"""The example of `examples/` holds, and does what it says of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from windtunnel.config import Workspace
from windtunnel.evolution.reading import read_evolution
from windtunnel.evolution.running import begin_evolution, play_evolution, story_of
from windtunnel.tournaments.reading import sources

EXAMPLE = Path(__file__).parents[2] / "examples" / "evolve_economy.yaml"


def test_the_example_holds_out_luck_a_scenario_and_an_opponent(tmp_path: Path) -> None:
    plan = read_evolution(EXAMPLE, sources(Workspace(tmp_path)))
    assert plan.start.strategy.name == "keynesian"
    assert len(plan.start.strategy.schema) == 6
    assert plan.training.stages != plan.held_out.stages
    assert [one.name for one in plan.training.opponents] != [one.name for one in plan.held_out.opponents]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_example_finds_what_is_better(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    found = begin_evolution(workspace, read_evolution(EXAMPLE, sources(workspace)))
    asyncio.run(play_evolution(workspace, found))
    story = story_of(found)
    assert story.verdict is not None
    assert story.verdict.promoted, story.verdict.reason
