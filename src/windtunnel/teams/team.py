"""What all five patterns share: members with names, limits, and one `invoke` from a task to a result."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Message
from windtunnel.teams.conversation import TASK, as_text, retold, task_lines
from windtunnel.teams.limits import Limits
from windtunnel.teams.members import Member
from windtunnel.teams.result import Line, OrchestrationResult
from windtunnel.teams.runtime import PASSED_ON, Late, MemberFailed, Runtime
from windtunnel.teams.stage import Ending, LimitReached, Spoken, Stage, Turn, in_words
from windtunnel.teams.tools import Approve
from windtunnel.words import suggest

MANAGER = "manager"  # the path of whoever leads: a chat's manager, an aggregator, a person who looks
RESERVED = (TASK, MANAGER)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,48}")  # short enough that `handoff_to_…` is a name for a tool


class Team(Member, ABC):
    """Members and a way to work together. A team is a member too, so teams nest."""

    pattern: str

    def __init__(
        self,
        members: Sequence[Member],
        *,
        name: str = "team",
        description: str = "",
        limits: Limits | None = None,
        approve: Approve | None = None,
        deadline: float | None = None,
    ) -> None:
        """`approve` judges calls of tools that need approval, in this team and in those inside it."""
        self.name, self.description, self.deadline = name, description, deadline
        self.members = {member.name: member for member in members}
        self.limits = limits or Limits()
        self.approve = approve
        self._check_names([member.name for member in members])

    def _check_names(self, names: Sequence[str]) -> None:
        where = f"{self.name}.members"
        if not names:
            raise ScenarioError("a team needs members", where=where, remedy="give it at least one")
        for position, name in enumerate(names):
            if not _NAME.fullmatch(name) or name in RESERVED:
                raise ScenarioError(
                    f"a member cannot be called {name!r}",
                    where=f"{where}.{position}",
                    remedy=f"letters, digits, _ and -, at most 48; not {' or '.join(RESERVED)}",
                )
            if name in names[:position]:
                raise ScenarioError(
                    f"two members are called {name!r}", where=f"{where}.{position}", remedy="rename one"
                )

    async def invoke(self, task: Any, runtime: Runtime) -> OrchestrationResult:
        """Work on the task: text, messages, or any plain value. The result says how it ended; what is
        raised is what nobody in the team can help (a limit of money, a broken store, a run that parks)."""
        return await self._run(task_lines(task), Stage(runtime, self.limits, approve=self.approve))

    async def speak(self, turn: Turn) -> Spoken:
        """As a member of another team: the conversation is the task, the value is the answer."""
        if turn.stage.depth >= turn.stage.limits.depth:
            raise LimitReached(f"teams may be nested {turn.stage.limits.depth} deep")
        stage = turn.inner(self.limits, self.approve)
        result = await self._run(retold(turn.lines), stage)
        turn.took(result)
        if result.status == "failed":
            raise MemberFailed(f"the team {self.name} failed: {result.reason}", where=turn.path)
        text = result.text or as_text(result.value)
        turn.say(Message("assistant", text, name=self.name))
        return Spoken(text, result.value, rechecked=True)

    async def _run(self, lines: Sequence[Line], stage: Stage) -> OrchestrationResult:
        for line in lines:
            stage.add(line.member, line.message)
        try:
            ending = await self.play(stage)
        except LimitReached as limit:
            ending = self.cut_short(stage, limit.message)
        except PASSED_ON:
            raise
        except (MemberFailed, Late) as error:
            stage.problem(error.where or self.name, error)
            ending = Ending(None, "failed", in_words(error))
        return stage.end(ending, list(self.members))

    @abstractmethod
    async def play(self, stage: Stage) -> Ending:
        """The pattern itself."""

    def cut_short(self, stage: Stage, reason: str) -> Ending:
        """The end that a limit brings: the best so far, or nothing."""
        best = self.best(stage)
        if best is None:
            return Ending(None, "failed", reason)
        return Ending(best.value, "limited", reason, best.text)

    def best(self, stage: Stage) -> Spoken | None:
        """What there is when a limit ends it: the last answer of a member."""
        for line in reversed(stage.lines):
            if line.member in self.members and line.message.role == "assistant" and not line.message.calls:
                record = stage.record(line.member).result
                same = record.text == line.message.text
                return Spoken(line.message.text, record.value if same else line.message.text)
        return None

    # --- for patterns ---

    def find(self, name: str) -> Member:
        """The member that somebody named, or an error with the nearest name."""
        if name in self.members:
            return self.members[name]
        raise MemberFailed(
            f"there is no member {name!r}", where=self.name, remedy=suggest(name, self.members)
        )

    def named(self, said: str) -> str | None:
        """The member a model meant: its name, in whatever case and quotes; nothing is guessed beyond."""
        bare = said.strip().strip("\"'`*.").casefold()
        return next((name for name in self.members if name.casefold() == bare), None)

    def roster(self) -> str:
        """Who is in the team, for a model to read."""
        return "\n".join(f"- {one.name}: {one.description}".rstrip(": ") for one in self.members.values())
