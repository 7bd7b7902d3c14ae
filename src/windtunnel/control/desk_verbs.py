"""What a desk does with a world's code: one function for each verb, plain data in and plain data out.

What a client may name is checked here, on the far side of the door: a scenario is one of the world's own, a
file inside the workspace, or the text itself; nothing else on this machine is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field, to_builtins

from windtunnel.codec import decode_state_plain
from windtunnel.config import Workspace
from windtunnel.control import asking, history
from windtunnel.control import estimate as rehearsal
from windtunnel.control.catalog import Found
from windtunnel.control.changing import changed, fork_change
from windtunnel.control.limits import MOST_MONEY, Limits, begun_with
from windtunnel.control.panels import drawn
from windtunnel.control.places import address_of
from windtunnel.control.questions import open_questions, questions
from windtunnel.control.verbs import Control
from windtunnel.control.worlds import Worlds
from windtunnel.discovery import WorldSource, find_scenario, list_scenarios, load_here
from windtunnel.discovery.child import describe as about_world
from windtunnel.discovery.listing import SUFFIXES
from windtunnel.errors import NotFound, UsageError
from windtunnel.run.player import Player
from windtunnel.scenario import inline_scenario, load_scenario, models_of, scenario_schema, scenario_to_plain
from windtunnel.words import suggest
from windtunnel.world import Scenario, World

Progress = Callable[[dict[str, Any]], None]
NAME_BYTES = 1000
NewRunId = Annotated[str, Meta(pattern=r"^([0-9a-hjkmnp-tv-z]{10})?$")]
Money = Annotated[float, Meta(ge=0, le=MOST_MONEY)]


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client asks for; a word that is not known is refused."""


class Played(Asked, frozen=True):
    """A scenario with what shall be different in it."""

    scenario: str | dict[str, Any]
    seed: int | None = None
    turns: Annotated[int, Meta(ge=0)] | None = None
    set: list[str] | dict[str, Any] = []
    agents: list[str] | dict[str, str] = []
    model: str = ""
    tags: list[str] = []


class Create(Played, frozen=True):
    limits: Limits | None = None
    budget: Money | None = None
    priority: int = 0
    stop_after: int | None = None
    run_id: NewRunId = ""  # chosen before, so that it is made once


class OfRun(Asked, frozen=True):
    """A run by its id, never by a path; `location` is for a server that knows where it lies."""

    run: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,80}(\.[0-9]{1,9})?$")]
    location: str = ""

    @property
    def name(self) -> str:
        return address_of(self.location, self.run) if self.location else self.run


class Fork(OfRun, frozen=True, kw_only=True):
    at: str | int
    set: list[str] | dict[str, Any] = []
    agents: list[str] | dict[str, str] = []
    model: str = ""
    instructions: dict[str, str] = {}
    event: dict[str, Any] | None = None
    events: list[dict[str, Any]] = []
    branches: int = 1
    play: bool = True  # they are made for the queue; else somebody plays them later, or nobody
    limits: Limits | None = None
    budget: Money | None = None
    priority: int = 0
    stop_after: int | None = None
    run_id: NewRunId = ""  # of the first, chosen before; the others follow from it


class Look(OfRun, frozen=True):
    turn: int | None = None


class Query(OfRun, frozen=True, kw_only=True):
    query: str
    turn: int | None = None
    agent: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


class Panels(OfRun, frozen=True, kw_only=True):
    turn: int | None = None
    panel: str = ""


class Answer(OfRun, frozen=True, kw_only=True):
    result: Any
    effect: str = ""
    sender: str = "operator"


class Nothing(Asked, frozen=True):
    pass


