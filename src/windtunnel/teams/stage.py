"""Where one `invoke` of one team takes place: its transcript, what it used, and the turns its members take.

A stage is made anew for each invoke and dropped after it. Everything in it follows from the answers of the
runtime by their places, so that an invoke that is done again ends the same. Two things see to that. Members
that work at the same time get their own shares of what is limited, so that no race decides who comes to the
limit. And a turn that ended late leaves nothing here, neither lines nor usage: how far it had come is known
to nobody who only reads the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from windtunnel.chance import Chance
from windtunnel.errors import AgentError, WindtunnelError
from windtunnel.models.talk import Message, Reply, Usage
from windtunnel.teams.limits import Limits
from windtunnel.teams.result import Line, MemberResult, OrchestrationResult, Problem, Status, together
from windtunnel.teams.runtime import PASSED_ON, Asking, Late, MemberFailed, Runtime

if TYPE_CHECKING:
    from windtunnel.teams.members import Member
    from windtunnel.teams.tools import Approve

Note = Callable[[str, Message], None]


class LimitReached(AgentError):
    """The team may not go on. Never a member's failure: it ends the team with what it has."""


def in_words(error: Exception) -> str:
    """What went wrong, with the remedy where there is one."""
    if not isinstance(error, WindtunnelError):
        return str(error) or type(error).__name__
    return f"{error.message} ({error.remedy})" if error.remedy else error.message


class Spoken(Struct, frozen=True):
    """What came of one turn. `to` names whom the member handed the conversation to, if it did."""

    text: str
    value: Any = None
    to: str = ""
    why: str = ""
    rechecked: bool = False  # another look was taken at what the turn rests on: a new tool result, a person


class Ending(Struct, frozen=True):
    value: Any
    status: Status
    reason: str
    text: str = ""


class Calls:
    """Calls of models that are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> None:
        if self.left <= 0:
            raise LimitReached("all calls of models that the team may make are made")
        self.left -= 1

    def shares(self, count: int) -> list[Calls]:
        """As many equal shares; those who come first have one more where it does not come out even."""
        each, over = divmod(self.left, count)
        self.left = 0
        return [Calls(each + (position < over)) for position in range(count)]

    def give_back(self, shares: Sequence[Calls]) -> None:
        self.left += sum(share.left for share in shares)


class Record:
    """What one member did so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.result = MemberResult(name)
        self.usages: list[Usage] = []
        self.turns = self.calls = self.cost = 0

    def ended(self, **changes: Any) -> None:
        known = {name: getattr(self.result, name) for name in ("status", "value", "text", "reason", "team")}
        usage = together(self.usages)
        self.result = MemberResult(
            self.name, **{**known, **changes}, turns=self.turns, calls=self.calls, usage=usage, cost=self.cost
        )


class Stage:
    def __init__(
        self,
        runtime: Runtime,
        limits: Limits,
        *,
        path: str = "",
        calls: Calls | None = None,
        depth: int = 1,
        note: Note | None = None,
        approve: Approve | None = None,
    ) -> None:
        self.runtime, self.limits, self.path, self.depth = runtime, limits, path, depth
        self.calls = calls or Calls(limits.calls)
        self.note: Note = note or runtime.note
        self.approve = approve
        self.lines: list[Line] = []
        self.records: dict[str, Record] = {}
        self.errors: list[Problem] = []
        self.rounds = 0

    def at(self, name: str) -> str:
        """The path of a member of this team."""
        return f"{self.path}/{name}" if self.path else name

    def record(self, name: str) -> Record:
        return self.records.setdefault(name, Record(name))

    def problem(self, member: str, error: Exception) -> None:
        code = error.code if isinstance(error, WindtunnelError) else type(error).__name__
        self.errors.append(Problem(member, in_words(error), code))

    def next_round(self) -> None:
        if self.rounds >= self.limits.rounds:
            raise LimitReached(f"{self.limits.rounds} rounds have passed")
        self.rounds += 1

    def add(self, member: str, message: Message) -> None:
        """A line that no member's turn brings: a person's look, a manager's instruction."""
        self.lines.append(Line(member, message))
        self.note(self.at(member), message)

    # --- turns ---

    async def turn(
        self,
        member: Member,
        conversation: Sequence[Line] | None = None,
        *,
        routes: Mapping[str, Route] | None = None,
        deadline: float | None = None,
    ) -> Spoken:
        """One turn of a member, its lines added to the transcript. MemberFailed or Late if nothing came."""
        turn = Turn(self, member.name, self.lines if conversation is None else conversation, self.calls)
        turn.routes = routes or {}
        try:
            return await self.take(turn, member, deadline)
        finally:
            self.close(turn)

    async def take(self, turn: Turn, member: Member, deadline: float | None = None) -> Spoken:
        """Let the member speak. Whoever calls this closes the turn."""
        seconds = deadline if deadline is not None else member.deadline
        try:
            if seconds is None:
                spoken = await member.speak(turn)
            else:
                spoken = await self.runtime.within(turn.path, seconds, lambda path: turn.at(path, member))
        except PASSED_ON:
            raise
        except LimitReached as limit:
            turn.reason = limit.message
            raise
        except Late:
            turn.forget()
            turn.status, turn.reason = "late", f"nothing came within {seconds:g} seconds"
            raise Late(f"{member.name} gave no answer within {seconds:g} seconds", where=turn.place) from None
        except Exception as error:
            turn.status, turn.reason = "failed", in_words(error)
            if isinstance(error, MemberFailed):
                raise
            raise MemberFailed(f"{member.name} failed: {turn.reason}", where=turn.path) from error
        turn.status, turn.spoken = "ok", spoken
        return spoken

    def close(self, turn: Turn) -> None:
        """Enter into the books what the turn brought."""
        turn.release_notes()
        self.lines.extend(turn.new)
        record = self.record(turn.name)
        record.turns += 1
        record.calls += turn.made
        record.cost += turn.cost
        record.usages.append(together(turn.usages))
        changes: dict[str, Any] = {"status": turn.status, "reason": turn.reason}
        if turn.team is not None:
            changes["team"] = turn.team
        if turn.spoken is not None:
            changes |= {"value": turn.spoken.value, "text": turn.spoken.text}
        record.ended(**changes)

    def end(self, ending: Ending, members: Sequence[str]) -> OrchestrationResult:
        """The result. Members stand in the team's order, then whoever else was asked (a manager)."""
        others = [name for name in self.records if name not in members]
        results = [self.record(name).result for name in (*members, *others)]
        return OrchestrationResult(
            ending.value,
            ending.status,
            ending.reason,
            text=ending.text,
            transcript=tuple(self.lines),
            usage=together(one.usage for one in results),
            cost=sum(one.cost for one in results),
            calls=sum(one.calls for one in results),
            rounds=self.rounds,
            members=tuple(results),
            errors=tuple(self.errors),
        )


