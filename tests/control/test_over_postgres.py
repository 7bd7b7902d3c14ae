"""Workers, lists and followers of a workspace whose runs and catalog lie in PostgreSQL: no file of a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.test_workers import storm
from tests.control.yard import Yard, until
from tests.postgres import PostgresServer
from windtunnel.config import Workspace
from windtunnel.control import Found
from windtunnel.control.catalog import all_runs, indexed
from windtunnel.control.follow import NOWHERE, Follower
from windtunnel.control.places import open_store
from windtunnel.control.watching import Watch
from windtunnel.journal import Status
from windtunnel.journal.address import is_address

SETTINGS = "hung_seconds = 3\nstuck_seconds = 4\ngrace_seconds = 1"


@pytest.fixture
def there(tmp_path: Path, postgres_url: str) -> Iterator[Yard]:
    made = Yard(tmp_path / "ws", SETTINGS, url=postgres_url)
    yield made
    made.close()


def listed(workspace: Workspace) -> dict[str, tuple[str, int]]:
    with indexed(workspace) as index:
        assert index is not None
        return {run.run_id: (str(run.status), run.turn) for run in index.each()}


def seqs(follower: Follower, source: str) -> list[int]:
    return [row.number for row in follower.poll(most=10_000) if row.source == source]


def test_a_run_is_queued_played_by_a_worker_listed_followed_forked_and_verified(there: Yard) -> None:
    run = there.create(turns=30, busy=0.01)
    assert is_address(run.location)
    store = open_store(run.location, there.workspace, read_only=True)
    follower, watch = Follower(store, run.row.run_id, NOWHERE), Watch(there.workspace)
    heard = seqs(follower, "entry")
    assert [one.status for one in watch.look().runs] == ["queued"]
    with there.managed():
        there.put(run)
        until(lambda: there.row(run).turn > 3)
        heard += seqs(follower, "entry")
        assert [one.status for one in watch.look().runs] == ["running"]
        assert there.settled(run) == ["completed"]
        heard += seqs(follower, "entry")
        _, (fork,), _ = there.control.fork(run.address, "10")
        there.put(fork)
        assert there.settled(fork) == ["completed"]
    row = there.row(run)
    assert heard == list(range(1, row.head_seq + 2))
    assert {one.run_id: one.status for one in watch.look().runs} == {
        row.run_id: "completed",
        fork.row.run_id: "completed",
    }
    assert watch.look() == ([], [], [])
    assert listed(there.workspace) == {row.run_id: ("completed", 30), fork.row.run_id: ("completed", 30)}
    assert there.row(fork).head_hash != b""
    assert there.sound(run)
    assert there.sound(fork)
    assert not list(there.workspace.root.rglob("*.sqlite"))
    watch.close()
    store.close()


@pytest.mark.slow
def test_a_killed_worker_costs_no_committed_turn(there: Yard) -> None:
    runs = [there.create(seed=seed, turns=60, busy=0.02) for seed in range(2)]
    with there.managed():
        there.put(*runs)
        assert storm(there, runs, kills=2) == 2
        assert there.settled(*runs) == ["completed", "completed"]
    assert [there.row(run).head_hash for run in runs] == [
        there.head(seed=seed, turns=60, busy=0.02) for seed in range(2)
    ]
    assert all(there.sound(run) for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize("immediate", [False, True])
def test_runs_go_on_when_the_database_comes_back(
    there: Yard, postgres: PostgresServer, *, immediate: bool
) -> None:
    """With a manager and a worker of its own, in other processes."""
    runs = [there.create(seed=seed, turns=60, busy=0.02) for seed in range(2)]
    with there.server():
        there.put(*runs)
        until(lambda: min(there.row(run).turn for run in runs) > 3)
        postgres.stop(immediate=immediate)
        time.sleep(1)
        postgres.start()
        assert there.settled(*runs) == ["completed", "completed"]
    assert all(there.sound(run) for run in runs)
    heads = [there.row(run).head_hash for run in runs]
    assert heads == [there.head(seed=seed, turns=60, busy=0.02) for seed in range(2)]


def test_two_workspaces_on_one_database_list_the_same_runs(
    there: Yard, tmp_path: Path, postgres_url: str
) -> None:
    other = Yard(tmp_path / "other", SETTINGS, url=postgres_url)
    one, two = there.create(), other.create(seed=2)
    both = {one.row.run_id: ("queued", 0), two.row.run_id: ("queued", 0)}
    assert listed(there.workspace) == listed(other.workspace) == both
    there.control.cancel(two.address)
    assert listed(other.workspace)[two.row.run_id] == ("cancelled", 0)
    other.close()


def test_runs_of_files_from_before_are_found_beside_those_of_the_database(
    there: Yard, postgres_url: str
) -> None:
    here = there.create(path=there.workspace.runs / "old.sqlite")
    new = there.create()
    assert {found.row.run_id for found in all_runs(there.workspace)} == {here.row.run_id, new.row.run_id}
    assert there.control.find(here.row.run_id[:9]).location == here.location
    assert list(listed(there.workspace)) == [new.row.run_id]


def test_a_run_whose_player_is_gone_reads_crashed_in_every_list(there: Yard) -> None:
    run: Found = there.create(turns=500, busy=0.02)
    watch = Watch(there.workspace)
    with there.server() as server:
        there.put(run)
        player = until(lambda: there.player_of(run))
        assert listed(there.workspace)[run.row.run_id][0] == "running"
        assert [one.status for one in watch.look().runs] == ["running"]
        server.kill()
        server.wait()
        os.kill(player.pid, signal.SIGKILL)
        until(lambda: there.row(run).status is Status.CRASHED)
    assert listed(there.workspace)[run.row.run_id][0] == "crashed"
    assert [one.status for one in watch.look().runs] == ["crashed"]
    watch.close()
