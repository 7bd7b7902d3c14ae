"""Which servers of tools may be used at all: addresses, commands, keys, the offline switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from windtunnel.cli import main
from windtunnel.config import read_settings
from windtunnel.config.tools import ToolServer as Known
from windtunnel.errors import ToolSetup
from windtunnel.models.settings import OFFLINE
from windtunnel.models.toolline import Target, settle
from windtunnel.world import ToolServer

URL = "https://tools.example/mcp"
RUN = ("python", "tools.py")


OFF, KEY = {OFFLINE: "1"}, {"BENCH_KEY": "sesame"}


def settled(
    server: ToolServer, known: Known | None = None, environ: Mapping[str, str] | None = None
) -> Target:
    return settle(server, known, environ or {}, Path("/home/it"))


def test_a_command_runs_only_if_the_machine_names_it_word_for_word():
    server = ToolServer("bench", command=RUN)
    assert settled(server, Known(command=RUN)).command == RUN
    for known in (None, Known(command=(*RUN, "-v")), Known(command=RUN[:1]), Known(url=URL)):
        with pytest.raises(ToolSetup, match="does not allow it") as caught:
            settled(server, known)
        assert '[mcp.bench] command = ["python", "tools.py"]' in (caught.value.remedy or "")


def test_the_remedy_is_what_windtunnel_toml_takes(tmp_path):
    server = ToolServer("bench", command=("sh", "-c", 'echo "a\\b"'))
    with pytest.raises(ToolSetup) as caught:
        settled(server)
    table, line = (caught.value.remedy or "").partition("toml ")[2].split("] ", 1)
    (tmp_path / "windtunnel.toml").write_text(f"{table}]\n{line}\n")
    known = read_settings(tmp_path / "windtunnel.toml").mcp["bench"]
    assert settled(server, known).command == server.command


def test_a_server_that_the_scenario_only_names_is_found_in_the_settings():
    assert settled(ToolServer("bench"), Known(url=URL)).url == URL
    assert settled(ToolServer("bench"), Known(command=RUN)).command == RUN
    with pytest.raises(ToolSetup, match="nothing says where bench is"):
        settled(ToolServer("bench"))


def test_a_key_goes_only_to_the_address_it_was_written_for():
    known = Known(url=URL, key="BENCH_KEY")
    assert settled(ToolServer("bench", url=URL), known, KEY).token == "sesame"
    assert settled(ToolServer("bench", url="https://else.example"), known, KEY).token == ""
    with pytest.raises(ToolSetup, match="BENCH_KEY is not set"):
        settled(ToolServer("bench", url=URL), known)


def test_no_secret_is_shown_where_a_server_is_printed():
    known = Known(command=RUN, env=("BENCH_KEY",))
    target = settled(ToolServer("bench"), known, KEY)
    assert target.secrets() == ["sesame"]
    assert "sesame" not in repr(target)


def test_the_offline_switch_leaves_loopback_and_commands_that_are_allowed():
    with pytest.raises(ToolSetup, match="outside this machine"):
        settled(ToolServer("bench", url=URL), environ=OFF)
    assert settled(ToolServer("bench", url="http://127.0.0.1:1/mcp"), environ=OFF).url
    assert settled(ToolServer("bench"), Known(command=RUN), OFF).offline


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://tools.example", "starts with http"),
        ("tools.example/mcp", "starts with http"),
        ("https://me:sesame@tools.example/mcp", "no name and no password"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(url, why):
    with pytest.raises(ToolSetup, match=why) as caught:
        settled(ToolServer("bench", url=url))
    assert "sesame" not in str(caught.value)


def test_an_address_and_a_command_are_one_too_many():
    with pytest.raises(ToolSetup, match="an address and a command"):
        settled(ToolServer("bench", url=URL, command=RUN), Known(command=RUN))


def test_a_run_is_refused_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINDTUNNEL_HOME", raising=False)
    (tmp_path / "windtunnel.toml").write_text("")
    assert main(["new", "world", "lagoon"]) == 0
    file = tmp_path / "lagoon/lagoon/scenarios/first.yaml"
    file.write_text(file.read_text() + "\nmcp:\n  - {name: bench, command: [touch, here]}\n")
    capsys.readouterr()
    assert main(["run", str(file), "--turns", "1", "--model", "house", "--json"]) == 2
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["code"], error["where"]) == ("tool_setup", "mcp.bench")
    assert 'command = ["touch", "here"]' in error["remedy"]
    assert not (tmp_path / "here").exists()
    assert not list((tmp_path / ".windtunnel").rglob("*.sqlite"))
    assert main(["run", str(file), "--turns", "1", "--json"]) == 0  # rules call no tools
