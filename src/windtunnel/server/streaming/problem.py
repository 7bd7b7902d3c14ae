"""How a request that is refused is answered: problem+json, with the remedy."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from windtunnel.errors import WindtunnelError

STATUS = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "wrong_state": 409,
    "crowded": 503,
    "storage": 503,
}


def problem(error: WindtunnelError) -> Response:
    status = STATUS.get(error.code, 400)
    told = {"type": "about:blank", "title": error.message, "status": status, **error.as_dict()}
    return Response(msgspec.json.encode(told), status, media_type="application/problem+json")
