"""A runtime for tests of teams: in memory, with scripted answers, and killed where you like.

    runtime = Scripted({"writer": ["a first draft", calls("look_up", word="wind"), "done"]})
    result = await team.invoke("task", runtime)
    runtime = runtime.resumed()  # as after a kill: what was recorded is answered from the record

It refuses what a provider would refuse (a call without its result), and a question that differs from the one
that was recorded in its place. Answers go through the bytes that a journal would keep.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from windtunnel.chance import Chance
from windtunnel.codec import decode_body, encode_body
from windtunnel.errors import Divergence, EffectFailed, UsageError, WindtunnelError
from windtunnel.models.talk import Ask, Message, Reply, Tool, ToolCall, Usage
from windtunnel.teams.conversation import ill_formed
from windtunnel.teams.local import ask_of
from windtunnel.teams.runtime import Asking, Late
from windtunnel.teams.tools import FunctionTool

T = TypeVar("T")
Place = tuple[str, int]
CYCLES = 20  # of the event loop, before a deadline that is scripted passes
STEPS = 7  # at most so many cycles go by before a shuffled answer


class Killed(BaseException):
    """The process dies here. No Exception, so that nobody lives on by accident."""


class Waits(BaseException):
    """A person is asked who has not answered: the run would park."""


class Recorded(NamedTuple):
    kind: str
    request: bytes
    result: bytes


def calls(name: str, /, **arguments: Any) -> Reply:
    """A reply that calls one tool, without an id, as with some providers."""
    return Reply(calls=(ToolCall("", name, arguments),))


class Scripted:
    """`script`: by member's path, its model's answers in order, or a function of the `Ask`. An answer is a
    text, a plain value (sent as JSON), a `Reply`, or an error to raise. `people`: likewise, of the question.
    `late`: by path, which turns of a member with a deadline end late; its later ones have the paths `slow~1`,
    `slow~2`. `shuffle`: another order in which answers arrive."""

    def __init__(
        self,
        script: Mapping[str, Any] | None = None,
        *,
        people: Mapping[str, Any] | None = None,
        tools: Sequence[Callable[..., Any] | FunctionTool] = (),
        late: Mapping[str, Sequence[int]] | None = None,
        shuffle: int = 0,
    ) -> None:
        self.script, self.people = dict(script or {}), dict(people or {})
        made = [one if isinstance(one, FunctionTool) else FunctionTool(one) for one in tools]
        self.tools = {one.name: one for one in made}
        self.late, self.shuffle = dict(late or {}), shuffle
        self.record: dict[Place, Recorded] = {}
        self.known: frozenset[Place] = frozenset()  # recorded before this process
        self.performed: list[tuple[str, Place]] = []  # asked for outside, in the order of arrival
        self.asks: list[tuple[str, Ask]] = []
        self.notes: list[tuple[str, Message]] = []
        self._used: dict[tuple[str, str], int] = {}  # answers of a script that are taken
        self._next: dict[str, int] = {}
        self._kill_at: int | None = None
        self._keeps = True
        self._dead = False

    def killed_after(self, count: int, *, kept: bool = True) -> Scripted:
        """Die at the so-manieth answer: when it is recorded but not used yet, or before it is recorded."""
        self._kill_at, self._keeps = count, kept
        return self

    def resumed(self, **changes: Any) -> Scripted:
        """Another process, with the record of this one."""
        given: dict[str, Any] = {
            "people": self.people,
            "tools": list(self.tools.values()),
            "late": self.late,
            "shuffle": self.shuffle,
        }
        fresh = Scripted(self.script, **{**given, **changes})
        fresh.record = dict(self.record)
        fresh.known = frozenset(self.record)
        for kind, (path, _) in self._answered():
            fresh._used[kind, path] = fresh._used.get((kind, path), 0) + 1
        return fresh

    def _answered(self) -> list[tuple[str, Place]]:
        return [(entry.kind, place) for place, entry in self.record.items()]

    @property
    def asked_again(self) -> list[tuple[str, Place]]:
        """What was asked for outside although the answer was recorded. Empty, or a promise is broken."""
        return [one for one in self.performed if one[1] in self.known]

    # --- the runtime ---

    def offered(self) -> Mapping[str, Tool]:
        return {name: one.tool for name, one in self.tools.items()}

    async def ask(self, member: str, messages: Sequence[Message], how: Asking) -> Reply:
        asked = ask_of(messages, how, "scripted")
        if (wrong := refused(asked)) is not None:
            raise Divergence(f"a provider would refuse this: {wrong}", where=member)
        self.asks.append((member, asked))

        async def perform() -> Any:
            return msgspec.to_builtins(_reply(self._scripted("model", self.script, member, asked)))

        return msgspec.convert(await self._outside(member, "model", asked, perform), Reply)

    async def human(self, member: str, question: Any) -> Any:
        async def perform() -> Any:
            if member not in self.people:
                raise Waits(member)
            return self._scripted("person", self.people, member, question)

        return await self._outside(member, "person", question, perform)

    async def call(self, member: str, call: ToolCall, function: Callable[..., Any] | None) -> Any:
        async def perform() -> Any:
            run = function or self.tools[call.name].bind(call.arguments)
            result = run(**call.arguments)
            return await result if inspect.isawaitable(result) else result

        return await self._outside(member, "tool", call, perform)

    async def within(self, member: str, seconds: float, work: Callable[[str], Awaitable[T]]) -> T:
        place, fresh = self._place(f"{member}!deadline"), False
        count = place[1]
        path = f"{member}~{count}" if count else member
        if place not in self.record:
            if count not in self.late.get(member, ()):
                return await work(path)
            fresh = True
            running = asyncio.ensure_future(work(path))
            for _ in range(CYCLES):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if fresh:
            self._commit(place, Recorded("deadline", b"{}", encode_body({"ok": None})))
        raise Late(f"{seconds:g} seconds have passed", where=member)

    def chance(self, member: str, *element: object) -> Chance:
        return Chance(1, "scripted", member, *element)

    def note(self, member: str, message: Message) -> None:
        self.notes.append((member, message))

    # --- the record ---

    def _place(self, path: str) -> Place:
        index = self._next.get(path, 0)
        self._next[path] = index + 1
        return path, index

    async def _outside(
        self, path: str, kind: str, request: Any, perform: Callable[[], Awaitable[Any]]
    ) -> Any:
        place, raw = self._place(path), encode_body(request)
        for _ in range(Chance(self.shuffle, "arrival", *place).below(STEPS) if self.shuffle else 1):
            await asyncio.sleep(0)
        if self._dead:
            raise Killed
        if place not in self.record:
            self.performed.append((kind, place))
            try:
                result: dict[str, Any] = {"ok": await perform()}
            except EffectFailed as error:
                result = {"failed": error.message}
            self._commit(place, Recorded(kind, raw, encode_body(result)))
        known = self.record[place]
        if (known.kind, known.request) != (kind, raw):
            raise Divergence(
                f"question {place[1]} of {path} was recorded otherwise",
                where=path,
                recorded=known.request.decode(),
                played=raw.decode(),
            )
        answer = decode_body(known.result)
        if "failed" in answer:
            raise EffectFailed(answer["failed"], where=path)
        return answer["ok"]

    def _commit(self, place: Place, entry: Recorded) -> None:
        if self._dead:
            raise Killed
        dies = self._kill_at is not None and len(self.record) - len(self.known) + 1 >= self._kill_at
        if self._keeps or not dies:
            self.record[place] = entry
        if dies:
            self._dead = True
            raise Killed

    def _scripted(self, kind: str, script: Mapping[str, Any], path: str, request: Any) -> Any:
        if path not in script:
            raise UsageError(f"no script for {path!r}", remedy=f"it has: {', '.join(script)}")
        index = self._used.get((kind, path), 0)
        self._used[kind, path] = index + 1
        answers = script[path]
        if callable(answers):
            answer = answers(request)
        elif index < len(answers):
            answer = answers[index]
        else:
            raise UsageError(f"the script of {path!r} has {len(answers)} answers, and one more is asked for")
        if isinstance(answer, BaseException):
            message = answer.message if isinstance(answer, WindtunnelError) else str(answer)
            raise EffectFailed(message) if isinstance(answer, Exception) else answer
        return answer


def _reply(answer: Any) -> Reply:
    if isinstance(answer, Reply):
        return answer
    text = answer if isinstance(answer, str) else encode_body(answer).decode()
    return Reply(text, usage=Usage(10, 1), cost=3)


def refused(asked: Ask) -> str | None:
    """What a provider would say against a call."""
    said = [message for message in asked.messages if message.role != "system"]
    if not said or said[0].role != "user":
        return "the conversation does not begin with a user's message"
    if said[-1].role == "assistant":
        return "the conversation ends with the model's own message"
    names = [tool.name for tool in asked.tools]
    if len(set(names)) < len(names):
        return f"two tools have one name: {', '.join(names)}"
    return ill_formed(said)
