"""How tournaments stand, told on the channels `tournament:ID` while somebody listens: after each round, and
at most once a second within one. Each message says the whole of it: one that was missed is no loss."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from windtunnel.control.bulletin import Bulletin
from windtunnel.errors import WindtunnelError
from windtunnel.server import types
from windtunnel.server.contesting import TOURNAMENT, Contesting
from windtunnel.server.streaming.hub import StreamHub

PREFIX = f"{TOURNAMENT}:"
LOOK_SECONDS = 1.0
LINE = {"rank", "entrant", "points", "matches", "rating", "low", "high", "best", "worst"}


class Announcing:
    """One look after the other, so that a tournament that takes long to be drawn up slows nobody's looks but
    those at tournaments."""

    def __init__(self, hub: StreamHub, contesting: Contesting) -> None:
        self._hub, self._contesting = hub, contesting
        self._bulletin: Bulletin = hub.bulletin
        self._told: dict[str, str] = {}  # by channel: the stamp of what was told last

    async def run(self) -> None:
        while True:
            heard = [channel for channel in self._hub.boards if channel.startswith(PREFIX)]
            self._told = {channel: stamp for channel, stamp in self._told.items() if channel in heard}
            for channel in heard:
                with suppress(WindtunnelError):  # there is none, or it cannot be read now
                    await self._tell(channel)
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, channel: str) -> None:
        stamp, told = await self._contesting.drawn(channel.removeprefix(PREFIX))
        if self._told.get(channel) == stamp:
            return
        self._told[channel] = stamp
        over = told.status in (types.Status.COMPLETED, types.Status.CANCELLED, types.Status.FAILED)
        self._bulletin.publish(channel, "complete" if over else "progress", message(told), run_id=told.run_id)


def message(told: types.TournamentStandings) -> dict[str, Any]:
    lines = [line.model_dump(include=LINE) for line in told.lines]
    return {
        "status": str(told.status), "round": told.rounds, "of_rounds": told.of_rounds,
        "matches": told.matches, "lines": lines,
    }  # fmt: skip
