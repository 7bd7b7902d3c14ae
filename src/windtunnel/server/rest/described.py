"""The API's own description, as generators of clients and people want it: each problem with its media
type and an example, and who may ask."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from windtunnel.server import types
from windtunnel.server.problems import TITLES
from windtunnel.server.types import panels

PROBLEM = "application/problem+json"
# Code and sentence of one answer for each status: as the server would say it.
SAID: dict[int, tuple[str, str, str | None]] = {
    400: ("unreadable", "the body cannot be read: it is no JSON: Expecting value (line 1, column 1)", None),
    401: ("unauthenticated", "this needs a key or a login", "send the header Authorization: Bearer wt_…"),
    403: (
        "forbidden",
        "kim may not do this: it needs the role operator, and has viewer",
        "ask an admin for a key with that role: windtunnel keys create NAME --role operator",
    ),
    404: ("not_found", "no run '4k2v9h0a7c'", "GET /api/simulations lists them"),
    408: ("too_slow", "the body did not arrive in time", "send it again"),
    409: (
        "wrong_state",
        "run 4k2v9h0a7c is completed",
        "POST /api/simulations/4k2v9h0a7c/fork goes on from any of its turns",
    ),
    413: ("too_large", "the body is larger than 10,485,760 bytes", "send at most 10,485,760 bytes"),
    414: ("address_too_long", "the address is longer than 8,192 bytes", None),
    415: ("media_type", "a body without a type is not read here; send Content-Type: application/json", None),
    421: ("wrong_host", "this server does not answer to 'example.com'", "name it: hosts in [serve]"),
    422: ("unfit", "body.sed: there is no such field; did you mean 'seed'?", "/docs tells what this takes"),
    429: ("too_many", "more requests than this server takes from one", "try again in 1 s"),
    431: ("headers_too_large", "the headers are more than 100, or larger than 32,768 bytes", "send fewer"),
    503: ("storage", "the store does not answer", "try again in a moment"),
    504: ("too_long", "replay was not done after 600 seconds", "a terminal has no limit"),
}  # fmt: skip
MEANS = {
    400: "What was sent cannot be read",
    401: "No key, or one that is not valid",
    403: "The principal lacks the role",
    404: "No such thing",
    408: "The body came too slowly",
    409: "Its state does not allow this now",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body is of another type than this takes",
    421: "The server does not go by the name it was called",
    422: "What was sent does not fit, field by field",
    429: "Too many requests; Retry-After says when",
    431: "The headers are too large",
    503: "The store or a helper does not answer now",
    504: "A helper did not answer in time",
}
# What the guard before every route may answer, whatever stands behind it.
GUARD = (400, 401, 403, 408, 413, 414, 421, 429, 431)
_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


def install(app: FastAPI) -> None:
    """Have `app` describe itself so."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _mend(plain())
        found: dict[str, Any] = app.openapi_schema or {}
        return found

    app.openapi = described  # type: ignore[method-assign]


def _mend(api: dict[str, Any]) -> None:
    parts = api.setdefault("components", {})
    problem = types.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["schemas"] |= {**problem.pop("$defs", {}), "Problem": problem}
    panels.install(parts["schemas"])
    parts["responses"] = {f"Problem{status}": _response(status) for status in SAID}
    parts["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "`wt_…`, as `windtunnel keys create NAME` shows it once",
        },
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key"},
    }
    # The empty one: on loopback, while there are no keys, nobody is asked.
    api["security"] = [{"key": []}, {"header": []}, {}]
    _whole_bounds(api)
    _always_told(parts["schemas"])
    for path, operations in api["paths"].items():
        for operation in operations.values():
            _operation(path, operation)


def _always_told(schemas: dict[str, Any]) -> None:
    """What is told has all its fields, with their defaults too; of a problem, those that hold."""
    kinds = list(types.Told.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
        schema = schemas.get(kind.__name__)
        if schema is not None and kind is not types.Problem:
            schema["required"] = list(schema["properties"])


def _whole_bounds(node: Any) -> None:
    """Bounds of whole numbers as whole numbers: as floats they lose the last digits of 64 bits."""
    if isinstance(node, dict):
        if node.get("type") == "integer":
            for name in _BOUNDS & node.keys():
                node[name] = int(node[name])
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            _whole_bounds(one)


def _operation(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    open_to_all = path in ("/health", "/ready")
    wanted = {int(status) for status in answers if int(status) in SAID and _is_ours(answers[status])}
    wanted |= set(GUARD) - ({401} if open_to_all else set())
    if "requestBody" in operation:
        wanted.add(415)
    for status in sorted(wanted):
        answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    for status, answer in answers.items():
        if answer.get("description") in ("Successful Response", None) and "$ref" not in answer:
            answer["description"] = "Done" if status.startswith("2") else MEANS.get(int(status), "")
    if open_to_all:
        operation["security"] = []


def _is_ours(answer: dict[str, Any]) -> bool:
    """Not an answer that its route describes itself, such as the 503 of a probe."""
    return (
        "application/json" not in answer.get("content", {})
        or "Problem" in str(answer["content"])
        or ("ValidationError" in str(answer["content"]))
    )


def _response(status: int) -> dict[str, Any]:
    code, detail, remedy = SAID[status]
    example = {
        "type": f"urn:windtunnel:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        **({"remedy": remedy} if remedy else {}),
        "request_id": "b0c1d2e3f4a59687",
    }
    body = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    response: dict[str, Any] = {"description": MEANS[status], "content": {PROBLEM: body}}
    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        response["headers"] = {"Retry-After": {"description": "Seconds", "schema": seconds}}
    return response
