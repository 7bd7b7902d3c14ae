"""What the economy says is at stake, and what policies make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from windtunnel.journal import Status
from windtunnel.scenario import load_scenario
from windtunnel.testing import check_world
from windtunnel.testing.lab import Lab
from windtunnel.world import Actor, AgentSpec, Scenario
from windtunnel.worlds.economy.actions import Budget, KeepCourse, Rebalance, SetRate
from windtunnel.worlds.economy.stakes import stakes
from windtunnel.worlds.economy.world import world

TRADE = ("a", "b")


def scenario(**more: Any) -> Scenario:
    agents = (
        AgentSpec("a", "government", kind="python"),
        AgentSpec("b", "government", policy="steady"),
        AgentSpec("bank", "central_bank", settings={"nation": "a"}),
        AgentSpec("fund", "trader"),
    )
    parameters = {"nations": {name: {"people": 30, "firms": 4} for name in TRADE}}
    return Scenario("economy", agents=agents, turns=4, parameters=parameters, **more)


@pytest.fixture(scope="module")
def state() -> Any:
    with Lab(world, players={"a": lambda *_: KeepCourse()}) as lab:
        lab.play(scenario())
        return lab.at(2).frame.state


def of(state: Any, who: str, role: str, action: Any) -> Any:
    return stakes(state, Actor(who, role), action)


def test_a_budget_is_as_risky_as_what_it_moves(state: Any) -> None:
    now = state.nations["a"]

    def budget(spending: float = 0.0, tax: float = 0.0, **tariffs: float) -> Any:
        return of(state, "a", "government", Budget(now.spending + spending, now.tax + tax, tariffs))

    assert [budget(step).risk for step in (0.001, 0.008, 0.02)] == ["low", "medium", "high"]
    assert [budget(0.0, 0.0, b=rate).risk for rate in (0.1, 0.6)] == ["medium", "high"]
    assert budget(0.01, -0.01).amount == pytest.approx(0.02 * now.annual / 4)
    assert "tariff on b 0 to 0.1" in budget(0.0, 0.0, b=0.1).summary
    assert of(state, "a", "government", KeepCourse()).amount == 0.0


def test_a_state_that_nobody_lends_to_may_not_widen_its_deficit_unseen(state: Any) -> None:
    now = state.nations["a"]
    shut = structs.replace(state, nations={**state.nations, "a": structs.replace(now, shut=3)})
    assert of(shut, "a", "government", Budget(now.spending + 0.001, now.tax)).risk == "critical"
    assert of(shut, "a", "government", Budget(now.spending - 0.001, now.tax)).risk == "low"


def test_a_rate_is_told_in_basis_points(state: Any) -> None:
    rate = state.nations["a"].rate
    told = of(state, "bank", "central_bank", SetRate(rate + 0.004))
    assert (told.risk, told.unit, told.amount) == ("high", "basis points", pytest.approx(40.0))
    assert of(state, "bank", "central_bank", SetRate(rate + 0.0005)).risk == "low"


def test_one_bet_with_a_whole_fortune_is_risky(state: Any) -> None:
    assert of(state, "fund", "trader", Rebalance(goods={"b": 1.0})).risk == "high"
    small = of(state, "fund", "trader", Rebalance())
    assert (small.risk, small.amount) == ("low", 0.0)


def test_the_kit_finds_the_stakes_sound() -> None:
    report = check_world(world, [structs.replace(scenario(), agents=_rules())], turns=6, only=["stakes"])
    (found,) = report.about("stakes")
    assert found.verdict == "ok", str(report)
    assert "high" in found.what


def _rules() -> tuple[AgentSpec, ...]:
    return tuple(structs.replace(agent, kind="rule") for agent in scenario().agents)


@pytest.mark.parametrize("mode", ["park", "defer"])
def test_a_budget_that_was_voted_on_takes_force(tmp_path: Path, mode: str) -> None:
    def bold(seen: Any, context: Any) -> Any:
        return Budget(seen.spending + 0.02, seen.tax) if context.turn == 2 else KeepCourse()

    rule = {"types": ["Budget"], "risk": ["high"], "do": "hold", "mode": mode, "approvers": 2}
    with Lab(world, folder=tmp_path, players={"a": bold}) as lab:
        lab.begin(scenario(approvals={"rules": [rule]}))
        row = lab.go(stop_after=2)
        assert row.status is (Status.WAITING if mode == "park" else Status.PAUSED)
        (held,) = lab.waiting()
        before = lab.at(1).frame.state.nations["a"].spending
        for name in ("x", "y"):
            lab.vote(held.name, sender=name)
        assert lab.go().status is Status.COMPLETED
        assert lab.at().frame.state.nations["a"].spending == pytest.approx(before + 0.02)
        assert lab.replay().identical


def test_every_scenario_plays_under_a_profile() -> None:
    file = Path(world.scenarios) / "quick.yaml"
    with Lab(world) as lab:
        quick = load_scenario(file, world, ["approvals=moderate", "turns=8"])
        assert lab.play(quick).status is Status.COMPLETED
        assert lab.replay().identical
        assert any(effect.kind == "approval" for effect in lab.store.effects("run"))
