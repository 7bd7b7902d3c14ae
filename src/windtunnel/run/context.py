"""The context a world and its agents are handed: their only door to chance, time, memory and effects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from windtunnel.chance import Chance
from windtunnel.errors import NotFound
from windtunnel.models import house as at_home
from windtunnel.models.talk import Reply
from windtunnel.world import Actor, AgentId, AgentSpec, Mode, World

if TYPE_CHECKING:
    from windtunnel.run.calls import ModelCalls
    from windtunnel.run.effects import Effects


class Frame:
    """What all contexts of a run share: where it is, and what it stands on."""

    __slots__ = (
        "branch", "calls", "clock", "effects", "indices", "memories", "mode", "model", "parameters", "phase",
        "seed", "state", "turn", "world",
    )  # fmt: skip

    def __init__(self, world: World, mode: Mode, seed: int) -> None:
        self.world, self.mode, self.seed = world, mode, seed
        self.branch = 0
        self.turn = 0
        self.phase = "start"
        self.state: Any = None
        self.parameters: Any = None
        self.clock = 0.0
        self.memories: dict[AgentId, Any] = {}
        self.indices: dict[tuple[str, str], int] = {}
        self.model = ""  # of everybody who names none
        self.effects: Effects | None = None
        self.calls: ModelCalls | None = None

    def next_index(self, path: str) -> int:
        place = (self.phase, path)
        index = self.indices.get(place, 0)
        self.indices[place] = index + 1
        return index


class RunContext:
    """One for the world (actor "") and one for each agent, kept for the whole run."""

    __slots__ = ("_frame", "_spec", "attempt", "path", "rejection", "who")

    def __init__(self, frame: Frame, actor: Actor, spec: AgentSpec | None = None, path: str = "") -> None:
        self._frame, self.who, self._spec = frame, actor, spec
        self.path = path or actor.id
        self.attempt = 1
        self.rejection: str | None = None

    @property
    def seed(self) -> int:
        return self._frame.seed

    @property
    def mode(self) -> Mode:
        return self._frame.mode

    @property
    def turn(self) -> int:
        return self._frame.turn

    @property
    def phase(self) -> str:
        return self._frame.phase

    @property
    def actor(self) -> AgentId:
        return self.who.id

    @property
    def role(self) -> str:
        return self.who.role

    @property
    def parameters(self) -> Any:
        return self._frame.parameters

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._spec.settings if self._spec else {}

    @property
    def memory(self) -> Any:
        return self._frame.memories.get(self.path)

    @memory.setter
    def memory(self, value: Any) -> None:
        self._frame.memories[self.path] = value

    def chance(self, *element: object) -> Chance:
        frame = self._frame
        return Chance(frame.seed, frame.branch, frame.turn, self.path, *element)

    def now(self) -> float:
        return self._frame.clock

    def query(self, name: str, **arguments: Any) -> Any:
        queries = self._frame.world.queries
        if name not in queries:
            known = ", ".join(queries) or "none"
            raise NotFound(f"no query {name!r} in this world", remedy=f"it has: {known}")
        return queries[name](self._frame.state, self.who, **arguments)

    async def effect(self, kind: str, request: Any) -> Any:
        assert self._frame.effects is not None
        return await self._frame.effects.perform(self, kind, request)

    async def once(
        self,
        request: Any,
        work: Callable[[], Awaitable[Any]],
        *,
        in_doubt: Literal["retry", "hold"] = "hold",
    ) -> Any:
        assert self._frame.effects is not None
        return await self._frame.effects.once(self, request, work, in_doubt)

    async def within(self, seconds: float, work: Awaitable[Any]) -> Any:
        assert self._frame.effects is not None
        return await self._frame.effects.within(self, seconds, work)

    async def ask(self, request: Any, *, house: Any = None, vital: bool = True) -> Any:
        frame = self._frame
        assert frame.effects is not None
        assert frame.calls is not None
        asked = request if request.model else msgspec.structs.replace(request, model=frame.model)
        if asked.model == "rule":  # nobody is asked: what is known here is the answer, and no effect
            return await at_home.answer(asked, house)
        frame.calls.offer(self.path, house, vital)
        return msgspec.convert(await frame.effects.perform(self, "model", asked), Reply)

    def member(self, name: str) -> RunContext:
        member = RunContext(self._frame, self.who, self._spec, f"{self.path}/{name}")
        member.attempt, member.rejection = self.attempt, self.rejection
        return member
