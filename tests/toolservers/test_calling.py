"""A server of tools over each of the two ways: what it offers, what it answers, how it fails."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.toolservers.conftest import Served
from tests.toolservers.pot import called, command, over_pipes
from windtunnel.config.tools import ToolServer as Known
from windtunnel.errors import ToolSetup
from windtunnel.models.settings import OFFLINE
from windtunnel.models.talk import ToolFailed
from windtunnel.models.toolservers import LARGEST, ToolServers
from windtunnel.world import ToolServer

pytestmark = pytest.mark.slow


def with_servers(
    work: Callable[[ToolServers], Awaitable[Any]], known: Known | None = None, **more: Any
) -> Any:
    """Work with servers of tools, and leave them."""
    environ = {OFFLINE: "1", **more.pop("environ", {})}

    async def whole() -> Any:
        servers = ToolServers(lambda: {"bench": known} if known else {}, environ, **more)
        try:
            return await work(servers)
        finally:
            await servers.aclose()

    return asyncio.run(whole())


def test_a_command_offers_tools_answers_and_dies_and_is_started_again(tmp_path):
    log = tmp_path / "calls.log"
    server = over_pipes(log)

    async def work(servers: ToolServers) -> None:
        offered = {tool["name"]: tool for tool in await servers.tools(server)}
        assert offered["look"]["again"] is True
        assert "again" not in offered["weigh"]
        assert offered["weigh"]["description"] == "How heavy something is."
        assert offered["weigh"]["schema"]["required"] == ["what"]
        assert await servers.call(server, "weigh", {"what": "gold"}) == {"what": "gold", "kilos": 4}
        assert await servers.call(server, "tell", {"variable": OFFLINE}) == {"result": "1"}
        assert await servers.call(server, "tell", {"variable": "BENCH_KEY"}) == {"result": "•••"}
        assert await servers.call(server, "tell", {"variable": "OTHER"}) == {"result": "(not set)"}
        with pytest.raises(ToolFailed, match="Error executing tool fail"):
            await servers.call(server, "fail", {"why": "no"})
        with pytest.raises(ToolFailed, match="bench broke off"):
            await servers.call(server, "die", {})
        assert await servers.call(server, "weigh", {"what": "tin"}) == {"what": "tin", "kilos": 3}

    known = Known(command=server.command, env=("BENCH_KEY",))
    with_servers(work, known, folder=tmp_path, environ={"BENCH_KEY": "sesame street", "OTHER": "x"})
    assert log.read_text().splitlines().count(f"began in {tmp_path}") == 2
    assert "sesame" not in log.read_text()


def test_one_connection_serves_many_at_once_and_a_failure_spares_the_others(served: Served):
    async def work(servers: ToolServers) -> list[Any]:
        calls = [servers.call(served.server, "weigh", {"what": "x" * n}) for n in range(1, 9)]
        calls.append(servers.call(served.server, "nothing", {}))
        return await asyncio.gather(*calls, return_exceptions=True)

    *weights, refused = with_servers(work)
    assert [one["kilos"] for one in weights] == list(range(1, 9))
    assert isinstance(refused, ToolFailed)
    assert sorted(called(served.log)) == [f"weigh {'x' * n}" for n in range(1, 9)]


def test_what_is_too_large_is_cut(served: Served):
    answer = with_servers(lambda servers: servers.call(served.server, "flood", {"size": LARGEST}))
    assert len(answer.encode()) < LARGEST + 100
    assert answer.endswith("bytes)")


def test_an_answer_that_does_not_come_in_time_is_a_failure_that_says_so(served: Served):
    with pytest.raises(ToolFailed, match="no answer within 1 seconds; whether sleep did anything"):
        with_servers(lambda servers: servers.call(served.server, "sleep", {"seconds": 60}), seconds=1)
    assert called(served.log) == ["sleep 60.0"]


def test_a_server_that_is_gone_fails_calls_and_stops_who_wants_its_list(served: Served):
    async def work(servers: ToolServers) -> None:
        listed = await servers.tools(served.server)
        served.stop()
        assert await servers.tools(served.server) == listed  # asked once in a process
        with pytest.raises(ToolFailed, match="bench"):
            await servers.call(served.server, "weigh", {"what": "gold"})

    with_servers(work)
    with pytest.raises(ToolSetup, match="does not say what it offers") as caught:
        with_servers(lambda servers: servers.tools(served.server))
    assert served.server.url in (caught.value.remedy or "")


def test_only_the_tools_that_are_wanted_are_offered_and_a_misspelt_one_is_told(tmp_path):
    log = tmp_path / "calls.log"

    async def work(servers: ToolServers) -> list[str]:
        with pytest.raises(ToolSetup, match="offers no tool 'wiegh'") as caught:
            await servers.tools(over_pipes(log, ("wiegh",)))
        assert "weigh" in (caught.value.remedy or "")
        return [tool["name"] for tool in await servers.tools(over_pipes(log, ("weigh", "look")))]

    assert with_servers(work, Known(command=command(log))) == ["weigh", "look"]
    assert len(log.read_text().splitlines()) == 1  # the second wish started no second server


def test_a_command_that_is_no_server_says_what_it_said(tmp_path: Path):
    broken = (sys.executable, "-c", "import sys; sys.exit('the licence is missing')")
    with pytest.raises(ToolSetup, match="the licence is missing"):
        with_servers(lambda servers: servers.tools(ToolServer("bench")), Known(command=broken))
    with pytest.raises(ToolSetup, match="FileNotFoundError"):
        with_servers(
            lambda servers: servers.tools(ToolServer("bench")), Known(command=(str(tmp_path / "none"),))
        )


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(ToolSetup, match="a package that is not installed") as caught:
        with_servers(lambda servers: servers.tools(ToolServer("bench", url="http://127.0.0.1:9/mcp")))
    assert caught.value.remedy == "pip install 'windtunnel[mcp]'"
