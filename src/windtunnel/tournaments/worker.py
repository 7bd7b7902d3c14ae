"""`python -m windtunnel.tournaments.worker --home HOME --world tournament --name NAME [--run ID]`: a worker
that plays tournaments.

As every worker does, it takes what the queue has and may be killed at any moment; its matches are played by
hands of its own, which end with it. So a tournament that was started over the network is played as long as
anybody is there to watch workers, by one process at a time.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from windtunnel.config import Workspace
from windtunnel.control.catalog import Found
from windtunnel.control.playing import Playing
from windtunnel.control.queue import Standing
from windtunnel.control.worker import Worker, main
from windtunnel.journal import RunRow, Store
from windtunnel.tournaments.hands import Hands, LocalHands
from windtunnel.tournaments.running import Table, play_at
from windtunnel.world import World


class ByHands(Playing):
    """What hands play, in a worker. What a workspace allows any run in seconds is meant for a match, and
    what consists of matches says itself how long one may take."""

    def __init__(self, workspace: Workspace, world: World, standing: Standing) -> None:
        super().__init__(workspace, world, standing)
        asked = standing.ticket.limits
        self.limits = replace(self.limits, seconds=asked.seconds if asked is not None else None)

    async def _played(self, store: Store, **terms: Any) -> RunRow:
        workspace = self._workspace
        hands = LocalHands(workspace, processes=workspace.settings.runs.workers or 0)
        found = Found(self.standing.ticket.location, store.run(self.run_id))
        try:
            return await self._by(hands, store, found, **terms)
        finally:
            await hands.aclose()

    async def _by(self, hands: Hands, store: Store, found: Found, **terms: Any) -> RunRow:
        raise NotImplementedError


class Tournament(ByHands):
    async def _by(self, hands: Hands, store: Store, found: Found, **terms: Any) -> RunRow:
        return await play_at(Table(self._workspace, store, found, hands, None), **terms)


class TournamentWorker(Worker):
    plays = Tournament


if __name__ == "__main__":
    main(TournamentWorker)
