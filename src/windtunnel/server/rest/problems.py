"""Errors of the routes as problem+json: what is wrong, where, and what to do next; never a traceback."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from windtunnel.errors import WindtunnelError
from windtunnel.server.asking import route
from windtunnel.server.problems import Problem, problem_of
from windtunnel.words import suggest

log = logging.getLogger("windtunnel.server")
SHOWN = 50  # fields of one request that are told
CODES = {400: "unreadable", 404: "not_found", 405: "method", 415: "media_type"}


def install(app: FastAPI) -> None:
    @app.exception_handler(WindtunnelError)
    async def ours(request: Request, error: WindtunnelError) -> Response:
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error)
        return _answer(problem)

    @app.exception_handler(RequestValidationError)
    async def unfit(request: Request, error: RequestValidationError) -> Response:
        known = _fields(request)
        found = [
            {"field": ".".join(str(step) for step in one["loc"]), "message": _said(one, known)}
            for one in error.errors()[:SHOWN]
        ]
        first = found[0] if found else {"field": "body", "message": "cannot be read"}
        said = f"{first['field']}: {first['message']}"
        return _answer(
            Problem(422, "unfit", said, "/docs tells what this takes", first["field"]), errors=found
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code, status = CODES.get(error.status_code, "http"), error.status_code
        remedy = "/docs lists what there is" if status == 404 else None
        said = f"nothing is at {request.url.path[:200]}" if status == 404 else str(error.detail)
        headers = tuple((error.headers or {}).items())
        if status == 405:
            allowed = ", ".join(_methods(request))
            said, remedy = (
                f"{request.method[:20]} does nothing at {request.url.path[:200]}",
                f"it takes {allowed}",
            )
            headers = (("allow", allowed),)
        return _answer(Problem(status, code, said, remedy, headers=headers))

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        remedy = "try again; if it stays so, report it with the request id, which the server's log has too"
        return _answer(Problem(500, "bug", "something went wrong inside the server", remedy))


def _methods(request: Request) -> list[str]:
    """All that its path takes: each route knows only its own, the API's description knows them all."""
    path = route(request.scope)
    for template, operations in request.app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            return sorted(method.upper() for method in operations)
    return ["GET"]  # pages and files


def _said(one: Any, known: list[str]) -> str:
    if one["type"] != "extra_forbidden":
        return str(one["msg"])
    hint = f"; {suggest(str(one['loc'][-1]), known)}" if known and len(one["loc"]) == 2 else ""
    return f"there is no such field{hint}"


def _fields(request: Request) -> list[str]:
    """What the body of this route may hold."""
    body = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(body, "field_info", None), "annotation", None)
    return sorted(getattr(model, "model_fields", {}))


def _answer(problem: Problem, **more: Any) -> Response:
    body = problem.body()
    if more:
        body = msgspec.json.encode({**msgspec.json.decode(body), **more})
    headers = {**dict(problem.headers), "cache-control": "no-store"}
    return Response(body, problem.status, headers, media_type="application/problem+json")
