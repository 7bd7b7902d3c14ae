"""Model SIM: figures that anybody can reckon by hand (Godley and Lavoie 2007, chapter 3)."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from tests.worlds.economy.conftest import Table, scenario
from windtunnel.worlds.economy.sim import UNIT


def test_it_takes_its_exact_path() -> None:
    table = Table(scenario("model_sim")).play()
    output = [round(value, 3) for value in table.curve("gdp", "aldland")]
    assert output[:3] == [38.462, 47.929, 55.940]
    assert output[-1] == pytest.approx(100.0, abs=0.01)
    assert all(later >= earlier for earlier, later in pairwise(output))


def test_it_comes_to_rest_where_taxes_are_what_the_state_buys() -> None:
    table = Table(scenario("model_sim")).play(200)
    (nation,) = table.state.nations.values()
    assert int(nation.people.income.sum()) / UNIT == pytest.approx(80.0, abs=0.001)
    assert int(nation.people.cash.sum()) / UNIT == pytest.approx(80.0, abs=0.001)
    assert nation.books.bonds_central == int(nation.people.cash.sum())  # their money is the state's debt
    assert abs(table.curve("deficit", "aldland")[-1]) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spending", "tax", "income", "wealth"), [(0.3, 0.25, 0.7, 0.3), (0.2, 0.4, 0.5, 0.1)]
)
def test_its_rest_follows_from_its_parameters(
    spending: float, tax: float, income: float, wealth: float
) -> None:
    given = scenario("model_sim")
    start = msgspec.structs.replace(given.parameters.nations["aldland"], spending=spending, tax=tax)
    parameters = msgspec.structs.replace(
        given.parameters, nations={"aldland": start}, spend_income=income, spend_wealth=wealth
    )
    table = Table(msgspec.structs.replace(given, parameters=parameters)).play(400)
    rest = 100 * spending / tax
    assert table.curve("gdp", "aldland")[-1] == pytest.approx(rest, rel=1e-4)
    first = 100 * spending / (1 - income * (1 - tax))
    assert table.curve("gdp", "aldland")[0] == pytest.approx(first, abs=0.001)
    (nation,) = table.state.nations.values()
    assert int(nation.people.cash.sum()) / UNIT == pytest.approx(
        rest * (1 - tax) * (1 - income) / wealth, rel=1e-3
    )
