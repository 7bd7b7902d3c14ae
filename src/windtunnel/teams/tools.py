"""Tools that members may call, and how a call is carried out: once, with its result right behind it.

What a member may call is what it was given; a call of anything else is answered with an error, whatever the
conversation says. A call that needs approval is shown to the team's hook, or to a person where there is none.
Nothing a tool does wrong ends a turn: the model is told, and may do better.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from windtunnel.codec import encode_body, find_unfit
from windtunnel.errors import BudgetReached, CodecError, Divergence, StorageError, UsageError, WindtunnelError
from windtunnel.models.signature import arguments_of, schema_of
from windtunnel.models.talk import Tool, ToolCall
from windtunnel.teams.conversation import as_text
from windtunnel.teams.runtime import PASSED_ON
from windtunnel.teams.stage import Turn
from windtunnel.words import suggest
from windtunnel.world import Verdict

LOOKS = 3  # how often a person is asked whose answer was not understood


class Approval(Struct, frozen=True):
    """What the hook is shown. It must judge by this alone: it is asked again when the team is."""

    member: str
    tool: str
    arguments: Any


Approve = Callable[[Approval], "Verdict | Awaitable[Verdict]"]


class FunctionTool:
    """A Python callable as a tool: its schema is made from its signature, its help from its docstring."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        description: str = "",
        needs_approval: bool = False,
    ) -> None:
        self.function, self.needs_approval = function, needs_approval
        self.name = name or getattr(function, "__name__", "")
        if not self.name.isidentifier():
            raise UsageError(f"{self.name!r} is no name for a tool", remedy="give it one: name='look_up'")
        self._arguments = arguments_of(function, self.name)
        self.tool = Tool(self.name, description or inspect.getdoc(function) or "", schema_of(self._arguments))

    def bind(self, arguments: Any) -> Callable[..., Awaitable[Any]]:
        """The call as it is handed to the runtime: checked first, and never raising what a model can mend."""

        async def perform(**_given: Any) -> Any:
            try:
                given = msgspec.convert(arguments, self._arguments, str_keys=True)
                result = self.function(**{name: getattr(given, name) for name in given.__struct_fields__})
                if inspect.isawaitable(result):
                    result = await result
                encode_body(result)
                unfit = find_unfit(result)
            except msgspec.ValidationError as error:
                return failure(f"the arguments do not fit: {error}")
            except CodecError as error:
                return failure(f"the result cannot be recorded: {error.message}")
            except (BudgetReached, StorageError, Divergence):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the model is told
                return failure(_words(error))
            return result if unfit is None else failure(f"the result cannot be recorded: {unfit}")

        return perform


def tool(function: Callable[..., Any], **settings: Any) -> FunctionTool:
    """`tool(look_up, needs_approval=True)`"""
    return FunctionTool(function, **settings)


def failure(why: str) -> dict[str, str]:
    """The result of a call that went wrong."""
    return {"error": why}


def _words(error: Exception) -> str:
    message = error.message if isinstance(error, WindtunnelError) else str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


class Toolbox:
    """What one member may call in one turn."""

    def __init__(
        self, turn: Turn, own: Mapping[str, FunctionTool], named: Sequence[str], guarded: Sequence[str]
    ) -> None:
        self._turn, self._own, self._guarded = turn, own, guarded
        offered = turn.stage.runtime.offered()
        missing = [name for name in named if name not in own and name not in offered]
        if missing:
            raise UsageError(
                f"{turn.name} is to have the tool {missing[0]!r}, which is not here",
                where=turn.path,
                remedy=suggest(missing[0], [*own, *offered]),
            )
        self.tools = tuple(own[name].tool if name in own else offered[name] for name in named)
        self._names = set(named)

    async def run(self, call: ToolCall) -> str:
        """The result of one call, as the model is shown it."""
        limit = self._turn.stage.limits.text
        text = as_text(await self._result(call))
        return text if len(text) <= limit else f"{text[:limit]}… (cut: {len(text):,} characters)"

    async def _result(self, call: ToolCall) -> Any:
        if call.name not in self._names:
            names = sorted(self._names)
            return failure(f"there is no tool {call.name!r} for you: {suggest(call.name, names)}")
        if not isinstance(call.arguments, dict):
            return failure("the arguments must be an object of names and values")
        own = self._own.get(call.name)
        if call.name in self._guarded or (own is not None and own.needs_approval):
            judged = await self._approved(call)
            if isinstance(judged, str):
                return failure(f"refused: {judged}")
            call = judged
        function = own.bind(call.arguments) if own is not None else None
        try:
            return await self._turn.stage.runtime.call(self._turn.path, call, function)
        except PASSED_ON:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the model is told
            return failure(_words(error))

    async def _approved(self, call: ToolCall) -> ToolCall | str:
        """The call as it may be carried out, or why not."""
        stage = self._turn.stage
        request = Approval(self._turn.path, call.name, call.arguments)
        if stage.approve is None:
            return await self._held(call, f"{self._turn.path} wants to call {call.name}")
        verdict = stage.approve(request)
        if inspect.isawaitable(verdict):
            verdict = await verdict
        if verdict.kind == "hold":
            return await self._held(call, verdict.reason)
        if verdict.kind == "reject":
            return verdict.reason or "it is not allowed"
        if verdict.kind == "amend":
            return msgspec.structs.replace(call, arguments=verdict.action)
        return call

    async def _held(self, call: ToolCall, reason: str) -> ToolCall | str:
        turn = self._turn
        question = {
            "approve": {"member": turn.path, "tool": call.name, "arguments": call.arguments},
            "reason": reason,
            "answer": {"approve": "true or false", "reason": "text, if refused"},
        }
        for _ in range(LOOKS):
            answer = await turn.stage.runtime.human(turn.path, question)
            said = answer if isinstance(answer, dict) else {"approve": answer}
            if said.get("approve") is True or said.get("approve") in ("yes", "approve", "true"):
                return call
            if said.get("approve") is False or said.get("approve") in ("no", "reject", "false"):
                return str(said.get("reason") or "a person refused it")
            question = {**question, "not_understood": said}
        return "no clear answer came from a person"
