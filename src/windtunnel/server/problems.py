"""What went wrong, as a door says it: problem+json (RFC 9457) with where and the remedy, or a WebSocket that
is not opened. Never a traceback, never what the other side sent."""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import Struct
from starlette.types import Scope, Send

from windtunnel.control.audit import REQUEST
from windtunnel.errors import WindtunnelError

Headers = tuple[tuple[str, str], ...]

STATUS = {
    "unauthenticated": 401, "forbidden": 403, "not_found": 404, "wrong_state": 409, "vote_refused": 409,
    "lease_held": 409, "lease_lost": 409, "budget": 409, "divergence": 409, "effect_missing": 409,
    "storage": 503, "crowded": 503, "process_died": 503, "too_long": 504,
}  # fmt: skip
# A world's code, or what a run asked of a model, failed in a helper: what was asked cannot be done with it,
# and nothing of the server is broken.
OF_A_RUN = frozenset({"run_failed", "agent", "undecided", "engine", "invariant", "codec", "effect", "model"})
TITLES = {
    400: "This request cannot be read",
    401: "Say who you are",
    403: "This is not allowed",
    404: "There is no such thing",
    408: "The request took too long to arrive",
    405: "This is not done here",
    409: "Not as things stand",
    413: "The request is too large",
    414: "The address is too long",
    415: "This kind of body is not read",
    421: "This server does not go by that name",
    422: "This cannot be done as it was asked",
    429: "Too many requests",
    431: "The headers are too large",
    500: "Windtunnel itself failed",
    503: "Not now",
    504: "It took too long",
}


class Problem(Struct, frozen=True):
    status: int
    code: str
    detail: str
    remedy: str | None = None
    where: str | None = None
    headers: Headers = ()

    def body(self) -> bytes:
        about = {
            "type": f"urn:windtunnel:problem:{self.code}",
            "title": TITLES.get(self.status, "Something went wrong"),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "where": self.where,
            "remedy": self.remedy,
            "request_id": REQUEST.get() or None,
        }
        return json.dumps({key: value for key, value in about.items() if value is not None}).encode()


def problem_of(error: WindtunnelError) -> Problem:
    """An error of ours as a problem. Wrong input is 422 unless its code says more; the rest is our side."""
    theirs = error.exit_code == 2 or error.code in OF_A_RUN
    status = STATUS.get(error.code, 422 if theirs else 500)
    headers: Headers = (("www-authenticate", 'Bearer realm="windtunnel"'),) if status == 401 else ()
    return Problem(status, error.code, error.message, error.remedy, error.where, headers)


async def refuse(scope: Scope, send: Send, problem: Problem, more: Iterable[tuple[str, str]] = ()) -> None:
    """Answer with a problem, in place of whatever would have answered."""
    body = problem.body()
    named = [
        ("content-type", "application/problem+json"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        *problem.headers,
        *more,
    ]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
    kind = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
            return
        kind = "websocket.http"
    empty = scope.get("method") == "HEAD"
    await send({"type": f"{kind}.response.start", "status": problem.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": b"" if empty else body})
