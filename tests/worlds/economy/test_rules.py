"""Who may do what: bounds, the validator, and the run around them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.worlds.economy.conftest import SCENARIOS, Played, Table, nations, scenario
from windtunnel.codec import decode_body
from windtunnel.errors import ScenarioError
from windtunnel.journal import Status
from windtunnel.world import ACCEPT, Actor, AgentSpec, Decided, Scenario
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.actions import Budget, KeepCourse

NORTH = Actor("north", "government")
Play = Callable[..., Played]


def judged(table: Table, action: Any) -> Any:
    return world.validator.check(table.state, NORTH, action, table.luck)


@pytest.fixture
def table() -> Table:
    return Table(nations("north", "east", "south")).play(2)


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


def test_debt_at_the_ceiling_allows_no_looser_budget() -> None:
    table = Table(nations("north", "east", nations={"north": {"debt": 2.0}}, debt_ceiling=1.5))
    own = table.state.nations["north"]
    verdict = judged(table, Budget(own.spending + 0.01, own.tax - 0.01))
    assert verdict.kind == "amend"
    assert (verdict.action.spending, verdict.action.tax) == (own.spending, own.tax)
    assert judged(table, Budget(own.spending - 0.01, own.tax + 0.01)) is ACCEPT


def test_a_new_course_takes_force_and_new_tariffs_are_announced(table: Table) -> None:
    table.told.clear()
    table.turn({"north": Budget(0.19, 0.27, {"east": 0.1})})
    own = table.state.nations["north"]
    assert (own.spending, own.tax, own.tariffs) == (0.19, 0.27, {"east": 0.1})
    assert [(event.kind, event.actor, event.body) for event in table.told] == [
        ("tariffs", "north", {"east": 0.1})
    ]
    seen = world.engine.observe(table.state, Actor("east", "government"))
    assert seen.partners["north"].tariff_on_us == 0.1
    table.turn({"north": Budget(0.19, 0.27, {"east": 0.0})})
    assert own.tariffs == {}
    before = len(table.told)
    table.turn({"north": Budget(0.19, 0.27)})
    assert len(table.told) == before


@pytest.mark.parametrize(
    "garbage",
    [
        '{"type":"Budget","spending":0.7,"tax":0.2}',
        '{"type":"Budget","spending":-0.1,"tax":0.2}',
        '{"type":"Budget","spending":null,"tax":0.2}',
        '{"type":"Budget","spending":"much","tax":0.2}',
        '{"type":"Budget","spending":0.2}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":{"east":2.5}}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":{"east":-0.1}}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":{"":0.1}}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"tariffs":[0.1]}',
        '{"type":"Budget","spending":0.2,"tax":0.2,"bribe":1}',
        '{"type":"Invade"}',
        '{"type":"KeepCourse","spending":0.2}',
        "3",
    ],
)
def test_garbage_is_refused_by_its_type(garbage: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_body(garbage.encode(), Budget | KeepCourse)


def test_garbage_from_an_agent_ends_as_its_no_op(play: Play) -> None:
    given = msgspec.structs.replace(nations("north", "east"), turns=3)
    odd = play(given, {"north": lambda seen, context: {"type": "Budget", "spending": 9, "tax": float("nan")}})
    idle = play(given, {"north": lambda seen, context: KeepCourse()})
    assert odd.status is Status.COMPLETED
    assert odd.state == idle.state


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_seed_ends_in_the_same_head_and_another_does_not(name: str, play: Play) -> None:
    given = msgspec.structs.replace(scenario(name), turns=25)
    first, again = play(given), play(given)
    assert first.status is Status.COMPLETED
    assert first.head == again.head
    other = play(msgspec.structs.replace(given, seed=given.seed + 1))
    assert other.head != first.head
    assert other.state.nations["aldland"].books != first.state.nations["aldland"].books


def test_another_nation_at_the_table_shifts_nobodys_luck() -> None:
    two, three = Table(nations("a", "b")).play(5), Table(nations("a", "b", "c")).play(5)
    assert two.state.nations["a"].productivity == three.state.nations["a"].productivity


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_reads_well(name: str) -> None:
    given = scenario(name)
    assert (given.world, given.turns) == ("economy", 100)
    assert given.title
    assert given.description
    assert 2 <= len(given.agents) <= 4
    text = (world.scenarios + f"/{name}.yaml").replace("//", "/")
    with open(text, encoding="utf-8") as file:  # noqa: PTH123 - the folder is a string of the contract
        head = file.read(2000).splitlines()
    assert all(line.startswith("# ") for line in head[:3])
    assert any("Watch:" in line for line in head[:4])


@pytest.mark.parametrize(
    ("ids", "parameters", "said"),
    [
        (["a"], {}, "2 to 8 nations"),
        ([f"n{i}" for i in range(9)], {}, "2 to 8 nations"),
        (["a", "b"], {"nations": {"c": {}}}, "'c'"),
        (["a", "b"], {"shocks": [{"turn": 1, "type": "demand", "size": 0.1, "nations": ["z"]}]}, "'z'"),
    ],
)
def test_a_world_that_cannot_begin_says_why(ids: list[str], parameters: dict[str, Any], said: str) -> None:
    agents = tuple(AgentSpec(name, "government") for name in ids)
    with pytest.raises(ScenarioError, match=said):
        Table(Scenario("economy", agents=agents, parameters=parameters))


def test_a_nation_at_rest_begins_with_a_bank_whose_sides_are_equal() -> None:
    table = Table(nations("a", "b", nations={"a": {"labour": 7, "productivity": 3.3, "debt": 0.0}}))
    table.check()


def test_runaway_money_ends_the_run_in_words(table: Table) -> None:
    assert world.engine.over(table.state) is None
    table.state.nations["east"].books.household = 2**61
    assert "the money of east has lost its meaning" in (world.engine.over(table.state) or "")


def test_importing_the_world_loads_no_numpy() -> None:
    code = "import sys, windtunnel.worlds.economy; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_the_engine_takes_no_tariff_that_a_validator_would_have_refused(table: Table) -> None:
    decided = Decided({"north": Budget(0.2, 0.26, {"north": 0.1, "atlantis": 0.1, "east": 0.1})})
    applied = world.engine.apply(table.state, decided, [], table.luck)
    assert applied.state.nations["north"].tariffs == {"east": 0.1}
