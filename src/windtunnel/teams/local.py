"""Teams alone, from Python: no run, no journal, answers used and forgotten.

    result = await team.invoke("Write a haiku about wind tunnels", LocalRuntime(gateway, model="house"))

It talks to whoever has `ask(Ask, key=…) -> Reply`, as the gateway does, or to a function of an `Ask`. A
person is asked through `people`. Nothing is kept: an invoke that is broken off begins again from nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from windtunnel.chance import Chance
from windtunnel.codec import encode_body
from windtunnel.errors import UsageError
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall
from windtunnel.teams.runtime import Asking, Late
from windtunnel.teams.tools import FunctionTool

T = TypeVar("T")


class GatewayLike(Protocol):
    async def ask(self, ask: Ask, *, key: str) -> Reply: ...


class LocalRuntime:
    def __init__(
        self,
        gateway: GatewayLike | Callable[[Ask], Awaitable[Reply]],
        *,
        model: str = "",
        tools: Sequence[Callable[..., Any] | FunctionTool] = (),
        people: Callable[[str, Any], Any] | None = None,
        key: str = "local",
        seed: int = 1,
        heard: Callable[[str, Message], None] | None = None,
    ) -> None:
        """`model` for members that name none; `tools` that members may name; `people` answers
        (member, question); `key` begins every idempotency key; `heard` is told each line."""
        self._gateway, self._model, self._people, self._key, self._seed = gateway, model, people, key, seed
        made = [one if isinstance(one, FunctionTool) else FunctionTool(one) for one in tools]
        self._tools = {one.name: one for one in made}
        self._heard = heard
        self._asked: dict[str, int] = {}

    def offered(self) -> Mapping[str, Tool]:
        return {name: one.tool for name, one in self._tools.items()}

    async def ask(self, member: str, messages: Sequence[Message], how: Asking) -> Reply:
        model = how.model or self._model
        if not model:
            raise UsageError(
                f"no model is named for {member}", where=member, remedy="LocalRuntime(…, model=…)"
            )
        asked = ask_of(messages, how, model)
        if not hasattr(self._gateway, "ask"):
            return await self._gateway(asked)
        count = self._asked[member] = self._asked.get(member, 0) + 1
        digest = sha256(encode_body(asked)).hexdigest()[:16]
        return await self._gateway.ask(asked, key=f"{self._key}/{member}/{count}/{digest}")

    async def human(self, member: str, question: Any) -> Any:
        if self._people is None:
            raise UsageError(
                f"a person is asked as {member}, and nobody is here",
                where=member,
                remedy="LocalRuntime(…, people=…) with a function that answers",
            )
        answer = self._people(member, question)
        return await answer if inspect.isawaitable(answer) else answer

    async def call(self, member: str, call: ToolCall, function: Callable[..., Any] | None) -> Any:
        perform = function or self._tools[call.name].bind(call.arguments)
        result = perform(**call.arguments)
        return await result if inspect.isawaitable(result) else result

    async def within(self, member: str, seconds: float, work: Callable[[str], Awaitable[T]]) -> T:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await work(member)
        except TimeoutError:
            if not limit.expired():
                raise  # the member's own
            raise Late(f"{seconds:g} seconds have passed", where=member) from None

    def chance(self, member: str, *element: object) -> Chance:
        return Chance(self._seed, "team", member, *element)

    def note(self, member: str, message: Message) -> None:
        if self._heard is not None:
            self._heard(member, message)


def ask_of(messages: Sequence[Message], how: Asking, model: str) -> Ask:
    """The call that a runtime makes for a member."""
    return Ask(
        how.model or model,
        tuple(messages),
        tools=how.tools,
        schema=how.schema,
        max_tokens=how.max_tokens,
        temperature=how.temperature,
        task=how.task,
    )
