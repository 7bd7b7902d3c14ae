"""From a scenario file to a Scenario, or to the error that says where and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from windtunnel.codec import find_unfit
from windtunnel.errors import NotFound, ScenarioError
from windtunnel.scenario.approvals import policy_of
from windtunnel.scenario.checking import check, is_struct
from windtunnel.scenario.kinds import expect
from windtunnel.scenario.overrides import ALL, apply_overrides, split
from windtunnel.scenario.plain import scenario_from_plain, scenario_to_plain
from windtunnel.scenario.reading import Node, Place, node_of, read_text, read_yaml
from windtunnel.scenario.shape import KINDS, AgentEntry, ScenarioFile
from windtunnel.words import suggest
from windtunnel.world import WORLD, Role, Scenario, World

MAX_BYTES = 4 << 20
MAX_AGENTS = 100_000


def load_scenario(path: str | Path, world: World, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario of a file, changed by the overrides, typed by the world it names."""
    path = Path(path)
    root = _document(path)
    _expect_world(root, world)
    check(root, ScenarioFile)
    _check_parameters(root, world)
    plain = root.plain()
    plain["agents"] = _told(root, _seats(root.value["agents"][1], world), path.parent)
    _take_policy(plain, root, world, path.parent)
    plain["name"] = f"{world.name}/{path.stem}"
    scenario = scenario_from_plain(plain, world)
    return override_scenario(scenario, overrides, world) if overrides else scenario


def inline_scenario(given: str | Mapping[str, Any], world: World, name: str = "inline") -> Scenario:
    """A scenario that comes as text or as plain values, checked as a file is. It names no files of its
    own."""
    if isinstance(given, str):
        if len(given.encode(errors="replace")) > MAX_BYTES:
            raise ScenarioError(f"the scenario is larger than {MAX_BYTES >> 20} MiB", where=name)
        read = read_yaml(given, name)
    else:
        read = node_of(dict(given), Place(name))
    if read is None or not isinstance(read.value, dict):
        raise ScenarioError(
            "a scenario is a mapping of keys to values", where=name, remedy="begin with world: NAME"
        )
    _expect_world(read, world)
    check(read, ScenarioFile)
    _check_parameters(read, world)
    plain = read.plain()
    plain["agents"] = _seats(read.value["agents"][1], world)
    plain["name"] = f"{world.name}/{name}"
    return scenario_from_plain(plain, world)


def override_scenario(scenario: Scenario, overrides: Sequence[str], world: World) -> Scenario:
    """A scenario with some of its values changed, checked as a file is."""
    before = scenario_to_plain(scenario)
    plain = apply_overrides(before, overrides, world)
    name = plain.pop("name", "")
    try:
        root = node_of(plain, Place("--set"))
        _expect_world(root, world)
        check(root, ScenarioFile)
        _check_parameters(root, world)
        plain["agents"] = _seats(root.value["agents"][1], world, known=("python",))
        _take_policy(plain, root, world)
    except ScenarioError as error:
        if error.data.get("file") not in (None, "--set"):
            raise  # it stands in another file, and says where
        raise _blamed(error, overrides, before, plain, world) from None
    return scenario_from_plain({**plain, "name": name}, world)


def peek(path: str | Path) -> dict[str, Any]:
    """What a file says, before anyone knows its world: `world` is sure to be there, and text."""
    root = _document(Path(path))
    name = _world_named(root)
    return {**root.plain(), "world": name}


def _document(path: Path) -> Node:
    source = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(
            "there is no such scenario file", where=source, remedy="windtunnel scenarios"
        ) from None
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", where=source) from None
    start = Place(source, 1, 1)
    if len(raw) > MAX_BYTES:
        raise start.error(
            f"the file is larger than {MAX_BYTES >> 20} MiB",
            "a scenario is smaller than that; use count or size",
        )
    root = read_yaml(read_text(raw, source), source)
    if root is None or root.value is None:
        raise start.error("the file is empty", "begin with world: NAME")
    if not isinstance(root.value, dict):
        raise root.place.error("a scenario is a mapping of keys to values", "begin with world: NAME")
    return root


def _world_named(root: Node) -> str:
    expect(root, "agents")
    if "world" not in root.value:
        if close := [key for key in root.value if suggest(key, ["world"]).startswith("did")]:
            raise root.value[close[0]][0].error(
                f"there is no key {close[0]!r}", "did you mean 'world'?", close[0]
            )
        raise root.place.error("the scenario lacks the key 'world'", "add world: NAME", "world")
    named = root.value["world"][1]
    if not isinstance(named.value, str) or not named.value:
        raise named.place.error("world: must be the name of a world", "windtunnel worlds lists them", "world")
    name: str = named.value
    return name


def _expect_world(root: Node, world: World) -> None:
    if (name := _world_named(root)) != world.name:
        raise root.value["world"][1].place.error(
            f"world: the file says {name!r}, the world is called {world.name!r}",
            suggest(name, [world.name]),
            "world",
        )
    if "name" in root.value:
        raise root.value["name"][0].error(
            "there is no key 'name': a scenario is named by its file",
            "use title for words of your own",
            "name",
        )


