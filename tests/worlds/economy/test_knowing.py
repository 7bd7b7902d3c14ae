"""Who knows what, and when: statistics are late and revised, books are private, queries tell no more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.worlds.economy.conftest import Table, nations, scenario
from windtunnel.errors import WindtunnelError
from windtunnel.world import Actor
from windtunnel.worlds.economy import ledger, world
from windtunnel.worlds.economy.secrets import redraw_hidden
from windtunnel.worlds.economy.statistics import FINAL_AFTER, published


def seen(table: Table, who: str, role: str = "government", size: int = 1) -> Any:
    return world.engine.observe(table.state, Actor(who, role, size))


def test_statistics_come_a_quarter_late() -> None:
    table = Table(nations("a", "b")).play(10)
    assert seen(table, "a").statistics[-1].turn == 9
    assert [record.turn for record in published(table.state.nations["a"])][-1] == 9


def test_the_first_release_errs_and_is_revised_a_year_later() -> None:
    table = Table(nations("a", "b")).play(10)
    true = {record.turn: record for record in table.state.nations["a"].history}
    told = {record.turn: record for record in published(table.state.nations["a"])}
    for turn, record in told.items():
        final = turn <= 10 - FINAL_AFTER
        assert (record == true[turn]) is final, turn
        assert record.gdp == pytest.approx(true[turn].gdp, rel=0.03)
    later = {record.turn: record for record in published(table.fork().play(4).state.nations["a"])}
    assert later[9] != true[9] or later[8] == true[8]
    assert later[8] != told[8]  # revised


def test_what_is_published_is_the_same_for_everybody_and_does_not_depend_on_who_asks() -> None:
    table = Table(scenario("extended")).play(8)
    assert seen(table, "aldland").statistics == seen(table, "aldbank", "central_bank").statistics


@pytest.mark.parametrize(
    ("who", "role"), [("borland", "government"), ("borbank", "central_bank"), ("valuer", "trader")]
)
def test_what_somebody_may_not_know_does_not_show(who: str, role: str) -> None:
    table = Table(scenario("extended")).play(12)
    actor = Actor(who, role)
    before = world.engine.observe(table.state, actor)
    for element in range(10):
        other = redraw_hidden(table.state, actor, table.luck.chance("redraw", element))
        assert world.engine.observe(other, actor) == before
        assert (other.nations["aldland"].firms.cash != table.state.nations["aldland"].firms.cash).any()
        assert other.nations["aldland"].history != table.state.nations["aldland"].history
    assert table.state.nations["borland"].history  # and the state itself was left alone


def test_what_a_government_may_know_does_show() -> None:
    table = Table(scenario("trade_war")).play(12)
    before = seen(table, "borland")
    for nation, change in [("borland", "spending"), ("borland", "rate"), ("aldland", "exchange")]:
        other = table.fork()
        setattr(other.state.nations[nation], change, 0.123)
        assert seen(other, "borland") != before


def test_an_observation_is_a_copy_that_nobody_can_spend_from() -> None:
    table = Table(scenario("crowd"))
    view = seen(table, "people", "households", 10_000)
    view.cash[:] = 0
    assert table.state.nations["aldland"].people.cash.min() > 0


def query(table: Table, name: str, who: str = "a", role: str = "government", **more: Any) -> Any:
    return world.queries[name](table.state, Actor(who, role), **more)


def test_a_government_may_ask_for_its_own_matrix_and_history() -> None:
    table = Table(nations("a", "b")).play(12)
    shown = query(table, "matrix")
    assert shown["rows"]["wages"][shown["columns"].index("households")] > 0
    assert [record.turn for record in query(table, "history")][-2:] == [10, 11]
    assert query(table, "partners")["b"]["tariff_on_us"] == 0.0


def test_forecasts_follow_their_rules() -> None:
    table = Table(nations("a", "b")).play(12)
    told = [record.unemployment for record in query(table, "history")]
    assert query(table, "forecast", what="unemployment", ahead=3, rule="naive") == [told[-1]] * 3
    mean = sum(told) / len(told)
    assert query(table, "forecast", what="unemployment", ahead=2, rule="mean") == pytest.approx([mean] * 2)
    steps = query(table, "forecast", what="unemployment", ahead=12)
    assert abs(steps[-1] - mean) <= abs(told[-1] - mean) + 1e-12
    assert query(table, "forecast", what="gdp", ahead=1)[0] == pytest.approx(
        query(table, "history")[-1].gdp, rel=0.1
    )


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("forecast", {"what": "mood"}, "no figure 'mood'"),
        ("forecast", {"rule": "oracle"}, "no rule 'oracle'"),
        ("forecast", {"ahead": 99}, "1 to 12"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_what_can_be_asked(
    name: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(WindtunnelError, match=said):
        query(Table(nations("a", "b")).play(3), name, **more)


def test_a_trader_belongs_to_no_nation_and_has_no_matrix() -> None:
    table = Table(scenario("extended")).play(2)
    with pytest.raises(WindtunnelError, match="belongs to no nation"):
        query(table, "matrix", "hedger", "trader")
    assert query(table, "matrix", "borbank", "central_bank") == query(table, "matrix", "borland")


@pytest.mark.slow
def test_the_state_of_a_small_nation_stays_small() -> None:
    table = Table(nations("a" * 12, "b" * 12, policy="mercantilist")).play(60)
    assert len(table.bytes()) < 20_000
    again = Table(nations("a" * 12, "b" * 12, policy="mercantilist")).play(120)
    assert len(again.bytes()) < 1.1 * len(table.bytes())


def test_every_seat_and_the_world_are_scored_every_turn() -> None:
    table = Table(scenario("extended")).play(4)
    for score in table.scores:
        assert set(score) == {"world", *(actor.id for actor in table.actors)}
        assert set(world.headline) <= set(score["world"])
        assert all("wealth" in metrics for who, metrics in score.items() if who != "world")
        for nation in table.state.nations:
            assert set(world.headline) <= set(score[nation])


def test_wealth_abroad_is_earned_by_selling_more_than_is_bought() -> None:
    given = nations("a", "b", policy="steady", nations={"a": {"currency": 0.8}})
    start, table = Table(given), Table(given).play(4)
    assert sum(table.curve("trade_balance", "a")) > 0 > sum(table.curve("trade_balance", "b"))
    owed = {name: ledger.worth(nation).abroad for name, nation in table.state.nations.items()}
    before = {name: ledger.worth(nation).abroad for name, nation in start.state.nations.items()}
    assert owed["a"] < before["a"]
    assert owed["b"] > before["b"]
    nation = table.state.nations["a"]
    goods = float((nation.firms.capital + nation.firms.stock).sum()) * nation.base_price
    reserves = sum(n.books.abroad.get("a", 0) * n.exchange for n in table.state.nations.values())
    expected = goods + (reserves / nation.exchange - owed["a"]) / nation.basket
    assert table.curve("wealth", "a")[-1] == pytest.approx(expected / 100)


def test_a_fork_of_the_parameters_is_known_at_once() -> None:
    table = Table(scenario("extended")).play(3)
    given = msgspec.structs.replace(
        table.given, parameters=msgspec.structs.replace(table.luck.parameters, inflation_target=0.01)
    )
    world.engine.revise(table.state, given)
    assert seen(table, "aldbank", "central_bank").target == 0.01
