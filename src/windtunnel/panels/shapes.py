"""The data of each kind of panel, as a page gets it.

Numbers are numbers, and null where there is none. Every text in here came out of a run: it may be what an
agent wrote, so it is shown as text, and nothing follows it. `more` is how many rows were left out.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field

Cell: TypeAlias = bool | int | float | str | None
Number: TypeAlias = int | float | None


class _Data(Struct, tag_field="kind", kw_only=True):
    more: int = 0


class Head(Struct):
    """What a column shows."""

    label: str
    unit: str = ""


class Series(Struct):
    agent: str
    name: str


class CurvesData(_Data, tag="curves"):
    """Which curves: GET …/metrics gives their points, to be shown times the panel's scale."""

    series: list[Series]


class Figure(Struct):
    """`of`: whose it is; empty where there is only one. `before`: after the turn before."""

    label: str
    of: str
    value: Number
    before: Number = None
    unit: str = ""


class FiguresData(_Data, tag="figures"):
    figures: list[Figure]


class TableData(_Data, tag="table"):
    """`names` are as many cells of each row as `labels` says; the rest stand under `columns`."""

    labels: list[str]
    columns: list[Head]
    rows: list[TableRow]


class TableRow(Struct):
    names: list[str]
    cells: list[Cell]


class MatrixData(_Data, tag="matrix"):
    rows: list[str]
    columns: list[str]
    cells: list[list[Number]]


class Flow(Struct):
    start: str
    end: str
    value: float


class FlowsData(_Data, tag="flows"):
    flows: list[Flow]


class Bar(Struct):
    label: str
    value: Number


class BarsData(_Data, tag="bars"):
    bars: list[Bar]


class Card(Struct):
    title: str
    cells: list[Cell]


class BoardColumn(Struct):
    name: str
    cards: list[Card]


class BoardData(_Data, tag="board"):
    columns: list[BoardColumn]
    fields: list[Head]


class Item(Struct, rename={"by": "from"}):
    """One entry. `from` wrote `text`; `to` are those who could see it, null for everybody."""

    by: str
    text: str
    to: list[str] | None = None
    turn: int | None = None
    kind: str = ""
    cells: list[Cell] = field(default_factory=list)


class FeedData(_Data, tag="feed"):
    items: list[Item]
    fields: list[Head]


class ChatData(_Data, tag="chat"):
    """`questions`: names of what the run asks and the box may answer."""

    items: list[Item]
    fields: list[Head]
    questions: list[str] = field(default_factory=list)


class Level(Struct):
    price: float
    size: float


class BookData(_Data, tag="book"):
    """Each side best first, sizes at one price added up."""

    bids: list[Level]
    asks: list[Level]


class TextData(_Data, tag="text"):
    text: str


Data: TypeAlias = (
    CurvesData
    | FiguresData
    | TableData
    | MatrixData
    | FlowsData
    | BarsData
    | BoardData
    | FeedData
    | ChatData
    | BookData
    | TextData
)


class Part(Struct, rename={"origin": "from"}):
    """The data of a panel, or of one of its repetitions; or why there are none.

    `from` says where every text within `data` came from: the source's type."""

    agent: str | None
    origin: str
    data: Data | None = None
    error: str | None = None


class Drawn(Struct):
    """A panel and what it shows: one part, or one for each agent that it is repeated for."""

    panel: dict[str, object]
    parts: list[Part]
