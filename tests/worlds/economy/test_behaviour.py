"""What the scenarios promise to show, and that it follows from what is done there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import pytest

from tests.worlds.economy.conftest import SCENARIOS, Table, governed, nations, scenario
from windtunnel.world import Actor, Event
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.world import redraw_hidden

SEEDS = (1, 2, 3)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("seed", SEEDS)
def test_growth_grows_and_stays_calm(seed: int) -> None:
    table = Table(scenario("growth"), seed).play()
    gdp = table.curve("gdp")
    assert 1.3 < mean(gdp[-8:]) / mean(gdp[:8]) < 1.6
    assert 0.02 < mean(table.curve("unemployment")) < 0.09
    assert abs(mean(table.curve("inflation"))) < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recession_dips_and_recovers(seed: int) -> None:
    table = Table(scenario("recession"), seed).play()
    gdp, idle = table.curve("gdp"), table.curve("unemployment")
    before = mean(gdp[14:19])
    assert min(gdp[19:26]) < 0.92 * before
    assert idle.index(max(idle)) > 20  # work is lost after orders are
    assert max(idle) > mean(idle[14:19]) + 0.04
    assert mean(gdp[55:60]) > before
    assert mean(idle[55:65]) < 0.08


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trade_war_lowers_trade_and_what_people_consume(seed: int) -> None:
    war = Table(scenario("trade_war"), seed).play()
    peace = Table(governed(scenario("trade_war"), "balanced"), seed).play()
    assert mean(war.curve("trade")[40:]) < 0.85 * mean(peace.curve("trade")[40:])
    assert _consumption(war) < _consumption(peace)
    tariffs = [rate for nation in war.state.nations.values() for rate in nation.tariffs.values()]
    assert max(tariffs) > 0.2
    assert not any(nation.tariffs for nation in peace.state.nations.values())


def _consumption(table: Table) -> float:
    return mean([score[name]["consumption"] for score in table.scores for name in table.state.nations])


@pytest.mark.parametrize("seed", SEEDS)
def test_stimulus_raises_output_in_the_slump_and_leaves_debt(seed: int) -> None:
    given = scenario("stimulus")
    helped = Table(given, seed).play(30)
    alone = Table(governed(given, "balanced"), seed).play(30)
    slump = slice(12, 24)
    assert mean(helped.curve("gdp")[slump]) > 1.03 * mean(alone.curve("gdp")[slump])
    assert mean(helped.curve("unemployment")[slump]) < mean(alone.curve("unemployment")[slump]) - 0.03
    assert max(helped.curve("debt", "aldland")) > max(alone.curve("debt", "aldland"))


def test_the_slump_is_what_the_shock_makes_of_it() -> None:
    given = scenario("stimulus")
    calm = msgspec.structs.replace(given, parameters=msgspec.structs.replace(given.parameters, shocks=()))
    struck, spared = Table(given).play(15), Table(calm).play(15)
    assert struck.curve("gdp")[:9] == spared.curve("gdp")[:9]
    assert struck.curve("gdp")[10] < 0.9 * spared.curve("gdp")[10]


def test_a_supply_shock_raises_prices_while_output_falls() -> None:
    struck, spared = Table(nations("a", "b")).play(5), Table(nations("a", "b")).play(5)
    struck.turn({}, [Event("shock", {"type": "supply", "size": -0.2})])
    spared.turn({})
    assert struck.curve("inflation")[-1] > spared.curve("inflation")[-1] + 0.02
    assert struck.play(6).curve("gdp")[-1] < spared.play(6).curve("gdp")[-1]


def test_an_injected_shock_does_what_a_planned_one_does() -> None:
    planned = Table(
        nations("a", "b", shocks=[{"turn": 3, "type": "demand", "size": -0.1, "nations": ["b"]}])
    ).play(8)
    injected = Table(nations("a", "b")).play(2)
    policy = world.roles["government"].policies["balanced"]
    seen = {
        actor.id: policy(world.engine.observe(injected.state, actor), injected.luck)
        for actor in injected.actors
    }
    injected.turn(seen, [Event("shock", {"type": "demand", "size": -0.1, "nations": ["b"]})])
    injected.play(5)
    assert injected.bytes() == planned.bytes()
    assert injected.curve("gdp", "b") != Table(nations("a", "b")).play(8).curve("gdp", "b")


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


@pytest.mark.parametrize("name", ["growth", "stimulus"])
def test_each_policy_has_an_outcome_of_its_own(name: str) -> None:
    given = scenario(name)
    policies = list(world.roles["government"].policies)
    assert len(policies) >= 4
    others = ["balanced"] * (len(given.agents) - 1)
    outcomes = {}
    for policy in policies:
        table = Table(governed(given, policy, *others)).play(60)
        curves = [table.curve(metric, "aldland") for metric in ("gdp", "debt", "consumption", "wealth")]
        outcomes[policy] = [mean(curve) for curve in [*curves, table.curve("trade")]]
    for one, other in itertools.combinations(policies, 2):
        apart = [abs(x / y - 1.0) for x, y in zip(outcomes[one], outcomes[other], strict=True)]
        assert max(apart) > 0.01, f"{one} and {other} come to the same"


def test_austerity_in_a_slump_owes_less_and_works_less() -> None:
    given = nations("a", "b", "c", shocks=[{"turn": 5, "type": "demand", "size": -0.15}])
    saved = Table(governed(given, "austerity", "balanced", "balanced")).play(30)
    spent = Table(governed(given, "keynesian", "balanced", "balanced")).play(30)
    assert saved.curve("debt", "a")[-1] < spent.curve("debt", "a")[-1]
    assert mean(saved.curve("unemployment", "a")) > mean(spent.curve("unemployment", "a")) + 0.01


def test_wealth_abroad_is_earned_by_selling_more_than_is_bought() -> None:
    table = Table(nations("a", "b", nations={"a": {"spending": 0.1}, "b": {"spending": 0.3}})).play(10)
    nation = table.state.nations["a"]
    assert nation.books.clearing > 0
    capital = nation.capital * nation.base_price / 100.0
    assert table.curve("wealth", "a")[-1] == pytest.approx(
        capital + nation.books.clearing / nation.cpi / 100.0
    )
    assert table.state.nations["a"].books.clearing == -table.state.nations["b"].books.clearing
    assert sum(table.curve("trade_balance", "a")) > 0 > sum(table.curve("trade_balance", "b"))


def test_debt_is_not_financed_beyond_its_ceiling() -> None:
    given = nations("a", "b", debt_ceiling=0.7, nations={"a": {"spending": 0.5, "tax": 0.1}})
    table = Table(governed(given, "balanced"))
    for _ in range(80):
        table.turn({})
    free = Table(nations("a", "b", debt_ceiling=5.0, nations={"a": {"spending": 0.5, "tax": 0.1}}))
    for _ in range(80):
        free.turn({})
    assert max(table.curve("debt", "a")[10:]) < 1.4  # interest may still be rolled over, up to twice
    assert free.curve("debt", "a")[-1] > table.curve("debt", "a")[-1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_nation_and_the_world_are_scored_every_turn(name: str) -> None:
    table = Table(scenario(name)).play(5)
    for score in table.scores:
        assert set(score) == {"world", *table.state.nations}
        assert {"gdp", "inflation", "unemployment"} == set(world.headline) <= set(score["world"])
        for nation in table.state.nations:
            assert score[nation]["wealth"] > 0
            assert set(world.headline) <= set(score[nation])


def test_what_a_government_may_not_know_does_not_show() -> None:
    table = Table(scenario("trade_war")).play(12)
    actor = Actor("borland", "government")
    seen = world.engine.observe(table.state, actor)
    for element in range(20):
        other = redraw_hidden(table.state, actor, table.luck.chance("redraw", element))
        assert world.engine.observe(other, actor) == seen
        assert other.nations["aldland"].books != table.state.nations["aldland"].books
        assert all(check(other) is None for check in world.invariants.values())
    assert table.state.nations["borland"].history  # and the state itself was left alone


def test_what_a_government_may_know_does_show() -> None:
    table = Table(scenario("trade_war")).play(12)
    actor = Actor("borland", "government")
    seen = world.engine.observe(table.state, actor)
    for nation, change in [("borland", "spending"), ("borland", "rate"), ("aldland", "price")]:
        other = msgspec.convert(msgspec.to_builtins(table.state), type(table.state))
        setattr(other.nations[nation], change, 0.123)
        assert world.engine.observe(other, actor) != seen
