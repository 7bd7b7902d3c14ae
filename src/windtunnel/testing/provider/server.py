"""The provider for tests: a real HTTP server on loopback, on a thread of its own.

    with Provider(["ready", rate_limited(1), Answer(calls=(Call("transfer", {"to": "b"}),))]) as provider:
        client = openai.OpenAI(base_url=provider.openai, api_key="any")
        ...
    assert provider.log.paid_again() == {}

It speaks the dialect of the path that is asked (docs: README.md beside this file). It binds to loopback only.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from windtunnel.errors import UsageError
from windtunnel.testing.provider.chance import LongTail
from windtunnel.testing.provider.connection import Connection
from windtunnel.testing.provider.desk import Desk
from windtunnel.testing.provider.log import Log
from windtunnel.testing.provider.scripts import Script, as_script

HOST = "127.0.0.1"
BACKLOG = 1024
PATIENCE = 30.0


class Provider:
    """A server with one script.

    `latency`: seconds before each answer, or a long tail to draw them from. `key`: the only API key that is
    taken (any, by default). `most_at_once`: beyond it, 429. `strict=False` takes bodies that a real provider
    would refuse for their tool calls. `keep`: how many exchanges the log holds; the totals count all.
    """

    def __init__(
        self,
        script: Script = "ready",
        *,
        latency: LongTail | float | None = None,
        key: str = "",
        most_at_once: int | None = None,
        strict: bool = True,
        keep: int = 100_000,
        models: tuple[str, ...] = ("test-model",),
        port: int = 0,
    ) -> None:
        self._desk = Desk(
            script,
            latency=latency,
            key=key,
            most_at_once=most_at_once,
            strict=strict,
            keep=keep,
            models=models,
        )
        self.port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._up = threading.Event()
        self._failed: BaseException | None = None

    # --- addresses ---

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def openai(self) -> str:
        """The base URL for OpenAI's clients; for Ollama's and vLLM's compatible ways too."""
        return self.url + "/v1"

    # --- what a test does with it ---

    @property
    def log(self) -> Log:
        return self._desk.log

    def play(self, script: Script) -> None:
        """Another script from now on."""
        self._desk.script = as_script(script)

    def release(self) -> int:
        """Let go of all that hang now; says how many."""
        return asyncio.run_coroutine_threadsafe(self._release(), self._loop).result(PATIENCE)

    async def _release(self) -> int:
        return self._desk.release()

    # --- up and down ---

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise UsageError("this provider was started before", remedy="make another one")
        self._thread = threading.Thread(target=self._run, name="provider-for-tests", daemon=True)
        self._thread.start()
        if not self._up.wait(PATIENCE) or self._failed is not None:
            raise UsageError(
                f"the provider for tests did not start on port {self.port}: {self._failed}",
                remedy="choose another port, or 0 for a free one",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self._desk.troubles:
            raise self._desk.troubles[0]

    def _run(self) -> None:
        try:
            asyncio.run(self.serve())
        except Exception as wrong:  # noqa: BLE001 told to whoever waits for the start
            self._failed = wrong
            self._up.set()

    def close(self) -> None:
        """End every connection and free the port. Twice does no harm."""
        if self._thread is None or not self._thread.is_alive():
            return
        with suppress(RuntimeError):  # it ended meanwhile by itself
            self._loop.call_soon_threadsafe(self.stop)
        self._thread.join(PATIENCE)

    def stop(self) -> None:
        """From the server's own thread."""
        self._stop.set()

    async def listening(self, serving: asyncio.Task[None]) -> None:
        """Once it listens, beside its task; what kept it from that is raised."""
        while not self._up.is_set():
            await asyncio.wait({serving}, timeout=0.001)
            if serving.done():
                serving.result()
                return

    async def serve(self) -> None:
        """Serve until stopped: what the thread runs, and what a process of its own runs in its only one."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connections: set[Connection] = set()
        server = await self._loop.create_server(
            lambda: Connection(self._desk, connections), HOST, self.port, backlog=BACKLOG
        )
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        try:
            await self._stop.wait()
        finally:
            server.close()
            for connection in list(connections):
                connection.abort()
            for _ in range(100):  # the loop closes each socket a step after it was aborted
                await asyncio.sleep(0)
                if not connections:
                    break
