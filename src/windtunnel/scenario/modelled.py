"""Models in a scenario: which ones it asks, and another one in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import structs

from windtunnel.world import AgentSpec, Scenario

THINKING = ("llm", "team")  # kinds of agents that ask a model
RULE = "rule"
AT_HAND = ("house", "test")  # models that need neither a key nor an address


def is_model(word: str) -> bool:
    """Whether a word that stands where a policy may stand is the name of a model."""
    return ":" in word or word in AT_HAND


def with_model(scenario: Scenario, model: str) -> Scenario:
    """The scenario with this model for all who ask one; where nobody does, all agents do from now on. `rule`
    makes rules of everybody, and of a world's own game master and judge, if it has them. Crowds, people and
    players from elsewhere stay as they are."""
    asks = scenario.model or any(agent.kind in THINKING for agent in scenario.agents)
    if model == RULE:
        plain = [structs.replace(agent, kind=RULE, model="") for agent in scenario.agents]
        return structs.replace(scenario, agents=tuple(plain), model=RULE if asks else "")
    asks = asks and scenario.model != RULE
    agents = tuple(_asking(agent, convert=not asks) for agent in scenario.agents)
    return structs.replace(scenario, agents=agents, model=model)


def _asking(agent: AgentSpec, *, convert: bool) -> AgentSpec:
    if agent.kind in THINKING:
        settings = without_models(agent.settings) if agent.kind == "team" else agent.settings
        return structs.replace(agent, model="", settings=settings)
    if convert and agent.kind == RULE and agent.size == 1:
        return structs.replace(agent, kind="llm", model="")
    return agent


def without_models(settings: Any) -> Any:
    """A team's description with no model of its own anywhere in it."""
    if isinstance(settings, Mapping):
        return {key: without_models(value) for key, value in settings.items() if key != "model"}
    return [without_models(one) for one in settings] if isinstance(settings, (list, tuple)) else settings


def models_of(scenario: Scenario) -> list[str]:
    """Every model that the scenario's agents may ask; an empty name is the default route."""
    found: dict[str, None] = {}
    for agent in scenario.agents:
        if agent.kind in THINKING:
            found[agent.model or scenario.model] = None
        if agent.kind == "team":
            found |= dict.fromkeys(_named(agent.settings))
    return list(found) or ([scenario.model] if scenario.model not in ("", RULE) else [])


def _named(settings: Any) -> Iterator[str]:
    if isinstance(settings, Mapping):
        if isinstance(name := settings.get("model"), str) and name:
            yield name
        for value in settings.values():
            yield from _named(value)
    elif isinstance(settings, (list, tuple)):
        for one in settings:
            yield from _named(one)
