"""Rows into the data of a panel: pure, bounded, and in words where they do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

import msgspec

from windtunnel.errors import UsageError
from windtunnel.panels import shapes
from windtunnel.panels.declared import (
    Bars,
    Board,
    Book,
    Chat,
    Column,
    Feed,
    Figures,
    Flows,
    Journal,
    Matrix,
    Panel,
    Scores,
    Table,
    Text,
)
from windtunnel.panels.paths import MISSING, Row, part_of

TEXT, NAME = 4000, 200  # characters of a cell or an entry, and of a name
SIDE = 100  # rows and columns of a matrix
FIGURES, BARS, CARDS = 60, 1000, 1000
BYTES = 1_000_000  # of one part, as JSON
BIDS, ASKS = ("bid", "bids", "buy"), ("ask", "asks", "sell")

T = TypeVar("T")


def shaped(panel: Panel, rows: Sequence[Row], before: Mapping[tuple[str, str], Any]) -> shapes.Data:
    """`before` are metrics after the turn before, by agent and name."""
    made = _SHAPES[type(panel)](panel, rows, before)
    if len(msgspec.json.encode(made)) > BYTES:
        raise UsageError("there is more than a page can show", where=panel.id, remedy="give it a limit")
    return made


# --- values -------------------------------------------------------------------------------------------


def cell(value: Any) -> shapes.Cell:
    """What a cell shows of a value: itself, or in short what it holds."""
    if isinstance(value, Enum):
        value = value.value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is MISSING or value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return cut(value, TEXT)
    return cut(in_short(value), TEXT)


def in_short(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except (TypeError, ValueError, NotImplementedError):
        return f"a {type(value).__name__}"


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__iter__"):
        return list(value)
    raise NotImplementedError


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def number(value: Any, where: str, scale: float = 1.0) -> float | int | None:
    found = cell(value)
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, str):
        raise UsageError(f"{where}: a number is needed, and there is {cut(found, 40)!r}", where="panel")
    return scaled(found, scale)


def scaled(found: float | None, scale: float) -> float | int | None:
    """Without the digits that only the multiplication made."""
    return found if found is None or scale == 1.0 else float(f"{found * scale:.12g}")


def name(value: Any) -> str:
    found = cell(value)
    return "" if found is None else cut(str(found), NAME)


def _values(panel: Panel, rows: Sequence[Row], path: str) -> list[Any]:
    """One column of the rows. What no row has at all was misspelt, or is of another world."""
    found = [part_of(row, path) for row in rows]
    loose = isinstance(panel.source, Journal)  # whose bodies are of many kinds
    if not loose and found and all(value is MISSING for value in found):
        keys = next((list(row.value) for row in rows if isinstance(row.value, Mapping) and row.value), None)
        if keys is not None:
            there = ", ".join(str(key)[:40] for key in keys[:12])
            raise UsageError(f"no row has {path!r}", where=panel.id, remedy=f"they have: {there}")
    return found


def _columns(panel: Figures | Table) -> tuple[Column, ...]:
    if panel.columns:
        return panel.columns
    if isinstance(panel.source, Scores):
        return tuple(Column(one) for one in panel.source.names)
    return (Column("", panel.title),)


def _head(column: Column) -> shapes.Head:
    label = column.label or column.path.rpartition(".")[2].replace("_", " ")
    return shapes.Head(label, column.unit)


def _cells(panel: Panel, rows: Sequence[Row], columns: Sequence[Column]) -> list[list[shapes.Cell]]:
    """The cells of each row."""
    made = [[_cell(value, column.scale) for value in _values(panel, rows, column.path)] for column in columns]
    return [list(row) for row in zip(*made, strict=True)] if made else [[] for _ in rows]


def _cell(value: Any, scale: float) -> shapes.Cell:
    found = cell(value)
    return found if isinstance(found, (bool, str)) else scaled(found, scale)


def _limited(rows: Sequence[T], limit: int, *, last: bool = False) -> tuple[Sequence[T], int]:
    more = max(0, len(rows) - limit)
    return (rows[more:] if last else rows[:limit]), more


# --- kinds --------------------------------------------------------------------------------------------


def _figures(panel: Figures, rows: Sequence[Row], before: Mapping[tuple[str, str], Any]) -> Any:
    columns, made = _columns(panel), []
    values = {column.path: _values(panel, rows, column.path) for column in columns}
    for place, row in enumerate(rows):
        of = " ".join(row.names)
        for column in columns:
            value = number(values[column.path][place], column.path or panel.id, column.scale)
            earlier = before.get((row.names[0] if row.names else "", column.path))
            was = number(earlier, column.path, column.scale)
            head = _head(column)
            made.append(shapes.Figure(head.label, cut(of, NAME), value, was, column.unit))
    kept, more = _limited(made, FIGURES)
    return shapes.FiguresData(figures=list(kept), more=more)


def _table(panel: Table, rows: Sequence[Row], _: Any) -> shapes.TableData:
    kept, more = _limited(rows, panel.limit, last=panel.newest)
    columns = _columns(panel)
    cells = _cells(panel, kept, columns)
    made = [
        shapes.TableRow([cut(one, NAME) for one in row.names[: len(panel.rows)]], line)
        for row, line in zip(kept, cells, strict=True)
    ]
    heads = [_head(column) for column in columns]
    return shapes.TableData(
        labels=list(panel.rows), columns=heads, rows=made[::-1] if panel.newest else made, more=more
    )


def _matrix(panel: Matrix, rows: Sequence[Row], _: Any) -> shapes.MatrixData:
    downs = [name(one) for one in _values(panel, rows, panel.row)]
    acrosses = [name(one) for one in _values(panel, rows, panel.column)]
    values = [number(one, panel.value or panel.id, panel.scale) for one in _values(panel, rows, panel.value)]
    known = dict(zip(zip(downs, acrosses, strict=True), values, strict=True))
    down, across = list(dict.fromkeys(downs)), list(dict.fromkeys(acrosses))
    across = [one for one in down if one in across] + [one for one in across if one not in down]
    more = max(0, len(down) - SIDE) + max(0, len(across) - SIDE)
    down, across = down[:SIDE], across[:SIDE]
    cells = [[known.get((one, other)) for other in across] for one in down]
    return shapes.MatrixData(rows=down, columns=across, cells=cells, more=more)


def _flows(panel: Flows, rows: Sequence[Row], _: Any) -> shapes.FlowsData:
    starts, ends = _values(panel, rows, panel.start), _values(panel, rows, panel.end)
    values = [number(one, panel.value or panel.id, panel.scale) for one in _values(panel, rows, panel.value)]
    found = [
        shapes.Flow(name(start), name(end), float(value))
        for start, end, value in zip(starts, ends, values, strict=True)
        if value
    ]
    found.sort(key=lambda one: -abs(one.value))
    kept, more = _limited(found, panel.limit)
    return shapes.FlowsData(flows=list(kept), more=more)


def _bars(panel: Bars, rows: Sequence[Row], _: Any) -> shapes.BarsData:
    kept, more = _limited(rows, panel.limit)
    labels = [name(one) for one in _values(panel, kept, panel.label)]
    value = panel.value or (panel.source.names[0] if isinstance(panel.source, Scores) else "")
    values = [number(one, value or panel.id, panel.scale) for one in _values(panel, kept, value)]
    bars = [shapes.Bar(label, height) for label, height in zip(labels, values, strict=True)]
    return shapes.BarsData(bars=bars, more=more)


def _board(panel: Board, rows: Sequence[Row], _: Any) -> shapes.BoardData:
    kept, more = _limited(rows, panel.limit)
    columns: dict[str, list[shapes.Card]] = {one: [] for one in panel.order}
    stages, titles = _values(panel, kept, panel.column), _values(panel, kept, panel.card)
    for stage, title, cells in zip(stages, titles, _cells(panel, kept, panel.columns), strict=True):
        columns.setdefault(name(stage), []).append(shapes.Card(name(title), cells))
    made = [shapes.BoardColumn(one, cards) for one, cards in columns.items()]
    return shapes.BoardData(columns=made, fields=[_head(one) for one in panel.columns], more=more)


def _items(panel: Feed, rows: Sequence[Row]) -> list[shapes.Item]:
    texts, writers = _values(panel, rows, panel.text), _values(panel, rows, panel.by)
    made = []
    for row, text, writer, cells in zip(
        rows, texts, writers, _cells(panel, rows, panel.columns), strict=True
    ):
        turn, kind, to = (_optional(row.value, part) for part in ("turn", "kind", "to"))
        made.append(
            shapes.Item(
                name(writer),
                words(text),
                [name(one) for one in to] if isinstance(to, (list, tuple)) else None,
                turn if isinstance(turn, int) else None,
                name(kind),
                cells,
            )
        )
    return made


def words(text: Any) -> str:
    """A text as it is; of anything else what it holds, and of what holds nothing, nothing."""
    found = None if isinstance(text, Mapping) and not text else cell(text)
    return "" if found is None else str(found)


def _optional(value: Any, part: str) -> Any:
    return value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)


def _feed(panel: Feed, rows: Sequence[Row], _: Any) -> shapes.FeedData:
    kept, more = _limited(rows, panel.limit, last=True)
    fields = [_head(one) for one in panel.columns]
    return shapes.FeedData(items=_items(panel, kept), fields=fields, more=more)


def _chat(panel: Chat, rows: Sequence[Row], _: Any) -> shapes.ChatData:
    kept, more = _limited(rows, panel.limit, last=True)
    fields = [_head(one) for one in panel.columns]
    return shapes.ChatData(items=_items(panel, kept), fields=fields, more=more)


def _book(panel: Book, rows: Sequence[Row], _: Any) -> shapes.BookData:
    sides: dict[bool, dict[float, float]] = {True: {}, False: {}}
    places = (panel.side, panel.price, panel.size)
    for side, price, size in zip(*(_values(panel, rows, path) for path in places), strict=True):
        word = name(side).lower()
        if word not in BIDS + ASKS:
            raise UsageError(
                f"{panel.side}: {word[:40]!r} is no side", where=panel.id, remedy=", ".join(BIDS + ASKS)
            )
        at, many = number(price, panel.price), number(size, panel.size)
        if at is not None and many:
            levels = sides[word in BIDS]
            levels[float(at)] = levels.get(float(at), 0.0) + many
    bids = [shapes.Level(at, size) for at, size in sorted(sides[True].items(), reverse=True)]
    asks = [shapes.Level(at, size) for at, size in sorted(sides[False].items())]
    more = max(0, len(bids) - panel.limit) + max(0, len(asks) - panel.limit)
    return shapes.BookData(bids=bids[: panel.limit], asks=asks[: panel.limit], more=more)


def _text(panel: Text, rows: Sequence[Row], _: Any) -> shapes.TextData:
    kept, more = _limited(rows, SIDE)
    return shapes.TextData(
        text=cut("\n".join(words(one) for one in _values(panel, kept, panel.text)), 10 * TEXT),
        more=more,
    )


_SHAPES: dict[type, Callable[[Any, Sequence[Row], Any], shapes.Data]] = {
    Bars: _bars, Board: _board, Book: _book, Chat: _chat, Feed: _feed, Figures: _figures, Flows: _flows,
    Matrix: _matrix, Table: _table, Text: _text,
}  # fmt: skip
