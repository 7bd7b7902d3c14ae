"""A strategy in a seat of a run: what the scenario says of it, and code of one's own handed in."""

from __future__ import annotations

import importlib
from copy import deepcopy
from typing import Any

from msgspec import structs

from windtunnel.errors import ScenarioError
from windtunnel.strategies.model import Strategy, tidy
from windtunnel.words import suggest
from windtunnel.world import AgentSpec


def seat(strategy: Strategy, id: str) -> AgentSpec:  # noqa: A002 - as AgentSpec calls it
    """The seat in which the strategy plays. Its parameters are settings of the seat; the name of one that has
    dots in it leads into a mapping: `llm.temperature` is `temperature` of the setting `llm`."""
    whole = tidy(strategy)
    return AgentSpec(
        id=id,
        role=whole.role,
        kind=whole.kind,
        policy=whole.policy,
        model=whole.entry if whole.kind == "python" else whole.model,  # the key that it is handed in under
        instructions=whole.instructions,
        settings=settings_of(whole),
    )


def seated(strategy: Strategy, given: AgentSpec) -> AgentSpec:
    """A seat of a scenario, played by the strategy: its name, size and deadline stay, and of its settings
    those of which the strategy says nothing."""
    if given.role not in ("", strategy.role):
        raise ScenarioError(
            f"{given.id!r} plays {given.role}, and the strategy {strategy.name!r} is for {strategy.role}",
            where=f"agents.{given.id}",
            remedy="name a strategy for that role",
        )
    mine = seat(strategy, given.id)
    return structs.replace(
        mine, size=given.size, deadline=given.deadline, settings={**given.settings, **mine.settings}
    )


def settings_of(strategy: Strategy) -> dict[str, Any]:
    """Its settings with its parameters among them."""
    settings: dict[str, Any] = deepcopy(strategy.settings)
    for name, value in strategy.parameters.items():
        inside, *steps = settings, *name.split(".")
        for step in steps[:-1]:
            inside = inside.setdefault(step, {})
        inside[steps[-1]] = value
    return settings


def players(strategy: Strategy) -> dict[str, Any]:
    """Code of one's own, by the name under which a run is handed it; empty for every other kind. All seats
    that name the same code share one object: what a seat keeps belongs into `context.memory`."""
    return {strategy.entry: load_entry(strategy)} if strategy.kind == "python" else {}


def load_entry(strategy: Strategy) -> Any:
    """The agent that the entry names: a function of (observation, context), an object that has `decide`, or
    a class of such objects, which is called without arguments."""
    name, _, attribute = strategy.entry.partition(":")
    where = f"strategy {strategy.name}, entry {strategy.entry}"
    try:
        found: Any = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever the module does
        raise _broken(name, error, where) from error
    for step in attribute.split("."):
        if not hasattr(found, step):
            known = [one for one in dir(found) if not one.startswith("_")]
            raise ScenarioError(f"{name} has no {attribute!r}", where=where, remedy=suggest(step, known))
        found = getattr(found, step)
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:  # whatever the class does
            raise ScenarioError(
                f"{attribute} cannot be made: {type(error).__name__}: {error}", where=where,
                remedy="it is called without arguments; settings are in context.settings",
            ) from error  # fmt: skip
    if not (callable(getattr(found, "decide", None)) or callable(found)):
        raise ScenarioError(
            f"{attribute} is of type {type(found).__name__}, and no agent", where=where,
            remedy="name a function, or an object or class with decide(observation, context)",
        )  # fmt: skip
    return found


def _broken(name: str, error: BaseException, where: str) -> ScenarioError:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and (name == missing or name.startswith(f"{missing}.")):
        return ScenarioError(
            f"there is no module {missing!r} here", where=where,
            remedy="install the package that has it, or put its folder on PYTHONPATH",
        )  # fmt: skip
    if missing is not None:
        return ScenarioError(
            f"{name} needs {missing!r}, which is not here", where=where, remedy=f"install {missing!r}"
        )
    told = (
        f"ends the process (exit {error.code})"
        if isinstance(error, SystemExit)
        else f"{type(error).__name__}: {error}"
    )
    return ScenarioError(
        f"{name} cannot be imported: {told}", where=where, remedy=f'python -c "import {name}" shows where'
    )
