"""What all routes have in common: who asks, and which problems may come back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request

from windtunnel.control.access import Principal
from windtunnel.server import types
from windtunnel.server.asking import PRINCIPAL
from windtunnel.server.verbs import Verbs

_PROBLEM = {"model": types.Problem, "content": {"application/problem+json": {}}}
# Which problems any operation may answer with; written down, so that a generated client knows them.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {**_PROBLEM, "description": "What was sent cannot be read"},
    401: {**_PROBLEM, "description": "No key, or one that is not valid"},
    403: {**_PROBLEM, "description": "The principal lacks the role"},
    404: {**_PROBLEM, "description": "No such thing"},
    409: {**_PROBLEM, "description": "Its state does not allow this now"},
    413: {**_PROBLEM, "description": "The body is too large"},
    422: {**_PROBLEM, "description": "What was sent does not fit, field by field"},
    429: {**_PROBLEM, "description": "Too many requests; Retry-After says when"},
    503: {**_PROBLEM, "description": "The store or a helper does not answer now"},
    504: {**_PROBLEM, "description": "A helper did not answer in time"},
}


def verbs_of(request: Request) -> Verbs:
    verbs: Verbs = request.app.state.verbs
    return verbs


def who_asks(request: Request) -> Principal:
    """The guard before all routes has found out; where it left nobody, nobody may."""
    principal: Principal = request.scope[PRINCIPAL]
    return principal


Ask = Annotated[Verbs, Depends(verbs_of)]
Who = Annotated[Principal, Depends(who_asks)]
RunPath = Annotated[
    str,
    Path(
        description="A run's id, or a unique beginning of it",
        pattern=r"^[0-9A-Za-z_.-]{1,128}$",
        examples=["4k2v9h0a7c"],
    ),
]
TurnQuery = Annotated[
    int | None, Query(ge=0, lt=1 << 62, description="As it stood after this turn; its last by default")
]
After = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000)]
