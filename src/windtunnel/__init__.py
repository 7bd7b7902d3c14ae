"""Windtunnel, a wind tunnel for autonomous agents.

>>> import windtunnel as wt
>>> run = wt.run("economy/growth", seed=7, turns=5)
>>> run.metrics.final()["world"]["gdp"] > 0
True

`run`, `open`, `runs`, `worlds` and `scenarios` are the verbs; the words a world is written with (`World`,
`Engine`, `Role`, `Action`, …) stand in `windtunnel.world` and can be had from here. Nothing is loaded before
it is used: `import windtunnel` costs nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as checkers know it; typing itself would be the heaviest thing here
if TYPE_CHECKING:
    from typing import Any

    from windtunnel.api import Forks, Run, run, runs, scenarios, worlds
    from windtunnel.api import open_run as open  # noqa: A004 - as gzip.open: `wt.open(run)`
    from windtunnel.api.tournaments import Tournament, tournament
    from windtunnel.errors import WindtunnelError
    from windtunnel.frames import Columns
    from windtunnel.world import (
        ACCEPT,
        WORLD,
        Action,
        Actor,
        Agent,
        AgentSpec,
        Applied,
        Call,
        Chance,
        Context,
        Decided,
        EffectKind,
        Engine,
        Event,
        Hold,
        Log,
        Metrics,
        Mode,
        Outcome,
        Progress,
        Role,
        Scenario,
        ScheduledEvent,
        Stakes,
        ToolServer,
        Validator,
        Verdict,
        Wake,
        World,
        accept,
        allow,
        amend,
        hold,
        reject,
        visible,
    )

__version__ = "0.1.0"

# Where each name lives: loaded when somebody asks for it.
_HOMES = {
    "windtunnel.api": ("Forks", "Run", "runs", "scenarios"),
    "windtunnel.api.tournaments": ("Tournament", "tournament"),
    "windtunnel.errors": ("WindtunnelError",),
    "windtunnel.frames": ("Columns",),
    "windtunnel.world": (
        "ACCEPT", "WORLD", "Action", "Actor", "Agent", "AgentSpec", "Applied", "Call", "Chance", "Context",
        "Decided", "EffectKind", "Engine", "Event", "Hold", "Log", "Metrics", "Mode", "Outcome", "Progress",
        "Role", "Scenario", "ScheduledEvent", "Stakes", "ToolServer", "Validator", "Verdict", "Wake", "World",
        "accept", "allow", "amend", "hold", "reject", "visible",
    ),
}  # fmt: skip
_PLACES = {name: (home, name) for home, names in _HOMES.items() for name in names}
_VERBS = ("run", "worlds")  # packages that are called as well
_PLACES["open"] = ("windtunnel.api", "open_run")

__all__ = [
    "ACCEPT", "WORLD", "Action", "Actor", "Agent", "AgentSpec", "Applied", "Call", "Chance", "Columns",
    "Context", "Decided", "EffectKind", "Engine", "Event", "Forks", "Hold", "Log", "Metrics", "Mode",
    "Outcome", "Progress", "Role", "Run", "Scenario", "ScheduledEvent", "Stakes", "ToolServer", "Tournament",
    "Validator", "Verdict", "Wake", "WindtunnelError", "World", "accept", "allow", "amend", "hold", "open",
    "reject", "run", "runs", "scenarios", "tournament", "visible", "worlds",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES and name not in _VERBS:
        raise AttributeError(f"module 'windtunnel' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - `import windtunnel` loads nothing at all

    if name in _VERBS:
        return import_module(f"windtunnel.{name}")
    home, there = _PLACES[name]
    found = getattr(import_module(home), there)
    globals()[name] = found
    return found


class _Verb(type(sys)):  # type: ignore[misc]  # the type of modules
    """A package whose name is a verb as well: `windtunnel.run` holds the turn loop, `wt.run(…)` runs."""

    def __call__(self, *given: Any, **named: Any) -> Any:
        """The verb of the Python interface: `help(windtunnel.api.run)` says what it takes."""
        return self.__wrapped__(*given, **named)

    @property
    def __wrapped__(self) -> Any:
        from windtunnel import api  # noqa: PLC0415 - `import windtunnel` loads nothing at all

        return getattr(api, self.__name__.rpartition(".")[2])


class _FrontDoor(type(sys)):  # type: ignore[misc]
    """This module, whichever of the two comes first: the import of such a package, or the use of the verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _VERBS and isinstance(value, type(sys)):
            value.__class__ = _Verb
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES, *_VERBS])
