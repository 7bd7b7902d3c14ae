"""A world of one pot, and a scenario in which one agent asks a model that may call tools."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

import windtunnel as wt
from windtunnel.config.tools import ToolServer as Known
from windtunnel.models.hub import Hub
from windtunnel.models.settings import OFFLINE
from windtunnel.world import AgentSpec, Scenario, ToolServer

SCRIPT = Path(__file__).with_name("server.py")
TAKEN = '{"why": "so", "action": {"type": "Take", "coins": %d}}'


class Pot(Struct):
    coins: int
    wealth: dict[str, int]


class Take(wt.Action, frozen=True):
    coins: int


class Rules(wt.Engine[Pot]):
    def start(self, scenario, context):
        return Pot(100, {agent.id: 0 for agent in scenario.agents})

    def observe(self, state, actor):
        return {"coins": state.coins}

    def apply(self, state, decided, events, context):
        for who, action in decided.items():
            state.coins -= action.coins
            state.wealth[who] += action.coins
        return wt.Applied(state)

    def over(self, state):
        return None if state.coins else "empty"


pot = wt.World("pot", Rules(), Pot, {"taker": wt.Role((Take,), Take(0))})


def command(log: Path) -> tuple[str, ...]:
    return (sys.executable, str(SCRIPT), "stdio", str(log))


def over_pipes(log: Path, tools: tuple[str, ...] = ()) -> ToolServer:
    return ToolServer("bench", command=command(log), tools=tools)


def scenario(server: ToolServer, *, turns: int = 1, **settings: Any) -> Scenario:
    ann = AgentSpec("ann", kind="llm", model="openai-chat:test-model", settings={"llm": settings})
    return Scenario("pot", turns=turns, agents=(ann,), mcp=(server,))


def hub(server: ToolServer, provider: str = "", **environ: str) -> Hub:
    """A machine that allows the server's command, and has a provider of models on loopback."""
    known: Mapping[str, Known] = {"bench": Known(command=server.command)} if server.command else {}
    variables = {OFFLINE: "1", "OPENAI_URL": provider, "OPENAI_API_KEY": "any", **environ}
    return Hub(environ=variables, tools=lambda: known)


def called(log: Path) -> list[str]:
    """What the server was called with, its starts left out."""
    return [line for line in log.read_text().splitlines() if not line.startswith("began")]
