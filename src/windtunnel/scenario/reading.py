"""YAML as nodes that know their line and column, with everything refused that would be misread.

The scalars are those of YAML 1.2: `yes`, `no`, `on`, dates and `1:30` are text, not truth values, dates or
1530. Refused: tags of any kind, merge keys, duplicate keys, keys that are not text, NaN and infinities,
integers beyond 64 bits, numbers with a leading zero, deep nesting, aliases without bound, more than one
document. Nothing is ever constructed from a file but text, numbers, truth values, lists and mappings.
"""

from __future__ import annotations

import math
import re
from typing import Any

from windtunnel.codec import INT_MAX, INT_MIN
from windtunnel.errors import ScenarioError
from windtunnel.words import quote

MAX_DEPTH = 50
MAX_NODES = 200_000  # with aliases written out

_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Place:
    """Where something stands: a file with line and column (counted from 1), or an override."""

    __slots__ = ("column", "line", "source")

    def __init__(self, source: str, line: int | None = None, column: int | None = None) -> None:
        self.source, self.line, self.column = source, line, column

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"

    def error(self, message: str, remedy: str | None = None, field: str = "") -> ScenarioError:
        data = {"file": self.source, "line": self.line, "column": self.column, "field": field}
        return ScenarioError(message, where=str(self), remedy=remedy, **data)


