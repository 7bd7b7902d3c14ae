"""The one door from data to HTML. Whatever an agent, a world or a scenario wrote passes through here.

Refused: raw text in a page. Characters that steer the display (control codes, direction overrides) are shown
by their code, so that a name cannot disguise itself.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

import msgspec

from windtunnel.codec import encode_body

MAX_TEXT = 600
LONG_ROWS = 40  # a longer table scrolls in a box of its own
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNSAFE_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # the rest is ASCII by then


def text(value: object, most: int = MAX_TEXT) -> str:
    """Text for the inside of an element, cut where it goes on and on."""
    plain = str(value)
    if len(plain) > most:
        plain = f"{plain[:most]}… ({len(plain):,} characters)"
    return html.escape(visible(plain))


def visible(plain: str) -> str:
    """Text in which nothing steers the display."""
    return _STEERING.sub(lambda found: f"\\u{ord(found.group()):04x}", plain)


attribute = text  # quotes are escaped as well


def data(value: Any) -> str:
    """A value as JSON for a script block: nothing in it can end the block or start another."""
    raw = json.dumps(msgspec.to_builtins(value), separators=(",", ":"), allow_nan=False)
    return "".join(_UNSAFE_IN_SCRIPT.get(character, character) for character in raw)


def shown(value: Any, most: int = MAX_TEXT) -> str:
    """Anything recorded, as a person reads it: `Work(hours=8)`, `{"price": 3}`, or the text itself."""
    return text(_readable(value), most)


def _readable(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "—"
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        fields = ", ".join(f"{key}={_short(item)}" for key, item in value.items() if key != "type")
        return f"{value['type']}({fields})" if fields else str(value["type"])
    return _short(value)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"dtype", "shape", "data"}:
        return f"array of {' × '.join(map(str, value['shape']))}"
    if isinstance(value, float):
        return number(value)
    return encode_body(value).decode()


def number(value: float) -> str:
    """A number as a person says it: 1,234 or 0.0571 or 2.31 M."""
    size = abs(value)
    if isinstance(value, int) and size < 1_000_000:
        return f"{value:,}"
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if size >= limit:
            return f"{value / limit:.4g} {unit}" if size < 1e15 else f"{value:.3e}"
    if size >= 1000:
        return f"{value:,.0f}" if value == int(value) or size >= 10_000 else f"{value:,.1f}"
    if size and size < 0.001:
        return f"{value:.2e}"
    return f"{value:.4g}"


def change(before: float, after: float) -> str:
    """How far a value has come: in percent where that means something."""
    if not before or before * after < 0 or not after:
        return f"{'+' if after >= before else '−'}{number(abs(after - before))}"
    percent = (after - before) / abs(before) * 100
    sign = "+" if percent >= 0 else "−"
    return f"{sign}{abs(percent):,.1f} %" if abs(percent) < 10_000 else f"× {after / before:,.0f}"


def spoken(name: str) -> str:
    """A metric's name as words: `total_output` is Total output, `gdp` is GDP."""
    words = name.replace("_", " ").split() or [name]
    words = [word if set(word.lower()) & set("aeiouy") else word.upper() for word in words]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def table(headings: list[str], rows: list[list[str]], kind: str = "") -> str:
    """A table of cells that are markup already; it scrolls sideways in its own box where it must."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    body = "".join("<tr>" + "".join(map(_cell, headings, row)) + "</tr>" for row in rows)
    box = "scroll long" if len(rows) > LONG_ROWS else "scroll"
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="{box}"><table class="{kind}">{inside}</table></div>'


def _cell(heading: str, cell: str) -> str:
    return f'<td data-of="{attribute(heading)}">{cell}</td>'
