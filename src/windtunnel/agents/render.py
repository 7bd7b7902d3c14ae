"""Observations as text for a model: short, in order, and no number longer than it is worth.

What repeats becomes a table, an array its summary. Text that others wrote stands in quotes, so that a line
of it can never pass for a line of the observation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.codec import Log
from windtunnel.words import characters

DIGITS = 6
INLINE = 100  # characters of a mapping or list that stays on its line
FEW = 12  # numbers of an array that are shown one by one; the last so many items of a Log
PARTS = {"least": 0.0, "quarter": 0.25, "half": 0.5, "three_quarters": 0.75, "most": 1.0}
PLAIN = re.compile(r"[\w.+-]([\w .,:%/+-]*[\w.%)+-])?", re.ASCII)
BREAKS = re.compile("[\x7f\x85\u2028\u2029]")


def render(value: Any, most: int) -> str:
    """The text of an observation, at most so many characters of it."""
    lines: list[str] = []
    _block(_plain(value), "", lines)
    text = "\n".join(lines)
    return text if len(text) <= most else f"{text[:most]}\n… (cut: {len(text):,} characters)"


def short(value: Any, most: int = 200) -> str:
    """A value on one line."""
    try:
        text = characters(_inline(_plain(value)))
    except RecursionError:
        text = "(nested too deep to be shown)"
    return text if len(text) <= most else f"{text[:most]}…"


def as_data(value: Any, most: int = 4000) -> str:
    """A value on one line of JSON: every text in quotes, so that none of it passes for anything else."""
    text = _quoted(_plain(value))
    return text if len(text) <= most else f"{_quoted(text[:most])} … (cut: {len(text):,} characters)"


def _plain(value: Any) -> Any:
    """Mappings, lists and single values; a Struct by its fields' names, also where it is stored without."""
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        named = {str(value.__struct_config__.tag_field): tag} if tag is not None else {}
        return named | {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Log):  # it may be long, and its older part lies in the store
        return [_plain(item) for item in value[-FEW:]] if len(value) else []
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist") and hasattr(value, "ndim"):
        return _summary(value) if value.size > FEW else value.tolist()
    return msgspec.to_builtins(value)


def _summary(array: Any) -> Any:
    told: dict[str, Any] = {"count": int(array.size)}
    if array.dtype.kind in "biuf":
        flat = array.astype(float).ravel()
        flat.sort()
        told |= {name: float(flat[int(part * (flat.size - 1))]) for name, part in PARTS.items()}
        told["mean"] = float(flat.mean())
    return told


def _block(value: Any, indent: str, lines: list[str]) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _entry(f"{indent}{_word(str(key))}:", item, indent, lines)
    elif isinstance(value, list):
        for item in value:
            _entry(f"{indent}-", item, indent, lines)
    else:
        lines.append(f"{indent}{_inline(value)}")


def _entry(head: str, item: Any, indent: str, lines: list[str]) -> None:
    rows = _rows(item)
    if rows:
        columns = list(rows[0][1])
        named = rows[0][0] is not None
        lines.append(f"{head} (" + " | ".join([*(["name"] if named else []), *columns]) + ")")
        for name, row in rows:
            cells = [_scalar(row[column]) for column in columns]
            lines.append(f"{indent}  " + " | ".join([*([_word(name)] if name is not None else []), *cells]))
        return
    inline = _inline(item)
    if not isinstance(item, (Mapping, list)) or len(inline) <= INLINE:
        lines.append(f"{head} {inline}")
    else:
        lines.append(head)
        _block(item, f"{indent}  ", lines)


def _rows(value: Any) -> list[tuple[str | None, Mapping[str, Any]]]:
    """What is a table: at least two mappings with the same keys and nothing but single values."""
    if isinstance(value, Mapping):
        rows: list[tuple[str | None, Any]] = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        rows = [(None, item) for item in value]
    else:
        return []
    if len(rows) < 2 or not all(isinstance(row, Mapping) and row for _, row in rows):
        return []
    columns = rows[0][1].keys()
    same = all(row.keys() == columns for _, row in rows)
    single = all(not isinstance(cell, (Mapping, list)) for _, row in rows for cell in row.values())
    return rows if same and single else []


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_word(str(key))}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, str):
        return _word(value)
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _word(text: str) -> str:
    return text if PLAIN.fullmatch(text) else _quoted(text)


def _quoted(value: Any) -> str:
    """As JSON on one line, also where a reader takes other characters than a newline for one."""
    text = json.dumps(value, ensure_ascii=False)
    return BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
