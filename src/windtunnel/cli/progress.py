"""Live progress on a terminal's stderr: how far, how fast, how long still, and the headline as it moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from windtunnel.cli import render, say
from windtunnel.cli.stopping import NOTE, Stopper
from windtunnel.control.history import Finals, telling
from windtunnel.run.player import Player

LINES = 8  # runs shown at a time; the others are counted
MOVING = 4  # metrics shown while they move


class _Line:
    """One run as the progress knows it."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.begun, self.from_turn = time.perf_counter(), player.tape.lineage.row.turn
        self.turn = self.from_turn

    def heard(self, player: Player) -> None:
        self.player, self.turn = player, max(self.turn, player.tape.turn)

    @property
    def turns(self) -> int:
        return max(1, self.player.tape.lineage.row.turns)

    @property
    def rate(self) -> float:
        passed = time.perf_counter() - self.begun
        return (self.turn - self.from_turn) / passed if passed > 0 else 0.0


class Progress:
    """An observer of players. Where there is no terminal it listens and stays silent."""

    def __init__(self, headline: Sequence[str] = (), *, stopper: Stopper | None = None) -> None:
        self._headline, self._stopper = tuple(headline), stopper
        self._lines: dict[str, _Line] = {}
        self._live: Live | None = None
        if say.wide():
            console = say.console_for(sys.stderr)
            self._live = Live(self, console=console, refresh_per_second=8, transient=True)

    def __call__(self, player: Player) -> None:
        if self._stopper is not None:
            self._stopper.watch(player)
        line = self._lines.get(player.run_id)
        if line is None:
            line = self._lines[player.run_id] = _Line(player)
        line.heard(player)

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
        yield self._picture()

    def _picture(self) -> RenderableType:
        lines = list(self._lines.values())
        if not lines:
            return Text("")
        moving = [line for line in lines if line.turn < line.turns] or lines[-1:]
        table = Table.grid(padding=(0, 2, 0, 0))
        for line in moving[:LINES]:
            table.add_row(*_cells(line))
        rest = len(lines) - min(len(moving), LINES)
        done = sum(line.turn >= line.turns for line in lines)
        extra = (
            [Text(f"{done} of {len(lines)} runs done", style="dim")] if rest > 0 and len(lines) > 1 else []
        )
        told = [self._headlines(lines[0])] if len(lines) == 1 else []
        stopping = self._stopper is not None and self._stopper.asked
        return Group(table, *told, *extra, *([Text(NOTE, style="yellow")] if stopping else []))

    def _headlines(self, line: _Line) -> RenderableType:
        turn = line.player.last
        if turn is None:
            return Text("")
        table: Finals = {agent: dict(metrics) for agent, metrics in turn.scores.items()}
        keys = [
            key for key in telling(table, self._headline) if isinstance(table[key[0]][key[1]], (int, float))
        ]
        parts = []
        for agent, name in keys[:MOVING]:
            whose = f"{escape(agent)} " if agent != "world" else ""
            parts.append(f"[dim]{whose}{escape(name)}[/] {render.number(table[agent][name])}")
        return Text.from_markup("   ".join(parts), overflow="ellipsis")


def _cells(line: _Line) -> list[RenderableType]:
    row = line.player.tape.lineage.row
    rate = line.rate
    left = (line.turns - line.turn) / rate if rate > 0 else None
    return [
        Text(row.scenario or row.world, style="bold", overflow="ellipsis", no_wrap=True),
        ProgressBar(total=line.turns, completed=line.turn, width=20),
        Text(f"{line.turn:,}/{line.turns:,}", no_wrap=True),
        Text(
            f"{render.number(round(rate, 1) if rate < 100 else round(rate))} turns/s" if rate else "",
            style="dim",
            no_wrap=True,
        ),
        Text(
            f"{render.duration(left)} left" if left is not None and line.turn < line.turns else "",
            style="dim",
        ),
    ]
