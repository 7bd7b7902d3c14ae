"""Retention: rules of the workspace let old runs go, never one that still lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.shelf import Shelf, row
from tests.journal import flights
from windtunnel.config import Workspace
from windtunnel.control import retention
from windtunnel.control.catalog import all_runs, find_run
from windtunnel.errors import UsageError
from windtunnel.journal import SqliteStore, Status

DAY = 86_400.0
NOW = 100 * DAY


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / ".windtunnel" / "runs")


def ruled(tmp_path: Path, rules: str) -> Workspace:
    (tmp_path / "windtunnel.toml").write_text(rules)
    return Workspace(tmp_path)


def left(workspace: Workspace) -> list[str]:
    return sorted(found.row.run_id for found in all_runs(workspace) if found.row.pruned is None)


def test_runs_that_are_too_old_leave_a_tombstone(shelf: Shelf, tmp_path: Path) -> None:
    workspace = ruled(tmp_path, '[retention]\nolder_than = "30d"\n')
    shelf.put(row("old", updated=NOW - 31 * DAY))
    shelf.put(row("new", updated=NOW - 29 * DAY))
    done = retention.retain(workspace, now=NOW)
    assert (done.runs, done.refused, done.stayed) == (["old"], {}, [])
    assert left(workspace) == ["new"]
    assert find_run(workspace, "old").row.pruned == NOW
    assert retention.retain(workspace, now=NOW).runs == []


@pytest.mark.parametrize("status", [one for one in Status if not one.ended])
def test_what_has_not_ended_never_goes(shelf: Shelf, tmp_path: Path, status: Status) -> None:
    workspace = ruled(tmp_path, "[retention]\nkeep_last = 0\n")
    shelf.put(row("r01", status=status, updated=1.0))
    assert retention.retain(workspace, now=NOW).runs == []
    assert left(workspace) == ["r01"]


def test_a_status_that_still_lives_cannot_be_named(tmp_path: Path) -> None:
    for status in ("running", "waiting", "paused", "queued"):
        with pytest.raises(UsageError, match="status"):
            _ = ruled(tmp_path, f'[retention]\nstatus = ["{status}"]\n').settings


def test_crashed_runs_go_only_when_they_are_named(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(row("r01", status=Status.CRASHED))
    shelf.put(row("r02", status=Status.FAILED))
    workspace = ruled(tmp_path, '[retention]\nstatus = ["crashed"]\n')
    assert retention.retain(workspace, now=NOW).runs == ["r01"]
    assert left(workspace) == ["r02"]


def test_a_world_with_a_rule_of_its_own_is_ruled_by_that_alone(shelf: Shelf, tmp_path: Path) -> None:
    rules = '[retention]\nolder_than = "1d"\n[retention.worlds.lake]\nkeep_last = 1\nstatus = ["completed"]\n'
    workspace = ruled(tmp_path, rules)
    for number in range(3):
        shelf.put(row(f"lake{number}", world="lake", updated=10.0 + number))
    shelf.put(row("pond", updated=10.0))
    assert sorted(retention.retain(workspace, now=NOW).runs) == ["lake0", "lake1", "pond"]
    assert left(workspace) == ["lake2"]


def test_only_as_many_go_as_must_for_the_room(shelf: Shelf, tmp_path: Path) -> None:
    paths = [shelf.put(row(f"r{number}", updated=10.0 + number)) for number in range(4)]
    size = paths[0].stat().st_size
    workspace = ruled(tmp_path, f'[retention]\nmax_bytes = "{size * 2}"\n')
    done = retention.retain(workspace, now=NOW)
    assert (done.runs, done.bytes) == (["r0", "r1"], 2 * size)


def test_a_run_that_was_taken_up_since_the_plan_stays(shelf: Shelf, tmp_path: Path) -> None:
    workspace = ruled(tmp_path, "[retention]\nkeep_last = 0\n")
    for name in ("r01", "r02"):
        shelf.put(row(name, status=Status.FAILED))
    plan = retention.plan_policy(workspace, now=NOW)
    assert len(plan.runs) == 2
    shelf.write("r02", Status.PAUSED)
    done = retention.let_go(workspace, plan, at=NOW)
    assert (done.runs, done.stayed) == (["r01"], ["r02"])
    assert left(workspace) == ["r02"]


def test_no_rule_is_an_error_and_no_plan(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(row("r01"))
    for rules in ("", "[retention]\n", "[retention.worlds.lake]\n"):
        with pytest.raises(UsageError, match="no rule"):
            retention.retain(ruled(tmp_path, rules), now=NOW)
    with pytest.raises(UsageError, match="no age"):
        retention.retain(ruled(tmp_path, '[retention]\nolder_than = "soon"\n'), now=NOW)
    assert left(Workspace(tmp_path)) == ["r01"]


def test_forks_are_made_whole_before_their_parent_goes(tmp_path: Path) -> None:
    path = tmp_path / ".windtunnel" / "runs" / "r1.sqlite"
    store = SqliteStore(path, create=True)
    flights.fly(store)
    flights.forked(store)
    store.set_status("f1", Status.PAUSED, 1.0)
    store.close()
    workspace = ruled(tmp_path, "[retention]\nkeep_last = 0\n")
    done = retention.retain(workspace, now=NOW)
    assert (done.runs, done.made_whole) == (["r1"], ["f1"])
    store = SqliteStore(path, read_only=True)
    assert flights.replayed(store, "f1")
    store.close()
