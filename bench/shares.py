"""Where a turn's time goes: a world whose methods, judge, policies and invariants note how long they took.

What is left of the wall is the kernel's: encoding, hashing, checking, storing. The watch costs a microsecond
a call, so rates are measured without it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import CoroutineType
from typing import Any

from msgspec.structs import replace

from bench.measure import Figures, Stopwatch
from bench.playing import play, start
from windtunnel.world import Scenario, World


class Clock:
    """Seconds by the name of what ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        seconds = self.seconds
        seconds.setdefault(name, 0.0)

        def watched(*given: Any) -> Any:
            began = perf_counter()
            found = call(*given)
            seconds[name] += perf_counter() - began
            if isinstance(found, CoroutineType):
                found.close()
                raise TypeError(f"{name} is async: its time would not be seen")
            return found

        return watched


class Watched:
    """An engine or a validator, each call of whose methods is timed."""

    def __init__(self, inner: Any, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    def __getattr__(self, name: str) -> Any:
        watched = self._clock.watch(name, getattr(self._inner, name))
        setattr(self, name, watched)
        return watched


def watched_world(world: World, clock: Clock) -> World:
    roles = {
        name: replace(
            role,
            policies={called: clock.watch("policies", policy) for called, policy in role.policies.items()},
        )
        for name, role in world.roles.items()
    }
    return replace(
        world,
        engine=Watched(world.engine, clock),
        validator=Watched(world.validator, clock) if world.validator else None,
        roles=roles,
        invariants={name: clock.watch("invariants", check) for name, check in world.invariants.items()},
    )


def shares(folder: str, world: World, scenario: Scenario) -> Figures:
    """The share of the wall by what ran: `world` is all of the world's own code, `kernel` the rest."""
    clock = Clock()
    store = start(Path(folder) / "shares.sqlite", world, scenario)
    with Stopwatch() as watch:
        row = play(store, watched_world(world, clock))
    store.close()
    assert row.turn == scenario.turns, row
    found = {name: seconds / watch.seconds for name, seconds in clock.seconds.items()}
    whole = sum(found.values())
    return {"world": whole, "kernel": 1.0 - whole, **found}
