"""The verbs over strategies: versions of ways to play a role. One that is sent is held against its world by
that world's desk; the rest needs the catalog alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from windtunnel.control.access import Principal, Role
from windtunnel.control.strategies import Listed, Shown, Strategies
from windtunnel.errors import UsageError
from windtunnel.server import types
from windtunnel.server.contesting import Contesting
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside, no_world
from windtunnel.strategies.lineage import Line
from windtunnel.strategies.reading import plain_of
from windtunnel.strategies.tables import Move
from windtunnel.strategies.versions import compared


class Registering:
    def __init__(self, ground: Ground, contesting: Contesting) -> None:
        self.ground, self.audit, self.contesting = ground, ground.audit, contesting
        self.kept = Strategies(ground.workspace, no_world, ground.database)

    @verb("list_strategies", Role.VIEWER)
    async def list(
        self, who: Principal, after: str = "", limit: int = 100, world: str = "", role: str = ""
    ) -> types.StrategyPage:
        """Strategies by name, each with the version that is in force."""
        page = await aside(lambda: self.kept.list(after=after, limit=limit, world=world, role=role))
        return types.StrategyPage(strategies=[_listed(one) for one in page.items], next=page.next)

    @verb("get_strategy", Role.VIEWER)
    async def get(self, who: Principal, name: str, version: str = "") -> types.StrategyDetail:
        """One strategy: a version of it whole, all versions in their tree, its tags, its tournaments."""
        shown = await aside(lambda: self.kept.show(f"{name}@{version}" if version else name))
        lines = await aside(lambda: self.kept.lineage(name))
        return _detail(shown, lines.items, await self.contesting.record(name))

    @verb("diff_strategies", Role.VIEWER)
    async def diff(self, who: Principal, name: str, a: str, b: str) -> types.StrategyDiff:
        """What is different in the second of two versions."""
        before, after = [await aside(self.kept.registry.find, f"{name}@{one}") for one in (a, b)]
        told = compared(before, after)
        changes = [types.StrategyChange(field=c.field, before=c.before, after=c.after) for c in told.changes]
        return types.StrategyDiff(
            a=told.a, b=told.b, bump=told.bump, changes=changes, instructions=told.instructions
        )

    @verb("add_strategy", Role.OPERATOR, writes=True)
    async def add(self, who: Principal, name: str, request: types.StrategyRequest) -> types.StrategyAdded:
        """Register a strategy as a new version of its name, and put it in force."""
        world = request.strategy.get("world")
        if not isinstance(world, str) or not world:
            raise UsageError("the strategy names no world", where="strategy.world", remedy="add world: NAME")
        asked = {"strategy": request.strategy, "why": request.why, "apply": request.apply, "by": who.name}
        told = await self.ground.desks.call(world, "add_strategy", asked)
        return types.StrategyAdded.model_validate(told)

    @verb("tag_strategy", Role.OPERATOR, writes=True)
    async def tag(self, who: Principal, name: str, request: types.TagRequest) -> types.StrategyMove:
        """Give a version a name of its own, which moves with the next call."""
        which = f"{name}@{request.version}"
        move = await aside(lambda: self.kept.tag(which, request.tag, why=request.why, by=who.name))
        return _move(name, move)

    @verb("rollback_strategy", Role.OPERATOR, writes=True)
    async def rollback(self, who: Principal, name: str, request: types.RollbackRequest) -> types.StrategyMove:
        """Put back in force what was before, or a version that is named."""
        move = await aside(lambda: self.kept.rollback(name, request.to, why=request.why, by=who.name))
        return _move(name, move)


def _listed(one: Listed) -> types.StrategyInfo:
    return types.StrategyInfo(
        name=one.name, number=one.number, hash=one.hash, world=one.world, role=one.role, kind=one.kind,
        description=one.description, versions=one.versions, tags=one.tags, by=one.by, at=_moment(one.at),
        changeable=one.changeable,
    )  # fmt: skip


def _detail(shown: Shown, lines: list[Line], record: Sequence[types.Entered]) -> types.StrategyDetail:
    version = shown.version
    return types.StrategyDetail(
        name=version.name, number=version.number, in_force=shown.in_force, tags=shown.tags,
        content=plain_of(version.strategy), hash=version.hash, versions=[_line(one) for one in lines],
        moves=[_move(version.name, one) for one in shown.moves], record=[*record],
    )  # fmt: skip


def _line(one: Line) -> types.StrategyVersion:
    return types.StrategyVersion(
        number=one.number, hash=one.hash, depth=one.depth, under=one.under, others=[*one.others],
        bump=one.bump, operator=one.operator, why=one.why, by=one.by, at=_moment(one.at),
        in_force=one.in_force, tags=[*one.tags],
    )  # fmt: skip


def _move(name: str, one: Move) -> types.StrategyMove:
    return types.StrategyMove(
        name=name, tag=one.tag, verb=one.verb, number=one.number, before=one.before, why=one.why, by=one.by,
        at=_moment(one.at),
    )  # fmt: skip


def _moment(seconds: float) -> Any:
    return types.moment(seconds)
