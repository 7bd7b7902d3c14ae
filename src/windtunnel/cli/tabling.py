"""Standings in a terminal: while matches are played, and at the end."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import to_builtins
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from windtunnel.cli import render, say
from windtunnel.cli.closing import short_path, short_place
from windtunnel.cli.stopping import NOTE, Stopper
from windtunnel.control.catalog import Found
from windtunnel.run.player import Player
from windtunnel.tournaments.model import Match, Outcome
from windtunnel.tournaments.selfplay import OwnPast
from windtunnel.tournaments.standings import Standing, Standings
from windtunnel.words import counted

LINES = 12  # entrants shown while it goes


class Scoreboard:
    """Hears of every match. Where there is no terminal it stays silent."""

    def __init__(self, found: Found, stopper: Stopper) -> None:
        self._found, self._stopper = found, stopper
        self._begun = time.perf_counter()
        self._player: Player | None = None
        self._played = 0
        self._points: dict[str, list[float]] = defaultdict(list)
        self._last = ""
        self._live: Live | None = None
        if say.wide():
            console = say.console_for(sys.stderr)
            self._live = Live(self, console=console, refresh_per_second=8, transient=True)

    def __call__(self, player: Player) -> None:
        self._stopper.watch(player)
        self._player = player

    def heard(self, match: Match, outcome: Outcome) -> None:
        self._played += 1
        names = []
        for one in outcome.seats.values():
            if outcome.ending != "void":
                self._points[one.entrant].append(one.points)
            names.append(f"{one.entrant} {one.points:g}")
        self._last = f"round {match.round}: {', '.join(names)}" + (
            f"  ({outcome.ending}: {outcome.why})" if outcome.ending != "played" else ""
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich_console__(self, console: Console, options: Any) -> Any:
        seconds = time.perf_counter() - self._begun
        rate = self._played / seconds if seconds > 0 else 0.0
        table = render.grid("", ("points", "right"), ("matches", "right"))
        best = sorted(self._points.items(), key=lambda item: -sum(item[1]) / len(item[1]))
        for name, points in best[:LINES]:
            table.add_row(escape(name), f"{sum(points):g}", str(len(points)))
        head = Text.from_markup(
            f"[bold]{escape(self._found.row.scenario)}[/]  {counted(self._played, 'match', 'matches')}"
            f"  [dim]{rate:.1f}/s[/]"
        )
        stopping = [Text(NOTE, style="yellow")] if self._stopper.asked else []
        yield Group(head, table, Text(self._last, style="dim", overflow="ellipsis", no_wrap=True), *stopping)


def show_standings(found: Found, told: Standings, html: Path | None = None) -> None:
    if say.door.json:
        say.data({**to_builtins(told), "store": found.location})
        return
    of = f" of {told.of_rounds}" if told.of_rounds else ""
    say.show(
        render.title(
            f"[bold]{escape(told.title)}[/]", render.status(told.status),
            f"{counted(told.rounds, 'round')}{of}, {counted(told.matches, 'match', 'matches')}",
            f"[dim]{told.format}, {escape(told.world)} {escape(told.version)}[/]",
        ),
        "",
        _table(told), "", _scores(told), "",
    )  # fmt: skip
    for past in told.selfplay:
        say.show(_own_past(past), f"[bold]{escape(past.sentence)}[/]", "")
    for note in told.notes:
        say.show(f"[dim]{escape(note)}[/]")
    if told.seat is not None:
        points, low, high = told.seat
        say.show(f"[dim]the first seat is worth {points:+.0f} points ({low:+.0f} to {high:+.0f})[/]")
    say.show("", render.facts(_facts(found, told, html)), "", render.next_steps(_steps(found, told)))


def _facts(found: Found, told: Standings, html: Path | None) -> list[tuple[str, str]]:
    rows = [("run", f"[bold]{told.run_id}[/]"), ("file", escape(short_place(found.location)))]
    if told.cost:
        rows.append(("cost", f"${told.cost / 1e6:.4f}"))
    if html is not None:
        rows.append(("report", escape(short_path(html))))
    if told.status not in ("completed", "running") and told.reason:
        rows.append((told.status, escape(told.reason)))
    return rows


def _steps(found: Found, told: Standings) -> list[tuple[str, str]]:
    steps = [] if told.status == "completed" else [("go on", f"windtunnel tournament {found.name}")]
    steps.append(("a match", f"windtunnel show {told.run_id}.1"))
    if len(told.lines) > 1:
        steps.append(("as a file", f"windtunnel standings {found.name} --html standings.html"))
    return steps


def _table(told: Standings) -> Table:
    """Places by the format, and what the matches say of who is better."""
    table = render.grid(
        "", ("entrant", "cut"), ("points", "right"), ("W D L", "right"), ("rating", "right"),
        ("95%", "right"), ("rank", "right"), ("Elo", "right"),
    )  # fmt: skip
    for line in told.lines:
        table.add_row(
            "pool" if line.pool else str(line.rank), f"[bold]{escape(line.entrant)}[/]{_flaws(line)}",
            f"{line.points:g}", f"{line.wins} {line.draws} {line.losses}", _whole(line.rating),
            _range(line.low, line.high), _ranks(line), _whole(line.elo),
        )  # fmt: skip
    return table


def _scores(told: Standings) -> Table:
    """The means behind them: the score by which matches are won, its raw terms, and both composites."""
    skilled = any(line.skill is not None for line in told.lines)
    names = ["score", "ROI", "Sharpe", "composite", "literal", *(["skill"] if skilled else [])]
    heads: list[Any] = ["entrant", *((name, "right") for name in names)]
    table = render.grid(*heads)
    for line in told.lines:
        cells = [
            escape(line.entrant),
            render.short(line.score),
            _percent(line.roi),
            render.short(line.sharpe),
        ]
        cells += [render.short(value, sign=True) for value in (line.composite, line.literal)]
        if skilled:
            cells.append(f"{line.skill:.1f} ± {line.skill_error:.1f}" if line.skill is not None else "-")
        table.add_row(*cells)
    return table


def _own_past(past: OwnPast) -> Table:
    """The newest version against each of its past, each by itself: no line of ratings is assumed."""
    sure = f"{1 - past.alpha:.0%}, all {past.looked}" if past.looked > 1 else f"{1 - past.alpha:.0%}"
    table = render.grid(
        f"{escape(past.newest)} against", ("pairs", "right"), ("points", "right"), (sure, "right"), ""
    )
    for one in past.past:
        table.add_row(
            escape(one.version), str(one.pairs), f"{one.share:.0%}",
            f"[dim]{one.low:.0%} … {one.high:.0%}[/]",
            f"forgotten: {escape(', '.join(one.by))} can" if one.forgotten else one.verdict,
        )  # fmt: skip
    return table


def _flaws(line: Standing) -> str:
    told = [f"{line.forfeits} forfeited"] if line.forfeits else []
    told += [f"{line.refused} refused"] if line.refused else []
    return f" [yellow]({', '.join(told)})[/]" if told else ""


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _range(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[dim]{low:+.0f} … {high:+.0f}[/]"


def _ranks(line: Standing) -> str:
    if line.best is None:
        return "-"
    return str(line.best) if line.best == line.worst else f"{line.best}–{line.worst}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:+.1f}%"
