"""The command line in a workspace whose runs lie in PostgreSQL: the same words, no file of a run anywhere."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import command


@pytest.fixture(autouse=True)
def in_postgres(workspace: Path, postgres_url: str) -> str:
    (workspace / "windtunnel.toml").write_text(f'[store]\nurl = "{postgres_url}"\n')
    return postgres_url


@pytest.fixture
def location(in_postgres: str) -> str:
    return in_postgres.replace(":pass-word", "")


@pytest.mark.slow
def test_a_run_is_played_looked_at_and_proved(wt, lake, workspace, location):
    done = wt("run", lake, "--turns", 12, "--json")
    assert (done.code, done.data["status"], done.data["store"]) == (0, "completed", location)
    run = done.data["run_id"]
    assert [row["run_id"] for row in wt("runs", "--json").rows] == [run]
    shown = wt("show", run[:6], "--json").data
    assert (shown["head"], shown["turns"]) == (done.data["head"], 12)
    assert run in wt("show", run).out
    assert wt("show", run, "--turn", 3).code == 0
    verified = wt("verify", run, "--json").data
    assert (verified["intact"], verified["complete"]) == (True, True)
    assert wt("replay", run, "--json").data["identical"] is True
    assert not list(workspace.rglob("*.sqlite"))


@pytest.mark.slow
def test_what_is_said_never_holds_the_password(wt, lake, workspace):
    run = wt("run", lake, "--turns", 2, "--json").data["run_id"]
    wt("export", run, "--path", "report.html")
    said = [
        wt(*words) for words in (["show", run], ["runs"], ["doctor"], ["verify", run], ["show", "nobody"])
    ]
    written = [
        file.read_bytes()
        for file in workspace.rglob("*")
        if file.name != "windtunnel.toml" and file.is_file()
    ]
    assert written
    assert not [one for one in said if "pass-word" in one.out + one.err]
    assert not [one for one in written if b"pass-word" in one]


def test_a_run_is_the_same_as_one_in_a_file(wt, lake, workspace):
    here = wt("run", lake, "--turns", 9, "--seed", 5, "--json").data
    there = wt("run", lake, "--turns", 9, "--seed", 5, "--store", "x.sqlite", "--json").data
    assert here["head"] == there["head"]
    assert there["store"].endswith("x.sqlite")


@pytest.mark.slow
def test_a_run_is_stopped_resumed_forked_and_compared(wt, lake):
    whole = wt("run", lake, "--turns", 9, "--json").data
    run = wt("run", lake, "--turns", 4, "--json").data["run_id"]
    forked = wt("fork", run, "--at", 2, "--set", "turns=9", "--json").data
    (fork,) = forked["runs"]
    assert wt("show", fork, "--json").data["turns"] == 9
    assert wt("verify", fork, "--json").data["intact"] is True
    assert wt("compare", run, fork).code in (0, 1)
    said = wt(
        "fork", whole["run_id"], "--at", 5, "--set", "parameters.capacity=900", "--branches", 2, "--json"
    )
    assert said.code == 0, said.err
    several = said.rows[-1]
    assert len(several["runs"]) == len(several["controls"]) == 2


def test_a_run_travels_to_a_file_and_back(wt, lake, workspace, postgres, tmp_path):
    run = wt("run", lake, "--turns", 6, "--json").data
    name, copy = run["run_id"], tmp_path / "copy.sqlite"
    assert wt("backup", name, copy, "--json").data["to"] == str(copy)
    proved = wt("verify", copy, "--json").data
    assert (proved["intact"], proved["complete"]) == (True, True)
    assert wt("show", copy, "--json").data["head"] == run["head"]
    assert wt("backup", name, copy).code == 2
    assert wt("import", copy, "--json").data["same"] == [name]
    (workspace / "windtunnel.toml").write_text(f'[store]\nurl = "{postgres.database()}"\n')
    assert wt("runs", "--json").rows == []
    assert wt("import", copy, "--json").data["copied"] == [name]
    assert wt("show", name, "--json").data["head"] == run["head"]
    assert wt("verify", name, "--json").data["complete"] is True
    assert wt("replay", name, "--json").data["identical"] is True


def test_what_is_exported_is_what_a_file_would_export(wt, lake, workspace):
    here = wt("run", lake, "--turns", 5, "--seed", 3, "--json").data["run_id"]
    wt("run", lake, "--turns", 5, "--seed", 3, "--store", "x.sqlite")
    wt("export", here, "--to", "jsonl", "-o", "here.jsonl")
    wt("export", "x.sqlite", "--to", "jsonl", "-o", "there.jsonl")
    lines = [
        [
            {**json.loads(line), "run_id": ""}
            for line in (workspace / f"{name}.jsonl").read_text().splitlines()
        ]
        for name in ("here", "there")
    ]
    assert lines[0] == lines[1] != []
    assert wt("export", here, "--to", "html", "-o", "r.html").code == 0
    assert f"windtunnel verify {here}" in (workspace / "r.html").read_text()


def test_runs_are_pruned_and_leave_their_heads(wt, lake):
    old = wt("run", lake, "--turns", 3, "--json").data
    new = wt("run", lake, "--turns", 3, "--json").data["run_id"]
    assert wt("prune", "--keep-last", 1, "--yes", "--json").data["runs"] == [old["run_id"]]
    assert wt("show", old["run_id"], "--json").data["head"] == old["head"]
    assert wt("verify", new, "--json").data["intact"] is True


def test_runs_from_before_are_still_found(wt, lake, workspace):
    settings = (workspace / "windtunnel.toml").read_text()
    (workspace / "windtunnel.toml").write_text("")
    old = wt("run", lake, "--turns", 2, "--json").data["run_id"]
    (workspace / "windtunnel.toml").write_text(settings)
    new = wt("run", lake, "--turns", 2, "--json").data["run_id"]
    assert {row["run_id"] for row in wt("runs", "--json").rows} == {old, new}
    assert wt("verify", old, "--json").data["intact"] is True


@pytest.mark.slow
def test_the_same_run_is_seen_by_the_command_itself(wt, lake):
    run = wt("run", lake, "--turns", 2, "--json").data["run_id"]
    assert command("show", run, "--json").data["run_id"] == run


def test_a_database_that_is_down_is_an_error_and_no_empty_list(wt, lake, workspace):
    (workspace / "windtunnel.toml").write_text('[store]\nurl = "postgresql://u:pass-word@127.0.0.1:1/d"\n')
    said = wt("runs", "--json")
    assert (said.code, said.error["code"]) == (3, "storage")
    assert "pass-word" not in said.err
    assert any(row["level"] == "bad" for row in wt("doctor", "--json").rows if row["name"] == "database")


def test_heads_are_kept_outside_of_the_database(wt, lake, workspace, in_postgres):
    import psycopg

    run = wt("run", lake, "--turns", 3, "--json").data["run_id"]
    assert list((workspace / ".windtunnel" / "heads").rglob("*.heads"))
    with psycopg.connect(in_postgres) as db:
        db.execute("DELETE FROM journal.entry WHERE run_id=%s AND seq>5", [run])
    cut = wt("verify", run, "--json")
    assert (cut.code, cut.data["complete"]) == (1, False)


def test_a_copy_is_a_store_that_plain_sqlite_reads(wt, lake, tmp_path):
    run = wt("run", lake, "--turns", 3, "--json").data["run_id"]
    wt("backup", run, tmp_path)
    with sqlite3.connect(tmp_path / f"{run}.sqlite") as db:
        assert db.execute("SELECT count(*) FROM run").fetchall() == [(1,)]
    db.close()
