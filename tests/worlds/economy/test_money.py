"""Money: it moves, it is lent into being and paid back, and not a cent of it comes from nowhere."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.economy.conftest import SCENARIOS, Table, nations, scenario
from windtunnel.chance import Chance
from windtunnel.world import AgentSpec, Event, Scenario
from windtunnel.worlds.economy import ledger, world
from windtunnel.worlds.economy.actions import Budget, KeepCourse, Rebalance, SetRate, Spend

IDS = ("north", "east", "south")

shares = st.one_of(st.sampled_from([0.0, 0.6]), st.floats(0.0, 0.6))
rates = st.one_of(st.sampled_from([0.0, 2.0]), st.floats(0.0, 2.0))
parts = st.dictionaries(st.sampled_from(IDS), st.floats(0.0, 0.33), max_size=3)
budgets = st.builds(Budget, shares, shares, st.dictionaries(st.sampled_from([*IDS, "nowhere"]), rates))
governing = st.one_of(st.just(KeepCourse()), budgets)
banking = st.builds(SetRate, st.floats(0.0, 0.25), st.floats(0.0, 1.0))
trading = st.builds(Rebalance, parts, parts, parts)
spending = st.builds(
    lambda size, seed: Spend(size * Chance(seed, "wishes").randoms(20)),
    st.sampled_from([0.0, 1e5, 1e7, 1e15]),
    st.integers(0, 99),
)
shocks = st.builds(
    lambda kind, size, who: Event("shock", {"type": kind, "size": size, "nations": who}),
    st.sampled_from(["demand", "supply", "credit", "currency"]),
    st.one_of(st.sampled_from([-0.5, 0.5]), st.floats(-0.5, 0.5)),
    st.lists(st.sampled_from(IDS), max_size=3),
)
hands: dict[str, Any] = dict.fromkeys(IDS, governing)
hands |= {"bank": banking, "trader": trading, "people": spending}
moves = st.fixed_dictionaries({}, optional=hands)
turns = st.lists(st.tuples(moves, st.lists(shocks, max_size=2)), max_size=12)


def everybody(**parameters: Any) -> Scenario:
    """Three tiny nations, one with a peg, and somebody in every role."""
    starts: dict[str, Any] = {name: {"people": 20, "firms": 3} for name in IDS}
    starts["east"] |= {"peg": "north"}
    given = nations(*IDS, nations=starts, **parameters)
    others = (
        AgentSpec("bank", "central_bank", settings={"nation": "east"}),
        AgentSpec("trader", "trader"),
        AgentSpec("people", "households", size=20, settings={"nation": "south"}),
    )
    return msgspec.structs.replace(given, agents=given.agents + others)


def conserve(sequence: list[tuple[dict[str, Any], list[Event]]], seed: int, step: float) -> None:
    table = Table(everybody(budget_step=step, tariff_step=2 * step, rate_step=step / 4), seed)
    for decided, events in sequence:
        table.turn(decided, events)  # checks rows, columns and stocks of every currency


@pytest.mark.slow
@given(turns, st.integers(0, 2**32), st.sampled_from([0.02, 1.0]))
@settings(max_examples=60, deadline=None)
def test_money_is_conserved_whatever_everybody_and_fate_do(
    sequence: list[tuple[dict[str, Any], list[Event]]], seed: int, step: float
) -> None:
    conserve(sequence, seed, step)


@pytest.mark.soak
@given(turns, st.integers(0, 2**32), st.sampled_from([0.02, 1.0]))
@settings(max_examples=10_000, deadline=None)
def test_money_is_conserved_over_ten_thousand_sequences(
    sequence: list[tuple[dict[str, Any], list[Event]]], seed: int, step: float
) -> None:
    conserve(sequence, seed, step)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_keeps_its_books_to_the_cent(name: str) -> None:
    table = Table(scenario(name)).play(12)
    for nation in table.state.nations.values():
        shown: Any = ledger.table(nation)
        rows = shown["rows"].values()
        assert all(sum(round(100 * money) for money in row) == 0 for row in rows)
        assert all(sum(round(100 * row[column]) for row in rows) == 0 for column in range(6))


@given(st.integers(0, 10**15), st.lists(st.floats(0.0, 1e9), min_size=1, max_size=40))
def test_what_is_shared_out_is_shared_out_whole(total: int, weights: list[float]) -> None:
    shares = ledger.allocate(total, np.array(weights))
    assert int(shares.sum()) == total
    assert int(shares.min()) >= 0
    if sum(weights) > 1.0:
        exact = np.array(weights) * (total / sum(weights))
        assert np.abs(shares - exact).max() <= 2 + 1e-9 * total


@pytest.mark.parametrize("account", ["reserves", "advances", "treasury", "bonds_bank", "bonds_central"])
@pytest.mark.parametrize("cent", [1, -1])
def test_a_leak_of_one_cent_in_the_books_is_found(account: str, cent: int) -> None:
    table = Table(everybody()).play(3)
    books = table.state.nations["east"].books
    setattr(books, account, getattr(books, account) + cent)
    assert ledger.columns_sum_to_zero(table.state) is not None


@pytest.mark.parametrize("holder", ["people", "firms"])
def test_a_leak_of_one_cent_in_one_purse_is_found(holder: str) -> None:
    table = Table(everybody()).play(3)
    getattr(table.state.nations["east"], holder).cash[1] += 1
    assert ledger.columns_sum_to_zero(table.state) is not None


@pytest.mark.parametrize("row", range(len(ledger.ROWS)))
def test_a_flow_with_one_end_only_is_found(row: int) -> None:
    table = Table(everybody()).play(3)
    table.state.nations["east"].flows[row, ledger.BANK] += 1
    assert f"east: {ledger.ROWS[row]} do not sum to zero" in (ledger.rows_sum_to_zero(table.state) or "")


def test_a_payment_whose_ends_differ_is_refused_before_it_moves_anything() -> None:
    nation = Table(everybody()).state.nations["north"]
    before = nation.people.cash.copy()
    with pytest.raises(ArithmeticError, match="another sum would arrive"):
        ledger.pay(nation, ledger.WAGES, ledger.HOUSEHOLDS, ledger.BANK, np.ones(20, np.int64), 21)
    assert (nation.people.cash == before).all()


def test_each_cell_of_the_matrix_has_the_sign_that_the_readme_gives_it() -> None:
    given = nations(*IDS, policy="mercantilist", nations={"north": {"tariff": 0.1}})
    table = Table(given).play(20)
    signs = np.sign(table.state.nations["north"].flows).tolist()
    expected = {
        "wages": [1, -1, 0, 0, 0, 0],
        "taxes": [-1, 0, 0, 1, 0, 0],
        "benefits": [1, 0, 0, -1, 0, 0],
        "consumption": [-1, 1, 0, 0, 0, 0],
        "public purchases": [0, 1, 0, -1, 0, 0],
        "tariffs": [-1, -1, 0, 1, 0, 0],
        "dividends": [1, -1, -1, 0, 0, 0],
    }
    assert {row: signs[ledger.ROWS.index(row)] for row in expected} == expected


def test_a_bank_short_of_reserves_owes_the_central_bank_until_it_has_some() -> None:
    nation = Table(everybody()).state.nations["north"]
    ledger.open_turn(nation)
    have = nation.books.reserves
    ledger.sell_bonds(nation, have + 500)
    assert (nation.books.reserves, nation.books.advances) == (0, 500)
    ledger.buy_back_bonds(nation, 300)
    assert (nation.books.reserves, nation.books.advances) == (0, 200)
    ledger.buy_back_bonds(nation, 300)
    assert (nation.books.reserves, nation.books.advances) == (100, 0)


def wild(seed: int, step: float, turns: int) -> None:
    table = Table(everybody(budget_step=step, tariff_step=2 * step, rate_step=step / 4), seed)
    luck = Chance(seed, "wild hands")
    for turn in range(turns):
        decided: dict[str, Any] = {
            name: Budget(
                luck.choice([0.0, 0.6, luck.uniform(0.0, 0.6)]),
                luck.choice([0.0, 0.6, luck.uniform(0.0, 0.6)]),
                {to: luck.choice([0.0, 2.0, luck.uniform(0.0, 2.0)]) for to in IDS if to != name},
            )
            for name in IDS
            if luck.happens(0.7)
        }
        decided["bank"] = SetRate(luck.uniform(0.0, 0.25), luck.random())
        kind = luck.choice(["cash", "bonds", "goods"])
        decided["trader"] = Rebalance(**{kind: {luck.choice(IDS): luck.random()}})
        if luck.happens(0.2):
            decided["people"] = Spend(np.full(20, luck.choice([0.0, 1e4, 1e12])))
        what = luck.choice(["demand", "supply", "credit", "currency"])
        shock = Event("shock", {"type": what, "size": luck.uniform(-0.5, 0.5)})
        table.turn(decided, [shock] if turn % 10 == 0 else [])
        if why := world.engine.over(table.state):
            assert "lost its meaning" in why
            break
    table.bytes()  # no NaN, nothing beyond 64 bits


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "step"), [(1, 0.02), (2, 1.0)])
def test_no_stock_is_negative_in_three_hundred_turns_of_random_rule(seed: int, step: float) -> None:
    wild(seed, step, 300)


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "step"), [(1, 0.02), (2, 1.0), *((seed, 1.0) for seed in range(10, 20))])
def test_no_stock_is_negative_in_two_thousand_turns_of_random_rule(seed: int, step: float) -> None:
    wild(seed, step, 2000)


COURSES = [(0.6, 0.0), (0.0, 0.6), (0.6, 0.6), (0.0, 0.0)]


def held(spending: float, tax: float, turns: int) -> None:
    table = Table(everybody(budget_step=1.0, tariff_step=2.0))
    walls = {name: {to: 2.0 for to in IDS if to != name} for name in IDS}
    for turn in range(turns):
        table.turn({name: Budget(spending, tax, walls[name]) for name in IDS} if turn == 0 else {})
        if why := world.engine.over(table.state):
            assert "lost its meaning" in why
            break
    table.bytes()


@pytest.mark.slow
@pytest.mark.parametrize(("spending", "tax"), COURSES)
def test_the_worst_course_held_for_long_ends_in_words_or_not_at_all(spending: float, tax: float) -> None:
    held(spending, tax, 300)


@pytest.mark.soak
@pytest.mark.parametrize(("spending", "tax"), COURSES)
def test_the_worst_course_held_for_good_ends_in_words_or_not_at_all(spending: float, tax: float) -> None:
    held(spending, tax, 2000)


def test_a_runaway_ends_the_run_in_words() -> None:
    table = Table(everybody()).play(1)
    assert world.engine.over(table.state) is None
    table.state.nations["east"].people.cash[0] = 2**54
    assert "the money of east has lost its meaning" in (world.engine.over(table.state) or "")
