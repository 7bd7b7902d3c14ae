"""Which way things go: the same world twice from one moment on, with the same luck, over seeds. What is
claimed is the sign of the mean difference, and its interval at 95 % must leave out nothing (docs: the world's
README)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.worlds.economy.conftest import Table, governed, interval, nations, scenario, seated
from windtunnel.world import AgentSpec, Event, Scenario
from windtunnel.worlds.economy.actions import Budget, SetRate

pytestmark = pytest.mark.slow
SEEDS = (1, 2, 3, 4, 5, 6)

SIZED = {name: {"people": 120, "firms": 12} for name in ("north", "east")}


def pairs(given: Scenario, before: int, seeds: Sequence[int] = SEEDS) -> list[tuple[Table, Table]]:
    """A run up to a turn, and a fork of it, for each seed."""
    found = []
    for seed in seeds:
        table = Table(given, seed).play(before)
        found.append((table, table.fork()))
    return found


def differences(
    made: list[tuple[Table, Table]], metric: str, who: str, begin: int, end: int | None = None
) -> tuple[float, float]:
    """The interval of what the first of each pair has more than the second."""
    return interval(
        [one.mean(metric, who, begin, end) - other.mean(metric, who, begin, end) for one, other in made]
    )


def rises(found: tuple[float, float]) -> bool:
    return found[0] > 0.0


def falls(found: tuple[float, float]) -> bool:
    return found[1] < 0.0


def test_tariffs_on_both_sides_lower_trade_and_welfare() -> None:
    made = pairs(nations("north", "east", policy="steady", nations=SIZED, openness=0.35, tariff_step=2.0), 20)
    for walled, free in made:
        walls: dict[str, Any] = {
            name: Budget(nation.spending, nation.tax, {other: 0.5 for other in SIZED if other != name})
            for name, nation in walled.state.nations.items()
        }
        walled.turn(walls)
        free.turn({})
        walled.play(39)
        free.play(39)
    assert falls(differences(made, "trade", "world", 24))
    for name in SIZED:
        assert falls(differences(made, "welfare", name, -1))


def spend_more(table: Table, turns: int, more: float) -> None:
    """Both states buy more for some quarters, and then as before."""
    usual = {name: (nation.spending, nation.tax) for name, nation in table.state.nations.items()}
    for turn in range(turns + 8):
        extra = more if turn < turns else 0.0
        table.turn({name: Budget(spent + extra, tax) for name, (spent, tax) in usual.items()})


def test_stimulus_in_a_slump_raises_output_and_work() -> None:
    given = nations("north", "east", policy="steady", nations=SIZED, budget_step=0.1)
    made = pairs(given, 20)
    for helped, alone in made:
        for table in (helped, alone):
            table.turn(table.decide(), [Event("shock", {"type": "demand", "size": -0.3})])
            table.play(1)
        spend_more(helped, 4, 0.03)
        spend_more(alone, 4, 0.0)
    assert rises(differences(made, "gdp", "world", 23, 27))
    assert falls(differences(made, "unemployment", "world", 23, 28))


def multiplier(shock: float) -> list[float]:
    """Output gained for what the states bought more, both at first prices, with and without a slump
    before."""
    found = []
    given = nations("north", "east", policy="steady", nations=SIZED, budget_step=0.1)
    for helped, alone in pairs(given, 20):
        for table in (helped, alone):
            table.turn(table.decide(), [Event("shock", {"type": "demand", "size": shock})] if shock else [])
            table.play(1)
        spend_more(helped, 4, 0.03)
        spend_more(alone, 4, 0.0)
        gained = sum(helped.curve("gdp")[22:30]) - sum(alone.curve("gdp")[22:30])
        found.append(gained / (4 * 0.03 * alone.mean("gdp", begin=15, end=20)))
    return found


def test_stimulus_does_more_in_a_slump_than_at_full_employment() -> None:
    slump, full = multiplier(-0.3), multiplier(0.25)
    low, _ = interval([a - b for a, b in zip(slump, full, strict=True)])
    assert low > 0.0
    assert sum(full) / len(full) < 0.5 < sum(slump) / len(slump)


def test_tightening_lowers_inflation_with_a_lag_and_raises_unemployment() -> None:
    """Once with the rate held where it is, once two points (a year: eight) higher for two years."""
    given = nations("north", "east", policy="steady", nations=SIZED, rate_step=0.05)
    given = with_central_banks(given)
    made = pairs(given, 24, range(1, 11))
    for tight, easy in made:
        for table, more in ((tight, 0.02), (easy, 0.0)):
            held = {
                f"{name}-bank": SetRate(nation.rate + more) for name, nation in table.state.nations.items()
            }
            for _ in range(14):
                table.turn(held)
    at_once = differences(made, "inflation", "world", 24, 25)
    later = differences(made, "inflation", "world", 26, 30)
    assert falls(later)
    assert sum(later) < sum(at_once)  # the work is done later than at once
    assert rises(differences(made, "unemployment", "world", 26, 36))


def with_central_banks(given: Scenario) -> Scenario:

    banks = tuple(
        AgentSpec(f"{agent.id}-bank", "central_bank", settings={"nation": agent.id}) for agent in given.agents
    )
    return msgspec.structs.replace(given, agents=given.agents + banks)


def test_a_path_of_deficits_ends_in_a_debt_crisis_and_another_does_not() -> None:
    for seed in SEEDS[:3]:
        prodigal = Table(scenario("debt_crisis"), seed).play(60)
        prudent = Table(seated(scenario("debt_crisis"), borland="balanced"), seed).play(60)
        crises = [n for n, event in enumerate(prodigal.told) if event.kind == "default"]
        assert crises, f"seed {seed}: nobody stopped lending"
        assert all(event.actor == "borland" for event in prodigal.told if event.kind == "default")
        assert not any(event.kind == "default" for event in prudent.told)
        # before the default the yield left the policy rate, and it did so late
        spread = np.array(prodigal.curve("bond_yield", "borland")) - np.array(
            prodigal.curve("rate", "borland")
        )
        assert spread.max() > 0.008
        assert spread[:2].max() < 0.002


def test_lenders_stay_away_after_a_default_and_the_state_must_save() -> None:
    table = Table(scenario("debt_crisis"), 1)
    while not table.told or not any(event.kind == "default" for event in table.told):
        table.play(1)
        assert table.state.turn < 100
    idle = table.mean("unemployment", "borland", -6)
    table.play(10)
    assert all(deficit < 0.02 for deficit in table.curve("deficit", "borland")[-8:])
    assert table.mean("unemployment", "borland", -4) > idle + 0.02


def test_a_peg_breaks_under_attack_and_the_currency_falls() -> None:
    for seed in SEEDS[:4]:
        table = Table(scenario("currency_attack"), seed).play(30)
        broken = [event for event in table.told if event.kind == "peg_broken"]
        assert [event.actor for event in broken] == ["borland"]
        rate = np.array(table.curve("exchange", "borland")) / np.array(table.curve("exchange", "aldland"))
        assert np.ptp(rate[:15]) < 1e-9  # fixed while it was defended
        assert rate[15:20].max() < 0.95 * rate[0]
        assert table.mean("trade_balance", "borland", 16, 20) > table.mean("trade_balance", "borland", 0, 12)
        reserves = table.curve("reserves", "borbank")
        assert min(reserves) < 0.5 * reserves[0]


def test_without_the_attack_the_peg_holds_longer() -> None:

    given = scenario("currency_attack")
    calm = msgspec.structs.replace(given, parameters=msgspec.structs.replace(given.parameters, shocks=()))
    table = Table(calm, 1).play(24)
    assert not any(event.kind == "peg_broken" for event in table.told)


# --- regularities that nobody wrote down ----------------------------------------------------------------


def figures(seed: int) -> dict[str, np.ndarray]:
    """A hundred and twenty quarters in one regime: nothing strikes but everyday luck, enlarged."""
    given = nations(
        "north", "east", policy="steady", nations=SIZED, demand_noise=0.02, productivity_noise=0.003
    )
    table = Table(given, seed).play(140)
    return {name: np.array(table.curve(name, "north")[20:]) for name in ("gdp", "unemployment", "inflation")}


@pytest.fixture(scope="module")
def histories() -> list[dict[str, np.ndarray]]:
    return [figures(seed) for seed in SEEDS]


def correlations(
    histories: list[dict[str, np.ndarray]], of: Callable[[dict[str, np.ndarray]], tuple[Any, Any]]
) -> tuple[float, float]:
    return interval([float(np.corrcoef(*of(copy.copy(one)))[0, 1]) for one in histories])


def test_okuns_sign_holds_within_a_regime(histories: list[dict[str, np.ndarray]]) -> None:
    def okun(one: dict[str, np.ndarray]) -> tuple[Any, Any]:
        growth = np.log(one["gdp"][4:] / one["gdp"][:-4])
        return growth, one["unemployment"][4:] - one["unemployment"][:-4]

    low, high = correlations(histories, okun)
    assert high < -0.3, (low, high)


def test_the_accelerationist_phillips_sign_holds_within_a_regime(
    histories: list[dict[str, np.ndarray]],
) -> None:
    """Where many are out of work, inflation is lower than a year before."""

    def phillips(one: dict[str, np.ndarray]) -> tuple[Any, Any]:
        year = np.convolve(one["inflation"], np.ones(4), "valid")
        return one["unemployment"][7:], year[4:] - year[:-4]

    low, high = correlations(histories, phillips)
    assert high < 0.0, (low, high)


def test_austerity_in_a_slump_works_less_than_spending() -> None:
    given = scenario("recession")
    made = []
    for seed in SEEDS[:4]:
        spent = Table(governed(given, "keynesian", "balanced", "balanced"), seed).play(45)
        saved = Table(governed(given, "austerity", "balanced", "balanced"), seed).play(45)
        made.append((saved, spent))
    assert rises(differences(made, "unemployment", "aldland", 20))
