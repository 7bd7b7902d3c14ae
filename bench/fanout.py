"""One event to a thousand clients on loopback, beside a plain Starlette broadcast loop.

Ours is the hub as the server runs it: an outbox for each client, bounded, with its own writer, so that one
slow client holds up nobody; heartbeats; cursors. The peer is what one writes first: `for socket in sockets:
await socket.send_text(text)`, which has none of it. Both under the same uvicorn with the same options, in a
process of their own; the clients (listeners.py) are in another. The next event is made when every client has
the one before; events per second, and the 99th percentile of (event, client) latencies.

`followed` is ours again with its events in a journal: each is a turn, committed by the server's own process
and read back from the store, so its latency has the pace of the reader in it (a look each 30 ms).
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.measure import Figures, Result, by_turns, cheaper, faster, need, scratch

PADDING = "x" * 200  # a message is about as large as that of a turn
SECONDS = 120

Publish = Callable[[int], Awaitable[None]]


def ours(folder: str, clients: int, events: int) -> Figures:
    return asyncio.run(_hub(Path(folder) / "hub", clients, events, followed=False))


def followed(folder: str, clients: int, events: int) -> Figures:
    return asyncio.run(_hub(Path(folder) / "followed", clients, events, followed=True))


def peer(folder: str, clients: int, events: int) -> Figures:
    return asyncio.run(_plain(clients, events))


async def _hub(root: Path, clients: int, events: int, *, followed: bool) -> Figures:
    from fastapi import FastAPI

    from bench.pages import Pages
    from windtunnel.config import Workspace
    from windtunnel.server.streaming.hub import StreamHub
    from windtunnel.server.streaming.routes import routes

    workspace = Workspace(root)
    workspace.runs.mkdir(parents=True, exist_ok=True)
    hub = StreamHub(workspace, who=lambda connection: None, may=lambda principal, role: None)

    @asynccontextmanager
    async def life(_app: FastAPI) -> Any:
        await hub.start()
        yield
        await hub.stop()

    app = FastAPI(lifespan=life)
    app.include_router(routes(hub))
    if not followed:

        async def publish(sent: int) -> None:
            hub.bulletin.publish("task:bench", "progress", {"padding": PADDING, "sent": sent})

        return await _measured(app, publish, clients, events, "/api/stream", '{"subscribe":"task:bench"}')
    pages = Pages(workspace.runs)

    async def turn(sent: int) -> None:
        pages.turn({"padding": PADDING, "sent": sent})

    try:
        return await _measured(
            app, turn, clients, events, f"/api/simulations/{pages.run_id}/stream?entries=true", ""
        )
    finally:
        pages.close()


async def _plain(clients: int, events: int) -> Figures:
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    sockets: set[WebSocket] = set()

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        sockets.add(websocket)
        await websocket.send_text('{"type":"subscribed"}')
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            sockets.discard(websocket)

    async def publish(sent: int) -> None:
        body = {"padding": PADDING, "sent": sent}
        event = {
            "channel": "task:bench",
            "type": "progress",
            "body": body,
            "kind": "task",
            "cursor": "12345678.1",
        }
        text = json.dumps(event, separators=(",", ":"))
        for websocket in list(sockets):
            await websocket.send_text(text)

    app = Starlette(routes=[WebSocketRoute("/stream", stream)])
    return await _measured(app, publish, clients, events, "/stream", '{"subscribe":"task:bench"}')


async def _measured(app: Any, publish: Publish, clients: int, events: int, path: str, say: str) -> Figures:
    import uvicorn

    from windtunnel.server.streaming.server import uvicorn_options

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        options = {**uvicorn_options(), "log_level": "critical", "timeout_graceful_shutdown": 1}
        server = uvicorn.Server(uvicorn.Config(app, **options))
        serving = asyncio.ensure_future(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
            await asyncio.sleep(0.01)
        try:
            async with asyncio.timeout(SECONDS):
                return await _asked(publish, listening.getsockname()[1], clients, events, path, say)
        finally:
            server.should_exit = True
            await serving


async def _asked(publish: Publish, port: int, clients: int, events: int, path: str, say: str) -> Figures:
    command = [sys.executable, "-m", "bench.listeners"]
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps([port, clients, path, say]).encode() + b"\n")
    assert await child.stdout.readline() == b"ready\n"
    latencies: list[int] = []
    begin = cpu = 0.0
    for number in range(events + 3):
        if number == 3:  # the first are the warm-up
            latencies.clear()
            begin, cpu = time.perf_counter(), time.process_time()
        child.stdin.write(b"1\n")
        await publish(time.monotonic_ns())
        latencies += json.loads(await child.stdout.readline())
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    if len(latencies) != clients * events:
        raise RuntimeError(f"{clients * events - len(latencies)} messages did not arrive")
    child.stdin.close()
    await child.wait()
    cuts = statistics.quantiles(latencies, n=100)
    return {
        "rate": events / seconds,
        "cpu": 1000 * cpu / events,
        "p50": cuts[49] / 1e6,
        "p99": cuts[98] / 1e6,
    }


def run(*, smoke: bool = False) -> Result:
    clients, events, repetitions = (20, 5, 1) if smoke else (1000, 60, 5)
    need("uvicorn", "fastapi", "websockets", smoke=False)
    with scratch() as folder:
        given = (str(folder), clients, events)
        found = by_turns(
            {"ours": (ours, given), "peer": (peer, given), "followed": (followed, given)}, repetitions
        )
    mine, theirs, read = found["ours"], found["peer"], found["followed"]
    more = {
        "ratio_p99": cheaper(mine["p99"], theirs["p99"]),
        "p99_ms": {"ours": mine["p99"], "peer": theirs["p99"], "followed": read["p99"]},
        "p50_ms": {"ours": mine["p50"], "peer": theirs["p50"], "followed": read["p50"]},
        "cpu_ms_an_event": {"ours": mine["cpu"], "peer": theirs["cpu"], "followed": read["cpu"]},
        "followed": read["rate"],
        "clients": clients,
    }
    return Result(
        "fanout", mine["rate"], theirs["rate"], "a plain Starlette loop",
        faster(mine["rate"], theirs["rate"]), "events/s", repetitions, more,
        target="at least 0.8 of its events per second, and a p99 within 2 times",
        what=f"one event to {clients} WebSocket clients on loopback",
    )  # fmt: skip