class Route(Struct, frozen=True):
    """A tool that hands the conversation over: to whom, and what the model is told of it."""

    target: str
    description: str


class Turn:
    """One member's turn: what it sees, whom it may ask, and what it has said so far."""

    def __init__(self, stage: Stage, name: str, conversation: Sequence[Line], calls: Calls) -> None:
        self.stage, self.name, self.calls = stage, name, calls
        self.place = stage.at(name)
        self.path = self.place  # where its questions are found again: the place, or one for this turn alone
        self.conversation = list(conversation)
        self.new: list[Line] = []
        self.routes: Mapping[str, Route] = {}
        self.usages: list[Usage] = []
        self.made = self.cost = 0
        self.status, self.reason = "failed", "it was interrupted"
        self.spoken: Spoken | None = None
        self.team: OrchestrationResult | None = None
        self.note: Note = stage.note
        self._held: list[tuple[str, Message]] = []
        self._before = calls.left

    # --- for members ---

    @property
    def lines(self) -> list[Line]:
        return [*self.conversation, *self.new]

    @property
    def text(self) -> str:
        """What was said last."""
        lines = self.lines
        return lines[-1].message.text if lines else ""

    def chance(self, *element: object) -> Chance:
        """A stream of chance of this member's own."""
        return self.stage.runtime.chance(self.path, *element)

    async def ask(self, messages: Sequence[Message], how: Asking) -> Reply:
        """One call of a model, counted."""
        self.calls.take()
        reply = await self.stage.runtime.ask(self.path, messages, how)
        self.made += 1
        self.cost += reply.cost
        self.usages.append(reply.usage)
        return reply

    def say(self, message: Message) -> None:
        self.new.append(Line(self.name, message))
        self.note(self.place, message)

    def inner(self, limits: Limits, approve: Approve | None) -> Stage:
        """The stage of a team that takes this turn."""
        outer = self.stage
        return Stage(
            outer.runtime,
            limits,
            path=self.path,
            calls=self.calls,
            depth=outer.depth + 1,
            note=self.note,
            approve=approve or outer.approve,
        )

    def took(self, result: OrchestrationResult) -> None:
        """What a team did that took this turn."""
        self.team = result
        self.made += result.calls
        self.cost += result.cost
        self.usages.append(result.usage)

    # --- for the stage ---

    async def at(self, path: str, member: Member) -> Spoken:
        """The turn under a deadline. Nothing is noted before it has ended: a late one leaves nothing."""
        self.path = path
        self.note = lambda place, message: self._held.append((place, message))
        return await member.speak(self)

    def release_notes(self) -> None:
        for place, message in self._held:
            self.stage.note(place, message)
        self._held = []

    def forget(self) -> None:
        self.new, self.usages, self._held = [], [], []
        self.made = self.cost = 0
        self.team = None
        self.calls.left = self._before
