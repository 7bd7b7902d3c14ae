"""How errors speak of what a person typed: the nearest valid name, a value as it was meant, a type in words.

Nothing here decides what is valid; it only says it well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_LISTED = 12  # names listed before the rest is only counted
_SHOWN = 40  # characters of a value that are shown

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "nothing (null)",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `\w+`)?(.*?)(?: - at `.*`)?$", re.DOTALL)
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def nearest(name: str, options: Iterable[str]) -> str | None:
    """The option that was most likely meant."""
    by_folded = {option.casefold(): option for option in options}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def suggest(name: str, options: Iterable[str]) -> str:
    """A remedy for a name that is not known: the nearest one, or all of them."""
    known = list(options)
    if not known:
        return "there is none"
    if (close := nearest(name, known)) is not None:
        return f"did you mean {close!r}?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"one of: {', '.join(known[:_LISTED])}{more}"


def show(value: Any) -> str:
    """A value as a person would write it, never long."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return f"the text {quote(value)}" if isinstance(value, str) else _cut(repr(value))


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things: `1 run`, `2 runs`, `1,000 entries`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def characters(text: str) -> str:
    """The text without what is no character: half of one, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def quote(text: str) -> str:
    return _cut(repr(text))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def explain(problem: str, value: Any) -> str:
    """A validation message of msgspec, in words: `must be at most 1.0, not 1.5`."""
    found = _EXPECTED.match(problem)
    if found is None:
        return problem.partition(" - at `")[0].replace("`", "")
    kind, rest = found[1], found[2].strip()
    what = " or ".join(_KINDS.get(part.strip(), part.strip()) for part in kind.split("|"))
    operator, _, bound = rest.partition(" ")
    if operator in _BOUNDS:
        return f"must be {_BOUNDS[operator]} {bound}, not {show(value)}"
    if rest.startswith("of length"):
        limit = re.sub(r">=|<=", lambda sign: _BOUNDS[sign[0]], rest.removeprefix("of "))
        return f"must be {what} of {limit}, not {show(value)}"
    if rest.startswith("matching regex"):
        return f"must match {rest.removeprefix('matching regex ')}, not {show(value)}"
    return f"must be {what}{' ' + rest if rest else ''}, not {show(value)}"


def mend(wanted: str, value: Any) -> str | None:
    """What to write instead, where the mistake is a common one. `wanted` is msgspec's name of the type."""
    if wanted == "str" and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if wanted == "bool" and isinstance(value, str) and value.casefold() in {"yes", "on", "y"}:
        return "write true"
    if wanted == "bool" and isinstance(value, str) and value.casefold() in {"no", "off", "n"}:
        return "write false"
    if wanted in {"int", "float"} and isinstance(value, str):
        bare = re.sub(r"[_', ]", "", value)
        if re.fullmatch(r"[-+]?\d+(\.\d+)?", bare):
            return f"write {bare}"
        if re.fullmatch(r"[-+]?\d+(\.\d+)?%", bare):
            return f"write {float(bare[:-1]) / 100:g}"
    if wanted == "int" and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    return None
