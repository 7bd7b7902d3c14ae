"""`runs`, and what stands on the index: filters, pages, what a broken one does, `prune --policy`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import command
from tests.control.shelf import Shelf, row
from windtunnel.journal import Status


@pytest.fixture
def shelf(workspace: Path) -> Shelf:
    shelf = Shelf(workspace / ".windtunnel" / "runs")
    shelf.put(*[row(f"r{number:02}", created=1000.0 + number) for number in range(40)])
    shelf.put(row("lake", world="lake", scenario="lake/wild", tags='["night"]', created=2000.0, updated=1.0))
    shelf.put(row("odd", status=Status.FAILED, reason="the budget is reached", created=1.9e9, parent="lake"))
    return shelf


def listed(said: Any) -> list[str]:
    return [one["run_id"] for one in said.rows]


def test_runs_are_filtered_by_all_that_is_said(wt: Any, shelf: Shelf) -> None:
    assert listed(wt("runs", "--tag", "night", "--json")) == ["lake"]
    assert listed(wt("runs", "--text", "BUDGET", "--json")) == ["odd"]
    assert listed(wt("runs", "--scenario", "lake/wild", "--json")) == ["lake"]
    assert listed(wt("runs", "--parent", "lake", "--json")) == ["odd"]
    assert listed(wt("runs", "--since", "2020-01-01", "--json")) == ["odd"]
    assert listed(wt("runs", "--since", "2020-01-01", "--world", "lake", "--json")) == []
    assert listed(wt("runs", "--until", "1970-01-02", "--limit", 2, "--json")) == ["lake", "r39"]
    assert listed(wt("runs", "--order", "updated", "--all", "--json"))[-1] == "lake"
    assert "no such runs" in wt("runs", "--tag", "day").out


def test_the_list_goes_on_after_a_run(wt: Any, shelf: Shelf) -> None:
    first = wt("runs", "--limit", 10)
    assert "and 32 more" in first.err
    assert "--after r32" in first.err
    assert listed(wt("runs", "--after", "r32", "--limit", 2, "--json")) == ["r31", "r30"]
    assert len(listed(wt("runs", "--all", "--json"))) == 42
    assert len(listed(wt("runs", "--after", "r02", "--json"))) == 2


def test_what_cannot_be_meant_is_refused_by_name(wt: Any, shelf: Shelf) -> None:
    assert wt("runs", "--since", "soon", "--json").error["where"] == "--since"
    assert wt("runs", "--order", "size", "--json").error["where"] == "--order"
    assert wt("runs", "--after", "nobody", "--json").error["code"] == "not_found"


def test_a_broken_index_costs_time_and_nothing_else(wt: Any, shelf: Shelf, workspace: Path) -> None:
    words = ["runs", "--text", "r1", "--after", "r15", "--json"]
    before = wt(*words).out
    assert listed(wt(*words)) == ["r14", "r13", "r12", "r11", "r10"]
    catalog = workspace / ".windtunnel" / "catalog.sqlite"
    for file in catalog.parent.glob("catalog.sqlite-*"):
        file.unlink()
    catalog.write_bytes(b"no database" * 1000)
    said = wt(*words)
    assert said.out == before
    assert "cannot be used" in wt("runs").err
    assert wt("runs", "--rebuild", "--json").error["code"] == "storage"
    checks = {one["name"]: one for one in wt("doctor", "--json").rows}
    assert checks["index"]["level"] == "bad"
    assert checks["stores"]["found"].startswith("3 with 42 runs")


def test_a_row_that_lies_is_told_by_the_doctor_and_mended_by_a_rebuild(wt: Any, shelf: Shelf) -> None:
    import apsw

    assert wt("doctor", "--json").code == 0
    db = apsw.Connection(str(shelf.folder.parent / "catalog.sqlite"))
    db.execute("UPDATE listed SET turn=99 WHERE run_id='lake'")
    db.close()
    checks = {one["name"]: one for one in wt("doctor", "--json").rows}
    assert (checks["index"]["level"], checks["index"]["remedy"]) == ("bad", "windtunnel runs --rebuild")
    assert wt("runs", "--rebuild", "--tag", "night", "--json").data["turns"] == 3
    checks = {one["name"]: one for one in wt("doctor", "--json").rows}
    assert checks["index"]["level"] == "good"


@pytest.mark.slow
def test_a_run_of_another_process_is_in_the_list_at_once(wt: Any, lake: Path) -> None:
    assert wt("runs", "--json").rows == []
    run = json.loads(command("run", lake, "--turns", 3, "--json").out)["run_id"]
    (listed_one,) = wt("runs", "--json").rows
    assert (listed_one["run_id"], listed_one["status"], listed_one["turns"]) == (run, "completed", 3)
    fork = json.loads(command("fork", run, "--at", 2, "--json").out)["runs"][0]
    assert {one["run_id"] for one in wt("runs", "--json").rows} == {run, fork}


def test_the_policy_of_the_workspace_is_applied_when_told(wt: Any, shelf: Shelf, workspace: Path) -> None:
    assert "no rule" in wt("prune", "--policy", "--json").error["message"]
    (workspace / "windtunnel.toml").write_text("[retention.worlds.lake]\nkeep_last = 0\n")
    assert wt("prune", "--policy", "--json").data["would"] == ["lake"]
    assert "Nothing was removed" in wt("prune", "--policy").out
    assert wt("prune", "--policy", "--older-than", "1d", "--json").error["where"] == "--policy"
    done = wt("prune", "--policy", "--yes", "--json").data
    assert (done["runs"], done["refused"], done["stayed"]) == (["lake"], {}, [])
    assert "pruned" in wt("runs", "--tag", "night").out
    assert wt("prune", "--policy", "--yes", "--json").data["runs"] == []
    assert wt("prune", "--policy", "--yes").out.strip() == "nothing to prune"
