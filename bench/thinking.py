"""A run whose agents ask a model: the world of `loop.py`, a seat for each agent, and a provider nearby."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench import loop
from bench.playing import RUN, fresh
from windtunnel.config.models import Deployment, Models
from windtunnel.config.models import Route as RouteWords
from windtunnel.journal import RunRow, SqliteStore
from windtunnel.models.hub import Hub
from windtunnel.run.begin import begin
from windtunnel.run.session import play_run
from windtunnel.world import AgentSpec, Scenario

ANSWER = '{"why": "there is energy left", "action": {"type": "Rest"}}'
LIMIT = 64


def scenario(agents: int, turns: int) -> Scenario:
    seats = tuple(AgentSpec(f"agent-{number:02d}", kind="llm") for number in range(agents))
    return Scenario("loop", "bench", turns=turns, agents=seats, model="route", concurrency=LIMIT)


def settings(addresses: list[str]) -> Models:
    """One deployment for each address, asked in this order; all of them priced at nothing."""
    deployments = {
        f"server-{number}": Deployment(
            f"openai-chat:bench-{number}", url=address, local=True, concurrency=LIMIT
        )
        for number, address in enumerate(addresses)
    }
    return Models(deployments, routes={"route": RouteWords(chain=tuple(deployments))})


def played(
    path: Path, given: Scenario, addresses: list[str], engine: loop.Rules | None = None
) -> tuple[SqliteStore, RunRow]:
    """The run, played to its end with its models at these addresses."""
    world = loop.world(engine)
    store = SqliteStore(fresh(path), create=True)
    begin(store, world, given, RUN)

    async def play() -> RunRow:
        hub = Hub(settings(addresses), environ={"WINDTUNNEL_OFFLINE": "1"})
        try:
            return await play_run(store, world, RUN, hub=hub)
        finally:
            await hub.aclose()

    return store, asyncio.run(play())
