"""Which deployments a call tries, in which order, and for which reasons the next one is tried.

A route's first fitting choice comes first, then its chain; each deployment once. A name of a route may be
another route: it stands for its own order. What is not set up on this machine, or may not
be asked from it, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from windtunnel.config.models import ON, Choice, Trigger
from windtunnel.errors import ModelSetup
from windtunnel.models.settings import (
    BUILT_IN,
    DEFAULT_ROUTE,
    FROM_ENVIRONMENT,
    OFFLINE,
    Deployment,
    Setup,
    is_loopback,
)
from windtunnel.models.talk import Task

HIGH = ("high", "critical")
FELL = "high-stakes on a local model"


class Plan(NamedTuple):
    """The order of a call. A step is a deployment, or the name of a model that answers in this process."""

    steps: tuple[Deployment | str, ...]
    on: frozenset[Trigger] = frozenset(ON)
    high_stakes: bool = False
    left_out: tuple[str, ...] = ()


def is_high_stakes(task: Task) -> bool:
    return task.accuracy and task.risk in HIGH


def plan(setup: Setup, model: str, task: Task) -> Plan:
    name = model or DEFAULT_ROUTE
    route = setup.routes.get(name)
    if route is None:
        return Plan((name if name in BUILT_IN else setup.named(name),), high_stakes=is_high_stakes(task))
    steps: dict[str, Deployment | str] = {}
    left_out: list[str] = []
    for step in _names(setup, name, task):
        if step in BUILT_IN:
            steps[step] = step
            continue
        try:
            found = setup.named(step)
        except ModelSetup as error:
            left_out.append(f"{step}: {error.remedy}")
            continue
        if (missing := setup.missing(found)) is not None:
            left_out.append(f"{step}: {missing}")
        elif setup.offline and not is_loopback(found.host):
            left_out.append(f"{step}: outside this machine, and {OFFLINE} is set")
        else:
            steps.setdefault(found.name, found)
    high = is_high_stakes(task)
    if high and (route.high_stakes or setup.settings.high_stakes) == "refuse":
        for key, one in list(steps.items()):
            if isinstance(one, str) or one.local:
                del steps[key]
                left_out.append(f"{key}: policy refuses a local model where the stakes are high")
    if not steps:
        raise ModelSetup(
            f"no model of the route {name!r} can be asked",
            where=f"models.routes.{name}",
            remedy="; ".join(dict.fromkeys(left_out)) or _how(),
        )
    return Plan(tuple(steps.values()), frozenset(route.on), high, tuple(left_out))


def _names(setup: Setup, name: str, task: Task) -> Iterator[str]:
    """The names of a route in order, routes within it followed. No route leads back to itself: see Setup."""
    route = setup.routes[name]
    chosen = next((choice.use for choice in route.choose if _fits(choice, task)), ())
    for step in (*chosen, *route.chain):
        if step in setup.routes:
            yield from _names(setup, step, task)
        else:
            yield step


def _fits(choice: Choice, task: Task) -> bool:
    tokens = task.tokens
    return (
        (not choice.types or task.type in choice.types)
        and (not choice.risk or task.risk in choice.risk)
        and (choice.accuracy is None or task.accuracy == choice.accuracy)
        and (choice.tokens_from is None or (tokens is not None and tokens >= choice.tokens_from))
        and (choice.tokens_to is None or (tokens is not None and tokens <= choice.tokens_to))
        and (choice.priority_from is None or task.priority >= choice.priority_from)
    )


def _how() -> str:
    return f"set {' or '.join(variable for *_, variable in FROM_ENVIRONMENT)}"
