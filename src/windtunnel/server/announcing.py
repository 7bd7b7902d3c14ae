"""How tournaments and evolutions stand, told on the channels `tournament:ID` and `evolution:ID` while
somebody listens: after each round or generation, and at most once a second within one. Each message says the
whole of it: one that was missed is no loss. The channel `proposals` tells of each that appears or is decided,
by whatever door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

from windtunnel.control.bulletin import Bulletin
from windtunnel.errors import WindtunnelError
from windtunnel.server import types
from windtunnel.server.contesting import TOURNAMENT, Contesting
from windtunnel.server.evolving import EVOLUTION, Evolving
from windtunnel.server.ground import aside
from windtunnel.server.streaming.hub import StreamHub

LOOK_SECONDS = 1.0
PROPOSE_SECONDS = 2.0
PROPOSALS = "proposals"
LINE = {"rank", "entrant", "points", "matches", "rating", "low", "high", "best", "worst"}
OVER = (types.Status.COMPLETED, types.Status.CANCELLED, types.Status.FAILED)

Phase = Literal["start", "progress", "complete"]
Look = Callable[[str], Awaitable[tuple[str, types.Status, dict[str, Any]]]]


class Announcing:
    """One look after the other, so that what takes long to be drawn up slows nobody's looks but those at its
    like."""

    def __init__(self, hub: StreamHub, contesting: Contesting, evolving: Evolving) -> None:
        self._hub, self._contesting, self._evolving = hub, contesting, evolving
        self._bulletin: Bulletin = hub.bulletin
        self._told: dict[str, str] = {}  # by channel: the stamp of what was told last
        self._proposals: dict[int, str] | None = None  # the same of each, while somebody listens

    async def tournaments(self) -> None:
        await self._work(TOURNAMENT, self._standings)

    async def evolutions(self) -> None:
        await self._work(EVOLUTION, self._evolution)

    async def proposals(self) -> None:
        """See to it that what passed its gate is proposed, and tell it."""
        looked = -PROPOSE_SECONDS
        while True:
            with suppress(WindtunnelError):  # the store is busy, or no desk answers: the next look does it
                if time.monotonic() - looked >= PROPOSE_SECONDS:
                    await self._evolving.propose()
                    looked = time.monotonic()
                await self._tell_proposals()
            await asyncio.sleep(LOOK_SECONDS)

    async def _work(self, kind: str, look: Look) -> None:
        prefix = f"{kind}:"
        while True:
            heard = [channel for channel in self._hub.boards if channel.startswith(prefix)]
            for gone in [one for one in self._told if one.startswith(prefix) and one not in heard]:
                del self._told[gone]
            for channel in heard:
                with suppress(WindtunnelError):  # there is none, or it cannot be read now
                    await self._tell(channel, look)
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, channel: str, look: Look) -> None:
        run_id = channel.partition(":")[2]
        stamp, status, body = await look(run_id)
        if self._told.get(channel) == stamp:
            return
        self._told[channel] = stamp
        self._bulletin.publish(channel, "complete" if status in OVER else "progress", body, run_id=run_id)

    async def _standings(self, run_id: str) -> tuple[str, types.Status, dict[str, Any]]:
        stamp, told = await self._contesting.drawn(run_id)
        return stamp, told.status, standings_told(told)

    async def _evolution(self, run_id: str) -> tuple[str, types.Status, dict[str, Any]]:
        stamp, told = await self._evolving.drawn(run_id)
        return stamp, told.status, evolution_told(told)

    async def _tell_proposals(self) -> None:
        """Each that is new, or stands otherwise than a moment ago."""
        if PROPOSALS not in self._hub.boards:
            self._proposals = None
            return
        now = await aside(self._evolving.proposals.stamps)
        before, self._proposals = self._proposals, now
        for key in () if before is None else sorted(now):
            if before is not None and before.get(key) != now[key]:
                one = await aside(self._evolving.proposals.find, key)
                body = {
                    "id": key, "strategy": one.strategy, "title": one.wanted.title, "status": one.status,
                    "approvals": len(one.approvals), "approvers": one.needed,
                    "by": one.votes[-1].who if one.votes else None,
                }  # fmt: skip
                phase: Phase = "progress" if key in before else "start"
                if one.status in ("rejected", "expired", "rolled_back"):
                    phase = "complete"
                self._bulletin.publish(PROPOSALS, phase, body, run_id=one.wanted.run_id)


def standings_told(told: types.TournamentStandings) -> dict[str, Any]:
    lines = [line.model_dump(include=LINE) for line in told.lines]
    return {
        "status": str(told.status), "round": told.rounds, "of_rounds": told.of_rounds,
        "matches": told.matches, "lines": lines,
    }  # fmt: skip


def evolution_told(told: types.Evolution) -> dict[str, Any]:
    last = told.generations[-1].model_dump() if told.generations else None
    verdict = told.verdict
    return {
        "status": str(told.status), "generation": len(told.generations),
        "of_generations": told.of_generations, "matches": told.matches, "cost": told.cost, "last": last,
        "verdict": None if verdict is None else {"promoted": verdict.promoted, "reason": verdict.reason},
        "proposal": None if told.proposal is None else told.proposal.model_dump(),
    }  # fmt: skip
