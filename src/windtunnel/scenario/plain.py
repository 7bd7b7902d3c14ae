"""Scenarios as data: to and from the plain values a journal, a YAML file or a request carries."""

from __future__ import annotations

from typing import Any

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.world import Scenario, World


def scenario_to_plain(scenario: Scenario) -> dict[str, Any]:
    """What JSON can hold, and nothing else: lists and not tuples, keys that are text."""
    plain: dict[str, Any] = _listed(msgspec.to_builtins(scenario, str_keys=True))
    return plain


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def scenario_from_plain(plain: dict[str, Any], world: World) -> Scenario:
    """A scenario with its parameters typed by the world."""
    try:
        scenario = msgspec.convert(plain, Scenario)
        if world.parameters is None:
            return scenario
        given = plain.get("parameters") or {}
        typed: Any = msgspec.convert(given, world.parameters, str_keys=True)
    except msgspec.ValidationError as error:
        raise ScenarioError(str(error)) from None
    return msgspec.structs.replace(scenario, parameters=typed)
