"""Evolutions in the world of dice, where skill decides; and hands that play nothing, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.tournaments.field import workspace_at
from windtunnel.chance import Chance
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found
from windtunnel.errors import NotFound, WindtunnelError
from windtunnel.evolution.model import Plan
from windtunnel.evolution.reading import inline_evolution
from windtunnel.evolution.running import Story, begin_evolution, play_evolution, story_of
from windtunnel.tournaments.hands import Hands
from windtunnel.tournaments.model import Outcome, Seated
from windtunnel.tournaments.playing import Order
from windtunnel.tournaments.reading import Sources
from windtunnel.tournaments.reading import sources as dice_sources

__all__ = ["made", "played", "workspace_at"]

START = """\
strategy: thrower
world: dice
role: player
policy: dice
parameters: {skill: 0.0, habit: 3, bold: false, grip: left}
schema:
  skill: {type: number, minimum: -6, maximum: 6}
  habit: {type: integer, minimum: 0, maximum: 9}
  bold: {type: boolean}
  grip: {type: choice, options: [left, right, both]}
"""
TALKER = """\
strategy: talker
world: dice
role: player
kind: llm
policy: greedy
model: house
instructions: Throw as high as you can.
"""
SMALL: dict[str, Any] = {
    "evolution": "Better throws", "start": "thrower.yaml", "scenario": "dice/alone", "turns": 4, "seeds": 2,
    "population": 4, "generations": 2, "elites": 1, "held_out": {"seeds": 10},
    "scoring": {"metrics": [{"metric": "wealth"}]},
}  # fmt: skip


def nothing_registered(reference: str) -> Any:
    raise NotFound(f"no strategy is called {reference}")


def sources(workspace: Workspace) -> Sources:
    known = dice_sources(workspace)
    return Sources(workspace, known.load, nothing_registered)


def made(workspace: Workspace, **more: Any) -> Plan:
    (workspace.root / "thrower.yaml").write_text(START)
    (workspace.root / "talker.yaml").write_text(TALKER)
    for name, skill in (("rival", 1), ("other", 2)):
        text = START.replace("thrower", name).replace("skill: 0.0", f"skill: {skill}")
        (workspace.root / f"{name}.yaml").write_text(text)
    return inline_evolution({**SMALL, **more}, sources(workspace))


def played(workspace: Workspace, plan: Plan, hands: Hands | None = None) -> tuple[Found, Story]:
    found = begin_evolution(workspace, plan)
    asyncio.run(play_evolution(workspace, found, hands=hands))
    return found, story_of(found)


class Pretended:
    """Hands whose matches come to what a function of the order says, and take no time."""

    def __init__(self, score: Callable[[Order, str], float | None]) -> None:
        self.score, self.orders = score, list[Order]()
        self.stop_after: int | None = None
        self.cost = 0  # of a match, in micro-dollars

    async def play(self, order: Order) -> Outcome:
        self.orders.append(order)
        if self.stop_after is not None and len(self.orders) > self.stop_after:
            raise KeyboardInterrupt
        scores = {seat: self.score(order, seat) for seat in order.seats}
        guilty = next((order.seats[seat] for seat, score in scores.items() if score is None), "")
        seats = {seat: Seated(name, score=scores[seat]) for seat, name in order.seats.items()}
        ending: Any = "forfeited" if guilty else "played"
        return Outcome(order.run_id, ending, seats, 4, "it broke" if guilty else "", guilty, self.cost)

    def early(self, orders: Iterator[Order]) -> None:
        return None

    def stop(self, why: WindtunnelError) -> None:
        return None

    async def aclose(self) -> None:
        return None


def settings_of(order: Order, seat: str) -> dict[str, Any]:
    (mine,) = (agent for agent in order.scenario["agents"] if agent["id"] == seat)
    settings: dict[str, Any] = mine["settings"]
    return settings


def noise(salt: object) -> Callable[[Order, str], float]:
    """Nothing matters: luck of the seed that all share, and luck of the match."""

    def score(order: Order, seat: str) -> float:
        shared = Chance("shared", salt, order.scenario["seed"]).normal()
        return shared + Chance("own", salt, order.scenario["seed"], order.seats[seat], seat).normal()

    return score


def by_skill(order: Order, seat: str) -> float:
    """Skill matters, and so does luck a little."""
    luck = Chance("luck", order.scenario["seed"], order.seats[seat]).normal(0.0, 0.3)
    return float(settings_of(order, seat)["skill"]) + luck


def home(root: Path, name: str) -> Workspace:
    folder = root / name
    folder.mkdir()
    return workspace_at(folder)
