"""Money: it moves, it is lent into being and paid back, and not a cent of it comes from nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.economy.conftest import SCENARIOS, Table, money, nations, scenario
from windtunnel.chance import Chance
from windtunnel.world import Actor, Event
from windtunnel.worlds.economy import ledger, world
from windtunnel.worlds.economy.actions import Budget, KeepCourse

IDS = ("north", "east", "south")

shares = st.one_of(st.sampled_from([0.0, 0.6]), st.floats(0.0, 0.6))
rates = st.one_of(st.sampled_from([0.0, 2.0]), st.floats(0.0, 2.0))
budgets = st.builds(Budget, shares, shares, st.dictionaries(st.sampled_from([*IDS, "nowhere"]), rates))
actions = st.one_of(st.just(KeepCourse()), budgets)
shocks = st.builds(
    lambda kind, size, who: Event("shock", {"type": kind, "size": size, "nations": who}),
    st.sampled_from(["demand", "supply"]),
    st.one_of(st.sampled_from([-0.5, 0.5]), st.floats(-0.5, 0.5)),
    st.lists(st.sampled_from(IDS), max_size=3),
)
turns = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(IDS), actions), st.lists(shocks, max_size=2)), max_size=25
)


@given(turns, st.integers(0, 2**32), st.sampled_from([0.02, 1.0]))
@settings(max_examples=60, deadline=None)
def test_money_is_conserved_whatever_governments_and_fate_do(
    sequence: list[tuple[dict[str, Any], list[Event]]], seed: int, step: float
) -> None:
    table = Table(nations(*IDS, budget_step=step, tariff_step=2 * step, debt_ceiling=5 * step), seed)
    for decided, events in sequence:
        table.turn(decided, events)  # checks rows, columns and stocks
        assert money(table.state) == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_keeps_its_books_to_the_cent(name: str) -> None:
    table = Table(scenario(name)).play()
    assert money(table.state) == 0
    for nation in table.state.nations.values():
        matrix = ledger.transaction_matrix(nation)
        for sector in ledger.SECTORS:
            assert sum(row[sector] for row in matrix.values()) == 0


@pytest.mark.parametrize("account", ["household", "firm", "treasury", "loans", "bonds", "clearing"])
@pytest.mark.parametrize("cent", [1, -1])
def test_a_leak_of_one_cent_is_found(account: str, cent: int) -> None:
    table = Table(nations(*IDS)).play(3)
    books = table.state.nations["east"].books
    setattr(books, account, getattr(books, account) + cent)
    assert ledger.columns_sum_to_zero(table.state) is not None


@pytest.mark.parametrize("row", range(len(ledger.ROWS)))
def test_a_flow_with_one_end_only_is_found(row: int) -> None:
    table = Table(nations(*IDS)).play(3)
    table.state.nations["east"].flows[4 * row + ledger.BANK] += 1
    assert f"row {ledger.ROWS[row]!r}" in (ledger.rows_sum_to_zero(table.state) or "")


def test_claims_that_no_bank_owes_are_found() -> None:
    table = Table(nations(*IDS)).play(3)
    nation = table.state.nations["north"]
    nation.books.clearing += 1
    nation.books.household += 1  # the bank's own two sides agree
    assert "claims on each other sum to 1 " in (ledger.rows_sum_to_zero(table.state) or "")


def test_a_payer_without_money_pays_what_there_is() -> None:
    table = Table(nations(*IDS))
    nation, other = table.state.nations["north"], table.state.nations["south"]
    there = nation.books.household
    machines = nation.books.firm
    assert ledger.import_goods(nation, other, there + 500, machines + 1) == (there, machines)
    assert nation.books.household == 0
    assert ledger.household_pays_firm(nation, 1) == 0


def test_each_cell_of_the_matrix_has_the_sign_that_the_readme_gives_it() -> None:
    table = Table(nations(*IDS, policy="mercantilist", nations={"north": {"tariff": 0.1}})).play(20)
    nation = table.state.nations["north"]
    signs = [(cents > 0) - (cents < 0) for cents in nation.flows]
    expected = {
        "wages": [1, -1, 0, 0],
        "taxes": [-1, 0, 1, 0],
        "benefits": [1, 0, -1, 0],
        "consumption": [-1, 1, 0, 0],
        "public purchases": [0, 1, -1, 0],
        "trade": [-1, 1, 0, 0],
        "tariffs": [-1, -1, 1, 0],
        "interest": [1, -1, -1, 0],
        "dividends": [1, -1, 0, 0],
    }
    assert {row: signs[4 * i : 4 * i + 4] for i, row in enumerate(ledger.ROWS)} == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("wild", [False, True])
def test_no_stock_is_negative_in_two_thousand_turns_of_random_rule(seed: int, *, wild: bool) -> None:
    step = 1.0 if wild else 0.02
    table = Table(nations(*IDS, budget_step=step, tariff_step=2 * step), seed)
    luck = Chance(seed, "wild governments")
    for turn in range(2000):
        decided = {
            name: Budget(
                luck.choice([0.0, 0.6, luck.uniform(0.0, 0.6)]),
                luck.choice([0.0, 0.6, luck.uniform(0.0, 0.6)]),
                {to: luck.choice([0.0, 2.0, luck.uniform(0.0, 2.0)]) for to in IDS if to != name},
            )
            for name in IDS
            if luck.happens(0.7)
        }
        size = luck.uniform(-0.5, 0.5)
        shock = Event("shock", {"type": luck.choice(["demand", "supply"]), "size": size})
        table.turn(decided, [shock] if turn % 20 == 0 else [])
        if world.engine.over(table.state):
            pytest.fail(f"the money lost its meaning in turn {turn}")
    table.bytes()  # no NaN, nothing beyond 64 bits


@pytest.mark.slow
@pytest.mark.parametrize(("spending", "tax"), [(0.6, 0.0), (0.0, 0.6), (0.6, 0.6), (0.0, 0.0)])
def test_the_worst_course_held_for_good_ends_in_words_or_not_at_all(spending: float, tax: float) -> None:
    table = Table(nations(*IDS, budget_step=1.0, debt_ceiling=5.0))
    walls = {name: {to: 2.0 for to in IDS if to != name} for name in IDS}
    for turn in range(2000):
        table.turn({name: Budget(spending, tax, walls[name]) for name in IDS} if turn == 0 else {})
        if why := world.engine.over(table.state):
            assert "lost its meaning" in why
            break
    table.bytes()


def test_the_state_stays_small() -> None:
    table = Table(nations("a" * 12, "b" * 12, "c" * 12, "d" * 12, policy="mercantilist")).play(60)
    assert len(table.bytes()) < 6_000


def test_a_government_may_ask_for_its_own_matrix_and_history() -> None:
    table = Table(nations(*IDS)).play(12)
    actor = Actor("east", "government")
    assert world.queries["matrix"](table.state, actor)["wages"]["household"] > 0
    past = world.queries["history"](table.state, actor, turns=3)
    assert [record["turn"] for record in past] == [10, 11, 12]
    assert past[-1]["gdp"] == table.curve("gdp", "east")[-1]
    assert world.queries["history"](table.state, actor, turns=0) == []
