"""`show --panels`: the page that a world lays out, in a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec import to_builtins
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from windtunnel.cli import render, say
from windtunnel.control import Control, Found, history
from windtunnel.control.panels import Page, drawn
from windtunnel.panels import shapes
from windtunnel.panels.shapes import Drawn, Part

BAR = 24  # characters of the longest bar
NOTHING = "·"


def show_panels(control: Control, found: Found, turn: int | None) -> int:
    show_page(found, asyncio.run(drawn(control, found, turn)))
    return 0


def show_page(found: Found, page: Page) -> None:
    if say.door.json:
        say.data(to_builtins(page))
        return
    say.show(
        render.title(f"[bold]{escape(found.row.scenario or found.row.world)}[/]", f"after turn {page.turn:,}")
    )
    if not page.panels:
        say.line(f"the world {found.row.world} lays out no page of its own")
    for one in page.panels:
        _panel(found, page, one)


def _panel(found: Found, page: Page, one: Drawn) -> None:
    title, unit = str(one.panel["title"]), str(one.panel.get("unit") or "")
    for part in one.parts:
        whose = f"  {render.who(part.agent)}" if part.agent else ""
        say.show("", f"[bold]{escape(title)}[/]{whose}  [dim]{escape(unit)}[/]")
        say.show(_part(found, page, one, part))
        if part.data is not None and part.data.more:
            say.show(f"[dim]and {part.data.more:,} more[/]")


def _part(found: Found, page: Page, one: Drawn, part: Part) -> RenderableType:
    if part.data is None:
        return f"[red]{escape(part.error or 'it shows nothing')}[/]"
    if isinstance(part.data, shapes.CurvesData):
        return _curves(found, page.turn, float(str(one.panel["scale"])), part.data)
    return _DRAWN[type(part.data)](part.data)


def _curves(found: Found, turn: int, scale: float, data: shapes.CurvesData) -> RenderableType:
    keys = [(one.agent, one.name) for one in data.series]
    table = render.grid("", "", "", ("last", "right"))
    for curve in history.curves(found, keys).values():
        values = [value * scale for at, value in zip(curve.turns, curve.values, strict=True) if at <= turn]
        if values:
            table.add_row(
                render.who(curve.agent), escape(curve.name), render.spark(values), render.short(values[-1])
            )
    return table


def _figures(data: shapes.FiguresData) -> RenderableType:
    table = render.grid("", "", ("", "right"), "", ("before", "right"))
    for one in data.figures:
        was = "" if one.before is None else f"[dim]{render.short(one.before)}[/]"
        table.add_row(render.who(one.of), escape(one.label), render.short(one.value), escape(one.unit), was)
    return table


def _cell(value: shapes.Cell) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(render.compact(value, 60)) if isinstance(value, str) else render.short(value)


def _named(head: shapes.Head) -> str:
    return escape(f"{head.label}, {head.unit}" if head.unit else head.label)


def _table(data: shapes.TableData) -> RenderableType:
    heads: list[Any] = [escape(label) for label in data.labels]
    heads += [(_named(head), "right") for head in data.columns]
    table = render.grid(*heads)
    for row in data.rows:
        table.add_row(*(escape(name) for name in row.names), *(_cell(value) for value in row.cells))
    return _folding(table)


def _matrix(data: shapes.MatrixData) -> RenderableType:
    table = render.grid("", *((escape(name), "right") for name in data.columns))
    for name, values in zip(data.rows, data.cells, strict=True):
        table.add_row(escape(name), *(NOTHING if not value else render.short(value) for value in values))
    return _folding(table)


def _folding(table: Table) -> Table:
    """Long heads fold at their blanks, figures do not."""
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    return table


def _bar(value: float | None, most: float) -> str:
    return "█" * round(BAR * abs(value or 0) / most) if most else ""


def _flows(data: shapes.FlowsData) -> RenderableType:
    table = render.grid("from", "to", ("", "right"), "")
    most = max((abs(one.value) for one in data.flows), default=0.0)
    for one in data.flows:
        table.add_row(
            escape(one.start), escape(one.end), render.short(one.value), f"[dim]{_bar(one.value, most)}[/]"
        )
    return table


def _bars(data: shapes.BarsData) -> RenderableType:
    table = render.grid("", ("", "right"), "")
    most = max((abs(one.value or 0) for one in data.bars), default=0.0)
    for one in data.bars:
        value = NOTHING if one.value is None else render.short(one.value)
        table.add_row(escape(one.label), value, f"[dim]{_bar(one.value, most)}[/]")
    return table


def _board(data: shapes.BoardData) -> RenderableType:
    table = render.grid("", "", *((_named(head), "right") for head in data.fields))
    for column in data.columns:
        for place, card in enumerate(column.cards):
            stage = f"[bold]{escape(column.name)}[/]" if not place else ""
            table.add_row(stage, escape(card.title), *(_cell(value) for value in card.cells))
        if not column.cards:
            table.add_row(f"[bold]{escape(column.name)}[/]", f"[dim]{NOTHING}[/]")
    return table


def _feed(data: shapes.FeedData | shapes.ChatData) -> RenderableType:
    table = render.grid(("turn", "right"), "who", ("", "wrap"), *(_named(head) for head in data.fields))
    for item in data.items:
        turn = "" if item.turn is None else f"[dim]{item.turn}[/]"
        said = escape(render.compact(f"{item.kind} {item.text}".strip(), 160))
        table.add_row(turn, render.who(item.by), said, *(_cell(value) for value in item.cells))
    return table


def _book(data: shapes.BookData) -> RenderableType:
    table = render.grid(("bid", "right"), ("price", "right"), "ask")
    for one in reversed(data.asks):
        table.add_row("", render.short(one.price), render.short(one.size))
    for one in data.bids:
        table.add_row(render.short(one.size), render.short(one.price), "")
    return table


def _text(data: shapes.TextData) -> RenderableType:
    return escape(data.text)


_DRAWN: dict[type, Callable[[Any], RenderableType]] = {
    shapes.FiguresData: _figures,
    shapes.TableData: _table,
    shapes.MatrixData: _matrix,
    shapes.FlowsData: _flows,
    shapes.BarsData: _bars,
    shapes.BoardData: _board,
    shapes.FeedData: _feed,
    shapes.ChatData: _feed,
    shapes.BookData: _book,
    shapes.TextData: _text,
}
