"""Who may do what: bounds, the validator, and the run around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.worlds.economy.conftest import FIRST_FOUR, SCENARIOS, Played, Table, nations, scenario
from windtunnel.codec import decode_body
from windtunnel.errors import ScenarioError
from windtunnel.journal import Status
from windtunnel.testing import assert_world
from windtunnel.world import ACCEPT, Actor, AgentSpec, Decided, Event, Scenario
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.actions import Budget, KeepCourse, Rebalance, SetRate, Spend, Wait

NORTH = Actor("north", "government")
Play = Callable[..., Played]
SEATS = (
    AgentSpec("bank", "central_bank", settings={"nation": "north"}),
    AgentSpec("trader", "trader"),
    AgentSpec("people", "households", size=60, settings={"nation": "east"}),
)


def seats(given: Scenario, *more: AgentSpec) -> Scenario:
    return msgspec.structs.replace(given, agents=given.agents + more)


def judged(table: Table, action: Any, actor: Actor = NORTH) -> Any:
    return world.validator.check(table.state, actor, action, table.luck)


@pytest.fixture
def table() -> Table:
    return Table(seats(nations("north", "east", "south"), *SEATS)).play(2)


def test_a_small_step_is_accepted_as_it_is(table: Table) -> None:
    own = table.state.nations["north"]
    assert judged(table, Budget(own.spending + 0.02, own.tax - 0.02, {"east": 0.1})) is ACCEPT
    assert judged(table, KeepCourse()) is ACCEPT


def test_a_tariff_on_oneself_or_on_nobody_is_rejected_with_the_partners_named(table: Table) -> None:
    for partner in ("north", "atlantis"):
        verdict = judged(table, Budget(0.2, 0.26, {partner: 0.1}))
        assert verdict.kind == "reject"
        assert "east, south" in verdict.reason


def test_an_abrupt_change_is_cut_to_the_largest_step(table: Table) -> None:
    own = table.state.nations["north"]
    verdict = judged(table, Budget(0.6, 0.0, {"east": 2.0, "south": 0.05}))
    assert verdict.kind == "amend"
    assert verdict.action.spending == pytest.approx(own.spending + 0.02)
    assert verdict.action.tax == pytest.approx(own.tax - 0.02)
    assert verdict.action.tariffs == {"east": pytest.approx(0.1), "south": 0.05}
    assert "spending" in verdict.reason
    assert "tariff on east" in verdict.reason
    assert "south" not in verdict.reason


def test_a_rate_moves_by_steps_and_not_beyond_its_ceiling(table: Table) -> None:
    bank = Actor("bank", "central_bank")
    now = table.state.nations["north"].rate
    verdict = judged(table, SetRate(0.2), bank)
    assert verdict.action.rate == pytest.approx(now + table.luck.parameters.rate_step)
    table.state.nations["north"].rate = table.luck.parameters.max_rate
    assert judged(table, SetRate(table.luck.parameters.max_rate + 0.001), bank).action.rate == 0.04
    assert judged(table, SetRate(0.04), bank) is ACCEPT


def test_a_portfolio_is_of_nations_here_and_of_no_more_than_all(table: Table) -> None:
    trader = Actor("trader", "trader")
    assert judged(table, Rebalance(cash={"north": 0.5}, bonds={"east": 0.5}), trader) is ACCEPT
    assert (
        "add up to 1.100" in judged(table, Rebalance(cash={"north": 0.6}, goods={"east": 0.5}), trader).reason
    )
    assert "'atlantis' is no nation" in judged(table, Rebalance(bonds={"atlantis": 0.1}), trader).reason
    assert judged(table, Wait(), trader) is ACCEPT


def test_a_crowd_spends_once_for_each_of_its_households(table: Table) -> None:
    people = Actor("people", "households", 60)
    assert judged(table, Spend(np.zeros(60)), people) is ACCEPT
    assert "60 households" in judged(table, Spend(np.zeros(61)), people).reason
    assert "less than nothing" in judged(table, Spend(np.full(60, -1.0)), people).reason


def test_a_new_course_takes_force_and_new_tariffs_are_announced(table: Table) -> None:
    table.told.clear()
    table.turn({"north": Budget(0.19, 0.25, {"east": 0.1})})
    own = table.state.nations["north"]
    assert (own.spending, own.tax, own.tariffs) == (0.19, 0.25, {"east": 0.1})
    assert [(event.kind, event.actor, event.body) for event in table.told] == [
        ("tariffs", "north", {"east": 0.1})
    ]
    seen = world.engine.observe(table.state, Actor("east", "government"))
    assert seen.partners["north"].tariff_on_us == 0.1
    table.turn({"north": Budget(0.19, 0.25, {"east": 0.0})})
    assert own.tariffs == {}
    before = len(table.told)
    table.turn({"north": Budget(0.19, 0.25)})
    assert len(table.told) == before


def test_the_engine_takes_no_tariff_and_no_step_that_a_validator_would_have_refused(table: Table) -> None:
    decided = Decided({"north": Budget(0.2, 0.26, {"north": 0.1, "atlantis": 0.1, "east": 0.1})})
    now = table.state.nations["north"].rate
    decided["bank"] = SetRate(0.25)
    decided["people"] = Spend(np.ones(7))
    applied = world.engine.apply(table.state, decided, [], table.luck)
    assert applied.state.nations["north"].tariffs == {"east": 0.1}
    assert applied.state.nations["north"].rate <= now + table.luck.parameters.rate_step + 1e-12


@pytest.mark.parametrize(
    "garbage",
    [
        '{"type":"Budget","spending":0.7,"tax":0.2}',
        '{"type":"Budget","spending":-0.1,"tax":0.2}',
        '{"type":"Budget","spending":null,"tax":0.2}',
        '{"type":"Budget","spending":"much","tax":0.2}',
        '{"type":"Budget","spending":0.2}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":{"east":2.5}}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":{"":0.1}}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"bribe":1}',
        '{"type":"SetRate","rate":-0.01}',
        '{"type":"SetRate","rate":0.26}',
        '{"type":"Rebalance","cash":{"east":1.5}}',
        '{"type":"Spend","cents":{"dtype":"<f8","shape":[2],"data":"AAAA"}}',
        '{"type":"Invade"}',
        '{"type":"KeepCourse","spending":0.2}',
        "3",
    ],
)
def test_garbage_is_refused_by_its_type(garbage: str) -> None:
    with pytest.raises((msgspec.ValidationError, ValueError)):
        decode_body(garbage.encode(), Budget | KeepCourse | SetRate | Rebalance | Spend)


def test_garbage_from_an_agent_ends_as_its_no_op(play: Play) -> None:
    given = msgspec.structs.replace(nations("north", "east"), turns=3)
    odd = play(given, {"north": lambda seen, context: {"type": "Budget", "spending": 9, "tax": float("nan")}})
    idle = play(given, {"north": lambda seen, context: KeepCourse()})
    assert odd.status is Status.COMPLETED
    assert odd.state.nations["north"].books == idle.state.nations["north"].books


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRST_FOUR)
def test_the_same_seed_ends_in_the_same_head_and_another_does_not(name: str, play: Play) -> None:
    given = msgspec.structs.replace(scenario(name), turns=15)
    first, again = play(given), play(given)
    assert first.status is Status.COMPLETED
    assert first.head == again.head
    other = play(msgspec.structs.replace(given, seed=given.seed + 1))
    assert other.head != first.head
    assert other.state.nations["aldland"].books != first.state.nations["aldland"].books


# Between them every role, both models of the economy, agents of all kinds.
FOUR = ("crowd", "currency_attack", "hybrid", "model_sim")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in FOUR else pytest.mark.soak) for name in SCENARIOS],
)
def test_each_scenario_passes_the_conformance_kit(name: str) -> None:
    assert_world(world, [scenario(name)], turns=6)


def test_another_nation_at_the_table_shifts_nobodys_luck() -> None:
    two, three = Table(nations("a", "b")).play(5), Table(nations("a", "b", "c")).play(5)
    assert two.state.nations["a"].productivity == three.state.nations["a"].productivity


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_reads_well(name: str) -> None:
    given = scenario(name)
    assert given.world == "economy"
    assert given.turns == 100 or name not in FIRST_FOUR
    assert given.title
    assert given.description
    with open(f"{world.scenarios}/{name}.yaml", encoding="utf-8") as file:  # noqa: PTH123 - as the contract has it
        head = file.read(2000).splitlines()
    assert all(line.startswith("# ") for line in head[:3])
    assert any("Watch:" in line for line in head[:4])
    for agent in given.agents:
        assert agent.policy in world.roles[agent.role].policies


def test_every_role_has_policies_to_choose_from() -> None:
    assert all(len(role.policies) >= 3 for role in world.roles.values())


SEAT = AgentSpec("x", "central_bank")
CROWD = AgentSpec("x", "households", size=7, settings={"nation": "a"})


@pytest.mark.parametrize(
    ("ids", "more", "parameters", "said"),
    [
        ([], [], {}, "1 to 64 nations, not 0"),
        (["a", "b"], [], {"nations": {"c": {}}}, "'c'"),
        (["a", "b"], [], {"nations": {"a": {"peg": "z"}}}, "'z'"),
        (["a", "b"], [], {"nations": {"a": {"peg": "a"}}}, "to itself"),
        (["a", "b"], [], {"shocks": [{"turn": 1, "type": "demand", "size": 0.1, "nations": ["z"]}]}, "'z'"),
        (["a", "b"], [SEAT], {}, "names no nation"),
        (["a"], [msgspec.structs.replace(SEAT, settings={"nation": "q"})], {}, "no nation 'q'"),
        (["a"], [CROWD], {}, "7 households, and a has 200"),
        (["a", "b"], [], {"model": "sim"}, "one agent"),
    ],
)
def test_a_world_that_cannot_begin_says_why(
    ids: list[str], more: list[AgentSpec], parameters: dict[str, Any], said: str
) -> None:
    agents = (*(AgentSpec(name, "government") for name in ids), *more)
    with pytest.raises(ScenarioError, match=said):
        Table(Scenario("economy", agents=agents, parameters=parameters))


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"nations": {"c": {}}}, "parameters.nations.c"),
        ({"nations": {"a": {"peg": "z"}}}, "parameters.nations.a.peg"),
        (
            {"shocks": [{"turn": 1, "type": "demand", "size": 0.1, "nations": ["a", "z"]}]},
            "parameters.shocks.0.nations.1",
        ),
    ],
)
def test_a_name_that_no_nation_has_is_told_by_its_path(parameters: dict[str, Any], where: str) -> None:
    with pytest.raises(ScenarioError, match="nobody governs") as caught:
        Table(Scenario("economy", agents=(AgentSpec("a", "government"),), parameters=parameters))
    assert caught.value.where == where


def test_two_central_banks_of_one_nation_are_refused() -> None:
    twice = [msgspec.structs.replace(SEAT, id=name, settings={"nation": "a"}) for name in "xy"]
    with pytest.raises(ScenarioError, match="two agents of role central_bank play for a"):
        Table(seats(nations("a", "b"), *twice))


@pytest.mark.parametrize(
    "body",
    [None, "boom", {}, {"type": "demand"}, {"type": "war", "size": -0.1}, {"type": "demand", "size": -3},
     {"type": "demand", "size": -0.1, "nations": ["nowhere"]}, {"type": "demand", "size": -0.1, "x": 1}],
)  # fmt: skip
def test_a_shock_that_makes_no_sense_is_named_and_left_aside(body: object) -> None:
    odd, plain = Table(nations("a", "b")), Table(nations("a", "b"))
    odd.turn({}, [Event("shock", body)])
    plain.turn({})
    assert odd.bytes() == plain.bytes()
    assert [event.kind for event in odd.told] == ["shock_refused"]


def test_an_injected_shock_does_what_a_planned_one_does() -> None:
    shock = {"type": "demand", "size": -0.1, "nations": ["b"]}
    planned = Table(nations("a", "b", shocks=[{"turn": 3, **shock}])).play(8)
    injected = Table(nations("a", "b")).play(2)
    injected.turn(injected.decide(), [Event("shock", shock)])
    injected.play(5)
    assert injected.bytes() == planned.bytes()
    assert injected.curve("gdp", "b") != Table(nations("a", "b")).play(8).curve("gdp", "b")


@pytest.mark.parametrize("kind", ["demand", "supply", "credit", "currency"])
def test_each_kind_of_shock_does_something_of_its_own(kind: str) -> None:
    calm = Table(nations("a", "b", "c")).play(6)
    struck = calm.fork()
    struck.turn(struck.decide(), [Event("shock", {"type": kind, "size": -0.4, "nations": ["a"]})])
    struck.play(3)
    calm.play(4)
    gap = {
        metric: struck.mean(metric, "a", -4) / calm.mean(metric, "a", -4) - 1.0
        for metric in ("gdp", "exchange", "investment")
    }
    if kind in ("demand", "supply"):
        assert gap["gdp"] < -0.04
    elif kind == "credit":
        assert gap["investment"] < -0.05
    else:
        assert gap["exchange"] < -0.03


def test_a_crowd_that_stops_spending_makes_its_own_slump() -> None:
    given = seats(nations("a", "b", nations={"a": {"people": 60}}), msgspec.structs.replace(CROWD, size=60))
    usual = Table(given).play(4)
    frightened = usual.fork()
    for _ in range(3):
        usual.play(1)
        wish = frightened.decide()
        frightened.turn(wish | {"x": Spend(wish["x"].cents * 0.5)})
    assert frightened.curve("consumption", "a")[-1] < 0.75 * usual.curve("consumption", "a")[-1]
    assert frightened.curve("unemployment", "a")[-1] > usual.curve("unemployment", "a")[-1] + 0.05


def test_a_crowd_with_habits_is_the_nation_that_nobody_plays() -> None:
    given = nations("a", "b")
    played = Table(seats(given, msgspec.structs.replace(CROWD, size=60))).play(6)
    alone = Table(given).play(6)
    assert played.curve("gdp", "a") == alone.curve("gdp", "a")


def test_households_whose_spending_was_not_allowed_spend_nothing() -> None:
    table = Table(seats(nations("a", "b"), msgspec.structs.replace(CROWD, size=60))).play(1)
    decided = Decided(table.decide())
    decided.allowed["x"] = np.arange(60) >= 30
    before = table.state.nations["a"].people.cash.copy()
    masked = world.engine.apply(table.state, decided, [], table.luck).state.nations["a"].people
    assert (masked.cash[:30] >= before[:30]).all()
    assert (masked.cash[30:] < before[30:] + masked.income[30:]).all()
