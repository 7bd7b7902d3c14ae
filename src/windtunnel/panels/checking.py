"""What is wrong with a world's panels, as far as it can be said before anything is played."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.errors import UsageError
from windtunnel.panels.declared import (
    KINDS,
    Ask,
    At,
    Board,
    Book,
    Chat,
    Column,
    Feed,
    Figures,
    Flows,
    Matrix,
    Panel,
    Scores,
    Table,
)
from windtunnel.panels.paths import ALL, parsed

MOST = 60
_PATHS = ("value", "row", "column", "start", "end", "label", "card", "text", "by", "side", "price", "size")


def problems(
    panels: Sequence[Panel], *, queries: Mapping[str, Callable[..., Any]], roles: Mapping[str, Any]
) -> Iterator[str]:
    """One sentence for each thing that is wrong; nothing where all is well."""
    if len(panels) > MOST:
        yield f"there are {len(panels)} panels: {MOST} at most"
    seen: set[str] = set()
    for place, panel in enumerate(panels):
        if not isinstance(panel, KINDS):
            yield f"panel {place + 1} is a {type(panel).__name__}, and none of the kinds of windtunnel.panels"
            continue
        if panel.id in seen:
            yield f"two panels are called {panel.id!r}"
        seen.add(panel.id)
        yield from (f"panel {panel.id!r}: {problem}" for problem in _of_one(panel, queries, roles))


def _of_one(panel: Panel, queries: Mapping[str, Any], roles: Mapping[str, Any]) -> Iterator[str]:
    try:  # declarations are not checked when they are made: here they are, against their own types
        msgspec.json.decode(msgspec.json.encode(panel), type=type(panel))
    except (msgspec.MsgspecError, TypeError) as error:
        yield str(error)
        return
    if not panel.title.strip():
        yield "it has no title"
    if panel.each and panel.each not in roles:
        yield f"there is no role {panel.each!r}; there are: {', '.join(roles)}"
    if isinstance(panel, Chat) and not (panel.event or panel.answers):
        yield "its box sends no event and answers nothing: name an event, or say answers=True"
    yield from _source(panel, queries, roles)
    yield from _paths(panel)


def _source(panel: Panel, queries: Mapping[str, Any], roles: Mapping[str, Any]) -> Iterator[str]:
    source = panel.source
    if isinstance(source, Scores) and not source.names:
        yield "its source names no metric"
    if isinstance(source, Scores) and source.role and source.role not in roles:
        yield f"there is no role {source.role!r}; there are: {', '.join(roles)}"
    if isinstance(source, Ask):
        if source.query not in queries:
            yield f"there is no query {source.query!r}; there are: {', '.join(queries) or 'none'}"
        else:
            yield from _arguments(source, queries[source.query])
        if source.role and source.role not in roles:
            yield f"there is no role {source.role!r}; there are: {', '.join(roles)}"
        if source.role and panel.each:
            yield "it is repeated for each agent, so its query cannot be asked as every agent of a role too"
    if isinstance(source, At) and "{agent}" in source.path and not panel.each:
        yield "its path says {agent}, and it is not repeated: name a role in `each`"


def _arguments(source: Ask, function: Any) -> Iterator[str]:
    try:
        inspect.signature(function).bind(None, None, **source.arguments)
    except (TypeError, ValueError) as error:
        yield f"query {source.query}: {error}"


def _paths(panel: Panel) -> Iterator[str]:
    source, names = panel.source, 1
    if isinstance(source, (At, Ask)):
        try:
            names = sum(step == ALL for step in parsed(source.path))
        except UsageError as error:
            yield error.message
            return
        names += isinstance(source, Ask) and bool(source.role)
    elif not isinstance(source, Scores):
        names = 0
    columns: tuple[Column, ...] = getattr(panel, "columns", ())
    given = [column.path for column in columns]
    given += [getattr(panel, one) for one in _PATHS if isinstance(getattr(panel, one, None), str)]
    for path in given:
        yield from _path(path, names)
    if isinstance(panel, Table) and len(panel.rows) > names:
        yield f"it labels {len(panel.rows)} names of its rows, and they have {names}"
    if isinstance(panel, (Matrix, Flows, Board, Book, Feed, Table)) and names == 0 and _single(source):
        yield "its source is one value: a path with * gives rows"
    if isinstance(panel, Figures) and not panel.columns and names > 1:
        yield "its rows have several names: say in columns what to show"


def _single(source: Any) -> bool:
    return isinstance(source, (At, Ask))


def _path(path: str, names: int) -> Iterator[str]:
    if path.startswith("#"):
        if not path[1:].isdecimal() or not 0 < int(path[1:]) <= names:
            yield f"{path}: its rows have {names} names, one for each * of its source"
        return
    try:
        if ALL in parsed(path):
            yield f"{path}: * stands in the source's path only"
    except UsageError as error:
        yield error.message
