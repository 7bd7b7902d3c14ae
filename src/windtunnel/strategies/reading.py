"""From a file, a folder or a Strategy made in Python to one that holds, or to the error that says where.

A folder holds `strategy.yaml` and may hold `instructions.md`. Nothing outside of it is read, and no code of
it is run: an entry point is loaded when it plays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.codec import find_unfit
from windtunnel.errors import NotFound, ScenarioError
from windtunnel.scenario.checking import check
from windtunnel.scenario.kinds import expect
from windtunnel.scenario.reading import Node, Place, node_of, read_text, read_yaml
from windtunnel.strategies.model import (
    KINDS,
    NAME,
    PARAMETER_NAME,
    Boolean,
    Bounds,
    Choice,
    Strategy,
    misfit,
    tidy,
)
from windtunnel.words import quote, suggest
from windtunnel.world import World

AtHand: TypeAlias = World | Callable[[str], World] | None  # the world of a strategy, or who finds it by name
FILE, INSTRUCTIONS = "strategy.yaml", "instructions.md"
MAX_BYTES = 1 << 20
NOT_YET = {
    "swarm": "a swarm is one strategy for many agents, which cannot be played yet",
    "human": "a person is no strategy: give the seat itself kind: human",
    "remote": "a player from elsewhere is no strategy: give the seat itself kind: remote",
}
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
IDLE = {  # what a kind has no use for, and what it cannot do without
    "rule": (("model", "instructions", "entry"), "policy"),
    "llm": (("entry",), None),
    "team": (("entry",), "settings"),
    "python": (("policy", "model", "instructions"), "entry"),
}


class StrategyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What `strategy.yaml` may hold."""

    strategy: Annotated[str, Meta(description="Its name.")]
    world: Annotated[str, Meta(description="The world it is for.")]
    role: Annotated[str, Meta(description="The part it plays.")]
    kind: Annotated[Literal["rule", "llm", "team", "python"], Meta(description="How it decides.")] = "rule"
    policy: Annotated[str, Meta(description="The role's rule policy; what the model house answers by.")] = ""
    model: Annotated[str, Meta(description="The model it asks; the scenario's if unsaid.")] = ""
    instructions: Annotated[str, Meta(description="What it is told; or the name of a .md file beside.")] = ""
    entry: Annotated[str, Meta(description="Code of one's own, as package.module:name.")] = ""
    parameters: Annotated[dict[str, Any], Meta(description="Its numbers and choices.")] = field(
        default_factory=dict
    )
    schema: Annotated[dict[str, Bounds], Meta(description="The bounds of each parameter.")] = field(
        default_factory=dict
    )
    settings: Annotated[dict[str, Any], Meta(description="What the kind needs more.")] = field(
        default_factory=dict
    )
    description: Annotated[str, Meta(description="What it is, for people.")] = ""


def read_strategy(path: str | Path, world: AtHand = None) -> Strategy:
    """The strategy of a file or a folder. With its world it is held against its roles and policies too."""
    given = Path(path)
    file = given / FILE if given.is_dir() else given
    root = read_document(file, "strategy")
    return _strategy(root, world, file.parent)


def inline_strategy(given: dict[str, Any], world: AtHand = None) -> Strategy:
    """The same from plain values: what a file holds, without files beside it."""
    return _strategy(node_of(given, Place("strategy")), world, None)


def check_strategy(strategy: Strategy, world: AtHand = None) -> Strategy:
    """A strategy that was made in Python, checked as a file is, and tidied."""
    root = node_of(plain_of(strategy), Place(f"strategy {quote(strategy.name)}"))
    return _strategy(root, world, None)


def plain_of(strategy: Strategy) -> dict[str, Any]:
    """The strategy as its file says it, without what is empty."""
    plain: dict[str, Any] = msgspec.to_builtins(strategy)
    return {"strategy": plain.pop("name"), **{key: value for key, value in plain.items() if value}}


def read_document(file: Path, first: str) -> Node:
    """The mapping that a file holds. `first`: the key it begins with."""
    source = str(file)
    try:
        if file.exists() and not file.is_file():
            raise ScenarioError("this is no file", where=source)
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise NotFound(
            "there is no such file", where=source, remedy=f"name a folder that holds {FILE}, or the file"
        ) from None
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", where=source) from None
    start = Place(source, 1, 1)
    if len(raw) > MAX_BYTES:
        raise start.error(f"the file is larger than {MAX_BYTES >> 20} MiB", "a strategy is smaller than that")
    root = read_yaml(read_text(raw, source), source)
    if root is None or not isinstance(root.value, dict):
        raise (start if root is None else root.place).error(
            f"a {first} is a mapping of keys to values", f"begin with {first}:"
        )
    return root


