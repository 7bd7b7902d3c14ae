"""Teams inside a run: every question is an effect at its member's path, every deadline a recorded fact.

    result = await team.invoke(task, InRun(context))

A stranger's agent may use it as `kind: team` does. After a kill the turn is played again, the team goes the
same way, and what was answered is answered from the record.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from windtunnel.chance import Chance
from windtunnel.errors import DeadlinePassed
from windtunnel.models.talk import Message, Reply, Tool, ToolCall
from windtunnel.teams.local import ask_of
from windtunnel.teams.runtime import Asking, Late
from windtunnel.world import Context

T = TypeVar("T")
Offer = Callable[[ToolCall, Context], Awaitable[Any]]


class InRun:
    def __init__(
        self,
        context: Context,
        *,
        model: str = "",
        house: Any = None,
        tools: Sequence[Tool] = (),
        run_tool: Offer | None = None,
    ) -> None:
        """`model` for members that name none; `house` is what the model called house answers to members;
        `tools` are offered to members that name them, and carried out by `run_tool`."""
        self.context, self.house = context, house
        self._model = model
        self._tools = {tool.name: tool for tool in tools}
        self._run_tool = run_tool
        self._turns: dict[str, int] = {}

    def offered(self) -> Mapping[str, Tool]:
        return self._tools

    async def ask(self, member: str, messages: Sequence[Message], how: Asking) -> Reply:
        """A model that gives no answer is its member's misfortune, recorded: the others may go on."""
        house = how.house
        if house is None and how.schema is None:
            house = self.house
        asked = ask_of(messages, how, self._model)
        reply: Reply = await self._at(member).ask(asked, house=house, vital=False)
        return reply

    async def human(self, member: str, question: Any) -> Any:
        return await self._at(member).effect("ask", question)

    async def call(self, member: str, call: ToolCall, function: Callable[..., Any] | None) -> Any:
        where = self._at(member)
        if function is None:
            assert self._run_tool is not None
            return await self._run_tool(call, where)

        async def work() -> Any:
            result = function(**call.arguments)
            return await result if inspect.isawaitable(result) else result

        return await where.once({"tool": call.name, "arguments": call.arguments}, work)

    async def within(self, member: str, seconds: float, work: Callable[[str], Awaitable[T]]) -> T:
        count = self._turns[member] = self._turns.get(member, -1) + 1
        path = f"{member}~{count}" if count else member
        try:
            done: T = await self._at(path).within(seconds, work(path))
        except DeadlinePassed:
            raise Late(f"{seconds:g} seconds have passed", where=member) from None
        return done

    def chance(self, member: str, *element: object) -> Chance:
        return self._at(member).chance(*element)

    def note(self, member: str, message: Message) -> None:
        """The effects hold all that was said."""

    def _at(self, member: str) -> Context:
        return self.context.member(member)
