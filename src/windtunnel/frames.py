"""Metrics as columns: what a notebook plots, and what becomes a polars or pandas frame.

Plain lists, so that nothing heavy is loaded to look at a result; the frame libraries are loaded when asked
for. Columns are a copy of what the journal says: changing them changes no run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from windtunnel.errors import NotFound, UsageError
from windtunnel.world import WORLD

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Number: TypeAlias = float | int
MetricRow: TypeAlias = tuple[int, str, str, Number]
COLUMNS = ("turn", "agent", "name", "value")
SHOWN_ROWS = 10


class Series(NamedTuple):
    """One metric of one agent over the turns: `plot(*series)` draws it."""

    turns: list[int]
    values: list[Number]


class Columns:
    """The metrics of a run in long form: one row for each turn, agent and name.

    >>> metrics = Columns([(1, "ada", "wealth", 10.0), (2, "ada", "wealth", 12.5)])
    >>> metrics["value"], metrics.final()
    ([10.0, 12.5], {'ada': {'wealth': 12.5}})
    """

    __slots__ = COLUMNS

    def __init__(self, rows: Iterable[MetricRow] = ()) -> None:
        columns: tuple[list[Any], ...] = ([], [], [], [])
        for row in rows:
            for column, cell in zip(columns, row, strict=True):
                column.append(cell)
        self.turn: list[int] = columns[0]
        self.agent: list[str] = columns[1]
        self.name: list[str] = columns[2]
        self.value: list[Number] = columns[3]

    def __len__(self) -> int:
        return len(self.turn)

    def __iter__(self) -> Iterator[MetricRow]:
        return zip(self.turn, self.agent, self.name, self.value, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Columns) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # lists inside: they can change

    def __getitem__(self, column: str) -> list[Any]:
        """A column by its name, as frames have it: `metrics["value"]`."""
        if column not in COLUMNS:
            raise NotFound(f"no column {column!r}", remedy=f"columns: {', '.join(COLUMNS)}")
        found: list[Any] = getattr(self, column)
        return found

    @property
    def agents(self) -> list[str]:
        """Whose metrics these are, in the order in which they appear."""
        return list(dict.fromkeys(self.agent))

    @property
    def names(self) -> list[str]:
        """The names of the metrics, in the order in which they appear."""
        return list(dict.fromkeys(self.name))

    def where(
        self,
        *,
        agent: str | Iterable[str] | None = None,
        name: str | Iterable[str] | None = None,
        turn: int | Iterable[int] | None = None,
    ) -> Columns:
        """The rows that match all that is given: `metrics.where(agent="ada", name="wealth")`."""
        agents, names, turns = _wanted(agent), _wanted(name), _wanted(turn)
        return Columns(
            row
            for row in self
            if (turns is None or row[0] in turns)
            and (agents is None or row[1] in agents)
            and (names is None or row[2] in names)
        )

    def final(self) -> dict[str, dict[str, Number]]:
        """The last value of every metric, by agent; the world's own stand under "world"."""
        last: dict[str, dict[str, Number]] = {}
        for _, agent, name, value in self:
            last.setdefault(agent, {})[name] = value
        return last

    def series(self, name: str, agent: str = WORLD) -> Series:
        """One metric of one agent, turn by turn: `metrics.series("wealth", "ada")`."""
        found = [(turn, value) for turn, who, what, value in self if what == name and who == agent]
        if not found:
            raise self._no_series(name, agent)
        return Series([turn for turn, _ in found], [value for _, value in found])

    def _no_series(self, name: str, agent: str) -> NotFound:
        there = [who for who, metrics in self.final().items() if name in metrics]
        if there:
            remedy = f"it is recorded of {', '.join(there[:8])}"
        else:
            remedy = f"metrics: {', '.join(self.names[:12]) or 'none were recorded'}"
        return NotFound(f"no metric {name!r} of {agent!r}", remedy=remedy)

    def to_polars(self) -> pl.DataFrame:
        """The same as a polars frame (needs `windtunnel[frames]`)."""
        try:
            import polars as pl  # noqa: PLC0415 - heavy, and an extra
        except ImportError:
            raise _extra("polars") from None
        values = [float(value) for value in self.value]
        columns = {"turn": self.turn, "agent": self.agent, "name": self.name, "value": values}
        kinds = {"turn": pl.Int64, "agent": pl.String, "name": pl.String, "value": pl.Float64}
        return pl.DataFrame(columns, schema=kinds)

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas frame (needs `windtunnel[frames]`)."""
        try:
            import pandas as pd  # noqa: PLC0415 - heavy, and an extra
        except ImportError:
            raise _extra("pandas") from None
        values = [float(value) for value in self.value]
        return pd.DataFrame({"turn": self.turn, "agent": self.agent, "name": self.name, "value": values})

    # --- how a notebook shows them ---

    def __repr__(self) -> str:
        if not len(self):
            return "Columns(no rows)"
        rows = [COLUMNS, *((str(t), who, what, f"{value:g}") for t, who, what, value in self._ends())]
        widths = [max(len(row[place]) for row in rows) for place in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in [*lines, *self._left_out()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{column}</th>" for column in COLUMNS)
        body = "".join(
            f"<tr><td>{t}</td><td>{escape(who)}</td><td>{escape(what)}</td><td>{value:g}</td></tr>"
            for t, who, what, value in self._ends()
        )
        note = "".join(f"<p>{line}</p>" for line in self._left_out())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def _ends(self) -> list[MetricRow]:
        rows = list(self)
        if len(rows) <= SHOWN_ROWS:
            return rows
        return rows[: SHOWN_ROWS // 2] + rows[-SHOWN_ROWS // 2 :]

    def _left_out(self) -> list[str]:
        more = len(self) - SHOWN_ROWS
        return [f"… {more:,} of {len(self):,} rows between them are not shown"] if more > 0 else []


def _wanted(given: Any) -> frozenset[Any] | None:
    if given is None:
        return None
    return frozenset([given] if isinstance(given, (str, int)) else given)


def _extra(library: str) -> UsageError:
    return UsageError(f"{library} is not installed", remedy="pip install 'windtunnel[frames]'")
