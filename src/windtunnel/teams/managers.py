"""Who leads a group chat: by turns, by functions, or by a model. Every ruling comes with its reason."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, Protocol, TypeVar

from msgspec import Meta, Struct

from windtunnel.models.talk import Message
from windtunnel.teams.asking import ask_text, ask_typed
from windtunnel.teams.conversation import TASK, seen_by
from windtunnel.teams.prompts import ChatPrompts, check_all, fill
from windtunnel.teams.result import Line
from windtunnel.teams.runtime import Asking
from windtunnel.teams.stage import Stage
from windtunnel.teams.team import MANAGER, Team

T = TypeVar("T")


class Ruling(Struct, Generic[T], frozen=True):
    """A decision and why."""

    value: T
    reason: str


class Chat:
    """What a manager sees: the conversation, who is there, and how many turns were taken."""

    def __init__(self, team: Team, stage: Stage) -> None:
        self.team, self.stage = team, stage

    @property
    def lines(self) -> list[Line]:
        return list(self.stage.lines)

    @property
    def names(self) -> list[str]:
        return list(self.team.members)

    @property
    def turns(self) -> int:
        return self.stage.rounds

    @property
    def task(self) -> str:
        return "\n\n".join(line.message.text for line in self.stage.lines if line.member == TASK)

    @property
    def last(self) -> Line | None:
        """The last that a member said."""
        said = (line for line in reversed(self.stage.lines) if line.member in self.team.members)
        return next((line for line in said if line.message.role == "assistant" and line.message.text), None)


class Manager(Protocol):
    """Asked in this order before each turn: for a person's word, whether to end, who is next. At the end,
    for the result."""

    async def should_request_user_input(self, chat: Chat) -> Ruling[bool]: ...
    async def should_terminate(self, chat: Chat) -> Ruling[bool]: ...
    async def select_next_agent(self, chat: Chat) -> Ruling[str]: ...
    async def filter_results(self, chat: Chat) -> Ruling[Any]: ...


class RoundRobin:
    """Everyone by turns, so many times; the result is the last word. Subclass it to change one ruling."""

    def __init__(self, laps: int = 1) -> None:
        self.laps = laps

    async def should_request_user_input(self, chat: Chat) -> Ruling[bool]:
        return Ruling(False, "no person is asked")

    async def should_terminate(self, chat: Chat) -> Ruling[bool]:
        done = chat.turns >= self.laps * len(chat.names)
        return Ruling(done, f"everyone has spoken {self.laps} times" if done else "not everyone has spoken")

    async def select_next_agent(self, chat: Chat) -> Ruling[str]:
        return Ruling(chat.names[chat.turns % len(chat.names)], "by turns")

    async def filter_results(self, chat: Chat) -> Ruling[Any]:
        if chat.last is None:
            return Ruling(None, "nobody said anything")
        name, text = chat.last.member, chat.last.message.text
        known = chat.stage.record(name).result
        return Ruling(known.value if known.text == text else text, "the last word")


Rule = Callable[[Chat], Any]


class Functions(RoundRobin):
    """Rulings by functions of the chat: a plain value, or a `Ruling` with its reason; sync or async."""

    def __init__(
        self,
        *,
        select: Rule | None = None,
        terminate: Rule | None = None,
        ask_user: Rule | None = None,
        results: Rule | None = None,
        laps: int = 1,
    ) -> None:
        super().__init__(laps)
        self._select, self._terminate, self._ask_user, self._results = select, terminate, ask_user, results

    async def should_request_user_input(self, chat: Chat) -> Ruling[bool]:
        return await _ruled(self._ask_user, chat, super().should_request_user_input)

    async def should_terminate(self, chat: Chat) -> Ruling[bool]:
        return await _ruled(self._terminate, chat, super().should_terminate)

    async def select_next_agent(self, chat: Chat) -> Ruling[str]:
        return await _ruled(self._select, chat, super().select_next_agent)

    async def filter_results(self, chat: Chat) -> Ruling[Any]:
        return await _ruled(self._results, chat, super().filter_results)


async def _ruled(rule: Rule | None, chat: Chat, default: Callable[[Chat], Awaitable[Ruling[T]]]) -> Ruling[T]:
    if rule is None:
        return await default(chat)
    value = rule(chat)
    if inspect.isawaitable(value):
        value = await value
    return value if isinstance(value, Ruling) else Ruling(value, f"by {getattr(rule, '__name__', 'rule')}")


class YesOrNo(Struct, frozen=True):
    answer: bool
    reason: Annotated[str, Meta(description="In a sentence.")]


class Selection(Struct, frozen=True):
    next_speaker: str
    reason: Annotated[str, Meta(description="In a sentence.")]


class ModelManager:
    """A model rules. It is asked whether to end only when somebody has spoken; a name that is nobody's is
    asked again with the reason, and at last is an error."""

    def __init__(self, asking: Asking | None = None, *, prompts: ChatPrompts | None = None) -> None:
        self.asking, self.prompts = asking or Asking(), prompts or ChatPrompts()
        check_all(self.prompts, "prompts")

    async def should_request_user_input(self, chat: Chat) -> Ruling[bool]:
        if not self.prompts.ask_user:
            return Ruling(False, "no person is asked")
        return await self._yes_or_no(chat, self.prompts.ask_user, YesOrNo(False, "nothing needs a person"))

    async def should_terminate(self, chat: Chat) -> Ruling[bool]:
        if chat.turns == 0:
            return Ruling(False, "nobody has spoken yet")
        silent = _silent(chat)
        told = f"{silent[0]} has not spoken" if silent else "everybody has spoken"
        return await self._yes_or_no(chat, self.prompts.terminate, YesOrNo(not silent, told))

    async def select_next_agent(self, chat: Chat) -> Ruling[str]:
        if len(chat.names) == 1:
            return Ruling(chat.names[0], "there is nobody else")

        def check(chosen: Selection) -> str | None:
            if chat.team.named(chosen.next_speaker) is None:
                return f"next_speaker must be one of {', '.join(chat.names)}, not {chosen.next_speaker!r}"
            return None

        asked = self._messages(chat, self.prompts.select)
        house = Selection((_silent(chat) or chat.names)[0], "by turns")
        chosen = await ask_typed(chat.stage, asked, Selection, self.asking, check=check, house=house)
        return Ruling(chat.team.named(chosen.next_speaker) or "", chosen.reason)

    async def filter_results(self, chat: Chat) -> Ruling[Any]:
        house = next((line.message.text for line in reversed(chat.lines) if line.member in chat.names), "")
        asked = self._messages(chat, self.prompts.filter)
        text = await ask_text(chat.stage, asked, self.asking, house=house)
        return Ruling(text, "the manager's summary")

    async def _yes_or_no(self, chat: Chat, prompt: str, house: YesOrNo) -> Ruling[bool]:
        found = await ask_typed(chat.stage, self._messages(chat, prompt), YesOrNo, self.asking, house=house)
        return Ruling(found.answer, found.reason)

    def _messages(self, chat: Chat, prompt: str) -> list[Message]:
        values = {"task": chat.task, "team": chat.team.roster(), "names": ", ".join(chat.names)}
        said = [line for line in chat.lines if line.member not in {TASK, MANAGER}]
        told = seen_by("", said) if said else []
        return [
            Message("system", fill(self.prompts.instructions, **values)),
            *told,
            Message("user", fill(prompt, **values)),
        ]


def _silent(chat: Chat) -> list[str]:
    """Who has not spoken yet, in the team's order."""
    spoken = {line.member for line in chat.lines}
    return [name for name in chat.names if name not in spoken]
