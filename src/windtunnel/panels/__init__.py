"""Panels: how a world lays out its own page, as data that any page can draw (docs/panels.md).

>>> from windtunnel import panels
>>> panels.Table(id="nations", title="Nations", source=panels.At("nations.*"), rows=("nation",)).width
12
"""

from windtunnel.panels.declared import (
    KINDS,
    Ask,
    At,
    Bars,
    Board,
    Book,
    Chat,
    Column,
    Curves,
    Feed,
    Figures,
    Flows,
    Journal,
    Matrix,
    Panel,
    Scores,
    Source,
    Table,
    Text,
    Waiting,
)

__all__ = [
    "KINDS",
    "Ask",
    "At",
    "Bars",
    "Board",
    "Book",
    "Chat",
    "Column",
    "Curves",
    "Feed",
    "Figures",
    "Flows",
    "Journal",
    "Matrix",
    "Panel",
    "Scores",
    "Source",
    "Table",
    "Text",
    "Waiting",
]
