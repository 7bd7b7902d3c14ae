"""How a request that is refused is answered: problem+json, with the remedy."""

from __future__ import annotations

from starlette.responses import Response

from windtunnel.errors import WindtunnelError
from windtunnel.server.problems import problem_of


def problem(error: WindtunnelError) -> Response:
    found = problem_of(error)
    headers = {**dict(found.headers), "cache-control": "no-store"}
    return Response(found.body(), found.status, headers, media_type="application/problem+json")
