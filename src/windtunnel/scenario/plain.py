"""Scenarios as data: to and from the plain values a journal, a YAML file or a request carries."""

from __future__ import annotations

from typing import Any

import msgspec

from windtunnel.errors import ScenarioError
from windtunnel.scenario.approvals import whole_policy
from windtunnel.scenario.checking import check
from windtunnel.scenario.reading import Place, node_of
from windtunnel.world import Scenario, World


def scenario_to_plain(scenario: Scenario) -> dict[str, Any]:
    """What JSON can hold, and nothing else: lists and not tuples, keys that are text."""
    plain: dict[str, Any] = _listed(msgspec.to_builtins(scenario, str_keys=True))
    return plain


_NESTED = (dict, list, tuple)  # what `to_builtins` makes of anything that holds something


def _listed(value: Any) -> Any:
    if type(value) is dict:
        return {key: _listed(item) if type(item) in _NESTED else item for key, item in value.items()}
    return [_listed(item) if type(item) in _NESTED else item for item in value]


def scenario_from_plain(plain: dict[str, Any], world: World) -> Scenario:
    """A scenario with its parameters typed by the world."""
    try:
        scenario = msgspec.convert(plain, Scenario)
    except msgspec.ValidationError as error:
        raise _told(error, plain, Scenario, world) from None
    if scenario.approvals:
        policy = whole_policy(scenario.approvals)
        scenario = msgspec.structs.replace(scenario, approvals=policy)
    if world.parameters is None:
        return scenario
    given = plain.get("parameters") or {}
    try:
        typed: Any = msgspec.convert(given, world.parameters, str_keys=True)
    except msgspec.ValidationError as error:
        raise _told(error, given, world.parameters, world, "parameters") from None
    return msgspec.structs.replace(scenario, parameters=typed)


def _told(
    problem: msgspec.ValidationError, plain: Any, wanted: Any, world: World, field: str = ""
) -> ScenarioError:
    """The field that does not fit, and its cure, as a file's would be told."""
    schema = f"windtunnel schema {world.name} tells what fits"
    place = Place("a scenario made in Python")
    try:
        check(node_of(plain, place), wanted, field)
    except ScenarioError as error:
        found = str(error.data.get("field") or field)
        return ScenarioError(
            error.message, where=found or str(place), remedy=error.remedy or schema, field=found
        )
    return ScenarioError(str(problem), where=field or str(place), remedy=schema)
