"""Scenarios as data: to and from the plain values a journal, a YAML file or a request carries."""

from __future__ import annotations

from typing import Any

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.world import Scenario, World


def scenario_to_plain(scenario: Scenario) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(scenario)
    return plain


def scenario_from_plain(plain: dict[str, Any], world: World) -> Scenario:
    """A scenario with its parameters typed by the world."""
    try:
        scenario = msgspec.convert(plain, Scenario)
        if world.parameters is None:
            return scenario
        given = plain.get("parameters") or {}
        return msgspec.structs.replace(scenario, parameters=msgspec.convert(given, world.parameters))
    except msgspec.ValidationError as error:
        raise ScenarioError(str(error)) from None
