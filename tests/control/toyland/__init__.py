"""A world for tests of workers: a ring of counters, and agents that misbehave when their settings say so.

Played by other processes; it knows nothing of the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from windtunnel.world import Action, Applied, Context, Decided, Engine, Event, Role, Scenario, World


class Add(Action, frozen=True):
    much: int = 1


class Count(Struct):
    total: int = 0
    turn: int = 0
    luck: float = 0.0
    ballast: list[int] = field(default_factory=list)


STALL = 99  # an action in whose turn the rules wait for what never comes


async def _stalled(state: Count) -> Applied[Count]:
    await asyncio.sleep(3600)
    return Applied(state)


class Rules(Engine[Count]):
    def start(self, scenario: Scenario, context: Context) -> Count:
        return Count()

    def observe(self, state: Count, actor: Any) -> dict[str, int]:
        return {"total": state.total, "turn": state.turn}

    def apply(self, state: Count, decided: Decided, events: Any, context: Context) -> Applied[Count]:
        state.turn += 1
        state.luck = context.chance("luck").random()
        state.total += sum(action.much for action in decided.values())
        if STALL in [action.much for action in decided.values()]:
            return _stalled(state)  # type: ignore[return-value]
        return Applied(state, [Event("heard", event.kind) for event in events])

    def score(self, state: Count) -> dict[str, dict[str, float]]:
        return {"world": {"total": state.total, "luck": state.luck}}

    def over(self, state: Count) -> str | None:
        return None


def add(seen: dict[str, int], context: Context) -> Add:
    """Counts; for `busy` seconds nothing else of its process comes on, as if it were computing."""
    time.sleep(float(context.settings.get("busy", 0.0)))
    return Add(1 + int(context.chance().random() * 3))


def prints(seen: dict[str, int], context: Context) -> Add:
    print("line one", seen["turn"])
    print('{"id": 1, "ok": "not the answer"}', file=sys.stderr)
    os.write(1, b"below Python\n")
    sys.stdout.write("x" * int(context.settings.get("much", 0)))
    return Add()


def dies(seen: dict[str, int], context: Context) -> Add:
    if seen["turn"] + 1 >= context.settings["at"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return Add()


def leaves(seen: dict[str, int], context: Context) -> Add:
    sys.exit(3)


def dies_once(seen: dict[str, int], context: Context) -> Add:
    """Ends its process at every turn of `at`, the first time that it is played."""
    add(seen, context)
    turn = seen["turn"] + 1
    mark = Path(context.settings["marks"]) / f"{context.settings['name']}-{turn}"
    if turn in context.settings["at"] and not mark.exists():
        mark.touch()
        os._exit(7)
    return Add()


def spins(seen: dict[str, int], context: Context) -> Add:
    """One turn of it never ends."""
    while seen["turn"] + 1 >= context.settings["at"]:
        time.sleep(0.01)
    return Add()


def stalls(seen: dict[str, int], context: Context) -> Add:
    return Add(STALL if seen["turn"] + 1 >= context.settings["at"] else 1)


def hoards(seen: dict[str, int], context: Context) -> Add:
    """Takes memory and keeps it."""
    _hoard.append(bytearray(os.urandom(1 << 20) * int(context.settings["mb"])))
    time.sleep(0.2)
    return Add()


async def asks(seen: dict[str, int], context: Context) -> Add:
    answer = await context.effect("ask", {"turn": context.turn})
    return Add(int(answer))


_hoard: list[bytearray] = []
policies = {f.__name__: f for f in (add, prints, dies, leaves, dies_once, spins, stalls, hoards, asks)}
world = World(
    "toyland", Rules(), Count, {"counter": Role((Add,), Add(0), policies)}, headline=("total",),
    queries={"total": lambda state, actor: state.total, "slow": lambda state, actor: time.sleep(600),
             "dies": lambda state, actor: os._exit(9), "prints": lambda state, actor: print("hello")},
)  # fmt: skip