class Room:
    """The world of a desk, and the verbs over its workspace."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace, self.name = workspace, name
        self.worlds = Worlds(workspace)
        self.control = Control(workspace, self._world_of)
        self._loaded: World | None = None

    @property
    def world(self) -> World:
        if self._loaded is None:
            self._loaded = self.worlds(self.name)
        return self._loaded

    def _world_of(self, name: str) -> World:
        if name != self.name:
            raise UsageError(f"this run plays in {name!r}; this desk is for {self.name!r}", where="world")
        return self.world

    def take(self, source: WorldSource) -> None:
        """The world that lies beside a scenario's file: known from now on."""
        if source.name != self.name:
            raise UsageError(
                f"the scenario plays in {source.name!r}, not in {self.name!r}",
                where="scenario",
                remedy="name its world",
            )
        if self._loaded is None:
            self._loaded = load_here(source)
        self.worlds.remember(source)


# --- scenarios ---------------------------------------------------------------------------------------


def scenario_of(room: Room, asked: Played) -> Scenario:
    """What is to be played, with everything that was asked for."""
    found = _named(room, asked.scenario)
    shortcuts = {"seed": asked.seed, "turns": asked.turns}
    settings = [f"{key}={value}" for key, value in shortcuts.items() if value is not None]
    if asked.tags:
        settings.append(f"tags={_json(asked.tags)}")
    return changed(
        found, room.world, [*settings, *settings_of(asked.set)], agents_of(asked.agents), asked.model
    )


def _named(room: Room, given: str | Mapping[str, Any]) -> Scenario:
    if isinstance(given, Mapping):
        return inline_scenario(given, room.world)
    if "\n" in given:  # a name has none; whoever passes on a text of one line ends it with one
        return inline_scenario(given, room.world)
    path = inside(room.workspace, given)
    if path is None:
        return load_scenario(_own(room.world, given), room.world)
    own = Path(room.world.scenarios).resolve() if _is_loaded(room) and room.world.scenarios else None
    if own is None or own not in path.parents:
        room.take(find_scenario(str(path), room.workspace).source)
    return load_scenario(path, room.world)


def _is_loaded(room: Room) -> bool:
    """Whether the world can be had by its name. One that lies beside a scenario is met there first."""
    try:
        return room.world is not None
    except NotFound:
        return False


def inside(workspace: Workspace, text: str) -> Path | None:
    """The file of the workspace that a client names; None if it names none, so that it means a world's
    own."""
    if not text.strip() or "\0" in text or len(text.encode(errors="replace")) > NAME_BYTES:
        raise UsageError(f"{text[:60]!r} names no scenario", where="scenario", remedy="WORLD/NAME, or a path")
    written = Path(text)
    root = workspace.root.resolve()
    path = (root / written).resolve()
    if not path.is_relative_to(root):
        raise UsageError(
            f"{text!r} lies outside the workspace",
            where="scenario",
            remedy="name a scenario of a world (WORLD/NAME), a file inside the workspace, or give its text",
        )
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise UsageError(f"{text!r} is no scenario file", where="scenario", remedy="it ends in .yaml")
        return path
    if written.is_absolute() or ".." in written.parts or text.startswith((".", "~")):
        raise NotFound("there is no such scenario file", where=text, remedy="WORLD/NAME, or a path")
    return None


def _own(world: World, text: str) -> Path:
    """A scenario of the world by its name: `growth`, `economy/growth`, `economy/scenarios/growth.yaml`."""
    wanted = text.removeprefix(f"{world.name}/").removeprefix("scenarios/")
    for suffix in SUFFIXES:
        wanted = wanted.removesuffix(suffix)
    there: dict[str, Path] = {}
    if world.scenarios:
        there = {
            file.stem: file for file in sorted(Path(world.scenarios).iterdir()) if file.suffix in SUFFIXES
        }
    if wanted not in there:
        remedy = suggest(wanted, there) if there else "give the path of a file, or its text"
        raise NotFound(
            f"there is no scenario {text!r} in the world {world.name!r}", where="scenario", remedy=remedy
        )
    return there[wanted]


def settings_of(given: list[str] | Mapping[str, Any]) -> list[str]:
    """`KEY=VALUE`, however it was given."""
    if isinstance(given, Mapping):
        return [f"{key}={_json(value)}" for key, value in given.items()]
    return list(given)