# --- what holds ---------------------------------------------------------------------------------------


def _strategy(root: Node, world: AtHand, folder: Path | None) -> Strategy:
    expect(root, "strategy")
    for field_name, node in _texts(root, ""):
        if (found := CONTROL.search(node.value)) is not None:
            raise node.place.error(
                f"{field_name}: the control character {found[0]!r} may not stand here",
                "delete it",
                field_name,
            )
    _check_shape(root)
    plain = root.plain()
    plain["name"] = plain.pop("strategy")
    _check_entry(root)
    if folder is not None:
        plain["instructions"] = _instructions(root, folder)
    strategy = tidy(msgspec.convert(plain, Strategy, str_keys=True))
    _check_kind(root, strategy)
    _check_parameters(root, strategy)
    _check_settings(root, strategy)
    if world is not None:
        _check_world(root, strategy, world)
    return strategy


def _check_shape(root: Node) -> None:
    for key in ("strategy", "world", "role"):
        if key not in root.value:
            near = [other for other in root.value if suggest(other, [key]).startswith("did")]
            place = root.value[near[0]][0] if near else root.place
            raise place.error(f"the strategy lacks the key {key!r}", f"add {key}: NAME", key)
    kind = _value(root, "kind")
    if isinstance(kind, str) and kind in NOT_YET:
        raise _at(root, "kind").error(f"kind: {NOT_YET[kind]}", f"one of: {', '.join(KINDS)}", "kind")
    check(root, StrategyFile)
    name = _value(root, "strategy")
    if not re.fullmatch(NAME, name):
        raise _at(root, "strategy").error(
            f"strategy: {quote(name)} is no name for a strategy",
            "up to 64 letters, digits, dashes and underscores",
            "strategy",
        )
    for key in ("world", "role"):
        if not _value(root, key):
            raise _at(root, key).error(f"{key}: must not be empty", f"{key}: NAME", key)


def _texts(node: Node, name: str) -> Iterator[tuple[str, Node]]:
    """Every text in it, keys too, with the field it stands in."""
    if isinstance(node.value, str):
        yield name or "the text", node
    elif isinstance(node.value, dict):
        for key, (place, item) in node.value.items():
            yield name or "a key", Node(key, place)
            yield from _texts(item, f"{name}.{key}" if name else key)
    elif isinstance(node.value, list):
        for index, item in enumerate(node.value):
            yield from _texts(item, f"{name}.{index}")


def _instructions(root: Node, folder: Path) -> str:
    """What the file says itself, or the Markdown file that it names, or the one that lies beside it."""
    named: str = _value(root, "instructions") or ""
    if "instructions" in root.value and not (named.endswith(".md") and "\n" not in named):
        return named
    path = folder / (named or INSTRUCTIONS)
    if not named and not path.exists():
        return ""
    place = _at(root, "instructions")
    inside = "/" not in named and "\\" not in named and path.resolve().parent == folder.resolve()
    if not inside:
        raise place.error(
            f"instructions: {quote(named or INSTRUCTIONS)} is not a file beside the strategy",
            f"put it there, as {INSTRUCTIONS}",
            "instructions",
        )
    try:
        if not path.is_file():
            raise FileNotFoundError(2, "there is no such file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise place.error(
            f"instructions: {path.name} cannot be read: {error.strerror}", f"write {path}", "instructions"
        ) from None
    if len(raw) > MAX_BYTES:
        raise Place(str(path), 1, 1).error("the file is larger than 1 MiB", "instructions are shorter")
    return read_text(raw, str(path))


def _check_entry(root: Node) -> None:
    entry = _value(root, "entry")
    if entry and not ENTRY.fullmatch(entry):
        raise _at(root, "entry").error(
            f"entry: {quote(entry)} does not name code", "as in package.module:name", "entry"
        )


def _check_kind(root: Node, strategy: Strategy) -> None:
    idle, needed = IDLE[strategy.kind]
    if needed and not getattr(strategy, needed):
        raise root.place.error(
            f"the strategy lacks the key {needed!r}, which kind: {strategy.kind} needs",
            f"add {needed}: …",
            needed,
        )
    for key in idle:
        if getattr(strategy, key):
            raise _at(root, key).error(
                f"{key}: kind: {strategy.kind} has no use for it", f"leave {key} out, or change the kind", key
            )


