"""The climate world as its own repository tests it: conformance, physics, and who pays for whom."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from climate_world import world
from climate_world.model import Act, Inspectors, Region, State
from climate_world.physics import AIR, DEEP, SENSITIVITY, TO_UPPER, UPPER, Planet, step
from hypothesis import given, settings
from hypothesis import strategies as st

import windtunnel as wt
from windtunnel.testing import assert_world
from windtunnel.world import Actor

SCENARIOS = sorted(Path(world.scenarios).glob("*.yaml"))
REGIONS = ("america", "europe", "china", "india", "others")
SEEDS = (1, 2, 3, 4)
STUDENT = 3.182  # 95 %, four seeds


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_it_conforms(scenario: Path) -> None:
    assert_world(world, [scenario], turns=8)


# --- physics ----------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-50.0, 200.0), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_carbon_is_conserved_whatever_is_emitted(tonnes: list[float]) -> None:
    planet = Planet()
    began = planet.carbon
    for year in tonnes:
        if planet.air < 300.0:
            break
        step(planet, year, 0.5)
    assert planet.carbon - began == pytest.approx(planet.emitted, abs=1e-8)


def test_a_planet_at_rest_stays_at_rest() -> None:
    planet = Planet(AIR, UPPER, DEEP, 0.0, 0.0)
    for _ in range(100):
        step(planet, 0.0, 0.0)
    assert (planet.air, planet.upper, planet.deep) == pytest.approx((AIR, UPPER, DEEP))
    assert planet.warming == pytest.approx(0.0, abs=1e-12)


def test_twice_the_carbon_warms_by_the_sensitivity_in_the_end() -> None:
    planet = Planet(AIR, UPPER, DEEP, 0.0, 0.0)
    for _ in range(2000):
        # what the ocean takes in a step is put back, so that the air holds twice as much when it warms
        planet.air, planet.upper, planet.deep = AIR * (2.0 - TO_UPPER) / (1.0 - TO_UPPER), UPPER, DEEP
        step(planet, 0.0, 0.0)
        assert planet.air == pytest.approx(2 * AIR)
    assert planet.warming == pytest.approx(SENSITIVITY, rel=1e-6)


def test_the_first_steps_are_those_of_dice() -> None:
    """2020 by hand: the boxes of 2015 and 39 Gt of CO2 a year, as the published equations have them."""
    planet = Planet()
    step(planet, 39.0, 0.5)
    emitted = 39.0 * 5 / 3.666
    assert planet.air == pytest.approx(851 * 0.88 + 460 * 0.12 * 588 / 360 + emitted)
    assert planet.upper == pytest.approx(
        851 * 0.12 + 460 * (1 - 0.12 * 588 / 360 - 0.007) + 1740 * 0.007 * 360 / 1720
    )
    forcing = 3.6813 * math.log2(planet.air / 588) + 0.5
    assert planet.warming == pytest.approx(
        0.85 + 0.1005 * (forcing - 3.6813 / 3.1 * 0.85 - 0.088 * (0.85 - 0.0068))
    )


# --- who pays for whom -------------------------------------------------------------------------------------


def ends(folder: Path, seed: int, **policies: str) -> dict[str, dict[str, Any]]:
    name = f"{seed}-{len(list(folder.iterdir()))}.sqlite"
    scenario = Path(world.scenarios) / "paris.yaml"
    run = wt.run(scenario, seed=seed, agents=dict(policies), store=folder / name)
    assert run.status == "completed"
    return run.metrics.final()


def interval(values: list[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    return mean - STUDENT * spread, mean + STUDENT * spread


def test_free_riding_pays_alone_and_hurts_all(tmp_path: Path) -> None:
    gains: dict[str, list[float]] = {name: [] for name in REGIONS}
    losses: dict[str, list[float]] = {name: [] for name in REGIONS}
    for seed in SEEDS:
        together = ends(tmp_path, seed, **dict.fromkeys(REGIONS, "cooperator"))
        alone = ends(tmp_path, seed, **(dict.fromkeys(REGIONS, "cooperator") | {"america": "free_rider"}))
        nobody = ends(tmp_path, seed, **dict.fromkeys(REGIONS, "free_rider"))
        for name in REGIONS:
            gains[name].append(alone[name]["consumed"] / together[name]["consumed"] - 1.0)
            losses[name].append(nobody[name]["wealth"] / together[name]["wealth"] - 1.0)
    assert interval(gains["america"])[0] > 0.0  # who leaves alone has more
    for name in REGIONS[1:]:
        assert interval(gains[name])[1] < 0.0  # and all others less
    for name in REGIONS:
        assert interval(losses[name])[1] < 0.0  # when all leave, all are poorer


def test_a_club_makes_staying_pay(tmp_path: Path) -> None:
    kept = dict.fromkeys(REGIONS, "cooperator") | {"secretariat": "club"}
    inside, outside = ends(tmp_path, 1, **kept), ends(tmp_path, 1, **(kept | {"america": "free_rider"}))
    assert outside["america"]["consumed"] < inside["america"]["consumed"]


def test_reciprocators_follow_the_others_out(tmp_path: Path) -> None:
    left = ends(tmp_path, 1, america="free_rider", china="free_rider", europe="free_rider")
    assert left["india"]["member"] == left["others"]["member"] == 0.0
    stayed = ends(tmp_path, 1, america="free_rider")
    assert stayed["india"]["member"] == stayed["others"]["member"] == 1.0


def test_a_member_that_does_not_abate_is_none() -> None:
    mine = Region(1.0, 1.0, 0.0, 1.0, 1.0, abatement=0.5, member=True)
    state = State(1, Planet(), {"here": mine}, target=0.6)
    none: Any = None
    verdict = Inspectors().check(state, Actor("here", "region"), Act(0.5, member=True), none)
    assert verdict.kind == "amend"
    assert verdict.action == Act(0.5, member=False)
    assert Inspectors().check(state, Actor("here", "region"), Act(0.6, member=True), none).kind == "accept"
    assert Inspectors().check(state, Actor("here", "region"), Act(1.0), none).action.abatement == 0.75
