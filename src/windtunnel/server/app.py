"""The application: routes, streams and MCP over one set of verbs, behind one guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from windtunnel.server.rest import contests, described, evolving, operations, people, problems, simulations
from windtunnel.server.types import Health, Readiness
from windtunnel.server.verbs import Verbs

ASSETS = Path(fastapi_offline.__file__).parent / "static"
DESCRIPTION = """
A wind tunnel for autonomous agents: start runs, watch them, steer them, and prove what happened.

* **Who may.** `Authorization: Bearer wt_…`; on loopback nobody is asked. Roles: viewer, operator, approver,
admin.
* **Lists** have cursors: `next` of one page is `after` of the following one.
* **Errors** are `application/problem+json` and say what to do next.
* **Asking again.** With an `Idempotency-Key` a start or a fork is done once, however often it is sent.
* **Streams.** WebSocket `/api/stream`, or server-sent events: see docs/streams.md.
"""
TAGS = [
    {"name": "simulations", "description": "Start runs and look at them"},
    {"name": "steering", "description": "Pause, resume, fork, send events"},
    {"name": "people", "description": "Questions, answers, feedback"},
    {"name": "approvals", "description": "Actions that wait for votes"},
    {"name": "proof", "description": "Replay, verify, take along"},
    {"name": "tournaments", "description": "Strategies against each other"},
    {"name": "evolution", "description": "Better strategies by trying, and what people put in force of it"},
    {"name": "strategies", "description": "Ways to play a role, and their versions"},
    {"name": "worlds", "description": "What there is to play"},
    {"name": "schedules", "description": "Again and again"},
    {"name": "operations", "description": "Models, keys, the audit log, workers"},
    {"name": "streams", "description": "What happens, as it happens: server-sent events"},
]
DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Windtunnel API</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body></html>"""
DOCS_START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset], tryItOutEnabled:
  true});"""


def application(
    verbs: Verbs,
    running: Callable[[], AbstractAsyncContextManager[None]],
    routers: Sequence[APIRouter] = (),
    *,
    version: str,
    ready: Callable[[], Awaitable[list[str]]],
    metrics: Callable[[], Awaitable[tuple[bytes, str]]],
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running():
            yield

    app = FastAPI(
        title="Windtunnel", version=version, description=DESCRIPTION, openapi_tags=TAGS, docs_url=None,
        redoc_url=None, lifespan=lifespan, separate_input_output_schemas=False,
    )  # fmt: skip
    app.state.verbs = verbs
    problems.install(app)
    rooms = (simulations, contests, evolving, people, operations)
    # As they are: to include a router is to build each of its routes a second time, for every application.
    for router in (*(room.routes for room in rooms), *routers):
        app.router.routes += router.routes
    _probes(app, ready, metrics)
    _docs(app)
    described.install(app)
    return app


def _probes(
    app: FastAPI,
    well: Callable[[], Awaitable[list[str]]],
    counted: Callable[[], Awaitable[tuple[bytes, str]]],
) -> None:
    @app.get("/health", tags=["operations"], operation_id="health", summary="Does it live?")
    async def health() -> Health:
        """It answers: the process lives."""
        return Health()

    @app.get(
        "/ready",
        tags=["operations"],
        operation_id="ready",
        summary="Can it work?",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Something keeps it from working"}},
    )
    async def ready() -> Response:
        """Whether store, queue and workers answer; 503 and the reasons where they do not."""
        wrong = await well()
        return JSONResponse({"ready": not wrong, "problems": wrong}, 503 if wrong else 200)

    @app.get(
        "/metrics",
        tags=["operations"],
        operation_id="metrics",
        summary="For Prometheus",
        response_class=PlainTextResponse,
    )
    async def metrics() -> Response:
        """Runs by status, queue, workers, turns, calls, spend, latencies, breakers."""
        body, media = await counted()
        return Response(body, media_type=media)


def _docs(app: FastAPI) -> None:
    """Swagger's page, from this very server: it works offline, and no script comes from elsewhere."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(DOCS)

    @app.get("/docs/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(DOCS_START, media_type="text/javascript")

    app.mount("/docs/assets", StaticFiles(directory=ASSETS), name="docs-assets")
