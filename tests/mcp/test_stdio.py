"""`windtunnel mcp`, as a client starts it, on a real workspace with workers that play."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from tests.mcp.conftest import Talk

WINDTUNNEL = [sys.executable, "-m", "windtunnel"]
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "windtunnel.toml").touch()
    return tmp_path


def _client(workspace: Path, *options: str) -> Client[Any]:
    command = [*WINDTUNNEL, "mcp", *options]
    return Client(
        StdioTransport(command[0], command[1:], cwd=str(workspace), keep_alive=False), init_timeout=120
    )


@pytest.mark.slow
def test_a_model_plays_a_whole_session_over_stdio(workspace):
    async def go() -> dict[str, Any]:
        async with _client(workspace) as client:
            model, ids = Talk(client), []
            for name in ("growth", "recession", "trade_war"):
                started = await model.ask(
                    "start_simulation", repo="economy", config=f"scenarios/{name}.yaml", seed=7, turns=8
                )
                ids.append(started["run_id"])
            for run_id in ids:
                waited = await model.ask("wait_for_simulation", run_id=run_id, until_turn=6, seconds=120)
                assert waited["reached"]
            compared = await model.ask(
                "compare_simulations", run_ids=ids, turn=6, rank_by="gdp", metrics=["gdp"]
            )
            best = compared["ranking"][0]["run_id"]
            fork = await model.ask("fork_simulation", run_id=best, at=6, agents={"aldland": "keynesian"})
            (branch,) = fork["runs"]
            ended = await model.ask("wait_for_simulation", run_id=branch, seconds=120)
            entries = await model.ask("get_entries", run_id=branch, turn=7, kind="decided")
            proof = await model.ask("replay_simulation", run_id=branch)
            return {"compared": compared, "ended": ended, "entries": entries, "proof": proof}

    told = asyncio.run(go())
    values = [one["value"] for one in told["compared"]["ranking"]]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    assert told["ended"]["status"] == "completed"
    assert told["ended"]["parent_turn"] == 6
    action = told["entries"]["entries"][0]["body"]["actions"]["aldland"]
    assert action["type"] in ("Budget", "KeepCourse")
    assert told["proof"]["identical"]


@pytest.mark.slow
def test_a_viewer_may_look_and_do_nothing_else(workspace):
    async def go() -> tuple[set[str], str]:
        async with _client(workspace, "--role", "viewer") as client:
            model = Talk(client)
            return await model.names(), await model.refused("start_simulation", scenario="economy/growth")

    names, refused = asyncio.run(go())
    assert "get_simulation_status" in names
    assert not {"start_simulation", "cancel_simulation", "approve_action", "send_event"} & names
    assert "local may not do this" in refused


@pytest.mark.slow
def test_standard_output_holds_the_protocol_and_nothing_else(workspace):
    asked = [HELLO, {"jsonrpc": "2.0", "method": "notifications/initialized"},
             {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]  # fmt: skip
    with subprocess.Popen(
        [*WINDTUNNEL, "mcp"], cwd=workspace, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        for one in asked:
            server.stdin.write(f"{json.dumps(one)}\n")
        server.stdin.flush()
        answers = [server.stdout.readline(), server.stdout.readline()]  # before it is told to end
        rest, said = server.communicate(timeout=120)
    assert server.returncode == 0, said
    lines = [json.loads(line) for line in [*answers, *rest.splitlines()]]
    assert {line["id"] for line in lines} == {1, 2}
    assert all(line["jsonrpc"] == "2.0" for line in lines)
    assert "Traceback" not in said


@pytest.mark.slow
def test_an_unknown_role_is_refused_before_anything_is_started(workspace):
    done = subprocess.run(
        [*WINDTUNNEL, "mcp", "--role", "king"], cwd=workspace, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no role 'king'" in done.stderr
    assert not (workspace / ".windtunnel").exists()
