"""`python -m windtunnel.evolution.worker --home HOME --world evolution --name NAME [--run ID]`: a worker that
plays evolutions, as others play tournaments."""

from __future__ import annotations

from typing import Any

from windtunnel.control.catalog import Found
from windtunnel.control.worker import Worker, main
from windtunnel.evolution.running import Bench, play_at
from windtunnel.journal import RunRow, Store
from windtunnel.tournaments.hands import Hands
from windtunnel.tournaments.worker import ByHands


class Evolution(ByHands):
    async def _by(self, hands: Hands, store: Store, found: Found, **terms: Any) -> RunRow:
        return await play_at(self._workspace, Bench(store, found, hands, None), **terms)


class EvolutionWorker(Worker):
    plays = Evolution


if __name__ == "__main__":
    main(EvolutionWorker)