def agents_of(given: list[str] | Mapping[str, str]) -> list[str]:
    return [f"{agent}={who}" for agent, who in given.items()] if isinstance(given, Mapping) else list(given)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# --- verbs -------------------------------------------------------------------------------------------


def run_plain(found: Found) -> dict[str, Any]:
    """A run as its catalog lists it."""
    row = msgspec.structs.asdict(found.row)
    row["status"], row["tags"] = str(found.row.status), msgspec.json.decode(found.row.tags or "[]")
    row["head_hash"], row["op_hash"] = found.row.head_hash.hex(), found.row.op_hash.hex()
    return {"location": found.location, **row}


def _begun(asked: Create | Fork) -> list[tuple[str, dict[str, Any]]]:
    ticket = {"priority": asked.priority, "stop_after": asked.stop_after}
    return begun_with(asked.limits, asked.budget, **{k: v for k, v in ticket.items() if v})


async def create(room: Room, asked: Create, _: Progress) -> dict[str, Any]:
    """A run that is queued: its row, and where it lies."""
    scenario = scenario_of(room, asked)
    spends = asked.budget is not None or (asked.limits is not None and asked.limits.spend is not None)
    if spends and not models_of(scenario):
        raise UsageError(
            "a budget limits what models cost, and nothing here asks a model",
            where="budget",
            remedy="leave it out, or name a model",
        )
    return run_plain(room.control.create(room.world, scenario, said=_begun(asked), run_id=asked.run_id))


async def fork(room: Room, asked: Fork, _: Progress) -> dict[str, Any]:
    """Forks that are queued: the changed branches, and their controls where there are several."""
    events = [*([asked.event] if asked.event else []), *asked.events]
    for event in events:
        if not isinstance(event.get("kind"), str) or not event["kind"]:
            raise UsageError("an event has a kind", where="event", remedy='{"kind": "shock", "body": {}}')
    change = fork_change(
        room.world, settings_of(asked.set), agents_of(asked.agents), asked.model, events, asked.instructions
    )
    if change is None and asked.branches > 1:
        raise UsageError(
            "branches without a change are all controls",
            where="branches",
            remedy="say what is different: set, agents, model, instructions, event",
        )
    parent, made, controls = room.control.fork(
        asked.name,
        str(asked.at),
        change=change,
        branches=asked.branches,
        world=room.world,
        said=_begun(asked) if asked.play else (),
        run_id=asked.run_id,
    )
    return {
        "parent": run_plain(parent),
        "at": str(asked.at),
        "runs": [run_plain(found) for found in made],
        "controls": [run_plain(found) for found in controls],
    }


async def state(room: Room, asked: Look, _: Progress) -> dict[str, Any]:
    """The state after a turn (the last one, if none is named), computed again from a checkpoint."""
    player = await room.control.at(asked.name, asked.turn, world=room.world)
    return {"run_id": player.run_id, "turn": player.tape.turn, "state": _plain(player)}


def _plain(player: Player) -> Any:
    player.encode_state()
    return decode_state_plain(player.state_bytes)


async def observe(room: Room, asked: Look, _: Progress) -> dict[str, Any]:
    """What every actor saw at the beginning of a turn."""
    found = room.control.find(asked.name)
    turn = found.row.turn if asked.turn is None else asked.turn
    seen = await history.observations(room.control, found, turn)
    return {"run_id": found.row.run_id, "turn": turn, "observations": seen}


async def replay(room: Room, asked: OfRun, progress: Progress) -> Any:
    """The whole run again from its recorded answers."""

    def watch(player: Player) -> None:
        progress({"turn": player.tape.turn, "turns": player.tape.lineage.row.turn})

    return await room.control.replay(asked.name, world=room.world, observer=watch)


async def estimate(room: Room, asked: Played, _: Progress) -> dict[str, Any]:
    found = await rehearsal.estimate(room.workspace, room.world, scenario_of(room, asked))
    return found.plain()


