"""The runs kept as golden journals: who plays them, and what happens to them from outside.

The files beside this one were written once and are never written again: they are what a disk holds. A
change that cannot replay them is a change of the format, and needs a new one beside the old. To add a
story, write it here and run `python -m tests.golden.make NAME`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.toys import broker, clerk, desk
from tests.toys.broker import Order, Wait
from tests.toys.flight import Script, sit
from windtunnel.testing.lab import Lab
from windtunnel.world import AgentSpec, Scenario, World

HERE = Path(__file__).parent


class Once:
    """Offers one big order in its second session, then rests."""

    def decide(self, seen: Any, context: Any) -> Any:
        return Order(90) if context.turn == 2 else Wait()


class Story(NamedTuple):
    world: World
    scenario: Scenario
    players: Callable[[], Mapping[str, Any]]
    script: Script


def vote(lab: Lab, run_id: str) -> None:
    lab.vote("2.validate.ann.0", run_id=run_id)


def read_letter(lab: Lab, run_id: str) -> None:
    note = "Read twice, and fit to leave the house as it is. " * 30
    lab.post(
        "vote", {"effect": "2.validate.c.0", "approve": True, "note": note}, sender="boss", run_id=run_id
    )


HELD = Scenario(
    "broker",
    "golden",
    turns=10,
    agents=(AgentSpec("ann", kind="python"), AgentSpec("bo")),
    parameters={"limit": 50},
)
LETTERS = Scenario("clerk", "golden", turns=8, agents=(AgentSpec("c", kind="python"),))
TALK = Scenario("desk", "golden", turns=8, agents=(AgentSpec("d", kind="python"),))

STORIES = {
    # an order too large waits for a vote while the run goes on, and is sent two turns later
    "held": Story(
        broker.world,
        HELD,
        lambda: {"ann": Once()},
        {4: vote},
    ),
    # a team that asks models at the same time, a memory, a transcript in a Log
    "talk": Story(desk.world, TALK, lambda: {"d": desk.Team()}, {}),
    # long calls, replies, actions and notes, stored once as texts: format 2 (those above are of format 1)
    "letters": Story(clerk.world, LETTERS, lambda: {"c": clerk.Clerk()}, {4: read_letter}),
}


def write(name: str, folder: Path) -> Path:
    """Play a story, and a fork of it from the middle."""
    story = STORIES[name]
    with Lab(story.world, folder=folder, players=story.players()) as lab:
        lab.begin(story.scenario)
        sit(lab, "run", set(), story.script, None)
        lab.fork("5", run_id="fork")
        lab.go("fork")
        return Path(lab.store.location)
