"""Who may sit in a team: a model with instructions, a function, a person. A team may, too (`team.py`).

A member keeps nothing between turns: what it knows is the conversation it is shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from windtunnel.models.talk import Message, Task
from windtunnel.teams.conversation import as_text
from windtunnel.teams.runtime import Asking, MemberFailed
from windtunnel.teams.speech import Answer, speak
from windtunnel.teams.stage import Spoken, Turn
from windtunnel.teams.tools import FunctionTool, Toolbox

SHOWN = 30  # lines of a conversation that a person is shown, the last ones


class Member(Protocol):
    name: str
    description: str  # for others: what it is good for
    deadline: float | None  # seconds for one turn

    async def speak(self, turn: Turn) -> Spoken: ...


class ModelMember(Member):
    """A model with instructions and tools. `answer` types its answers: a Struct, or a JSON schema."""

    def __init__(  # noqa: PLR0913 - settings, each with its default
        self,
        name: str,
        instructions: str = "",
        *,
        description: str = "",
        model: str = "",
        tools: Sequence[Callable[..., Any] | FunctionTool | str] = (),
        needs_approval: Sequence[str] = (),
        answer: type[Struct] | dict[str, Any] | None = None,
        max_tokens: int = 1024,
        temperature: float | None = None,
        task: Task | None = None,
        deadline: float | None = None,
    ) -> None:
        """`tools` are functions, or names of what the runtime offers; `needs_approval` names some of them."""
        self.name, self.instructions, self.deadline = name, instructions, deadline
        self.description = description or instructions.partition("\n")[0]
        self._own: dict[str, FunctionTool] = {}
        self._named: list[str] = []
        for given in tools:
            if isinstance(given, str):
                self._named.append(given)
                continue
            made = given if isinstance(given, FunctionTool) else FunctionTool(given)
            self._own[made.name] = made
            self._named.append(made.name)
        self._guarded = tuple(needs_approval)
        self._answer = Answer.of(answer)
        self.asking = Asking(
            model,
            schema=self._answer.schema if self._answer else None,
            max_tokens=max_tokens,
            temperature=temperature,
            task=task or Task(),
        )

    async def speak(self, turn: Turn) -> Spoken:
        box = Toolbox(turn, self._own, self._named, self._guarded)
        opening = [Message("system", self.instructions)] if self.instructions else []
        return await speak(turn, opening, self.asking, box, self._answer)


class FunctionMember(Member):
    """A Python function as a member: it is given the `Turn`, and returns its answer, any plain value, or a
    `Spoken` that hands the conversation over. Sync or async; it must depend on nothing but the turn."""

    def __init__(
        self,
        name: str,
        function: Callable[[Turn], Any],
        *,
        description: str = "",
        deadline: float | None = None,
    ) -> None:
        self.name, self.function, self.deadline = name, function, deadline
        self.description = description or inspect.getdoc(function) or ""

    async def speak(self, turn: Turn) -> Spoken:
        value = self.function(turn)
        if inspect.isawaitable(value):
            value = await value
        spoken = value if isinstance(value, Spoken) else Spoken(as_text(value), value)
        turn.say(Message("assistant", spoken.text, name=self.name))
        return spoken


class HumanMember(Member):
    """A person. The question goes out with the end of the conversation; the run parks until the answer."""

    def __init__(self, name: str, *, description: str = "", deadline: float | None = None) -> None:
        self.name, self.deadline = name, deadline
        self.description = description or "A person."

    async def speak(self, turn: Turn) -> Spoken:
        answer = await turn.stage.runtime.human(turn.path, question_to(turn))
        if answer is None or answer == "":
            raise MemberFailed(f"{self.name} gave no answer", where=turn.path)
        text = as_text(answer)
        turn.say(Message("assistant", text, name=self.name))
        return Spoken(text, answer, rechecked=True)


def question_to(turn: Turn, **more: Any) -> dict[str, Any]:
    """What a person is shown: who speaks, what, and what is wanted."""
    shown = [line for line in turn.lines if line.message.text][-SHOWN:]
    told = [{"from": line.member, "text": line.message.text} for line in shown]
    question: dict[str, Any] = {"member": turn.name, "conversation": told, **more}
    if turn.routes:
        question["hand_over_to"] = {route.target: route.description for route in turn.routes.values()}
    return msgspec.to_builtins(question)  # type: ignore[no-any-return]
