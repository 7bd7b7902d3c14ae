"""The addresses of the streams, as a router that the server's app mounts.

`/api/stream` is the WebSocket of many channels; `/api/simulations/{run_id}/stream` begins with one run.
The same addresses answer a plain GET with server-sent events.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import Response

from windtunnel.errors import WindtunnelError
from windtunnel.server.streaming import socket, sse
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.problem import problem

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}
}


def routes(hub: StreamHub) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["streams"])

    @router.websocket("/stream")
    async def stream(websocket: WebSocket) -> None:
        await socket.serve(hub, websocket)

    @router.websocket("/simulations/{run_id}/stream")
    async def run_stream(websocket: WebSocket, run_id: str) -> None:
        await socket.serve(hub, websocket, f"run:{run_id}")

    @router.get("/stream", responses=_EVENTS, response_class=Response)
    async def events(request: Request) -> Response:
        """Follow a channel (`?channel=runs`) as server-sent events; the id of an event is its cursor."""
        return await _answered(hub, request, None)

    @router.get("/simulations/{run_id}/stream", responses=_EVENTS, response_class=Response)
    async def run_events(request: Request, run_id: str) -> Response:
        """Follow a run as server-sent events; `Last-Event-ID` or `after` goes on from a cursor."""
        return await _answered(hub, request, f"run:{run_id}")

    return router


async def _answered(hub: StreamHub, request: Request, channel: str | None) -> Response:
    try:
        return await sse.serve(hub, request, channel)
    except WindtunnelError as error:
        return problem(error)
