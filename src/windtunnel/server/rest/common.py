"""What all routes have in common: who asks, and which problems may come back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator

from windtunnel.control.access import Principal
from windtunnel.server.asking import PRINCIPAL
from windtunnel.server.types import RUN_ID
from windtunnel.server.verbs import Verbs

# Which problems any operation may answer with; described.py tells each in full, with what the guard may say.
PROBLEMS: dict[int | str, dict[str, Any]] = {status: {} for status in (404, 409, 422, 503, 504)}


def _moment(text: object) -> object:
    """A time as it is written, never a bare number; without a zone it is UTC, as all times here."""
    if not isinstance(text, str) or not _DATED.match(text):
        raise ValueError("is no time; write it as 2026-11-21T10:00:00Z")
    return text


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_DATED = re.compile(r"\d{4}-\d\d-\d\d")
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_zoned)]


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
        pattern=RUN_ID,
        examples=["4k2v9h0a7c"],
    ),
]
TurnQuery = Annotated[
    int | None, Query(ge=0, lt=1 << 62, description="As it stood after this turn; its last by default")
]
After = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Of one page")]
Word = Annotated[str | None, Query(max_length=200)]
