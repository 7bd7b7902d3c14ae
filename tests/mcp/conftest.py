from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("fastmcp")

from fastmcp import Client
from starlette.applications import Starlette

from tests.mcp.fakes import Fake
from windtunnel.control.access import Principal, Role
from windtunnel.errors import Unauthenticated
from windtunnel.server.mcp.making import make_mcp
from windtunnel.server.mcp.mounting import Mounted


def person(*roles: Role) -> Principal:
    return Principal("kim", frozenset(roles or {Role.OPERATOR}), "rest")


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake moves on whenever it is looked at: who waits for it looks at once again."""
    monkeypatch.setattr("windtunnel.server.mcp.running.LOOK_EVERY", 0.01)


@pytest.fixture
def fake() -> Fake:
    return Fake()


def text_of(result: Any) -> str:
    return "".join(one.text for one in result.content)


@dataclass
class Talk:
    """A model's side of the line."""

    client: Client[Any]

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments, raise_on_error=False)
        assert result.is_error, result.structured_content
        return text_of(result)

    async def names(self) -> set[str]:
        return {tool.name for tool in await self.client.list_tools()}


@contextlib.asynccontextmanager
async def talking(fake: Fake, *roles: Role, **options: Any) -> AsyncIterator[Talk]:
    async with Client(make_mcp(fake.verbs, lambda: person(*roles)), **options) as client:
        yield Talk(client)


def known_by_header(scope: Any) -> Principal:
    """What the guard would have found out."""
    said = dict(scope["headers"]).get(b"x-who", b"").decode()
    if not said:
        raise Unauthenticated("say who you are", remedy="Authorization: Bearer wt_…")
    name, _, role = said.partition(":")
    return Principal(name, frozenset({Role(role)}), "rest")


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    log = logging.getLogger("uvicorn.error")
    level = log.level  # of the whole process: tests that come later look at what is logged
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    ends = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < ends:
        time.sleep(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()
        log.setLevel(level)
        assert not thread.is_alive()


def application(
    fake: Fake,
    identify: Callable[[Any], Principal] = known_by_header,
    origins: Sequence[str] = (),
    more: Callable[[Any], None] | None = None,
) -> Starlette:
    mounted = Mounted(fake.verbs, identify, origins=origins)
    if more is not None:
        more(mounted.mcp)
    return Starlette(routes=[mounted.route], lifespan=lambda _: mounted.running())
