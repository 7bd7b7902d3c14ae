"""Models in the economy: governments that ask one, a team, a game master and a judge of budgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import windtunnel as wt
from tests.worlds.economy.conftest import Played, scenario
from windtunnel.errors import ModelSetup
from windtunnel.journal import Status
from windtunnel.models.talk import Reply
from windtunnel.run.fork import Change
from windtunnel.scenario import with_model
from windtunnel.testing import assert_world
from windtunnel.testing.lab import Lab
from windtunnel.world import Call, EffectKind, Scenario
from windtunnel.worlds.economy import world

MINDS = ("llm_growth", "hybrid")
Play = Callable[..., Played]


def housed(name: str, turns: int, model: str = "house", **parameters: Any) -> Scenario:
    given = with_model(scenario(name), model)
    changed = msgspec.structs.replace(given.parameters, **parameters)
    return msgspec.structs.replace(given, turns=turns, parameters=changed)


def events(lab: Lab, kind: str, run_id: str = "run") -> list[Any]:
    bodies = lab.bodies("applied", run_id=run_id)
    return [event["body"] for body in bodies for event in body["events"] if event["kind"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("name", MINDS)
def test_it_plays_under_the_house_with_no_key_and_replays(name: str) -> None:
    with Lab(world) as lab:
        row = lab.play(housed(name, 22))
        assert (row.status, row.turn) == (Status.COMPLETED, 22)
        assert lab.replay().identical
        thinking = [agent.id for agent in scenario(name).agents if agent.kind in ("llm", "team")]
        asked = {entry.actor.split("/")[0] for entry in lab.history(kind="effect", turn=5)}
        assert asked >= set(thinking)


@pytest.mark.slow
@pytest.mark.parametrize("name", MINDS)
def test_a_fork_goes_its_own_way_and_shares_the_past(name: str) -> None:
    with Lab(world) as lab:
        lab.play(housed(name, 14))
        calm = Change(lambda given: msgspec.structs.replace(given, agents=_steady(given.agents)))
        lab.fork("7", change=calm)
        lab.go_on("fork")
        mine, theirs = (lab.bodies("scored", run_id=run_id) for run_id in ("run", "fork"))
        assert mine[:7] == theirs[:7]
        assert mine[-1] != theirs[-1]
        assert lab.replay("fork").identical


def _steady(agents: Any) -> Any:
    return tuple(
        msgspec.structs.replace(agent, policy="steady" if agent.role == "government" else agent.policy)
        for agent in agents
    )


def test_models_of_the_house_govern_as_its_rules_do() -> None:
    """The whole way through prompts and replies changes nothing of what is decided."""
    ends = []
    for model in ("house", "rule"):
        with Lab(world) as lab:
            lab.play(housed("hybrid", 10, model))
            ends.append((lab.bodies("decided")[0]["actions"], lab.bodies("scored")))
            assert bool(lab.history(kind="effect")) is (model == "house")
    assert ends[0] == ends[1]


@pytest.mark.slow
def test_the_game_master_causes_one_shock_at_most_and_only_where_it_is_asked() -> None:
    with Lab(world) as lab:
        lab.play(housed("hybrid", 20))
        shocks, rulings = events(lab, "shock"), events(lab, "ruled")
        assert len(rulings) == 20
        assert 1 <= len(shocks) <= 20
        assert [len(ruling["applied"]) for ruling in rulings].count(1) == len(shocks)
    with Lab(world) as lab:
        lab.play(housed("hybrid", 10, game_master=5, budget_judge=False))
        asked = [entry.actor for entry in lab.history(kind="effect")]
        assert asked.count("/master") == 2
        assert not [actor for actor in asked if actor.endswith("/judge")]


def test_a_rule_of_growth_asks_nobody(play: Play) -> None:
    given = msgspec.structs.replace(scenario("growth"), turns=3)
    with Lab(world) as lab:
        lab.play(given)
        assert lab.history(kind="effect") == []
        assert lab.head() == play(given).head


class Says:
    """A master who says this, a judge who says that, governments that keep their course."""

    def __init__(self, master: Any, judge: Any) -> None:
        self.said = {"master": master, "judge": judge}
        self.prompts: dict[str, str] = {}

    async def answer(self, request: Any, call: Call) -> Any:
        member = call.actor.rpartition("/")[2]
        self.prompts.setdefault(member, "\n".join(message.text for message in request.messages))
        keep = {"why": "wait", "action": {"type": "KeepCourse"}}
        return Reply(json.dumps(self.said.get(member, keep)))


def test_a_shock_that_the_master_causes_strikes_whom_it_names() -> None:
    blow = {"type": "CauseShock", "shock": "demand", "size": -0.1, "nations": ["borland"]}
    says = Says({"why": "a panic", "changes": [blow]}, {"why": "", "verdict": "accept"})
    with Lab(world, effects={"model": EffectKind(says.answer)}) as lab:
        lab.play(housed("hybrid", 1))
        nations = lab.at().frame.state.nations
        assert nations["borland"].mood.demand == -0.1
        assert nations["aldland"].mood.demand == 0.0
        assert events(lab, "shock") == [{"type": "demand", "size": -0.1, "nations": ["borland"]}]
    assert "debt_over_a_years_output" in says.prompts["master"]
    assert "borland | " in says.prompts["master"]


@pytest.mark.parametrize(
    ("shock", "why"),
    [
        ({"shock": "demand", "size": -0.5}, "size"),
        ({"shock": "flood", "size": -0.1}, "shock"),
        ({"shock": "demand", "size": -0.1, "nations": ["atlantis"]}, "no nation 'atlantis'"),
    ],
)
def test_a_shock_that_makes_no_sense_strikes_nobody(shock: dict[str, Any], why: str) -> None:
    says = Says({"why": "x", "changes": [{"type": "CauseShock", **shock}]}, {"why": "", "verdict": "accept"})
    with Lab(world, effects={"model": EffectKind(says.answer)}) as lab:
        lab.play(housed("hybrid", 1))
        assert all(nation.mood.demand == 0.0 for nation in lab.at().frame.state.nations.values())
        assert events(lab, "shock") == []
        assert why in events(lab, "ruled")[0]["refused"][0]["why"]


def test_a_budget_that_the_judge_refuses_is_not_announced() -> None:
    says = Says({"why": "", "changes": []}, {"why": "reckless", "verdict": "reject"})
    with Lab(world, effects={"model": EffectKind(says.answer)}) as lab:
        lab.play(housed("hybrid", 1))
        verdicts = lab.bodies("judged")[-1]["verdicts"]
        assert verdicts["corland"]["kind"] == "no_op"
        assert verdicts["corland"]["reason"] == "reckless"
        assert "aldbank" not in {entry.actor.split("/")[0] for entry in lab.history(kind="effect")}
        nation = lab.at().frame.state.nations["corland"]
        assert (nation.spending, nation.tax) == (0.2, 0.24)


def test_the_house_lets_no_high_debt_grow_by_spending() -> None:
    with Lab(world) as lab:
        lab.play(housed("hybrid", 4))
        told = [body["verdicts"] for body in lab.bodies("judged")]
        amended = [one["borland"] for one in told if isinstance(one, dict) and "debt" in str(one["borland"])]
        assert amended
        assert amended[0]["action"]["spending"] == 0.2


def test_without_a_key_the_error_says_how_to_play_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_URL", "OLLAMA_URL", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelSetup) as caught:
        wt.run("economy/llm_growth", turns=1)
    assert "--model house plays it with no key" in str(caught.value.remedy)


def test_a_government_is_told_what_its_figures_mean() -> None:
    says = Says({"why": "", "changes": []}, {"why": "", "verdict": "accept"})
    with Lab(world, effects={"model": EffectKind(says.answer)}) as lab:
        lab.play(housed("llm_growth", 2))
    prompt = says.prompts["aldland"]
    shown = prompt.partition("# What you observe")[2].partition("What do you do?")[0]
    for line in shown.strip().splitlines():
        figure = line.partition(":")[0]
        if not line.startswith(" ") and figure not in ("partners", "statistics"):
            word = f"`{figure}`" if "_" in figure else figure
            assert word in prompt.partition("# What you observe")[0].lower(), figure
    assert "{{" not in prompt


@pytest.mark.slow
def test_the_conformance_kit_finds_nothing_with_models_above_the_rules() -> None:
    report = assert_world(world, [housed("hybrid", 8)], turns=8)
    assert "master" not in str(report)
