"""Checks of what a world says about itself, before anything is played."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.codec import describe_type
from windtunnel.errors import CodecError, WindtunnelError
from windtunnel.scenario import load_scenario
from windtunnel.testing.report import Finding
from windtunnel.world import Action, World

NEEDED = ("start", "observe", "apply", "over")


def contract(world: World) -> Iterator[Finding]:
    """Roles, no-ops, policies, action names, parameters, states without sets, scenarios that load."""
    found = [
        *_roles(world), *_engine(world), *_types(world), *_parameters(world), *_scenario_files(world),
        *_advice(world),
    ]  # fmt: skip
    yield from found
    if not any(finding.verdict == "lacks" for finding in found):
        yield Finding("contract", "ok", f"{len(world.roles)} role(s), everything that must be there is there")


def _lacks(what: str, todo: str) -> Finding:
    return Finding("contract", "lacks", what, todo)


def _warns(what: str, todo: str) -> Finding:
    return Finding("contract", "warns", what, todo)


def _roles(world: World) -> Iterator[Finding]:
    if not world.roles:
        yield _lacks("the world has no role", "roles={'name': Role(actions, no_op, policies)}")
    known: dict[str, type[Action]] = {}
    for name, role in world.roles.items():
        if not role.actions:
            yield _lacks(f"role {name!r} has no actions", "list the Action types it may use")
        for action in role.actions:
            if known.setdefault(action.__name__, action) is not action:
                yield _lacks(f"two action types are called {action.__name__!r}", "rename one of them")
        if type(role.no_op) not in role.actions:
            yield _lacks(f"the no_op of role {name!r} is none of its actions", "add its type to the actions")
        if not role.policies:
            yield _lacks(
                f"role {name!r} has no rule policy: without one nobody can play it with no key",
                "policies={'name': function(observation, context) -> action}",
            )
        if role.memory is not None and (problem := _unmade(role.memory)):
            yield _lacks(f"the memory of role {name!r} {problem}", "give every field of it a default")


def _unmade(kind: type) -> str:
    try:
        kind()
    except Exception as error:  # noqa: BLE001 - whatever a stranger's type raises is the finding
        return f"cannot be made without arguments: {error}"
    return ""


def _engine(world: World) -> Iterator[Finding]:
    for method in NEEDED:
        if not callable(getattr(world.engine, method, None)):
            yield _lacks(f"the engine has no {method}()", "see Engine in windtunnel.world")
    for method in ("to_act", "score", "progress", "wake", "revise"):
        if not callable(getattr(world.engine, method, None)):
            yield _lacks(
                f"the engine has no {method}()", "subclass windtunnel.world.Engine to inherit its default"
            )
    if world.validator is not None and not callable(getattr(world.validator, "check", None)):
        yield _lacks("the validator has no check()", "check(state, actor, action, context) -> Verdict")
    if world.stakes is not None and not callable(world.stakes):
        yield _lacks("stakes is no function", "stakes(state, actor, action) -> Stakes")


def _types(world: World) -> Iterator[Finding]:
    kinds: list[tuple[str, Any]] = [("the state", world.state)]
    for name, role in world.roles.items():
        kinds += [(f"action {action.__name__}", action) for action in role.actions]
        if role.memory is not None:
            kinds.append((f"the memory of role {name!r}", role.memory))
    for what, kind in kinds:
        try:
            described = describe_type(kind)
        except (CodecError, NameError, TypeError) as error:
            text = error.message.replace("a state", what) if isinstance(error, CodecError) else str(error)
            yield _lacks(
                f"{what} cannot be described: {text}", "use msgspec.Struct, lists, dicts, arrays, Log"
            )
            continue
        if not described:
            yield _lacks(f"{what} is no msgspec.Struct", "declare it as one, with typed fields")


def _parameters(world: World) -> Iterator[Finding]:
    if world.parameters is None:
        return
    if not issubclass(world.parameters, msgspec.Struct):
        yield _lacks(
            "parameters is no msgspec.Struct type", "declare the parameters as a Struct with defaults"
        )
        return
    if problem := _unmade(world.parameters):
        yield _warns(f"the parameters {problem}", "give each a default, so that a scenario may leave it out")
    try:
        msgspec.json.schema(world.parameters)
    except (TypeError, NotImplementedError) as error:
        yield _lacks(f"the parameters have no JSON schema: {error}", "use types that JSON can hold")


def _scenario_files(world: World) -> Iterator[Finding]:
    if not world.scenarios:
        return
    folder = Path(world.scenarios)
    files = scenario_files(world)
    if not files:
        yield _lacks(f"there are no scenario files in {folder}", "add one: NAME.yaml")
    for file in files:
        try:
            load_scenario(file, world)
        except WindtunnelError as error:
            yield _lacks(f"{file.name} cannot be loaded: {error}", error.remedy or "mend the file")


def scenario_files(world: World) -> list[Path]:
    folder = Path(world.scenarios)
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) if world.scenarios else []


def _advice(world: World) -> Iterator[Finding]:
    if not world.invariants:
        yield _warns(
            "the world names no invariants: nothing but its own code says what must always hold",
            "invariants={'money is conserved': function(state) -> problem or None}",
        )
    if world.validator is None:
        yield _warns(
            "there is no validator: whatever is well typed is done", "a Validator says what may be done"
        )