def _check_parameters(root: Node, world: World) -> None:
    _, given = root.value.get("parameters") or (None, node_of({}, root.place))
    if given.value is None:
        raise given.place.error(
            "parameters: must be a mapping, not nothing", "delete the key, or fill it", "parameters"
        )
    if is_struct(world.parameters):
        check(given, world.parameters, "parameters")
    elif not isinstance(given.value, dict):
        raise given.place.error("parameters: must be a mapping of keys to values", None, "parameters")
    for name in ("parameters", "events"):
        if name in root.value and (problem := find_unfit(root.value[name][1].plain())):
            raise root.value[name][1].place.error(f"{name}: {problem}", None, name)


def _take_policy(plain: dict[str, Any], root: Node, world: World, folder: Path | None = None) -> None:
    """What is recorded is the policy itself, whatever it was called by."""
    if (given := root.value.get("approvals")) is not None:
        plain["approvals"] = policy_of(given[1], folder, world)


def _told(root: Node, seats: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Instructions that name a Markdown file beside the scenario become what stands in it."""
    for seat in seats:
        named = seat.get("instructions", "")
        if isinstance(named, str) and named.endswith(".md") and "\n" not in named:
            place = root.value["agents"][1].place
            try:
                seat["instructions"] = read_text((folder / named).read_bytes()[:MAX_BYTES], named)
            except OSError as error:
                raise place.error(
                    f"the instructions of {seat['id']} cannot be read: {error.strerror}",
                    f"write {folder / named}, or the instructions themselves",
                    "agents",
                ) from None
    return seats


# --- who plays --------------------------------------------------------------------------------------


def _seats(agents: Node, world: World, known: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The agents one by one, counted ones written out, each with a role, a policy and a kind that exist."""
    seats: list[dict[str, Any]] = []
    first: dict[str, Place] = {}
    for index, node in enumerate(agents.value):
        entry = msgspec.convert(node.plain(), AgentEntry)
        field = f"agents.{index}"
        _check_casting(node, entry, world, field, (*KINDS, *known))
        spec = {name: value for name, value in node.plain().items() if name != "count"}
        for name in _ids(entry):
            place = _at(node, "id")
            if name in first:
                raise place.error(
                    f"{field}.id: two agents are called {name!r}{_first(first[name])}",
                    "rename one",
                    f"{field}.id",
                )
            first[name] = place
            seats.append({**spec, "id": name})
        if len(seats) > MAX_AGENTS:
            raise _at(node, "count").error(
                f"{field}: more than {MAX_AGENTS:,} agents",
                "agents that are alike can be one with size: N",
                field,
            )
    return seats


def _first(place: Place) -> str:
    return "" if place.line is None else f"; first in line {place.line}"


def _ids(entry: AgentEntry) -> list[str]:
    if entry.count is None:
        return [entry.id]
    width = len(str(entry.count))
    return [f"{entry.id}-{number:0{width}}" for number in range(1, entry.count + 1)]


def _check_casting(node: Node, entry: AgentEntry, world: World, field: str, kinds: Sequence[str]) -> None:
    if entry.id == WORLD:
        raise _at(node, "id").error(
            f"{field}.id: the name {WORLD!r} is kept for the world's own metrics",
            "choose another",
            f"{field}.id",
        )
    role = _role(node, entry, world, field)
    _expect_one_of(node, "kind", entry.kind, kinds, field, "a kind of agent")
    if entry.policy:
        _expect_one_of(
            node, "policy", entry.policy, role.policies, field, f"a policy of {entry.role or 'its role'}"
        )


def _role(node: Node, entry: AgentEntry, world: World, field: str) -> Role:
    if not entry.role:
        if len(world.roles) == 1:
            return next(iter(world.roles.values()))
        raise node.place.error(
            f"{field} lacks the key 'role'", f"one of: {', '.join(world.roles)}", f"{field}.role"
        )
    _expect_one_of(node, "role", entry.role, world.roles, field, f"a role of {world.name}")
    return world.roles[entry.role]


def _expect_one_of(
    node: Node, key: str, value: str, options: Sequence[str] | Mapping[str, Any], field: str, what: str
) -> None:
    if value not in options:
        name = f"{field}.{key}"
        raise _at(node, key).error(f"{name}: {value!r} is not {what}", suggest(value, options), name)


def _at(node: Node, key: str) -> Place:
    place: Place = node.value[key][1].place if key in node.value else node.place
    return place


# --- overrides ---------------------------------------------------------------------------------------


def _blamed(
    error: ScenarioError,
    overrides: Sequence[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    world: World,
) -> ScenarioError:
    """The error of a scenario that was changed, at the override that caused it."""
    field = str(error.data.get("field", ""))
    where = f"--set {overrides[0]}" if len(overrides) == 1 else "--set"
    where = field or where  # it was wrong before, unless one of them leads there
    for override in reversed(overrides):
        path = split(override, after, world)[0]
        if any(_same_path(path, field.split("."), plain) for plain in (before, after)):
            where = f"--set {override}"
            break
    return ScenarioError(error.message, where=where, remedy=error.remedy, field=field)


def _same_path(path: list[str], field: list[str], plain: Mapping[str, Any]) -> bool:
    """Whether one of two paths leads through the other; agents may be named, `*` is any of a list."""
    agents = plain.get("agents") or []
    inside_one = path[0] == field[0] == "agents" and len(path) > 1 and len(field) > 1
    if inside_one and int(field[1]) < len(agents) and path[1] in {ALL, agents[int(field[1])].get("id")}:
        path = [path[0], field[1], *path[2:]]
    return all(a in {b, ALL} for a, b in zip(path, field, strict=False))
