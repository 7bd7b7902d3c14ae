"""The benches of the economy: what they hold against each other, and that it is the same work."""

from __future__ import annotations

import importlib
import random
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench import crowd, economy, loop
from bench.playing import RUN, play, start
from bench.shares import Clock, shares, watched_world
from windtunnel.worlds.economy import world
from windtunnel.worlds.economy.observing import SeenByHouseholds
from windtunnel.worlds.economy.parameters import Parameters
from windtunnel.worlds.economy.roles.households import buffer_stock

# --- economy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("many", "times_linear", "exponent"), [(25.0, 1.0, 1.0), (50.0, 0.5, 0.5), (6.25, 4.0, 2.0)]
)
def test_growth_says_how_far_it_is_from_linear(many: float, times_linear: float, exponent: float) -> None:
    found = economy.growth(100.0, many, times=4.0)
    assert found == pytest.approx({"times_linear": times_linear, "exponent": exponent})


def test_the_headline_of_the_economy_is_the_worse_of_its_growths() -> None:
    sizes = [(4, 1_000), (16, 1_000), (4, 10_000)]
    rates = {"4x1000": 100.0, "16x1000": 20.0, "4x10000": 20.0}  # 1.25 times linear, and half of it
    found = {name: {"rate": rate} for name, rate in rates.items()}
    found |= {f"share {name}": {"world": 0.7, "kernel": 0.3} for name in rates}
    result = economy.result(found, sizes)
    assert result.ours == 20.0 * 16_000
    assert result.peer == 100.0 * 4_000
    assert result.ratio == pytest.approx(0.8)
    assert result.more["turns_per_second"]["4 nations of 1,000"] == 100.0
    assert result.more["growth"]["4 nations of 10,000"]["times_linear"] == pytest.approx(0.5)


def test_nations_of_the_bench_have_the_households_they_are_said_to_have(tmp_path: Path) -> None:
    state = end(tmp_path / "economy.sqlite", economy.scenario(3, 60, 1))
    assert [nation.people.cash.size for nation in state.nations.values()] == [60] * 3
    policies = [agent.policy for agent in economy.scenario(16, 60, 1).agents]
    assert set(policies) == set(world.roles["government"].policies)


def end(path: Path, scenario: Any) -> Any:
    import asyncio

    from windtunnel.run.replay import peek

    store = start(path, world, scenario)
    play(store, world)
    state = asyncio.run(peek(store, world, RUN)).frame.state
    store.close()
    return state


# --- shares -----------------------------------------------------------------------------------------


def test_a_watched_world_plays_the_same_history_and_everyone_who_ran_is_noted(tmp_path: Path) -> None:
    given, clock, heads = loop.scenario(5), Clock(), []
    for played in (loop.world(), watched_world(loop.world(), clock)):
        store = start(tmp_path / "watched.sqlite", played, given)
        heads.append(play(store, played).head_hash)
        store.close()
    assert heads[0] == heads[1]
    assert {"start", "observe", "policies", "check", "apply", "score", "over"} <= set(clock.seconds)
    assert all(seconds > 0.0 for seconds in clock.seconds.values())


def test_the_shares_of_world_and_kernel_are_the_whole(tmp_path: Path) -> None:
    found = shares(str(tmp_path), loop.world(), loop.scenario(5))
    whole = {name: found.pop(name) for name in ("world", "kernel")}
    assert sum(whole.values()) == pytest.approx(1.0)
    assert sum(found.values()) == pytest.approx(whole["world"])
    assert 0.0 < whole["world"] < 1.0


def test_the_clock_counts_each_call_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr("bench.shares.perf_counter", lambda: float(next(ticks)))
    clock = Clock()
    double = clock.watch("double", lambda value: 2 * value)
    assert [double(1), double(2), double(3)] == [2, 4, 6]
    assert clock.seconds == {"double": 3.0}


def test_time_in_an_async_method_is_not_lost_in_silence() -> None:
    async def late() -> None:
        pass

    watched = Clock().watch("late", late)
    with pytest.raises(TypeError, match="late is async"):
        watched()


# --- crowd ------------------------------------------------------------------------------------------


