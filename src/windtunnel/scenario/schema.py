"""The JSON Schema (draft 2020-12) of a world's scenario files, from which editors complete and check.

A file asks for it in its first line: `# yaml-language-server: $schema=PATH`. It says a little less than the
check that a run makes: what only code can say (a __post_init__ of the world, ids that must differ) is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from windtunnel.scenario.checking import is_struct
from windtunnel.scenario.shape import KINDS, ScenarioFile
from windtunnel.world import World

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema(world: World, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    types: list[Any] = [ScenarioFile]
    if is_struct(world.parameters):
        types.append(world.parameters)
    heads, parts = msgspec.json.schema_components(types, schema_hook=_anything, ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = {name: _strict(_listed(part)) for name, part in parts.items()}
    (top, *parameters) = [head["$ref"].removeprefix("#/$defs/") for head in heads]
    root = definitions.pop(top)
    agent = definitions[root["properties"]["agents"]["items"]["$ref"].removeprefix("#/$defs/")]
    _cast(agent, world, kinds)
    root["properties"]["world"]["const"] = world.name
    told = root["properties"]["parameters"]
    told.pop("default", None)
    told.update({"$ref": f"#/$defs/{parameters[0]}"} if parameters else {"type": "object"})
    if parameters and definitions[parameters[0]].get("required"):
        root["required"].append("parameters")
    title = f"A scenario of the world {world.name}"
    return {
        "$schema": DIALECT,
        **root,
        "title": title,
        "description": world.description or title,
        "$defs": definitions,
    }


def _cast(agent: dict[str, Any], world: World, kinds: Sequence[str]) -> None:
    """Roles, and for each of them its policies."""
    properties = agent["properties"]
    properties["kind"]["enum"] = list(kinds)
    properties["role"]["enum"] = list(world.roles)
    properties["id"]["not"] = {"const": "world"}
    if len(world.roles) == 1:
        (role,) = world.roles
        properties["role"]["default"] = role
        properties["policy"]["enum"] = ["", *world.roles[role].policies]
        return
    properties["role"].pop("default", None)
    agent["required"].append("role")
    agent["allOf"] = [
        {
            "if": {"properties": {"role": {"const": name}}, "required": ["role"]},
            "then": {"properties": {"policy": {"enum": ["", *role.policies]}}},
        }
        for name, role in world.roles.items()
    ]


def _strict(part: dict[str, Any]) -> dict[str, Any]:
    """Unknown keys are refused in every Struct, whether or not it says so itself."""
    if part.get("type") == "object" and "properties" in part:
        part.setdefault("additionalProperties", False)
    return part


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _anything(_: type) -> dict[str, Any]:
    return {}  # a type that only the world's own code can check
