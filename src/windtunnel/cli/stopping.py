"""Ctrl-C: the first asks the runs to pause at the end of their turn, the second ends at once.

A signal and not a task of the event loop, since a world of plain functions never lets the loop have its turn.
"""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

from windtunnel.cli import say
from windtunnel.run.player import Player

NOTE = "pausing at the end of this turn; Ctrl-C again ends at once"


class Stopper:
    """While it is entered, it holds the players that it may have to stop."""

    def __init__(self) -> None:
        self.asked = False
        self._players: dict[str, Player] = {}
        self._before: Any = None

    def watch(self, player: Player) -> None:
        self._players[player.run_id] = player
        if self.asked:
            player.stop = player.stop or "pause"

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._caught)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _caught(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a third one needs nobody's consent
            raise KeyboardInterrupt
        self.asked = True
        for player in self._players.values():
            player.stop = player.stop or "pause"
        if not (say.door.json or say.wide()):  # the live progress says it by itself
            os.write(2, f"\n{NOTE}\n".encode())  # a handler may not use buffered streams
