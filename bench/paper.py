"""A result in words, for people."""

from __future__ import annotations

from typing import Any

from bench.measure import Result, rounded


def sheet(result: Result) -> str:
    title = f"{result.name}: {result.what}"
    rows = [
        ("ours", f"{number(result.ours)} {result.unit}"),
        (result.peer_name, f"{number(result.peer)} {result.unit}" if result.peer is not None else "not here"),
        ("ratio", "–" if result.ratio is None else f"{number(result.ratio)} × (above 1: ours is better)"),
    ]
    if result.target:
        rows.append(("target", result.target))
    known = {name: value for name, value in result.more.items() if value is not None}
    rows += [(name.replace("_", " "), words(value)) for name, value in known.items()]
    rows.append(("n", number(result.n)))
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name:<{width}}  {text}" for name, text in rows), ""])


def words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {words(item)}" for name, item in value.items())
    return number(value) if isinstance(value, (int, float)) else str(value)


def number(value: float) -> str:
    value = rounded(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:g}"
