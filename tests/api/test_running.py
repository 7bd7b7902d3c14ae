"""Playing from Python: with and without an event loop, alone and together, to the end or interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import windtunnel as wt
from tests.api.shop import Parameters, Rest, Work, lazy, shop
from windtunnel.errors import AgentError, NotFound, ScenarioError, UsageError, WorldError
from windtunnel.world import AgentSpec, Role, Scenario


def test_without_a_loop_it_plays_to_the_end_and_returns():
    run = wt.run(shop(), turns=4, agents={"ada": "steady"}, seed=3)
    assert run.done
    assert (run.status, run.turns, run.seed, run.reason) == ("completed", 4, 3, "all turns played")
    assert run.store.exists()
    assert len(run.head) == 64


def test_it_can_be_awaited():
    async def main() -> wt.Run:
        return await wt.run(shop(), turns=4, agents={"ada": "steady"})

    assert asyncio.run(main()).turns == 4


def test_what_is_over_can_be_awaited_as_well():
    run = wt.run(shop(), turns=2)

    async def main() -> wt.Run:
        return await run

    assert asyncio.run(main()) is run


def test_inside_a_loop_it_starts_at_once_and_the_first_use_waits():
    begun = threading.Event()
    held = threading.Event()

    def slow(observation, context):
        begun.set()
        assert held.wait(20)
        return Work(1.0)

    async def main() -> None:
        run = wt.run(shop(), turns=2, agents={"ada": slow})
        assert await asyncio.to_thread(begun.wait, 20)
        assert not run.done
        assert "playing" in repr(run)
        held.set()
        assert run.turns == 2
        assert run.done

    asyncio.run(main())


def test_while_it_is_awaited_the_loop_goes_on():
    held = threading.Event()

    def slow(observation, context):
        assert held.wait(20)
        return Rest()

    async def main() -> str:
        run = wt.run(shop(), turns=1, agents={"ada": slow})
        waiting = asyncio.ensure_future(_status(run))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        held.set()
        return await waiting

    assert asyncio.run(main()) == "completed"


async def _status(run: wt.Run) -> str:
    return (await run).status


def test_two_runs_play_at_once():
    meeting = threading.Barrier(2, timeout=20)

    def meet(observation, context):
        if context.turn == 1:
            meeting.wait()
        return Work(1.0)

    async def main() -> list[wt.Run]:
        runs = [wt.run(shop(), turns=3, agents={"ada": meet}, seed=seed) for seed in (1, 2)]
        return await asyncio.gather(*(_awaited(run) for run in runs))

    one, other = asyncio.run(main())
    assert one.run_id != other.run_id
    assert one.head != other.head


async def _awaited(run: wt.Run) -> wt.Run:
    return await run


def test_the_same_run_has_the_same_head_whichever_way_it_is_played():
    async def main() -> str:
        return (await wt.run(shop(), turns=5, seed=9)).head

    assert asyncio.run(main()) == wt.run(shop(), turns=5, seed=9).head


def _fails(observation, context):
    if context.turn == 3:
        raise ValueError("I forgot")
    return Work(1.0)


def test_what_an_agent_raises_is_raised_and_the_run_is_kept():
    with pytest.raises(AgentError, match="I forgot") as caught:
        wt.run(shop(), turns=5, agents={"ada": _fails})
    kept = wt.open(caught.value.data["run_id"])
    assert (kept.status, kept.turns) == ("failed", 2)
    assert any("wt.open" in note for note in caught.value.__notes__)


def test_inside_a_loop_an_error_is_raised_once_at_the_first_use():
    async def main() -> None:
        run = wt.run(shop(), turns=5, agents={"ada": _fails})
        with pytest.raises(AgentError, match="I forgot"):
            await run
        assert run.status == "failed"
        assert (await run).turns == 2

    asyncio.run(main())


def test_a_failed_run_goes_on_once_its_cause_is_mended():
    with pytest.raises(AgentError) as caught:
        wt.run(shop(), turns=5, agents={"ada": _fails})
    mended = wt.open(
        caught.value.data["run_id"], world=shop(), agents={"ada": lambda seen, context: Work(1.0)}
    )
    assert mended.resume().status == "completed"
    assert mended.turns == 5


def test_functions_are_recorded_as_python_and_must_be_given_again():
    run = wt.run(shop(), turns=3, agents={"ada": lambda seen, context: Work(2.0), "bob": "lazy"})
    assert [(seat.id, seat.kind) for seat in run.agents] == [("ada", "python"), ("bob", "rule")]
    assert run.replay().identical
    with pytest.raises(ScenarioError, match="not here now"):
        wt.open(run.run_id, world=shop()).replay()
    again = wt.open(run.run_id, world=shop(), agents={"ada": lambda seen, context: Work(2.0)})
    assert again.replay().identical
    other = wt.open(run.run_id, world=shop(), agents={"ada": lazy})
    assert not other.replay().identical


def test_objects_and_coroutines_play_too():
    class Quoting:
        async def decide(self, observation, context):
            price = await context.effect("quote", {"of": context.turn})
            return Work(price["price"])

    run = wt.run(shop(), turns=2, agents={"ada": Quoting()})
    assert [decision.action["hours"] for decision in run.decisions] == [2, 4]
    assert [(effect.kind, effect.result) for effect in run.effects] == [
        ("quote", {"price": 2}),
        ("quote", {"price": 4}),
    ]


def test_a_world_without_agents_seats_one_for_each_role():
    run = wt.run(shop(), turns=1)
    assert [(seat.id, seat.role) for seat in run.agents] == [("worker", "worker")]


def test_in_a_world_of_several_roles_the_policy_or_a_pair_says_which():
    roles = {
        "worker": Role((Work, Rest), Rest(), {"steady": lambda seen, context: Work(1.0)}),
        "guest": Role((Rest,), Rest(), {"lazy": lazy}),
    }
    run = wt.run(shop(roles=roles), turns=1, agents={"ada": "steady", "bob": "lazy", "cem": ("guest", lazy)})
    assert [seat.role for seat in run.agents] == ["worker", "guest", "guest"]
    with pytest.raises(ScenarioError, match="several roles"):
        wt.run(shop(roles=roles), turns=1, agents={"ada": lazy})


@pytest.mark.parametrize("given", [Work, 7, object()])
def test_what_is_no_agent_is_refused_by_name(given):
    with pytest.raises(UsageError, match="no agent") as caught:
        wt.run(shop(), turns=1, agents={"ada": given})
    assert "ada" in str(caught.value.where)


def test_a_seat_that_is_not_there_is_refused_with_the_nearest():
    scenario = Scenario("shop", turns=1, agents=(AgentSpec("ada"),))
    with pytest.raises(ScenarioError, match="no 'adda'") as caught:
        wt.run(scenario, world=shop(), agents={"adda": "lazy"})
    assert "ada" in str(caught.value.remedy)


def test_set_takes_dicts_nested_or_dotted_and_lists_as_typed():
    for given in ({"wage": 5}, {"parameters.wage": 5}, {"parameters": {"wage": 5}}, ["wage=5"]):
        run = wt.run(shop(), turns=1, set=given)
        assert run.scenario.parameters == Parameters(wage=5.0), given


def test_text_stays_text_through_set():
    run = wt.run(shop(), turns=1, set={"title": "12", "agents.worker.policy": "lazy"})
    assert run.scenario.title == "12"
    assert run.metrics.final()["worker"]["wealth"] == 10.0


def test_parameters_may_be_given_typed():
    run = wt.run(shop(), turns=1, parameters=Parameters(wage=3.0, luck=0.0))
    assert run.metrics.final()["worker"]["wealth"] == 13.0


def test_a_store_and_a_workspace_may_be_named(tmp_path):
    (tmp_path / "other").mkdir()
    one = wt.run(shop(), turns=1, store=tmp_path / "both.sqlite")
    two = wt.run(shop(), turns=1, store=tmp_path / "both.sqlite")
    assert one.store == two.store == tmp_path / "both.sqlite"
    assert wt.open(f"{one.store}:{two.run_id}").head == two.head
    three = wt.run(shop(), turns=1, workspace=tmp_path / "other")
    assert [run.run_id for run in wt.runs(workspace=tmp_path / "other")] == [three.run_id]
    with pytest.raises(UsageError, match="no folder"):
        wt.run(shop(), workspace=tmp_path / "none")


def test_a_run_of_a_world_made_here_says_what_it_needs():
    run = wt.run(shop(), turns=1)
    with pytest.raises(NotFound, match="world=") as caught:
        _ = wt.open(run.run_id).state
    assert "made in Python" in str(caught.value.remedy)
    with pytest.raises(WorldError, match="plays in 'shop'"):
        _ = wt.open(run.run_id, world=shop(name="other")).state


@pytest.mark.parametrize("given", [12, None, shop])
def test_what_cannot_be_played_is_refused(given):
    with pytest.raises(UsageError, match="cannot be played"):
        wt.run(given)


def _child(tmp_path, body: str) -> subprocess.Popen[str]:
    code = "import windtunnel as wt\nfrom tests.api.shop import *\n" + textwrap.dedent(body)
    root = str(__import__("pathlib").Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_pauses_the_run_and_is_raised(tmp_path):
    child = _child(
        tmp_path,
        """
        import time
        def slow(seen, context):
            if context.turn == 3: print("here", flush=True)
            time.sleep(0.01)
            return Work(1.0)
        try:
            wt.run(shop(), turns=100000, agents={"worker": slow})
        except KeyboardInterrupt as stopped:
            print(*stopped.__notes__, flush=True)
        """,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    out, errors = child.communicate(timeout=60)
    assert "wt.open" in out, errors
    (kept,) = wt.runs()
    assert kept.status == "paused"
    assert 3 <= kept.turns < 100000
    resumed = wt.open(kept.run_id, world=shop(), agents={"worker": lambda seen, context: Work(1.0)})
    turns = kept.turns
    resumed._home.control.executor = _Until(resumed, turns + 2)
    assert resumed.resume().turns == turns + 2


class _Until:
    """An executor that plays a little further, so that the test ends."""

    def __init__(self, run: wt.Run, turn: int) -> None:
        self.plain, self.turn = run._home.control.executor, turn

    async def play(self, jobs, observer=None):
        for job in jobs:
            job.stop_after = self.turn
        return await self.plain.play(jobs, observer)


@pytest.mark.slow
def test_the_second_ctrl_c_ends_at_once(tmp_path):
    child = _child(
        tmp_path,
        """
        import time
        def stuck(seen, context):
            print("here", flush=True)
            while True: time.sleep(0.01)
        try:
            wt.run(shop(), turns=5, agents={"worker": stuck})
        except KeyboardInterrupt:
            print("ended", flush=True)
        """,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        child.send_signal(signal.SIGINT)
        time.sleep(0.2)
    out, errors = child.communicate(timeout=10)
    assert out == "ended\n", errors
    assert [run.turns for run in wt.runs()] == [0]


def test_a_run_nobody_waited_for_is_paused_when_python_ends(tmp_path):
    child = _child(
        tmp_path,
        """
        import asyncio, time
        def slow(seen, context):
            time.sleep(0.01)
            return Work(1.0)
        async def main():
            wt.run(shop(), turns=100000, agents={"worker": slow})
            await asyncio.sleep(0.3)
        asyncio.run(main())
        """,
    )
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    assert [run.status for run in wt.runs()] == ["paused"]


def test_pause_and_cancel_reach_a_run_that_is_playing():
    going = threading.Event()

    def slow(observation, context):
        going.set()
        time.sleep(0.002)
        return Work(1.0)

    async def main() -> None:
        run = wt.run(shop(), turns=100_000, agents={"ada": slow})
        run.pause()
        assert (await run).status == "paused"
        going.clear()
        run.resume()
        assert await asyncio.to_thread(going.wait, 20)
        run.cancel()
        assert (await run).status == "cancelled"
        assert 0 < run.turns < 100_000

    asyncio.run(main())
