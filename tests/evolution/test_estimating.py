"""What an evolution comes to, told before: held against what it then came to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.evolution.searching import Pretended, by_skill, made, played
from windtunnel.config import Workspace
from windtunnel.evolution.estimating import forecast
from windtunnel.evolution.model import Plan
from windtunnel.tournaments.estimating import Forecast

FOR_TWO: dict[str, Any] = {
    "scenario": "dice/bout", "opponents": ["rival.yaml"],
    "held_out": {"seeds": 8, "opponents": ["other.yaml"]},
}  # fmt: skip


def told(workspace: Workspace, plan: Plan) -> Forecast:
    return asyncio.run(forecast(workspace, plan, processes=1))


@pytest.mark.parametrize("more", [{}, FOR_TWO], ids=["alone", "for two"])
def test_each_of_its_matches_is_counted(workspace: Workspace, more: dict[str, Any]) -> None:
    plan = made(workspace, population=3, **more)
    before = told(workspace, plan)
    hands = Pretended(by_skill)
    _, story = played(workspace, plan, hands)
    assert story.verdict is not None
    assert story.verdict.candidate, "somebody came to the gate"
    assert before.matches == len(hands.orders)
    assert (before.rounds, before.models) == (plan.generations, [])


def test_models_to_choose_from_share_what_candidates_ask(workspace: Workspace) -> None:
    """Of 5 in each generation, with 2 seeds, one is the start, whose model is its own; so is one of the two
    at the gate, with 10. What they throw is refused: of 4 turns each is asked three times."""
    plan = made(workspace, start="talker.yaml", models=["house", "test"], reflection={"model": "test"})
    before = told(workspace, plan)
    calls = {one.model: one.calls for one in before.models}
    own, others = 3 * 4 * (2 * 2 + 10), 3 * 4 * (2 * 4 * 2 + 10)
    assert calls == {"house": own + others / 2, "test": others / 2}
    assert before.notes == []


def test_reflections_are_said_to_come_on_top(workspace: Workspace) -> None:
    with (workspace.root / "windtunnel.toml").open("a") as file:
        file.write('[models.deployments.far]\nmodel = "openai-chat:m"\nurl = "http://127.0.0.1:9/v1"\n')
    plan = made(Workspace(workspace.root), start="talker.yaml", reflection={"model": "far"})
    before = told(Workspace(workspace.root), plan)
    assert before.calls == 3 * 4 * (2 * (1 + 4) * 2 + 2 * 10), "the start is tried with the others"
    (note,) = before.notes
    assert note.startswith("about 7 reflections by far come on top"), "4, and then 3 beside the elite"
