"""The door itself: help, errors, exit codes, pipes, terminals that lack something, what is loaded when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import command, environment
from windtunnel.cli import app, door, main, say
from windtunnel.cli.table import COMMANDS, overview


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_shows_an_example(wt, name):
    said = wt(name, "--help")
    assert said.code == 0
    assert f"    windtunnel {name}" in said.out
    assert "--json" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 100


def test_the_overview_names_every_command_and_how_to_begin(wt):
    said = wt("--help")
    assert said.code == 0
    assert said.out.strip() == overview()
    assert all(f"  {name} " in said.out for name in COMMANDS)
    assert "windtunnel run economy/growth" in said.out
    assert wt().code == 2
    assert wt("help", "run").out == wt("run", "--help").out


def test_version_is_said(wt):
    assert wt("--version").out.startswith("windtunnel ")
    assert set(wt("--version", "--json").data) == {"version"}


ERRORS = [
    (["nope"], "usage"),
    (["run"], "usage"),
    (["run", "a", "b"], "usage"),
    (["run", "x/y", "--turns", "many"], "usage"),
    (["run", "x/y", "--odd"], "usage"),
    (["run", "x/y"], "not_found"),
    (["run", "nowhere.yaml"], "not_found"),
    (["show", "zzz"], "not_found"),
    (["show", "zzz.sqlite"], "not_found"),
    (["show", "zzz", "--phase", "odd"], "usage"),
    (["runs", "--status", "odd"], "usage"),
    (["runs", "--limit", "-1"], "usage"),
    (["compare", "zzz"], "not_found"),
    (["resume", "zzz"], "not_found"),
    (["fork", "zzz"], "usage"),
    (["verify", "zzz"], "not_found"),
    (["replay", "zzz"], "not_found"),
    (["import", "zzz.sqlite"], "not_found"),
    (["prune"], "usage"),
    (["approvals", "odd"], "usage"),
    (["answer", "zzz", "{"], "usage"),
    (["inject", "zzz", "x", "{"], "usage"),
    (["scenarios", "odd"], "not_found"),
    (["schema", "odd"], "not_found"),
    (["new", "planet", "x"], "usage"),
    (["export", "zzz", "--to", "odd"], "usage"),
]


@pytest.mark.parametrize(
    ("words", "code"), ERRORS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_every_wrong_usage_ends_with_2_and_says_what_where_and_what_next(wt, words, code):
    said = wt(*words, "--json")
    assert said.code == 2
    assert said.out == ""
    assert set(said.error) == {"code", "message", "where", "remedy"}
    assert said.error["code"] == code
    assert said.error["message"]
    assert said.error["remedy"]
    told = wt(*words)
    assert told.code == 2
    assert told.err.startswith("error: ")
    assert "\nnext:" in told.err
    assert "Traceback" not in told.err


def test_errors_about_a_run_name_its_turns_agents_and_branches(wt, played):
    run = played["run_id"]
    assert "its last is 12" in wt("show", run, "--turn", 13, "--json").error["message"]
    assert "ana" in wt("show", run, "--turn", 3, "--agent", "zoe", "--json").error["remedy"]
    assert wt("fork", run, "--at", "99", "--set", "price=3", "--json").error["where"] == "--at"
    assert wt("fork", run, "--at", "x", "--set", "price=3", "--json").error["where"] == "--at"
    assert (
        wt("fork", run, "--at", "6", "--set", "pirce=3", "--json").error["remedy"] == "did you mean 'price'?"
    )
    assert wt("fork", run, "--at", "6", "--agent", "cy", "--json").error["where"] == "--agent"
    assert wt("answer", run, "a", "b", "{}", "--json").code == 2


def test_a_misspelt_scenario_gets_the_command_that_was_meant(wt, lake, workspace):
    project = lake.parents[2]
    (workspace / "windtunnel.toml").write_text(f'[[worlds]]\nname = "lake"\npath = "{project}"\n')
    assert wt("run", "lake/frist", "--json").error["remedy"] == "windtunnel run lake/first"


def test_a_bug_is_told_in_one_line_and_in_full_with_debug(wt, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(door, "the_control", broken)
    said = wt("runs")
    assert said.code == 3
    assert "ZeroDivisionError: a bug" in said.err
    assert "--debug" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in wt("--debug", "runs").err
    assert wt("runs", "--json").error["code"] == "bug"


def test_a_folder_that_may_not_be_written_is_no_bug(wt, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr(door, "the_control", refused)
    said = wt("runs", "--json")
    assert (said.code, said.error["where"]) == (3, "/somewhere")


def test_ctrl_c_where_nothing_is_played_ends_quietly_with_130(wt, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(door, "the_control", interrupted)
    said = wt("runs")
    assert (said.code, said.out, said.err) == (130, "", "")


def test_switches_after_two_dashes_are_words(monkeypatch):
    heard: list[tuple[list[str], bool]] = []

    def hear(words: list[str]) -> int:
        heard.append((words, say.door.json))
        return 0

    monkeypatch.setattr(app, "call", hear)
    main(["--json", "show", "--", "--json"])
    main(["show", "--", "--json"])
    assert heard == [(["show", "--", "--json"], True), (["show", "--", "--json"], False)]


# --- streams ---


def test_a_reader_that_goes_away_is_no_error(played):
    words = [sys.executable, "-m", "windtunnel", "show", played["run_id"], "--entries"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_shows_plain_curves(played, encoding):
    said = command("show", played["run_id"], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert said.code == 0
    assert said.err == ""
    assert "wealth" in said.out
    assert "?" not in said.out.replace("untouched?", "")


@pytest.mark.slow
def test_pipes_get_no_colours_and_json_gets_nothing_else(played):
    said = command("show", played["run_id"])
    assert "\x1b" not in said.out
    assert json.loads(command("show", played["run_id"], "--json").out)


def _on_a_terminal(*words: str, **more: str) -> str:
    """What a terminal would be sent."""
    import pty

    parent, child = pty.openpty()
    environ = {**environment(TERM="xterm"), **more}
    environ.pop("COLUMNS", None)
    done = subprocess.Popen(
        [sys.executable, "-m", "windtunnel", *words], stdout=child, stderr=child, env=environ
    )
    os.close(child)
    pieces = []
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(parent)
    assert done.wait(60) == 0
    return b"".join(pieces).decode()


@pytest.mark.slow
def test_a_terminal_gets_colours_unless_it_says_no(played):
    run = played["run_id"]
    assert "\x1b[32mcompleted" in _on_a_terminal("show", run)
    assert "\x1b[32m" not in _on_a_terminal("show", run, NO_COLOR="1")
    assert "\x1b" not in _on_a_terminal("show", run, TERM="dumb")


@pytest.mark.slow
def test_progress_is_for_terminals_and_goes_away(lake):
    told = _on_a_terminal("run", str(lake), "--turns", "1500")
    assert "/1,500" in told
    assert "turns/s" in told
    assert "turns/s" not in command("run", lake, "--turns", 1500).err
    assert "turns/s" not in _on_a_terminal("run", str(lake), "--turns", "300", "--json")


# --- what is loaded ---

HEAVY = ("rich", "numpy", "pydantic", "typer", "apsw", "msgspec", "yaml", "asyncio", "pandas")


def _loaded(code: str) -> set[str]:
    script = (
        f"import sys\n{code}\nprint('LOADED', *sorted({{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_overview_loads_none_of_the_heavy_parts():
    assert not _loaded("from windtunnel.cli import main; main(['--help'])") & set(HEAVY)


def test_importing_windtunnel_loads_none_of_the_heavy_parts():
    assert not _loaded("import windtunnel") & {"rich", "numpy", "pydantic", "typer", "pandas"}


def test_no_command_waits_for_pydantic_or_numpy():
    assert not _loaded("from windtunnel.cli import main; main(['runs', '--json'])") & {
        "pydantic",
        "numpy",
        "pandas",
    }


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["worlds"], ["worlds", "--json"]])
def test_what_a_full_disk_does_not_take_is_told_once_and_not_in_a_traceback(words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "windtunnel", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith(('{"error"', "error: "))
    assert done.stderr.count("No space left on device") == 1
