"""Numbers, curves, ages and tables as people read them: calm, at 80 columns, with or without colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from windtunnel.cli import say
from windtunnel.control.history import Curve, Key
from windtunnel.world import WORLD

BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-=*#"
COLOURS = {
    "completed": "green",
    "running": "cyan",
    "queued": "cyan",
    "waiting": "yellow",
    "paused": "yellow",
    "failed": "red",
    "crashed": "red",
    "cancelled": "dim",
}
Fit = Literal["left", "right", "wrap", "cut"]
ROWS = 14  # of a result table; more are counted


def status(word: str) -> str:
    colour = COLOURS.get(word, "default")
    return f"[{colour}]{word}[/]"


def short(value: float | None, *, sign: bool = False) -> str:
    """Four characters or so, for tables with many columns: 5.44M, 19.5k, 0.0754."""
    if value is None:
        return "-"
    size, unit = abs(value), ""
    for bound, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= bound:
            value, unit = value / (1e3 if name == "k" else bound), name
            break
    return f"{value:{'+' if sign else ''}.3g}{unit}"


def number(value: Any) -> str:
    """Four digits that matter; thousands apart; never an exponent where it can be helped."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    size = abs(value)
    if size >= 1e10:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    if size < 1e-4:
        return f"{value:.3g}"
    places = 0 if size >= 10_000 else 1 if size >= 1000 else 2 if size >= 10 else 3 if size >= 0.1 else 5
    return f"{value:,.{places}f}"


def signed(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{'+' if value > 0 else ''}{number(value)}"


def change(first: float, last: float) -> str:
    """How far it went, in percent; in its own unit where percent would mislead."""
    if first == last:
        return "="
    if first >= 1 and 0 <= last / first < 10:
        return f"{(last / first - 1) * 100:+.1f}%"
    if first >= 1 and last / first >= 10:
        return f"{'×' if say.utf8() else 'x'}{number(round(last / first))}"
    return signed(last - first)


def spark(values: Sequence[float], width: int = 18) -> str:
    bars = BARS if say.utf8() else PLAIN_BARS
    shown = _thinned(values, width)
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high == low:
        return bars[len(bars) // 2 - 1] * len(shown)
    top = len(bars) - 1
    return "".join(bars[round((v - low) / (high - low) * top)] for v in shown)


def _thinned(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    return [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]


def age(seconds: float) -> str:
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h"), (1 << 60, 86_400, "d")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit} ago"
    return "long ago"


def duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def who(agent: str) -> str:
    return "[dim]world[/]" if agent == WORLD else escape(agent)


def grid(*columns: str | tuple[str, Fit], header: bool = True) -> Table:
    """A table without lines. A column is a name, or a name and how it fits: to the right; or what gives way
    where the line is too short, so that ids beside it stay whole: its words `wrap`, or it is `cut`."""
    table = Table(box=None, show_header=header, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        name, fit = column if isinstance(column, tuple) else (column, "left")
        gives_way = fit in ("wrap", "cut")
        table.add_column(
            name,
            justify="right" if fit == "right" else "left",
            no_wrap=not gives_way,
            overflow="fold" if fit == "wrap" else "ellipsis",
        )
    return table


def curve_table(curves: Mapping[Key, Curve], keys: Sequence[Key]) -> Table:
    """Each metric from its first value to its last."""
    table = grid("who", "metric", ("first", "right"), "", ("last", "right"), ("change", "right"))
    shown = [key for key in keys if key in curves]
    for key in shown[:ROWS]:
        curve = curves[key]
        table.add_row(
            who(curve.agent),
            escape(curve.name),
            f"[dim]{number(curve.first)}[/]",
            f"[cyan]{spark(curve.values)}[/]",
            f"[bold]{number(curve.last)}[/]",
            change(curve.first, curve.last),
        )
    if len(shown) > ROWS:
        table.add_row(f"[dim]and {len(shown) - ROWS} more[/]")
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and values, one a line; a value that is too long is folded."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def next_steps(commands: Sequence[tuple[str, str]]) -> Text:
    """What to type next: what for, and the command, which is never broken, so that it can be copied."""
    width = max((len(about) for about, _ in commands), default=0)
    text = Text(no_wrap=True, overflow="ignore")
    for position, (about, command) in enumerate(commands):
        text.append("\n" if position else "")
        text.append(f"{about:<{width}}  ", "dim")
        text.append(command)
    return text


def told_change(said: Mapping[str, Any]) -> str:
    """What a fork was asked to do differently, as it was typed."""
    parts = [*said.get("set", []), *said.get("agents", [])]
    parts += [f"model {said['model']}"] if said.get("model") else []
    parts += [f"event {kind}" for kind in said.get("events", [])]
    known = {"set", "agents", "model", "events"}
    parts += [f"{key} {_words(value)}" for key, value in said.items() if key not in known]
    return ", ".join(parts)


def title(*parts: str) -> Text:
    return Text.from_markup("  ".join(part for part in parts if part))


def compact(value: Any, width: int = 200) -> str:
    """A plain value on one line, as JSON without the noise."""
    text = _words(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        kind = value.get("type")
        inner = ", ".join(f"{key} {_words(item)}" for key, item in value.items() if key != "type")
        if isinstance(kind, str):
            return f"{kind}({inner})" if inner else kind
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_words(item) for item in value)}]"
    if isinstance(value, float) or (type(value) is int and abs(value) >= 100_000):
        return number(value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "nothing"}[value]
    return str(value)
