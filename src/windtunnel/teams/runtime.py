"""What a team stands on: somebody who asks models, people and tools for it, and remembers the answers.

A team keeps nothing outside one `invoke`. After a kill it is invoked again, goes the same way again, and its
runtime answers from the record what was answered before. So a runtime must recognise a question by its place:
the member's path and how many questions of that path came before it. Never by the order of arrival: members
of a concurrent team ask at the same time.

What a runtime may raise: an `Exception` that is the member's misfortune (a `ModelError`, an `EffectFailed`)
becomes that member's failure; errors of use, storage, budget and replay (`PASSED_ON`) and every
`BaseException` (a run that parks) unwind the team.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from windtunnel.chance import Chance
from windtunnel.errors import AgentError, BudgetReached, CodecError, Divergence, StorageError, UsageError
from windtunnel.models.talk import Message, Reply, Task, Tool, ToolCall

T = TypeVar("T")

PASSED_ON = (UsageError, BudgetReached, StorageError, Divergence, CodecError)


class MemberFailed(AgentError):
    """A member gave no answer that can be used."""


class Late(AgentError):
    """A member's deadline passed. `Runtime.within` raises it and records it, so that replay honours it."""


class Asking(Struct, frozen=True):
    """How a model is to be asked: what a member's own settings say."""

    model: str = ""
    tools: tuple[Tool, ...] = ()
    schema: dict[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float | None = None
    task: Task = field(default_factory=Task)
    house: Any = None  # what the model called house answers; no part of what is asked


class Runtime(Protocol):
    """`member` is a path from the team that was invoked: `writer`, or `desk/writer` in a team that is one."""

    def offered(self) -> Mapping[str, Tool]:
        """The tools that the runtime itself brings (a world's queries), by name."""
        ...

    async def ask(self, member: str, messages: Sequence[Message], how: Asking) -> Reply:
        """One call of a model for a member."""
        ...

    async def human(self, member: str, question: Any) -> Any:
        """A person's answer. It may take days: the run parks, and the team is invoked again later."""
        ...

    async def call(self, member: str, call: ToolCall, function: Callable[..., Any] | None) -> Any:
        """The result of a tool, executed once however often the team is invoked again. `function` takes the
        arguments by name, sync or async; None: one of those that the runtime offered."""
        ...

    async def within(self, member: str, seconds: float, work: Callable[[str], Awaitable[T]]) -> T:
        """Do the work, or raise `Late` after so many seconds; and at once where that is recorded already.

        The work is given the path under which it asks: one of its own each time (`writer`, `writer~1`, …),
        since nobody can say later how many questions one that ended late had asked."""
        ...

    def chance(self, member: str, *element: object) -> Chance:
        """A stream of chance of this member's own."""
        ...

    def note(self, member: str, message: Message) -> None:
        """A line of the transcript. The lines of one member come in order; those of members that work at the
        same time come mixed, and again when the team is invoked again: store them by member and count."""
        ...
