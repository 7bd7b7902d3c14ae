"""The strategies of a workspace, as every door asks for them: list, show, add, compare, move, export.

Answers are plain Structs; lists come in pages, each with the cursor of the page behind it. A strategy is held
against its world before it is registered, so that what it names is there when it plays.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct, structs

from windtunnel.config import Workspace
from windtunnel.control.database import open_database
from windtunnel.errors import NotFound, ScenarioError, UsageError
from windtunnel.journal.database import Database
from windtunnel.strategies.folders import Origin, export, read_origin
from windtunnel.strategies.lineage import Line, lineage
from windtunnel.strategies.model import Strategy
from windtunnel.strategies.reading import inline_strategy, read_strategy
from windtunnel.strategies.registry import BY_HAND, IMPORT, Registered, Registry
from windtunnel.strategies.seats import players, seated
from windtunnel.strategies.tables import Move
from windtunnel.strategies.versions import Diff, Version, compared, strategy_of
from windtunnel.words import quote, suggest
from windtunnel.world import Scenario, World

MOST = 1000  # items of a page
RECENT = 20  # moves that `show` tells

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    items: list[T]
    next: str | None = None  # the cursor of the page behind this one; None at the end


class Listed(Struct, frozen=True):
    """A name, with the version of it that is in force."""

    name: str
    number: str
    hash: str
    world: str
    role: str
    kind: str
    description: str
    versions: int
    tags: dict[str, str]
    by: str
    at: float
    changeable: bool


class Shown(Struct, frozen=True):
    """A version, and how its name stands. `moves` are the latest of its head and tags, newest first."""

    version: Version
    in_force: str
    tags: dict[str, str]
    moves: list[Move]


class Exported(Struct, frozen=True):
    version: Version
    folder: str
    files: list[str]


class Strategies:
    """`with Strategies(workspace, find_world) as strategies:`; `find_world` tells the World of a name."""

    def __init__(
        self, workspace: Workspace, find_world: Callable[[str], World], database: Database | None = None
    ) -> None:
        self._own = database is None
        self._database = database or open_database(workspace)
        self._find_world = find_world
        self.registry = Registry(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """What it opened itself."""
        if self._own:
            self._database.close()

    # --- looking ---

    def list(self, *, after: str = "", limit: int = 100, world: str = "", role: str = "") -> Page[Listed]:
        """Names in their order, from past `after` on; those of a world or of a role."""
        found = self.registry.heads(after=after, limit=_most(limit) + 1, world=world, role=role)
        items = [
            Listed(
                name=one.name, number=one.number, hash=one.hash, world=one.strategy.world,
                role=one.strategy.role, kind=one.strategy.kind, description=one.strategy.description,
                versions=count, tags=self.registry.tags(one.name), by=one.by, at=one.at,
                changeable=one.strategy.changeable,
            )
            for one, count in found[:limit]
        ]  # fmt: skip
        return Page(items, items[-1].name if len(found) > limit else None)

    def show(self, reference: str) -> Shown:
        version = self.registry.find(reference)
        name = version.name
        return Shown(
            version=version,
            in_force=self.registry.find(name).number,
            tags=self.registry.tags(name),
            moves=self.registry.moves(name)[::-1][:RECENT],
        )

    def versions(self, name: str, *, after: str = "", limit: int = 100) -> Page[Version]:
        """Every version of a name, in the order in which they came."""
        found = self.registry.versions(name, after=_cursor(after), limit=_most(limit) + 1)
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    def lineage(self, name: str, *, after: str = "", limit: int = MOST) -> Page[Line]:
        """The tree of a name, line by line; `after` is the number of the last line that was seen."""
        lines = lineage(self.registry, name)
        begin = 0
        if after:
            numbers = [line.number for line in lines]
            if after not in numbers:
                raise UsageError(
                    f"{quote(after)} is no cursor", where="after", remedy="give back `next` as it came"
                )
            begin = numbers.index(after) + 1
        items = lines[begin : begin + _most(limit)]
        return Page(items, items[-1].number if begin + limit < len(lines) else None)

    def diff(self, a: str, b: str) -> Diff:
        """What is different in `b`. Each is a reference, or the path of what is not registered."""
        return compared(self.resolve(a), self.resolve(b))

    def resolve(self, reference: str) -> Version | Strategy:
        return self.registry.resolve(reference, self._find_world)

    def seat(self, scenario: Scenario, agent: str, reference: str) -> tuple[Scenario, dict[str, Any]]:
        """The scenario with an agent's seat played by a strategy, and the code that is handed in with it."""
        strategy, seats = strategy_of(self.resolve(reference)), list(scenario.agents)
        if strategy.world != scenario.world:
            raise ScenarioError(
                f"{strategy.name!r} is for the world {strategy.world}, the scenario is of {scenario.world}",
                where=f"agents.{agent}",
                remedy=f"windtunnel strategies list --world {scenario.world}",
            )
        ids = [one.id for one in seats]
        if agent not in ids:
            raise ScenarioError(
                f"no agent is called {quote(agent)}", where="agents", remedy=suggest(agent, ids)
            )
        place = ids.index(agent)
        seats[place] = seated(strategy, seats[place])
        return structs.replace(scenario, agents=tuple(seats)), players(strategy)

    # --- changing ---

    def add(self, path: str | Path, *, why: str = "", by: str = "operator", apply: bool = True) -> Registered:
        """Register what lies at a path, and put it in force. A folder that was exported is an import: what it
        says of its past is kept."""
        strategy = read_strategy(path, self._find_world)
        return self._register(strategy, read_origin(Path(path), strategy), why, by, apply)

    def add_plain(
        self, given: dict[str, Any], *, why: str = "", by: str = "operator", apply: bool = True
    ) -> Registered:
        """The same from the values of such a file, as REST brings them. Code is not taken in this way: who
        may send a request need not be who may run code here."""
        strategy = inline_strategy(given, self._find_world)
        if strategy.kind == "python":
            raise UsageError(
                "kind: code of one's own is not taken over the network", where="kind",
                remedy="windtunnel strategies add PATH, at a terminal of this machine",
            )  # fmt: skip
        return self._register(strategy, None, why, by, apply)

    def _register(
        self, strategy: Strategy, origin: Origin | None, why: str, by: str, apply: bool
    ) -> Registered:
        return self.registry.register(
            strategy,
            parents=origin.parents if origin else (),
            operator=IMPORT if origin else BY_HAND,
            why=why,
            by=by,
            world=self._find_world(strategy.world),
            apply=apply,
            origin=origin.said if origin else None,
        )

    def apply(self, reference: str, *, why: str = "", by: str = "operator", expecting: str = "") -> Move:
        return self.registry.apply(reference, why=why, by=by, expecting=expecting)

    def rollback(self, name: str, to: str | None = None, *, why: str = "", by: str = "operator") -> Move:
        return self.registry.rollback(name, to, why=why, by=by)

    def tag(self, reference: str, tag: str, *, why: str = "", by: str = "operator") -> Move:
        return self.registry.tag(reference, tag, why=why, by=by)

    def export(self, reference: str, to: str | Path) -> Exported:
        """Write a version into a folder that is new or empty."""
        version = self.registry.find(reference)
        hashes = {}
        for label in version.parents:
            try:
                hashes[label] = self.registry.find(label).hash
            except NotFound:  # it came from another registry, and goes by its hash
                continue
        return Exported(version, str(to), [str(path) for path in export(version, Path(to), hashes)])


def _most(limit: int) -> int:
    if not 1 <= limit <= MOST:
        raise UsageError(f"a page has 1 to {MOST:,} items", where="limit")
    return limit


def _cursor(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 18):
        raise UsageError(f"{quote(text)} is no cursor", where="after", remedy="give back `next` as it came")
    return int(text or 0)