async def query(room: Room, asked: Query, _: Progress) -> Any:
    """A question of the world's own, asked of a run as it stood after a turn."""
    player = await room.control.at(asked.name, asked.turn, world=room.world)
    return await asking.ask_player(player, asked.query, agent=asked.agent, arguments=asked.arguments)


async def panels(room: Room, asked: Panels, _: Progress) -> dict[str, Any]:
    """The world's own page after a turn: its panels, each with its data."""
    found = room.control.find(asked.name)
    page = await drawn(room.control, found, asked.turn, asked.panel, world=room.world)
    plain: dict[str, Any] = to_builtins(page)
    return plain


async def ask(room: Room, asked: OfRun, _: Progress) -> list[dict[str, Any]]:
    """What a run asks of people, each with the schema of an answer; nothing where it asks nothing."""
    found = room.control.find(asked.name)
    if not open_questions(room.control, found):
        return []
    return [one.plain() for one in questions(room.control, asked.name, world=room.world)]


async def reply(room: Room, asked: Answer, _: Progress) -> dict[str, Any]:
    """An answer to what a run asks, checked before it is sent."""
    waiting = questions(room.control, asked.name, asked.effect, world=room.world)
    if len(waiting) > 1:
        names = ", ".join(one.asked.effect for one in waiting)
        raise NotFound("several things wait for an answer", where="effect", remedy=f"name one: {names}")
    (question,) = waiting
    sent = question.check(asked.result)
    room.control.answer(asked.name, question.asked.effect, sent, sender=asked.sender)
    return {"effect": question.asked.effect}


async def describe(room: Room, _asked: Nothing, _: Progress) -> dict[str, Any]:
    """What the world says of itself, with its scenarios, roles, headline and panels."""
    world = room.world
    roles = {
        name: {
            "policies": list(role.policies),
            "actions": [action.__name__ for action in role.actions],
            "instructions": role.instructions,
        }
        for name, role in world.roles.items()
    }
    about = msgspec.to_builtins(about_world(world, tuple(list_scenarios(world))))
    more = {"headline": list(world.headline), "queries": list(world.queries)}
    laid_out = {"panels": [to_builtins(panel) for panel in world.panels]}
    return {**about, "name": world.name, "roles": roles, **more, **laid_out}


async def schema(room: Room, _asked: Nothing, _: Progress) -> dict[str, Any]:
    """The JSON Schema of the world's scenarios."""
    return scenario_schema(room.world)


async def scenario(room: Room, asked: Played, _: Progress) -> dict[str, Any]:
    """A scenario as it would be played, with all defaults written out; nothing is made."""
    plain: dict[str, Any] = scenario_to_plain(scenario_of(room, asked))
    return plain


Verb = Callable[[Room, Any, Progress], Awaitable[Any]]
Known = Mapping[str, tuple[type[Asked], Verb]]
VERBS: Known = {
    "answer": (Answer, reply),
    "create": (Create, create),
    "describe": (Nothing, describe),
    "estimate": (Played, estimate),
    "fork": (Fork, fork),
    "observe": (Look, observe),
    "panels": (Panels, panels),
    "query": (Query, query),
    "questions": (OfRun, ask),
    "replay": (OfRun, replay),
    "scenario": (Played, scenario),
    "schema": (Nothing, schema),
    "state": (Look, state),
}


async def answer(room: Room, verb: str, arguments: Any, progress: Progress, known: Known = VERBS) -> Any:
    """Do what was asked; what comes back can be written as JSON."""
    if verb not in known:
        raise UsageError(f"a desk has no verb {verb!r}", where="verb", remedy=suggest(verb, known))
    wanted, function = known[verb]
    try:
        asked = msgspec.convert(arguments, wanted)
    except msgspec.ValidationError as error:
        raise UsageError(f"{verb}: {error}", where=verb) from None
    return await function(room, asked, progress)
