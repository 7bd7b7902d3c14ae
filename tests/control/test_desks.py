"""Desks: a world's code in processes of its own, for a server that never imports it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.control.yard import Yard, until
from windtunnel.control import verbs
from windtunnel.control.carrying import ProcessDied, TookTooLong, error_from_plain, error_to_plain
from windtunnel.control.desk_verbs import VERBS
from windtunnel.control.desks import READS, Desks
from windtunnel.control.ids import run_ids_from
from windtunnel.errors import ModelError, NotFound, ScenarioError, Undecided, UsageError
from windtunnel.server.problems import problem_of

pytestmark = pytest.mark.slow


def at_desks(yard: Yard, work: Callable[[Desks], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        desks = Desks(yard.workspace)
        try:
            return await work(desks)
        finally:
            await desks.aclose()

    return asyncio.run(main())


def call(yard: Yard, verb: str, world: str = "toyland", **arguments: Any) -> Any:
    return at_desks(yard, lambda desks: desks.call(world, verb, arguments))


COUNT = {"world": "toyland", "turns": 4, "agents": [{"id": "ann"}]}


def test_a_run_is_made_watched_forked_and_replayed_as_plain_data(yard):
    async def work(desks: Desks) -> Any:
        made = await desks.call(
            "toyland",
            "create",
            {"scenario": "toyland/count", "seed": 3, "tags": ["a"], "limits": {"seconds": 9}},
        )
        assert (made["status"], made["turns"], made["seed"], made["tags"]) == ("queued", 6, 3, ["a"])
        run = made["run_id"]
        await yard.control.play([yard.control.find(run)])
        state = await desks.call("toyland", "state", {"run": run, "turn": 2})
        assert state["turn"] == state["state"]["turn"] == 2
        seen = await desks.call("toyland", "observe", {"run": run, "turn": 3})
        assert seen["observations"]["ann"] == {"total": state["state"]["total"], "turn": 2}
        again = await desks.call("toyland", "replay", {"run": run, "location": made["location"]})
        assert (again["identical"], again["turns"]) == (True, 6)
        asked = await desks.call("toyland", "query", {"run": run, "query": "total", "turn": 2})
        assert asked["answer"] == state["state"]["total"]
        forked = await desks.call(
            "toyland",
            "fork",
            {"run": run, "at": 2, "agents": {"ann": "prints"}, "branches": 2, "limits": {"seconds": 7}},
        )
        assert [len(forked[name]) for name in ("runs", "controls")] == [2, 2]
        assert {one["turn"] for one in forked["runs"]} == {2}
        told = await desks.call("toyland", "describe")
        assert ("count" in str(told["scenarios"]), told["headline"]) == (True, ["total"])
        schema = await desks.call("toyland", "schema")
        assert schema["properties"]["world"]["const"] == "toyland"
        assert desks.count() == {"toyland": 1}
        return made, forked["runs"][0]

    made, branch = at_desks(yard, work)
    assert yard.operations(yard.control.find(made["run_id"]), "limits") == [{"seconds": 9.0}]
    assert yard.operations(yard.control.find(f"{branch['location']}:{branch['run_id']}"), "limits") == [
        {"seconds": 7.0}
    ]
    assert yard.control.verify(made["run_id"]).intact


def test_a_fork_that_was_cut_off_half_way_is_completed_under_the_names_it_was_given(yard):
    run = call(yard, "create", scenario=COUNT)["run_id"]
    asyncio.run(yard.control.play([yard.control.find(run)]))
    asked = {"run": run, "at": 2, "agents": {"ann": "prints"}, "branches": 3, "run_id": "abcdezzzzz"}
    names = run_ids_from("abcdezzzzz", 6)
    made = yard.control.fork

    async def work(desks: Desks) -> list[Any]:
        return [await desks.call("toyland", "fork", asked) for _ in range(2)]

    control = yard.control.find(run)
    make, count = vars(verbs)["fork"], 0

    def cut_off(*values: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count > 4:
            raise ConnectionError("the process is gone")
        return make(*values, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbs, "fork", cut_off)
        with pytest.raises(ConnectionError):
            made(control.row.run_id, "2", branches=3, run_id="abcdezzzzz")
    made(control.row.run_id, "2", branches=1)  # somebody else's comes between
    told = at_desks(yard, work)
    assert told[0] == told[1]
    assert [one["run_id"] for one in told[0]["runs"] + told[0]["controls"]] == names
    assert [one["branch"] for one in told[0]["runs"]] == [one["branch"] for one in told[0]["controls"]]
    assert len({one["branch"] for one in told[0]["runs"]}) == 3


def test_errors_come_back_as_what_they_were(yard):
    with pytest.raises(ScenarioError, match="turms") as refused:
        call(yard, "create", scenario="count", set=["turms=3"])
    assert refused.value.where == "--set turms=3"
    assert refused.value.remedy
    with pytest.raises(NotFound, match="no run"):
        call(yard, "state", run="nobody")
    with pytest.raises(NotFound, match="no world"):
        call(yard, "describe", "nowhere")
    with pytest.raises(UsageError, match="no verb"):
        call(yard, "destroy")
    with pytest.raises(UsageError, match="unknown field"):
        call(yard, "create", scenario="count", sead=3)


def test_an_error_keeps_its_data_on_the_way():
    error = ModelError(
        "no answer", where="claude", remedy="wait", trigger="timeout", status=504, odd=object()
    )
    again = error_from_plain(error_to_plain(error))
    assert (type(again), again.message, again.where, again.remedy) == (
        ModelError,
        "no answer",
        "claude",
        "wait",
    )
    assert again.data == {"trigger": "timeout", "status": 504}
    label = error_from_plain(error_to_plain(Undecided("empty", "it said nothing")))
    assert isinstance(label, Undecided)
    assert label.label == "empty"


OUT = [
    "../secret.yaml", "/etc/passwd", "~/x.yaml", "a/../../secret.yaml", "link.yaml", "nul\0.yaml",
    "windtunnel.toml", "x" * 3000, "toyland/../../secret", " ",
]  # fmt: skip


@pytest.mark.parametrize("name", OUT, ids=range(len(OUT)))
def test_no_name_leads_out_of_the_workspace(yard, name):
    outside = yard.workspace.root.parent / "secret.yaml"
    outside.write_text("world: toyland\nagents:\n  - id: ann\n")
    (yard.workspace.root / "link.yaml").symlink_to(outside)
    with pytest.raises(UsageError) as refused:
        call(yard, "create", scenario=name)
    assert refused.value.code in ("usage", "not_found")
    assert not list(yard.workspace.runs.glob("*.sqlite"))


@pytest.mark.parametrize("run", ["../x", "/etc/passwd", "a.sqlite", ".windtunnel/runs/a.sqlite:b", ""])
def test_a_run_is_named_by_its_id_and_by_no_path(yard, run):
    with pytest.raises(UsageError, match="run"):
        call(yard, "state", run=run)


def test_scenarios_come_as_names_files_text_and_values(yard):
    (yard.workspace.root / "mine").mkdir()
    (yard.workspace.root / "mine" / "own.yaml").write_text("world: toyland\nturns: 7\nagents:\n  - id: ann\n")

    async def work(desks: Desks) -> list[int]:
        given = ["count", "toyland/count", "toyland/scenarios/count.yaml", "mine/own.yaml",
                 "world: toyland\nturns: 3\nagents:\n  - id: ann\n", COUNT,
                 "{world: toyland, turns: 5, agents: [{id: ann}]}\n"]  # fmt: skip
        return [(await desks.call("toyland", "create", {"scenario": one}))["turns"] for one in given]

    assert at_desks(yard, work) == [6, 6, 6, 7, 3, 4, 5]


def test_what_a_world_prints_is_no_part_of_an_answer(yard):
    run = call(yard, "create", scenario={**COUNT, "agents": [{"id": "ann", "policy": "prints"}]})["run_id"]
    asyncio.run(yard.control.play([yard.control.find(run)]))
    assert call(yard, "replay", run=run)["identical"]
    logs = list((yard.workspace.root / ".windtunnel" / "logs").glob("desk-*.out"))
    assert "line one" in "".join(log.read_text() for log in logs)


def test_what_takes_too_long_is_killed_and_the_next_request_gets_a_fresh_desk(yard):
    run = call(yard, "create", scenario=COUNT)["run_id"]

    async def work(desks: Desks) -> None:
        await desks.call("toyland", "state", {"run": run})
        began = time.monotonic()
        with pytest.raises(TookTooLong, match="query was not done"):
            await desks.call("toyland", "query", {"run": run, "query": "slow"}, seconds=1.0)
        assert time.monotonic() - began < 20
        assert desks.count() == {}
        assert (await desks.call("toyland", "state", {"run": run}))["turn"] == 0

    at_desks(yard, work)


def test_a_desk_that_dies_says_so_and_is_replaced(yard):
    run = call(yard, "create", scenario=COUNT)["run_id"]

    async def work(desks: Desks) -> None:
        with pytest.raises(ProcessDied, match="exit code 9"):
            await desks.call("toyland", "query", {"run": run, "query": "dies"})
        assert (await desks.call("toyland", "state", {"run": run}))["turn"] == 0

    at_desks(yard, work)


async def killed_over(desks: Desks, verb: str, asked: dict[str, Any]) -> Any:
    """The answer to a request whose process is killed after it was sent, and before it can be answered."""
    await desks.call("toyland", "describe")
    ((desk,),) = desks._open.values()
    assert desk._process is not None
    pid = desk._process.pid
    os.kill(pid, signal.SIGSTOP)
    call = asyncio.create_task(desks.call("toyland", verb, asked))
    while desk.asked is None:  # noqa: ASYNC110 - it has no event to wait for
        await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    return await call


def test_a_desk_that_is_killed_over_a_look_is_replaced_and_asked_once_more(yard):
    run = call(yard, "create", scenario=COUNT)["run_id"]
    told = at_desks(yard, lambda desks: killed_over(desks, "state", {"run": run}))
    assert told["turn"] == 0


def test_what_a_killed_desk_may_have_written_is_not_done_twice_unasked(yard):
    with pytest.raises(ProcessDied, match="signal 9") as died:
        at_desks(yard, lambda desks: killed_over(desks, "create", {"scenario": COUNT}))
    assert "ask again" in (died.value.remedy or "")
    assert problem_of(died.value).status == 503
    assert not list(yard.workspace.runs.glob("*.sqlite"))


def test_only_verbs_that_write_are_not_asked_again():
    assert set(VERBS) - READS == {"answer", "create", "fork"}
    assert set(VERBS) >= READS


def test_a_slow_request_does_not_hold_up_the_next_one(yard):
    run = call(yard, "create", scenario=COUNT)["run_id"]

    async def work(desks: Desks) -> None:
        slow = asyncio.create_task(desks.call("toyland", "query", {"run": run, "query": "slow"}, seconds=30))
        await asyncio.sleep(0.1)
        assert (await desks.call("toyland", "state", {"run": run}, seconds=20))["turn"] == 0
        assert desks.count() == {"toyland": 2}
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert desks.count() == {"toyland": 1}

    at_desks(yard, work)


def test_a_long_replay_tells_how_far_it_is(yard):
    run = call(yard, "create", scenario={**COUNT, "turns": 4_000})["run_id"]
    asyncio.run(yard.control.play([yard.control.find(run)]))
    told: list[dict[str, Any]] = []

    async def work(desks: Desks) -> Any:
        return await desks.call("toyland", "replay", {"run": run}, progress=told.append)

    assert at_desks(yard, work)["identical"]
    assert told
    assert all(0 <= one["turn"] <= one["turns"] == 4_000 for one in told)
    assert [one["turn"] for one in told] == sorted(one["turn"] for one in told)


def test_desks_die_with_their_server(yard):
    script = f"""
import asyncio
from pathlib import Path
from windtunnel.config import Workspace
from windtunnel.control.desks import Desks
async def main():
    desks = Desks(Workspace(Path({str(yard.workspace.root)!r})))
    await desks.call("toyland", "describe")
    (desk,) = desks._open["toyland"]
    print(desk._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert os.path.exists(f"/proc/{pid}")  # noqa: PTH110
        server.send_signal(signal.SIGKILL)
    until(lambda: _gone(pid), 20)


def _gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
