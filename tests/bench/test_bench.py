"""The benches: that they keep their promise to scripts. What they measure here is tiny and means nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import __main__ as door
from bench import activations, loop, measure, wealth
from bench.measure import PeerMissing, Result, by_turns, cheaper, faster, need
from bench.paper import sheet
from bench.playing import RUN, play, start

Home = Callable[[], AbstractContextManager[ProcessPoolExecutor]]
REQUIRED: dict[str, Any] = {
    "name": str,
    "ours": (int, float),
    "peer": (int, float, type(None)),
    "peer_name": str,
    "ratio": (int, float, type(None)),
    "unit": str,
    "n": int,
}


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Home]:
    """One process for all contenders. What is measured needs one for each; what is tried here would only load
    the same libraries again and again."""
    with measure.home() as pool:
        yield lambda: nullcontext(pool)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(door.BENCHES))
def test_each_bench_prints_one_line_of_json(
    name: str, shared_home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "home", shared_home)
    assert door.main([name, "--json", "--smoke"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said["name"] == name
    for field, kinds in REQUIRED.items():
        assert isinstance(said[field], kinds), field
    assert said["ours"] > 0
    assert (said["peer"] is None) == (said["ratio"] is None)


def test_a_ratio_above_one_is_ahead() -> None:
    assert faster(ours := 300.0, 100.0) == 3.0, ours  # a rate: more is better
    assert cheaper(2.0, 6.0) == 3.0  # seconds or bytes: less is better
    assert faster(1.0, None) is None
    assert cheaper(1.0, None) is None


def test_a_missing_peer_is_an_error_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "have", lambda *modules: False)
    assert door.main(["activations", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "mesa is not installed" in said.err
    assert "./dev bench" in said.err


def test_a_smoke_run_goes_on_without_a_missing_peer() -> None:
    assert not need("no_such_peer", smoke=True)
    assert not need("no_such_peer.inside", smoke=True)
    assert need("json", smoke=False)
    with pytest.raises(PeerMissing, match="no_such_peer"):
        need("json", "no_such_peer", smoke=False)


def test_an_unknown_bench_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["speed"]) == 2
    said = capsys.readouterr().err
    assert "'speed'" in said
    assert "durable-turns" in said


@pytest.mark.slow
def test_the_median_of_trials_taken_by_turns_leaves_the_warm_up_out(tmp_path: Path) -> None:
    trials: Any = {name: (noted, (str(tmp_path / "log"), name)) for name in ("ours", "peer")}
    found = by_turns(trials, 3)
    order = (tmp_path / "log").read_text().split()
    assert order == ["ours", "peer"] * 4
    assert found == {"ours": {"count": 3.0}, "peer": {"count": 3.0}}  # of 2, 3, 4: each in its own process


_noted: list[str] = []


def noted(path: str, name: str) -> measure.Figures:
    _noted.append(name)
    with Path(path).open("a") as log:
        log.write(f"{name} ")
    return {"count": float(len(_noted))}


def test_a_sheet_says_what_is_measured_and_the_target() -> None:
    result = Result("x", 3.0, 1.5, "the other", 2.0, "steps/s", 5, {"more": None}, "at least 2 ×", "how fast")
    said = sheet(result)
    assert "how fast" in said
    assert "at least 2 ×" in said
    assert "the other" in said
    assert "more" not in said


def test_ours_the_crowd_and_the_peer_do_the_same_work(tmp_path: Path) -> None:
    from bench.durable_turns import whole_turn

    turns = 40
    agents: Any = {name: loop.birth(number) for number, name in enumerate(loop.names())}
    state: Any = {"step": 0, "until": turns, "agents": agents}
    for _ in range(turns):
        state = {**state, **whole_turn(state)}
    theirs = [one["wealth"] for one in state["agents"].values()]
    assert wealth_at_the_end(tmp_path / "one.sqlite", loop.world(), loop.scenario(turns)) == theirs
    crowd = wealth_at_the_end(tmp_path / "crowd.sqlite", loop.crowd_world(), loop.crowd_scenario(turns))
    assert crowd == theirs


def wealth_at_the_end(path: Path, world: Any, scenario: Any) -> list[float]:
    import asyncio

    from windtunnel.run.replay import peek

    store = start(path, world, scenario)
    play(store, world)
    state = asyncio.run(peek(store, world, RUN)).frame.state
    store.close()
    if isinstance(state, loop.Crowd):
        return [float(value) for value in state.wealth]
    return [one.wealth for one in state.agents.values()]


def test_no_coin_is_lost_in_the_exchange(tmp_path: Path) -> None:
    import asyncio

    from windtunnel.run.replay import peek

    for world, scenario in (
        (wealth.world(), wealth.scenario(30, 20)),
        (wealth.crowd_world(), wealth.crowd_scenario(30, 20)),
    ):
        store = start(tmp_path / f"{world.name}.sqlite", world, scenario)
        play(store, world)
        held: Any = asyncio.run(peek(store, world, RUN)).frame.state.wealth
        store.close()
        coins = list(held.values()) if isinstance(held, dict) else held.tolist()
        assert sum(coins) == 30
        assert min(coins) >= 0
        assert len(set(coins)) > 1


def test_gini_is_the_same_from_counts_and_from_a_sorted_list() -> None:
    import numpy as np

    coins = (0, 0, 1, 1, 1, 2, 5, 3, 0, 7)
    model = SimpleNamespace(agents=[SimpleNamespace(wealth=held) for held in coins])
    assert wealth.gini(np.array(coins, np.int32)) == pytest.approx(wealth.mesa_gini(model))
    assert wealth.gini(np.ones(9, np.int32)) == pytest.approx(0.0)


def test_a_rate_is_work_done_by_the_seconds_it_took(tmp_path: Path) -> None:
    began = time.perf_counter()
    found = activations.arrays(str(tmp_path), 50, 20)
    assert found["rate"] >= 50 * 20 / (
        time.perf_counter() - began
    )  # the whole call took longer than the play
