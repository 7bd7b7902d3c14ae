"""What a person may rely on when the server is killed: runs go on, nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.server.tunnel import HELD, Tunnel, listed, tunnel, until

TURNS = 400


def killed_with_runs_going(home: Path, going: int, waiting: int) -> None:
    with tunnel(home, concurrency=going) as made:
        server = made.serve()
        requests = [made.request(TURNS, seed) for seed in range(going + waiting)]
        keys = [{"Idempotency-Key": f"run {number}"} for number in range(going + waiting)]
        runs = [
            server.post("/api/simulations", request, 202, headers=key)["run_id"]
            for request, key in zip(requests, keys, strict=True)
        ]
        begun = made.all_on(runs[:going])
        players = {one.pid for one in made.workers()}
        server.kill()
        made.all_on(runs[:going], begun)  # while nobody serves
        assert made.queue.drop(runs[-1])  # as if the server had been killed just before it was put there
        assert made.queue.drop(runs[-2])
        after = made.serve()
        again = after.post("/api/simulations", requests[-2], 202, headers=keys[-2])
        assert again["run_id"] == runs[-2]
        assert made.queue.find(runs[-2]), "what is answered with 202 stands in the queue"
        assert set(listed(after)) == set(runs)
        told = after.get("/api/system")
        assert players <= {one["pid"] for one in told["workers"]}
        assert {one["run_id"] for one in listed(after).values() if one["status"] == "queued"} == set(
            runs[going:]
        )
        made.hurry()
        for run in runs:
            assert after.ended(run)["turn"] == TURNS
        plains = [made.plain(TURNS, seed) for seed in range(going + waiting)]
        assert made.heads(runs) == made.undisturbed(plains)
        made.check_sound(*runs)
        assert {one["status"] for one in listed(after).values()} == {"completed"}
        assert [len(list(operations(made, run, "started"))) for run in runs] == [1] * len(runs)


def operations(made: Tunnel, run: str, kind: str) -> list[object]:
    from windtunnel.control import history

    return [one for one in history.operations(made.control.find(run)) if one["kind"] == kind]


@pytest.mark.slow
def test_six_runs_go_on_while_their_server_is_killed_and_the_next_one_finds_them(tmp_path: Path) -> None:
    killed_with_runs_going(tmp_path, going=4, waiting=2)


@pytest.mark.soak
def test_twenty_runs_go_on_while_their_server_is_killed_and_the_next_one_finds_them(tmp_path: Path) -> None:
    killed_with_runs_going(tmp_path, going=20, waiting=4)


@pytest.mark.slow
def test_two_servers_share_a_workspace_and_one_may_be_killed(tmp_path: Path) -> None:
    with tunnel(tmp_path) as made:
        first, second = made.serve(), made.serve()
        by = {server.process.pid: server for server in (first, second) if server.process is not None}
        here = first.start_run(**made.request(TURNS, 1))
        there = second.start_run(**made.request(TURNS, 2))
        held = first.start_run(**made.request(20, 3, big=3, approvals=HELD))
        assert set(listed(first)) == set(listed(second)) == {here, there, held}
        for name, server in (("a", first), ("b", second)):
            schedule = {"name": name, "when": "every 6 hours", "arguments": made.request(2, 9)}
            server.post("/api/schedules", schedule, 201)
        made.all_on([here, there])
        assert first.ended(held, "waiting")
        for name in ("a", "b"):
            until(lambda name=name: _fired(first, name) == ["done"], "it has fired")  # type: ignore[misc]
        leader = until(made.leader, "one of them leads")
        other = next(server for pid, server in by.items() if pid != leader)
        by[leader].kill()
        assert until(lambda: made.leader() not in (None, leader) and made.leader(), "the other leads")
        for worker in made.workers():  # somebody sees to it that others come
            os.kill(worker.pid, signal.SIGKILL)
        (asked,) = other.get("/api/approvals")["approvals"]
        for voter in ("ana", "ben"):
            other.post(f"/api/approvals/{asked['id']}/approve", {}, headers={"X-Windtunnel-As": voter})
        made.hurry()
        for run in (here, there, held):
            assert other.ended(run)["status"] == "completed"
        assert made.heads([here, there]) == made.undisturbed([made.plain(TURNS, 1), made.plain(TURNS, 2)])
        assert [_fired(other, name) for name in ("a", "b")] == [["done"], ["done"]]
        assert len(listed(other)) == 5
        made.check_sound(*listed(other))


def _fired(server: object, name: str) -> list[str]:
    return [one["state"] for one in server.get(f"/api/schedules/{name}")["firings"]]  # type: ignore[attr-defined]