def _check_parameters(root: Node, strategy: Strategy) -> None:
    known = _entries(root, "schema")
    for name, (place, _) in known.items():
        where = f"schema.{name}"
        if not re.fullmatch(PARAMETER_NAME, name) or len(name) > 64:
            raise place.error(f"{where}: this is no name for a parameter", "letters, digits, _ and -", where)
        _check_bounds(strategy.schema[name], place, where)
        if name not in strategy.parameters:
            raise place.error(f"{where}: the parameter has no value", f"add parameters: {name}: …", where)
    for name, (place, node) in _entries(root, "parameters").items():
        where = f"parameters.{name}"
        if name not in strategy.schema:
            remedy = (
                suggest(name, known) if known else f"give its bounds: schema: {name}: {{type: number, …}}"
            )
            raise place.error(f"{where}: the schema has no such parameter", remedy, where)
        bounds = strategy.schema[name]
        if why := misfit(node.value, bounds):
            raise node.place.error(
                f"{where}: {why}, not {node.plain()!r}", f"widen schema.{name} if that is meant", where
            )


def _check_bounds(bounds: Bounds, place: Place, where: str) -> None:
    if isinstance(bounds, Choice):
        kinds = [(type(option), option) for option in bounds.options]
        if len(set(kinds)) < len(kinds):
            raise place.error(f"{where}: an option stands here twice", "delete one of them", where)
    elif not isinstance(bounds, Boolean):
        if problem := find_unfit([bounds.minimum, bounds.maximum]):
            raise place.error(f"{where}: {problem}", None, where)
        if bounds.minimum > bounds.maximum:
            raise place.error(
                f"{where}: the minimum {bounds.minimum:g} is above the maximum {bounds.maximum:g}",
                "swap them",
                where,
            )


def _check_settings(root: Node, strategy: Strategy) -> None:
    """A parameter becomes a setting of the seat: none may stand where there is something else."""
    if problem := find_unfit(strategy.settings):
        raise _at(root, "settings").error(f"settings: {problem}", None, "settings")
    taken: set[str] = set()
    for name, (place, _) in _entries(root, "parameters").items():
        inside: Any = strategy.settings
        *folders, last = name.split(".")
        for step in folders:
            inside = inside.get(step, {}) if isinstance(inside, dict) else None
        clash = not isinstance(inside, dict) or last in inside
        clash = clash or any(other.startswith(f"{name}.") or name.startswith(f"{other}.") for other in taken)
        if clash:
            raise place.error(
                f"parameters.{name}: something else stands in its place",
                "rename it, or clear settings",
                f"parameters.{name}",
            )
        taken.add(name)


def _check_world(root: Node, strategy: Strategy, at_hand: World | Callable[[str], World]) -> None:
    try:
        world = at_hand if isinstance(at_hand, World) else at_hand(strategy.world)
    except NotFound as error:
        raise _at(root, "world").error(f"world: {error.message}", error.remedy, "world") from None
    if strategy.world != world.name:
        raise _at(root, "world").error(
            f"world: the strategy is for {strategy.world!r}, the world is called {world.name!r}",
            suggest(strategy.world, [world.name]),
            "world",
        )
    if strategy.role not in world.roles:
        raise _at(root, "role").error(
            f"role: {world.name} has no role {strategy.role!r}", suggest(strategy.role, world.roles), "role"
        )
    policies = world.roles[strategy.role].policies
    if strategy.policy and strategy.policy not in policies:
        raise _at(root, "policy").error(
            f"policy: {strategy.role} has no policy {strategy.policy!r}",
            suggest(strategy.policy, policies),
            "policy",
        )


def actions_of(strategy: Strategy, world: World) -> tuple[str, ...]:
    """The types of action that its role may take."""
    return tuple(sorted(action.__name__ for action in world.roles[strategy.role].actions))


def _entries(root: Node, key: str) -> dict[str, tuple[Place, Node]]:
    found: dict[str, tuple[Place, Node]] = root.value[key][1].value if key in root.value else {}
    return found


def _value(root: Node, key: str) -> Any:
    return root.value[key][1].value if key in root.value else None


def _at(root: Node, key: str) -> Place:
    place: Place = root.value[key][1].place if key in root.value else root.place
    return place
