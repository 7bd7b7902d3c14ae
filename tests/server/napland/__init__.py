"""A world whose turns take as long as a file says: runs stay under way while what surrounds them is killed,
and come to the same head as runs that nobody kept waiting. It knows nothing of the tests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from msgspec import Struct

from windtunnel.world import Action, Applied, Context, Decided, Engine, Role, Scenario, World


class Add(Action, frozen=True):
    much: int = 1
    note: str = ""


class Big(Action, frozen=True):
    much: int = 100


class Count(Struct):
    total: int = 0
    turn: int = 0


class Rules(Engine[Count]):
    def start(self, scenario: Scenario, context: Context) -> Count:
        return Count()

    def observe(self, state: Count, actor: Any) -> dict[str, int]:
        return {"total": state.total, "turn": state.turn}

    def apply(self, state: Count, decided: Decided, events: Any, context: Context) -> Applied[Count]:
        state.turn += 1
        state.total += sum(action.much for action in decided.values())
        return Applied(state)

    def score(self, state: Count) -> dict[str, dict[str, float]]:
        return {"world": {"total": state.total}, "ann": {"wealth": state.total}}

    def over(self, state: Count) -> str | None:
        return None


def _pace(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return 0.0  # nobody keeps us waiting any more


async def naps(seen: dict[str, int], context: Context) -> Add | Big:
    """Sleeps for the seconds that stand in the file `pace`, while it is there. In the turn `big` it wants
    what people decide on."""
    settings = context.settings
    await asyncio.sleep(_pace(Path(settings["pace"])))
    if seen["turn"] + 1 == settings.get("big", 0) and context.attempt == 1:
        return Big()
    return Add(1 + int(context.chance().random() * 3), "x" * int(settings.get("fat", 0)))


world = World(
    "napland",
    Rules(),
    Count,
    {"counter": Role((Add, Big), Add(0), {"naps": naps})},
    headline=("total",),
)
