"""What a client sends, read so that it can mean one thing only, before a route sees it.

JSON allows a key twice, Python's reader NaN, numbers without end and half characters; none of them can be
kept in a journal, so they are refused here, by name. A body that says it is something else than JSON is not
guessed at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

DEEPEST = 100
LONGEST_NUMBER = 400  # digits, dot and exponent; what is more is no number that anybody meant
HALF = "it holds half of a character (a surrogate that stands alone)"
NUL = "it holds the character NUL, which no text has"


class CarefulRoute(APIRoute):
    """A route of which query and body are read by the rules above."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def careful(request: Request) -> Response:
            for name, text in request.query_params.multi_items():
                if why := bad_text(name) or bad_text(text):
                    raise HTTPException(400, f"the query cannot be read: {why}")
            return await handle(_Read(request.scope, request.receive) if self.body_field else request)

        return careful


class _Read(Request):
    """A request whose body is JSON. FastAPI asks `body` first, and `json` where the type says so."""

    async def body(self) -> bytes:
        raw = await super().body()
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if raw and not (kind == "application/json" or kind.endswith("+json")):
            said = f"a body of the type {kind[:60]!r}" if kind else "a body without a type"
            raise HTTPException(415, f"{said} is not read here; send Content-Type: application/json")
        return raw

    async def json(self) -> Any:
        try:
            return read_json(await self.body())
        except ValueError as error:
            raise HTTPException(400, f"the body cannot be read: {error}") from None


def read_json(raw: bytes) -> Any:
    """A JSON document; ValueError says what no document of ours holds."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
        )
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    _look_through(found)
    return found


def bad_text(text: str) -> str | None:
    if "\0" in text:
        return NUL
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return HALF
    return None


def _look_through(found: Any) -> None:
    """Every text and the depth, without calling itself: what came may be as deep as Python goes."""
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if why := bad_text(one):
                    raise ValueError(why)
            elif isinstance(one, dict):
                deeper += one.keys()
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
        level = deeper


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _whole(text: str) -> int:
    if len(text) <= 20 and -(1 << 63) <= (number := int(text)) < 1 << 64:
        return number
    raise ValueError(f"the number {text[:24]}… has more than 64 bits")


def _finite(text: str) -> float:
    if len(text) <= LONGEST_NUMBER and math.isfinite(number := float(text)):
        return number
    raise ValueError(f"the number {text[:24]}… is too large, or too long")
