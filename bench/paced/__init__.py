"""A world for those who watch: one figure that wanders, and a policy that lets a while pass before it moves,
so that runs go on at a pace that a person, or a browser, is to keep up with. Found by its path, as a
stranger's world is."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct

from windtunnel.world import Action, Applied, Context, Decided, Engine, Role, Scenario, World


class Step(Action, frozen=True):
    by: float = 0.0


class Level(Struct):
    level: float = 100.0


class Rules(Engine[Level]):
    def start(self, scenario: Scenario, context: Context) -> Level:
        return Level()

    def observe(self, state: Level, actor: Any) -> dict[str, float]:
        return {"level": state.level}

    def apply(self, state: Level, decided: Decided, events: Any, context: Context) -> Applied[Level]:
        state.level += sum(action.by for action in decided.values())
        return Applied(state)

    def score(self, state: Level) -> dict[str, dict[str, float]]:
        return {"world": {"level": state.level}, "ann": {"wealth": state.level}}

    def over(self, state: Level) -> str | None:
        return None


async def wanders(seen: dict[str, float], context: Context) -> Step:
    if seconds := context.settings.get("seconds", 0.0):
        await asyncio.sleep(seconds)
    return Step(context.chance().random() - 0.5)


world = World(
    "paced", Rules(), Level, {"walker": Role((Step,), Step(), {"wanders": wanders})}, headline=("level",)
)
