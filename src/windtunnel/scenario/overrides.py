"""`--set a.b=c`: one value of a scenario changed by its path.

A path goes through keys, agents by id or position (`*` is all of them), lists by position. A key of the
world's parameters may stand alone where the scenario has no key of that name. Values are read as YAML; where
text is wanted they are text as typed. Whether a value fits is for the check of the whole scenario to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from windtunnel.errors import ScenarioError
from windtunnel.scenario.checking import bare, is_struct, keys_of
from windtunnel.scenario.reading import read_yaml
from windtunnel.scenario.shape import ScenarioFile
from windtunnel.words import suggest
from windtunnel.world import AgentSpec, World

ALL = "*"
_EVERY = 1000  # overrides in one call


def apply_overrides(
    plain: Mapping[str, Any], overrides: Sequence[str], world: World | None = None
) -> dict[str, Any]:
    """A copy of a scenario's plain values with the overrides applied in their order."""
    if len(overrides) > _EVERY:
        raise ScenarioError(f"more than {_EVERY} overrides", remedy="write a scenario file")
    changed: dict[str, Any] = _copy(plain)
    for override in overrides:
        path, text = split(override, changed, world)
        _set(changed, path, text, override, world)
    return changed


def split(override: str, plain: Mapping[str, Any], world: World | None) -> tuple[list[str], str]:
    """The full path of an override and the text of its value."""
    written, equals, text = override.partition("=")
    path = [step.strip() for step in written.split(".")]
    if not equals or not all(path):
        raise _error(override, "an override is written KEY=VALUE", "as in --set parameters.tax=0.2")
    known = keys_of(ScenarioFile).fields
    if path[0] not in known:
        parameters = _parameter_names(plain, world)
        if path[0] not in parameters:
            raise _error(override, f"there is no key {path[0]!r}", suggest(path[0], [*known, *parameters]))
        path.insert(0, "parameters")
    return path, text


def _parameter_names(plain: Mapping[str, Any], world: World | None) -> list[str]:
    if world is not None and is_struct(world.parameters):
        return keys_of(world.parameters).names
    return list(plain.get("parameters") or {})


def _set(plain: dict[str, Any], path: list[str], text: str, override: str, world: World | None) -> None:
    wanted = keys_of(ScenarioFile).fields[path[0]]
    if path[0] == "parameters" and world is not None and is_struct(world.parameters):
        wanted = world.parameters
    if path[0] == "agents":
        wanted = list[AgentSpec]  # counted ones are written out by now
    _step(plain, path[0], path[1:], wanted, (text, override))


def _step(inside: Any, key: Any, rest: list[str], wanted: Any, given: tuple[str, str]) -> None:
    if not rest:
        inside[key] = _value(given, wanted)
        return
    override = given[1]
    kind = bare(wanted)
    try:
        held = inside[key]
    except KeyError:
        held = None
    if held is None:  # left out of the file: its default is taken
        held = inside[key] = [] if get_origin(kind) in {list, tuple} else {}
    step = rest[0]
    if isinstance(held, list):
        inner = get_args(kind)
        for position in _positions(held, step, override):
            _step(held, position, rest[1:], inner[0] if inner else Any, given)
    elif isinstance(held, dict):
        _step(held, step, rest[1:], _inner(kind, step, override), given)
    else:
        raise _error(
            override, f"{key!r} holds a single value, and nothing called {step!r}", f"set {key} itself"
        )


def _inner(kind: Any, step: str, override: str) -> Any:
    if is_struct(kind):
        keys = keys_of(kind)
        if step not in keys.names:
            raise _error(override, f"there is no key {step!r}", suggest(step, keys.names))
        return keys.fields.get(step, str)
    return get_args(kind)[1] if get_origin(kind) is dict else Any


def _positions(held: list[Any], step: str, override: str) -> Sequence[int]:
    if step == ALL:
        return range(len(held))
    names = [item["id"] if isinstance(item, dict) and "id" in item else None for item in held]
    if step in names:
        return [names.index(step)]
    if step.isascii() and step.isdigit():
        if len(step) < 9 and int(step) < len(held):
            return [int(step)]
        raise _error(
            override, f"there are {len(held)} of them, counted from 0", f"0 to {len(held) - 1}, or *"
        )
    called = [name for name in names if name is not None]
    raise _error(override, f"nothing here is called {step!r}", suggest(step, called or ["0"]))


def _value(given: tuple[str, str], wanted: Any) -> Any:
    text, override = given
    textual = bare(wanted) is str
    if not text.strip():
        return "" if textual or wanted is Any else None
    try:
        node = read_yaml(text, f"--set {override}")
    except ScenarioError as error:
        if textual:
            return text
        raise _error(override, error.message, error.remedy) from None
    value = None if node is None else node.plain()
    if textual and not isinstance(value, str) and not (value is None and bare(wanted) is not wanted):
        return text
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, (list, tuple)) else value


def _error(override: str, message: str, remedy: str | None) -> ScenarioError:
    return ScenarioError(message, where=f"--set {override}", remedy=remedy)