def stand_in() -> ModuleType:
    """As much of Mesa as the town uses, where Mesa itself is not installed."""

    class Agent:
        def __init__(self, model: Any) -> None:
            self.model = model

        @classmethod
        def create_agents(cls, model: Any, count: int, *given: Any) -> Any:
            return Agents(cls(model, *(one[number] for one in given)) for number in range(count))

    class Agents(list[Any]):
        def do(self, method: str) -> None:
            for agent in self:
                getattr(agent, method)()

    class Model:
        def __init__(self, seed: int) -> None:
            self.random = random.Random(seed)

    collector = SimpleNamespace(collect=lambda model: None)
    module: Any = ModuleType("mesa")
    module.Agent, module.Model, module.DataCollector = Agent, Model, lambda *_, **__: collector
    return module  # type: ignore[no-any-return]


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Any:
    try:
        import mesa  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ModuleNotFoundError:
        monkeypatch.setitem(sys.modules, "mesa", stand_in())
    sys.modules.pop("bench.town", None)
    yield importlib.import_module("bench.town")
    sys.modules.pop("bench.town", None)


def money(model: Any) -> int:
    people = sum(one.cash for one in model.people)
    firms = sum(firm.cash for firm in model.makers)
    return int(people + firms + model.treasury + model.market + model.dividends)


def test_no_cent_is_lost_in_the_peers_town(town: Any) -> None:
    model = town.Town(200, 10, Parameters())
    there = money(model)
    for _ in range(60):
        model.step()
        assert money(model) == there
        assert min(one.cash for one in model.people) >= 0
        assert min(firm.cash for firm in model.makers) >= 0
        assert min(model.treasury, model.market, model.dividends) >= 0


def test_nobody_in_the_peers_town_pays_what_he_has_not(town: Any) -> None:
    model = town.Town(100, 5, Parameters(spend_wealth=1.0))
    model.treasury = 100
    for one in (*model.people, *model.makers):
        one.cash = 100
    for _ in range(10):
        model.step()
        assert min(one.cash for one in (*model.people, *model.makers)) >= 0
        assert model.treasury >= 0


def test_the_peers_households_lose_work_and_find_it(town: Any) -> None:
    model = town.Town(300, 10, Parameters())
    jobs = []
    for _ in range(60):
        model.step()
        jobs.append([one.firm for one in model.people])
        idle = jobs[-1].count(None)
        assert idle == model.idle - sum(firm.filled for firm in model.makers)
        assert 0.0 < idle / 300 < 0.3
    moves = [
        (before is None, now is None)
        for one, two in pairwise(jobs)
        for before, now in zip(one, two, strict=True)
    ]
    assert moves.count((True, False)) > 60  # found work
    assert moves.count((False, True)) > 60  # lost it
    for firm in model.makers:
        staff = sum(one.skill for one in model.people if one.firm is firm)
        assert firm.staff == pytest.approx(staff, abs=1e-6)


def test_the_peers_households_spend_as_the_crowd_does(town: Any) -> None:
    p = Parameters()
    cash, income = np.array([0, 90_000, 5_000, 1]), np.array([10_000, 0, 7_123, 0])
    seen = SeenByHouseholds(cash, income, income > 0, real_rate=p.neutral_rate, unemployment=0.05)
    context: Any = SimpleNamespace(parameters=p)
    crowd_spends = buffer_stock(seen, context).cents.astype(np.int64).tolist()
    pairs = zip(income.tolist(), cash.tolist(), strict=True)
    assert [town.spending(p, earned, there) for earned, there in pairs] == crowd_spends


def test_the_peer_collects_of_each_household_what_the_crowd_records(town: Any, tmp_path: Path) -> None:
    given = crowd.scenario(2, households=40)
    scores = world.engine.score(end(tmp_path / "crowd.sqlite", given))
    (who,) = (agent.id for agent in given.agents if agent.role == crowd.ROLE)
    assert set(scores[who]) == set(town.METRICS)
    assert {array.size for array in scores[who].values()} == {40}


def test_the_peer_has_as_many_households_as_the_crowd_and_as_many_firms() -> None:
    whole = crowd.scenario(7)
    households, firms = crowd.population(whole)
    assert households == 10_000
    assert whole.turns == 7
    (nation,) = {agent.settings["nation"] for agent in whole.agents if agent.role == crowd.ROLE}
    assert (households, firms) == (
        whole.parameters.nations[nation].people,
        whole.parameters.nations[nation].firms,
    )
    assert crowd.population(crowd.scenario(7, households=40)) == (40, 2)


def test_the_crowd_of_the_bench_has_the_size_of_its_nation(tmp_path: Path) -> None:
    given = crowd.scenario(3, households=40)
    state = end(tmp_path / "crowd.sqlite", given)
    for agent in given.agents:
        if agent.role == crowd.ROLE:
            people = state.nations[agent.settings["nation"]].people
            assert people.cash.size == agent.size == 40
