from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.mcp.conftest import Talk, application, served
from tests.mcp.fakes import Fake

OPERATOR = {"x-who": "kim:operator"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream", **OPERATOR}


def _client(url: str, who: dict[str, str], **options: Any) -> Client[Any]:
    return Client(StreamableHttpTransport(url, headers=who), **options)


def _post(url: str, **headers: str) -> httpx.Response:
    return httpx.post(url, json=HELLO, headers={**ACCEPT, **headers}, timeout=30)


@pytest.mark.slow
def test_each_request_is_its_callers_and_comes_through_mcp():
    fake = Fake()

    async def go(url: str) -> str:
        async with _client(url, OPERATOR) as one, _client(url, {"x-who": "lee:viewer"}) as other:
            await Talk(one).ask("start_simulation", scenario="town/market")
            return await Talk(other).refused("cancel_simulation", run_id="run0")

    with served(application(fake)) as url:
        refusal = asyncio.run(go(url))
    assert "lee may not do this" in refusal
    assert [(name, via) for name, via, _ in fake.calls] == [("start", "mcp")]


@pytest.mark.slow
def test_progress_comes_while_a_call_waits():
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async def go(url: str) -> None:
        async with _client(url, OPERATOR, progress_handler=hear) as client:
            model = Talk(client)
            await model.ask("start_simulation", scenario="town/market")
            await model.ask("wait_for_simulation", run_id="run0")

    with served(application(Fake(step=30))) as url:
        asyncio.run(go(url))
    assert heard == [30, 60]


def test_who_is_not_known_gets_nothing():
    with served(application(Fake())) as url:
        nobody = httpx.post(url, json=HELLO, headers={"accept": ACCEPT["accept"]}, timeout=30)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert "Bearer wt_" in nobody.json()["error"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"])
def test_another_host_is_not_answered_even_without_a_guard(host):
    with served(application(Fake())) as url:
        assert _post(url, host=host).status_code == 421
        assert _post(url).status_code == 200


@pytest.mark.slow
def test_a_page_of_another_origin_is_not_answered():
    with served(application(Fake(), origins=["https://ours.example"])) as url:
        assert _post(url, origin="https://evil.example").status_code == 403
        assert _post(url, origin="https://ours.example").status_code == 200


@pytest.mark.slow
def test_there_is_no_session_that_somebody_else_could_take_over():
    with served(application(Fake())) as url:
        answer = _post(url)
        assert "mcp-session-id" not in answer.headers
        assert httpx.get(url, headers=ACCEPT, timeout=30).status_code == 405
        listed = httpx.post(
            url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, headers=ACCEPT, timeout=30
        )
    assert listed.status_code == 200
    assert '"start_simulation"' in listed.text


@pytest.mark.slow
def test_what_is_no_json_is_refused_without_a_traceback():
    with served(application(Fake())) as url:
        answer = httpx.post(
            url, content=b"{nope", headers={**ACCEPT, "content-type": "application/json"}, timeout=30
        )
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert json.loads(answer.text)["error"]["code"] == -32700
