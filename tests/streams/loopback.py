"""A real server on loopback, in a thread of its own, with nothing but the streams; and what clients need."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from windtunnel.config import Workspace
from windtunnel.control.bulletin import Bulletin
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.routes import routes
from windtunnel.server.streaming.server import uvicorn_options

PATIENCE = 30.0


def anyone(connection: Any) -> str:
    return "anyone"


def everything(principal: Any, role: Any) -> None:
    return None


class StreamServer:
    def __init__(self, root: Path, *, port: int = 0, toml: str = "", buffer: int = 0, **ports: Any) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "windtunnel.toml").write_text(toml or "[streams]\npoll = 0.01\nlook = 0.05\n")
        self.workspace = Workspace(root)
        self.workspace.runs.mkdir(parents=True, exist_ok=True)
        self.bulletin = Bulletin()
        self.ports = {"who": anyone, "may": everything, "bulletin": self.bulletin, **ports}
        self.sock = socket.create_server(("127.0.0.1", port))
        if buffer:  # what the kernel takes for a client that takes nothing; lines inherit it
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.port: int = self.sock.getsockname()[1]
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        until(lambda: self.server.started)

    def _run(self) -> None:
        self.hub = StreamHub(self.workspace, **self.ports)

        @asynccontextmanager
        async def life(_app: FastAPI) -> AsyncIterator[None]:
            self.loop = asyncio.get_running_loop()
            await self.hub.start()
            yield
            await self.hub.stop()

        app = FastAPI(lifespan=life)
        app.include_router(routes(self.hub))
        options = {"log_level": "error", "timeout_graceful_shutdown": 3, **uvicorn_options()}
        self.server = uvicorn.Server(uvicorn.Config(app, **options))
        self.server.run(sockets=[self.sock])

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def announce(self, *arguments: Any, **more: Any) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(lambda: self.bulletin.publish(*arguments, **more))

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/stream"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def run_path(self, run_id: str) -> Path:
        return self.workspace.runs / f"{run_id}.sqlite"


def until(true: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := true():
                return found
        except AttributeError:
            pass
        time.sleep(0.01)
    raise AssertionError("it did not come to pass in time")


class Line:
    """A WebSocket with the messages as objects; heartbeats are passed over."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self, seconds: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["type"] != "heartbeat":
                    return message

    async def hear_until(self, true: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        heard = [await self.hear()]
        while not true(heard[-1]):
            heard.append(await self.hear())
        return heard
