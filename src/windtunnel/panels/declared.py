"""What a world's own page is made of: panels, each a kind, a source, and which part of its rows goes where.

A panel is a declaration and nothing else: plain data that any page can draw without running the world's code.
All sources give rows: a value each, with the names that led to it. Every kind takes its parts out of these
rows by short paths, and fixes the shape of the data a page gets (shapes.py). What is wrong with a declaration
is said by `checking.problems`, and by the conformance kit, which plays the world and draws every panel.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

Names: TypeAlias = tuple[str, ...]
Told: TypeAlias = Literal["events", "decisions", "verdicts", "mail"]
Asked: TypeAlias = Literal["approvals", "questions"]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=1000)]

# --- sources: where rows come from ---------------------------------------------------------------------


class _Source(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Scores(_Source, frozen=True, tag="scores"):
    """Metrics after the turn: a row for each agent that has any of them, which holds them by name.

    `agents` are ids, `world` for the world's own metrics; none named is every agent (of `role`, if that is
    named), the world left out. A panel that is repeated has the one agent that it is repeated for."""

    names: Names
    agents: Names = ()
    role: str = ""


class At(_Source, frozen=True, tag="state"):
    """What lies at a path in the state after the turn: `planet.warming`, `nations.*.books`, `talk.-1`.

    `*` is every field, key or place there; each row is named by what they stood for. `{agent}` is the agent
    that a panel is repeated for. A path that begins with `/` is a JSON pointer, for names with dots."""

    path: str


class Ask(_Source, frozen=True, tag="query"):
    """The answer to one of the world's queries, and a path in it.

    It is asked as the agent that the panel is repeated for, else as each agent of `role` (rows are then named
    by the agent first), else as the first agent of the run. An answer `{columns: [...], rows: {name: [...]}}`
    is read as rows by name, each by column."""

    query: str
    role: str = ""
    path: str = "*"
    arguments: dict[str, Any] = field(default_factory=dict)


class Journal(_Source, frozen=True, tag="journal"):
    """What the record tells up to the turn, oldest first: a row `{turn, what, kind, actor, to, body}` each.

    `events` are the world's (`to`: who saw it, null for all), `decisions` what agents did (`kind` the type of
    the action), `verdicts` what was not simply accepted, `mail` what came from outside. `kinds` and `agents`
    narrow it; none named is all."""

    what: tuple[Told, ...] = ("events",)
    kinds: Names = ()
    agents: Names = ()


class Waiting(_Source, frozen=True, tag="waiting"):
    """What waits for people now, whatever the turn: a row `{turn, what, kind, actor, body, name, risk,
    amount, unit}` each; `body` says in words what is asked, `name` is what a vote or an answer names."""

    what: tuple[Asked, ...] = ("approvals", "questions")


Source: TypeAlias = Scores | At | Ask | Journal | Waiting

# --- kinds: how rows are shown --------------------------------------------------------------------------


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to show of each row: a path in it (`#1`, `#2` are the row's names; empty is the row itself).

    Numbers are told times `scale`: a share of 0.05 is 5 with `scale=100, unit="%"`."""

    path: str = ""
    label: str = ""
    unit: str = ""
    scale: float = 1.0


class _Panel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """`width` is of twelve. `each` is a role: the panel is repeated for every agent of it."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    title: str
    help: str = ""
    width: Annotated[int, Meta(ge=1, le=12)] = 12
    each: str = ""


class Curves(_Panel, frozen=True, kw_only=True, tag="curves"):
    """Metrics over turns. Its data name the curves; their points come from the run's metrics, and
    are shown times `scale`."""

    source: Scores
    unit: str = ""
    scale: float = 1.0


class Figures(_Panel, frozen=True, kw_only=True, tag="figures"):
    """Large numbers, one for each row and column. What comes from metrics says the turn before as well."""

    source: Scores | At | Ask
    columns: tuple[Column, ...] = ()


class Table(_Panel, frozen=True, kw_only=True, tag="table"):
    """Rows and columns. `rows` labels the names of the rows, one for each `*`; unlabelled ones are not shown.

    Without columns: the metrics of `Scores`, by name. `newest` shows the last rows, last first."""

    source: Source
    columns: tuple[Column, ...] = ()
    rows: Names = ()
    limit: Limit = 100
    newest: bool = False


class Matrix(_Panel, frozen=True, kw_only=True, tag="matrix"):
    """A number for each pair of names, with its colour. Of two `*`, the first names the row."""

    source: At | Ask
    row: str = "#1"
    column: str = "#2"
    value: str = ""
    unit: str = ""
    scale: float = 1.0


class Flows(_Panel, frozen=True, kw_only=True, tag="flows"):
    """What goes from whom to whom, and how much of it. Of two `*`, the first is where it starts."""

    source: At | Ask | Journal
    start: str = "#1"
    end: str = "#2"
    value: str = ""
    unit: str = ""
    scale: float = 1.0
    limit: Limit = 100


class Bars(_Panel, frozen=True, kw_only=True, tag="bars"):
    """A bar for each row."""

    source: Scores | At | Ask | Journal
    label: str = "#1"
    value: str = ""
    unit: str = ""
    scale: float = 1.0
    limit: Limit = 100


class Board(_Panel, frozen=True, kw_only=True, tag="board"):
    """Cards in columns. `order` are the columns that are always there, in their order; others follow."""

    source: At | Ask | Waiting
    column: str
    order: Names = ()
    card: str = "#1"
    columns: tuple[Column, ...] = ()
    limit: Limit = 200


class Feed(_Panel, frozen=True, kw_only=True, tag="feed"):
    """Entries one below the other, oldest first: who, to whom, what, and more of each in columns."""

    source: Journal | At | Ask | Waiting
    text: str = "body"
    by: str = "actor"
    columns: tuple[Column, ...] = ()
    limit: Limit = 100


class Chat(Feed, frozen=True, kw_only=True, tag="chat"):
    """A feed with a box. What is written there goes to the run as an event, `{field: text}` its body; with
    `answers`, it may also answer what the run asks of people."""

    event: str = ""
    field: str = "text"
    answers: bool = False


class Book(_Panel, frozen=True, kw_only=True, tag="book"):
    """An order book. `side` says bid (`bid`, `bids`, `buy`) or ask (`ask`, `asks`, `sell`)."""

    source: At | Ask
    side: str = "#1"
    price: str = "price"
    size: str = "size"
    unit: str = ""
    limit: Limit = 50


class Text(_Panel, frozen=True, kw_only=True, tag="text"):
    """Plain text, shown as it is, never as markup: the row itself, or what `text` names in it."""

    source: At | Ask
    text: str = ""


Panel: TypeAlias = Curves | Figures | Table | Matrix | Flows | Bars | Board | Feed | Chat | Book | Text
KINDS: tuple[type[_Panel], ...] = (
    Curves, Figures, Table, Matrix, Flows, Bars, Board, Feed, Chat, Book, Text,
)  # fmt: skip
