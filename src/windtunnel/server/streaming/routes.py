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
from windtunnel.server.streaming.asked import CHANNELS
from windtunnel.server.streaming.hub import StreamHub
from windtunnel.server.streaming.problem import problem

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, without an end",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **{status: {} for status in (404, 422, 503)},
}


def _asks(name: str, about: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    schema = {"type": kind, **({"maxLength": 200} if kind == "string" else {}), **more}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": about}


# Read by `asked.py`, which refuses what is not here by name; written down for those who generate a client.
_AFTER = _asks("after", "The cursor of the last event that is known; `start` for the beginning")
_WORDS = _asks("words", "With the texts that agents and models wrote", "boolean", default=False)
_EVERY = _asks(
    "every", "Seconds between two states, at least", "number", default=1.0, minimum=0.1, maximum=3600
)
_OF_RUN = [
    _AFTER,
    _asks("entries", "With the entries of its history", "boolean", default=False),
    _WORDS,
    _asks("as", "Only what this agent may see"),
    _asks("state", "With its state, no more often than `every`", "boolean", default=False),
    _EVERY,
]
_LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "What a browser sends when it comes back, in place of `after`",
}
_CHANNEL = {
    **_asks(
        "channel",
        f"One of {CHANNELS}",
        examples=["runs"],
    ),
    "required": True,
}
_RUN = {
    "name": "run_id",
    "in": "path",
    "required": True,
    "schema": {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]{1,64}(\.[0-9]{1,9})?$",
        "examples": ["4k2v9h0a7c"],
    },
    "description": "A run's id",
}


def routes(hub: StreamHub) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["streams"])

    @router.websocket("/stream")
    async def stream(websocket: WebSocket) -> None:
        await socket.serve(hub, websocket)

    @router.websocket("/simulations/{run_id}/stream")
    async def run_stream(websocket: WebSocket, run_id: str) -> None:
        await socket.serve(hub, websocket, f"run:{run_id}")

    @router.get(
        "/stream",
        operation_id="follow",
        summary="Follow a channel",
        responses=_EVENTS,
        response_class=Response,
        openapi_extra={"parameters": [_CHANNEL, *_OF_RUN, _LAST]},
    )
    async def events(request: Request) -> Response:
        """Follow a channel (`?channel=runs`) as server-sent events; the id of an event is its cursor."""
        return await _answered(hub, request, None)

    @router.get(
        "/simulations/{run_id}/stream",
        operation_id="follow_simulation",
        summary="Follow a run",
        responses=_EVENTS,
        response_class=Response,
        openapi_extra={"parameters": [_RUN, *_OF_RUN, _LAST]},
    )
    async def run_events(request: Request) -> Response:
        """Follow a run as server-sent events; `Last-Event-ID` or `after` goes on from a cursor."""
        return await _answered(hub, request, f"run:{request.path_params['run_id']}")

    return router


async def _answered(hub: StreamHub, request: Request, channel: str | None) -> Response:
    try:
        return await sse.serve(hub, request, channel)
    except WindtunnelError as error:
        return problem(error)