class Node:
    """A value with its place. `value` is a scalar, a list of nodes, or a dict of (key's place, node)."""

    __slots__ = ("place", "value", "weight")

    def __init__(self, value: Any, place: Place) -> None:
        self.value, self.place, self.weight = value, place, 1

    def plain(self) -> Any:
        if isinstance(self.value, dict):
            return {key: item.plain() for key, (_, item) in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


def node_of(plain: Any, place: Place, depth: int = 0) -> Node:
    """Plain values as nodes that all stand at one place."""
    if depth > MAX_DEPTH:
        raise place.error(f"nested more than {MAX_DEPTH} deep")
    node = Node(plain, place)
    if isinstance(plain, dict):
        node.value = {str(key): (place, node_of(item, place, depth + 1)) for key, item in plain.items()}
    elif isinstance(plain, (list, tuple)):
        node.value = [node_of(item, place, depth + 1) for item in plain]
    return node


def read_text(raw: bytes, source: str) -> str:
    """The text of a file, or where it stops being text."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
        raise Place(source, line, column).error(
            f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from None
    if (found := _UNPRINTABLE.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise Place(source, line, column).error(
            f"the control character {found[0]!r} may not stand here", "delete it"
        )
    return text


def read_yaml(text: str, source: str) -> Node | None:
    """The one document of a text; None where there is none."""
    import yaml  # noqa: PLC0415  late: a run that is resumed or replayed reads no YAML

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event, type(event).__name__.removesuffix("Event"))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, source) from None
    except yaml.YAMLError as error:
        raise Place(source).error(f"this is not YAML: {error}") from None
    return builder.root


class _Builder:
    """Makes nodes from the parser's events, one by one: no recursion, so that no depth can hurt."""

    def __init__(self, source: str) -> None:
        self.root: Node | None = None
        self._source = source
        self._documents = 0
        self._open: list[tuple[Node, str | None]] = []  # the collections being read, with their anchors
        self._key: list[tuple[str, Place] | None] = []  # the pending key of each
        self._anchors: dict[str, Node | None] = {}  # None while the node is being read
        self._nodes = 0

    def take(self, event: Any, kind: str) -> None:
        place = Place(self._source, event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStart":
            self._documents += 1
            if self._documents > 1:
                raise place.error("a second document begins here", "one scenario a file: delete the line ---")
        elif kind == "Scalar":
            self._refuse_tag(event, place)
            if self._open and isinstance(self._open[-1][0].value, dict) and self._key[-1] is None:
                self._take_key(event, place)
            else:
                node = Node(_scalar(event, place), place)
                self._name(event.anchor, node)
                self._add(node)
        elif kind in {"MappingStart", "SequenceStart"}:
            self._refuse_tag(event, place)
            self._begin(Node({} if kind == "MappingStart" else [], place), event.anchor)
        elif kind in {"MappingEnd", "SequenceEnd"}:
            self._key.pop()
            node, anchor = self._open.pop()
            self._name(anchor, node)
            self._add(node)
        elif kind == "Alias":
            self._add(self._meant(event.anchor, place), place)

    def _begin(self, node: Node, anchor: str | None) -> None:
        self._expect_no_key(node.place)
        if len(self._open) >= MAX_DEPTH:
            raise node.place.error(f"nested more than {MAX_DEPTH} deep", "a scenario is flatter than that")
        if anchor:
            self._anchors[anchor] = None
        self._open.append((node, anchor))
        self._key.append(None)

    def _take_key(self, event: Any, place: Place) -> None:
        key = event.value
        if key == "<<" and not event.style:
            raise place.error(
                "merge keys (<<) are not read", "write the keys out, or use an alias as a whole value"
            )
        if not key:
            raise place.error("a key is missing before the ':'", "write key: value")
        siblings = self._open[-1][0].value
        if key in siblings:
            first = siblings[key][0]
            raise place.error(
                f"the key {key!r} stands here twice; first in line {first.line}", "delete one of them"
            )
        _refuse_surrogates(key, place)
        self._name(event.anchor, Node(key, place))
        self._key[-1] = (key, place)

    def _expect_no_key(self, place: Place) -> None:
        if self._open and isinstance(self._open[-1][0].value, dict) and self._key[-1] is None:
            raise place.error("a key must be text", "write key: value")

    def _add(self, node: Node, place: Place | None = None) -> None:
        if not self._open:
            self.root = node
            return
        self._expect_no_key(place or node.place)
        parent = self._open[-1][0]
        parent.weight += node.weight
        self._nodes += 1
        if parent.weight > MAX_NODES or self._nodes > MAX_NODES:
            raise (place or node.place).error(
                f"more than {MAX_NODES:,} values, aliases written out",
                "a scenario is smaller than that; use count or size",
            )
        if isinstance(parent.value, list):
            parent.value.append(node)
        else:
            key, key_place = self._key[-1]  # type: ignore[misc]  # _expect_no_key has seen to it
            parent.value[key] = (key_place, node)
            self._key[-1] = None

    def _name(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self._anchors[anchor] = node

    def _meant(self, anchor: str, place: Place) -> Node:
        if anchor not in self._anchors:
            raise place.error(
                f"the alias *{anchor} has no anchor before it", f"name one value &{anchor}, or quote the text"
            )
        if (node := self._anchors[anchor]) is None:
            raise place.error(
                f"the alias *{anchor} stands inside its own anchor", "a value cannot hold itself"
            )
        return node

    def _refuse_tag(self, event: Any, place: Place) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise place.error(
                f"the tag {quote(tag)} is refused: a scenario holds plain values only",
                "delete it, or quote the text",
            )


def _scalar(event: Any, place: Place) -> Any:
    text: str = event.value
    _refuse_surrogates(text, place)
    if event.style:  # quoted or a block
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise place.error(f"{text} is not a finite number", "write a number, or leave the key out")
    if _INT.fullmatch(text):
        return _integer(text, place)
    if _FLOAT.fullmatch(text):
        if not math.isfinite(number := float(text)):
            raise place.error(f"{text} is too large for a number of 64 bits", "write a smaller number")
        return number
    return text


def _integer(text: str, place: Place) -> int:
    if re.match(r"[-+]?0[0-9]", text):
        raise place.error(
            f"{quote(text)} begins with a zero, which some read as octal",
            f'write {text.lstrip("+-0") or 0}, or "{text}" for text',
        )
    number = int(text, 0) if len(text) <= 25 else INT_MAX + 1
    if not INT_MIN <= number <= INT_MAX:
        raise place.error(
            f"the integer {quote(text)} is beyond 64 bits", "write a smaller one, or quote it as text"
        )
    return number


def _refuse_surrogates(text: str, place: Place) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise place.error(_HALF, _WHOLE)


_HALF = "the text holds half of a character (a lone surrogate)"
_WHOLE = r"write the character itself, or \U and 8 digits"
_INDENT = "check the indentation"
_SAID = (  # a part of the parser's words, whether to point at where it began, message, remedy
    ("tab character", False, "a tab stands where YAML wants spaces", "indent with spaces"),
    (
        "mapping values are not",
        False,
        "a ':' stands where none is expected",
        f"quote text that holds ': '; {_INDENT}",
    ),
    ("find expected ':'", True, "a key without its ':'", f"write key: value, and {_INDENT}"),
    ("',' or ']'", True, "the list that begins here is not closed or lacks a comma", "close it with ]"),
    ("',' or '}'", True, "the mapping that begins here is not closed or lacks a comma", "close it with }"),
    ("unexpected end of stream", True, "the quote that begins here is not closed", "close it"),
    ("unknown escape", False, "an unknown escape", r"write \\ for a backslash, or use single quotes"),
    (
        "'-' indicator",
        False,
        "this line does not fit the list above it",
        f"{_INDENT}; each item begins with '- '",
    ),
    ("expected key", False, "this line does not fit the mapping above it", _INDENT),
    ("expected <block end>", False, "this line does not fit what stands above it", _INDENT),
    ("Unicode character escape", False, _HALF, _WHOLE),
    ("undefined tag handle", False, "a tag is refused: a scenario holds plain values only", "quote the text"),
    ("node content", False, "a value is missing here", "write it, or delete what announces it"),
)


def _syntax(error: Any, text: str, source: str) -> ScenarioError:
    problem = error.problem or str(error)
    mark = error.problem_mark or error.context_mark
    message, remedy = f"this is not YAML: {problem}", None
    for part, at_context, said, cure in _SAID:
        if part in problem:
            message, remedy = said, cure
            mark = (error.context_mark if at_context else None) or mark
            break
    place = Place(source, mark.line + 1, mark.column + 1)
    if "cannot start any token" in problem:
        line = text.splitlines()[mark.line]
        letter = line[mark.column : mark.column + 1]
        if letter == "\t":
            return place.error("a tab stands where YAML wants spaces", "indent with spaces")
        return place.error(f"text cannot begin with {letter!r} here", "put it in quotes")
    return place.error(message, remedy)
