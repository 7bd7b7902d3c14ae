"""/mcp of a real server, behind its guard, with keys."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.mcp.conftest import Talk
from tests.mcp.test_http import HELLO

WINDTUNNEL = [sys.executable, "-m", "windtunnel"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("ws")
    (home / "windtunnel.toml").touch()
    return home


@pytest.fixture(scope="module")
def keys(home: Path) -> dict[str, str]:
    made = {}
    for name, role in (("kim", "operator"), ("lee", "viewer"), ("ada", "admin")):
        done = subprocess.run(
            [*WINDTUNNEL, "keys", "create", name, "--role", role, "--json"], cwd=home, capture_output=True,
            text=True, timeout=120, check=True,
        )  # fmt: skip
        made[name] = next(word for word in json.loads(done.stdout).values() if str(word).startswith("wt_"))
    return made


@pytest.fixture(scope="module")
def url(home: Path, keys: dict[str, str]) -> Iterator[str]:
    with subprocess.Popen(
        [*WINDTUNNEL, "serve", "--port", "0", "--json"], cwd=home, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONUNBUFFERED": "1"}, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            yield str(json.loads(server.stdout.readline())["mcp"])
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def _client(url: str, key: str) -> Client[Any]:
    return Client(StreamableHttpTransport(url, headers={"Authorization": f"Bearer {key}"}), init_timeout=60)


def test_a_model_with_a_key_plays_and_its_name_stands_in_the_audit_log(home, keys, url):
    async def go() -> dict[str, Any]:
        async with _client(url, keys["kim"]) as client:
            model = Talk(client)
            started = await model.ask(
                "start_simulation", scenario="economy/growth", turns=4, request_key="one"
            )
            again = await model.ask("start_simulation", scenario="economy/growth", turns=4, request_key="one")
            assert again["run_id"] == started["run_id"]
            return await model.ask("wait_for_simulation", run_id=started["run_id"], seconds=120)

    waited = asyncio.run(go())
    assert waited["status"] == "completed"
    audit = f"{url.removesuffix('/mcp')}/api/audit?verb=start_simulation"
    told = httpx.get(audit, headers={"Authorization": f"Bearer {keys['ada']}"}, timeout=30).json()
    assert {(one["who"], one["via"], one["outcome"]) for one in told["entries"]} >= {("kim", "mcp", "done")}


def test_a_key_that_only_looks_is_shown_no_tool_that_does(keys, url):
    async def go() -> tuple[set[str], str]:
        async with _client(url, keys["lee"]) as client:
            model = Talk(client)
            return await model.names(), await model.refused("start_simulation", scenario="economy/growth")

    names, refused = asyncio.run(go())
    assert "list_simulations" in names
    assert "start_simulation" not in names
    assert "lee may not do this" in refused


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer wt_0000000000_" + "0" * 43}, 401), ({"host": "evil.example"}, 421),
     ({"origin": "https://evil.example"}, 403)],
)  # fmt: skip
def test_nobody_else_gets_in(keys, url, headers, status):
    known = {} if status == 401 else {"authorization": f"Bearer {keys['kim']}"}
    accept = {"accept": "application/json, text/event-stream"}
    answer = httpx.post(url, json=HELLO, headers={**accept, **known, **headers}, timeout=30)
    assert answer.status_code == status
    assert "start_simulation" not in answer.text
