"""`show --query` and `--matrix`: a world's own questions, answered as tables where they are tables."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict
from rich.markup import escape
from rich.table import Table

from windtunnel.cli import render, say
from windtunnel.control import Control, Found
from windtunnel.control.asking import ask
from windtunnel.errors import UsageError
from windtunnel.scenario.reading import read_yaml

NOTHING = "·"
THOUSANDS = 100_000.0  # from here on a matrix counts in thousands


def show_query(
    control: Control, found: Found, query: str, turn: int | None, agent: str, given: Sequence[str]
) -> int:
    arguments = dict(_argument(text) for text in given)
    answered = asyncio.run(ask(control, found, query, turn=turn, agent=agent, arguments=arguments))
    if say.door.json:
        say.data(asdict(answered))
        return 0
    say.show(
        render.title(
            f"[bold]{escape(found.row.scenario or found.row.world)}[/]",
            f"{escape(query)}  [dim]as {escape(answered.agent)}, after turn {answered.turn:,}[/]",
        )
    )
    drawn = drawing(answered.answer)
    if drawn is None:
        say.data(answered.answer)
    else:
        say.show(drawn)
    return 0


def _argument(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{text!r} is no argument", where="--arg", remedy="write it as name=value")
    read = read_yaml(value, "--arg")
    return name.strip(), read.plain() if read else None


def drawing(answer: Any) -> Table | None:
    """The answer as a table, if it is one: a matrix, a list of records, or records by name."""
    if isinstance(answer, Mapping) and set(answer) == {"columns", "rows"}:
        return _matrix(answer["columns"], answer["rows"])
    if isinstance(answer, list) and answer and all(isinstance(row, Mapping) for row in answer):
        return _records([("", row) for row in answer])
    if isinstance(answer, Mapping) and answer and all(isinstance(row, Mapping) for row in answer.values()):
        return _records(list(answer.items()))
    return None


def _matrix(columns: Sequence[str], rows: Mapping[str, Sequence[float]]) -> Table:
    """Rows and columns with their sums beside them, so that one sees whether they add up."""
    largest = max((abs(value) for values in rows.values() for value in values), default=0.0)
    unit = 1000.0 if largest >= THOUSANDS else 1.0
    table = render.grid(
        "in thousands" if unit > 1.0 else "", *((name, "right") for name in [*columns, "sum"])
    )
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"  # long names fold at their blanks, figures do not
    for name, values in rows.items():
        cells = [_money(value, unit) for value in values]
        table.add_row(escape(name), *cells, f"[dim]{_money(_sum(values), unit)}[/]")
    sums = [_sum([values[place] for values in rows.values()]) for place in range(len(columns))]
    table.add_row(
        *(f"[dim]{cell}[/]" for cell in ("sum", *(_money(value, unit) for value in [*sums, _sum(sums)])))
    )
    return table


def _sum(values: Sequence[float]) -> float:
    return round(sum(values), 2)  # cents: what floats add to a sum of money is not there


def _money(value: float, unit: float) -> str:
    if not value:
        return NOTHING
    return f"{value / unit:,.0f}" if abs(value) >= unit else f"{value / unit:,.2f}"


def _records(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    labelled = any(label for label, _ in rows)
    table = render.grid(*([""] if labelled else []), *((name, "right") for name in names))
    for label, row in rows:
        cells = [escape(render.number(row[name])) if name in row else "" for name in names]
        table.add_row(*([escape(label)] if labelled else []), *cells)
    return table
