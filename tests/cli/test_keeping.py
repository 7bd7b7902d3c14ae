"""`backup`, `import`, `prune`, `export`, `doctor`, `new world`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import command, environment
from windtunnel.control.doctor import filesystem


def test_a_backup_is_imported_into_another_workspace(wt, played, tmp_path, monkeypatch):
    copy = tmp_path / "copy.sqlite"
    said = wt("backup", played["run_id"], copy, "--json")
    assert (said.code, said.data["to"]) == (0, str(copy))
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("WINDTUNNEL_HOME", str(other))
    brought = wt("import", copy, "--json")
    assert (brought.code, brought.data["copied"]) == (0, [played["run_id"]])
    assert wt("show", played["run_id"], "--json").data["head"] == played["head"]
    assert wt("verify", played["run_id"], "--json").code == 0
    assert wt("import", copy, "--json").data["same"] == [played["run_id"]]


def test_a_backup_overwrites_nothing(wt, played, tmp_path):
    (tmp_path / "copy.sqlite").write_text("mine")
    assert wt("backup", played["run_id"], tmp_path / "copy.sqlite").code == 2
    assert (tmp_path / "copy.sqlite").read_text() == "mine"


def test_importing_what_is_no_store_leaves_nothing_behind(wt, workspace, tmp_path):
    (tmp_path / "x.sqlite").write_text("not a store")
    assert wt("import", tmp_path / "x.sqlite").code in (2, 3)
    assert not list(workspace.rglob("*.sqlite"))


def test_prune_says_what_would_go_and_takes_it_only_with_yes(wt, lake, played):
    newer = wt("run", lake, "--turns", 2, "--json").data["run_id"]
    assert wt("prune", "--keep-last", 1, "--json").data["would"] == [played["run_id"]]
    assert wt("show", played["run_id"], "--json").data["head"] == played["head"]
    assert wt("prune", "--keep-last", 1, "--yes", "--json").data["runs"] == [played["run_id"]]
    assert wt("show", newer, "--json").data["status"] == "completed"
    gone = wt("show", played["run_id"], "--json").data
    assert gone["pruned"] is not None
    assert gone["head"] == played["head"]
    assert "pruned" in wt("runs").out


def test_one_is_told_as_one_and_many_as_many(wt, lake, played):
    one = wt("run", lake, "--turns", 1)
    assert "1 of 1 turn " in one.out
    run = next(line.split()[1] for line in one.out.splitlines() if line.startswith("run "))
    assert "1 turn of" in wt("replay", run).out
    assert "12 turns of" in wt("replay", played["run_id"]).out
    assert "1 run pruned" in wt("prune", "--keep-last", 1, "--yes").out
    wt("run", lake, "--turns", 1)
    wt("run", lake, "--turns", 1)
    assert "2 runs pruned" in wt("prune", "--keep-last", 1, "--yes").out


@pytest.mark.parametrize(
    ("option", "value"), [("--older-than", "soon"), ("--max-bytes", "many"), ("--status", "odd")]
)
def test_prune_refuses_what_it_cannot_read(wt, option, value):
    said = wt("prune", option, value, "--json")
    assert (said.code, said.error["where"]) == (2, option)


def test_export_writes_the_file_it_names(wt, played, workspace):
    said = wt("export", played["run_id"], "--to", "csv", "--path", "out.csv", "--json").data
    assert said["path"] == "out.csv"
    assert "wealth" in (workspace / "out.csv").read_text()
    assert wt("export", played["run_id"], "--to", "odd").code == 2


def test_doctor_is_content_with_a_good_machine_and_names_a_broken_store(wt, played, workspace):
    found = {row["name"]: row for row in wt("doctor", "--json").rows}
    assert found["sqlite"]["level"] == "good"
    assert found["writing"]["level"] == "good"
    broken = workspace / ".windtunnel" / "runs" / "zz.sqlite"
    broken.write_bytes(b"SQLite format 3\0" + b"\7" * 4000)
    said = wt("doctor", "--json")
    assert said.code == 1
    (mine,) = [row for row in said.rows if row["name"] == "store zz.sqlite"]
    assert mine["level"] == "bad"
    assert "to mend" in wt("doctor").out


def test_doctor_names_a_broken_world(wt, workspace):
    (workspace / "windtunnel.toml").write_text('[[worlds]]\nname = "gone"\npath = "nowhere"\n')
    said = wt("doctor", "--json")
    assert said.code == 1
    assert any(row["name"] == "world gone" and row["level"] == "bad" for row in said.rows)


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    assert filesystem(tmp_path / "runs", mounts) == "nfs4"
    assert filesystem(tmp_path.parent, mounts) == "ext4"
    assert filesystem(tmp_path, tmp_path / "none") == ""


@pytest.mark.slow
def test_a_new_world_runs_and_passes_its_own_tests(workspace):
    made = command("new", "world", "harbour", "--json").data
    assert command("run", made["scenario"], "--json").data["status"] == "completed"
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "harbour"],
        capture_output=True, text=True, timeout=120, cwd=workspace, env=environment(), check=False,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "2 passed" in tests.stdout


@pytest.mark.parametrize("name", ["class", "json", "Foo-Bar", "9lives", "../x", "windtunnel", "", "a" * 80])
def test_a_name_that_cannot_be_a_package_is_refused(wt, name, workspace):
    said = wt("new", "world", name, "--json")
    assert (said.code, said.error["where"]) == (2, "NAME")
    assert said.error["remedy"].startswith("windtunnel new world ")
    assert not [path for path in workspace.iterdir() if path.name != "windtunnel.toml"]


def test_a_new_world_overwrites_nothing(wt, workspace):
    (workspace / "harbour").mkdir()
    assert wt("new", "world", "harbour").code == 2
    assert not list((workspace / "harbour").iterdir())
