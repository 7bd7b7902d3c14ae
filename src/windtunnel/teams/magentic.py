"""A manager keeps two ledgers, what is known and planned, and how it goes: for tasks without a known way.

Facts, then a plan, make the task ledger. Each round the manager fills in the progress ledger: is the request
satisfied, does the team go in a loop, is there progress, who speaks next, with which instruction. Rounds
without progress are counted; too many, and the facts and the plan are made anew and the conversation begins
again, a set number of times. However it ends, there is a final answer. It is one loop without locks or
queues: a new plan is made in the same place as a next round, so neither can wait for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Message
from windtunnel.teams.asking import ask_text, ask_typed
from windtunnel.teams.conversation import TASK, seen_by
from windtunnel.teams.members import Member
from windtunnel.teams.prompts import MagenticPrompts, check_all, fill
from windtunnel.teams.result import Status
from windtunnel.teams.runtime import Asking, Late, MemberFailed
from windtunnel.teams.stage import Ending, LimitReached, Stage
from windtunnel.teams.team import MANAGER, Team


class Finding(Struct, frozen=True):
    answer: bool
    reason: Annotated[str, Meta(description="In a sentence.")] = ""


class Words(Struct, frozen=True):
    answer: str
    reason: Annotated[str, Meta(description="In a sentence.")] = ""


class ProgressLedger(Struct, frozen=True):
    """The five questions of each round."""

    is_request_satisfied: Finding
    is_in_loop: Finding
    is_progress_being_made: Finding
    next_speaker: Words
    instruction_or_question: Words


class Magentic(Team):
    pattern = "magentic"

    def __init__(
        self,
        members: Sequence[Member],
        *,
        asking: Asking | None = None,
        prompts: MagenticPrompts | None = None,
        stalls: int = 3,
        resets: int = 2,
        **shared: Any,
    ) -> None:
        """`asking`: the manager's model. `stalls`: rounds without progress before a new plan is made;
        `resets`: how often one is."""
        super().__init__(members, **shared)
        self.asking, self.prompts = asking or Asking(), prompts or MagenticPrompts()
        check_all(self.prompts, f"{self.name}.prompts")
        if stalls < 0 or resets < 0:
            raise ScenarioError("stalls and resets are counts", where=self.name, remedy="write 0 or more")
        self.stalls, self.resets = stalls, resets

    async def play(self, stage: Stage) -> Ending:
        work = _Work(self, stage)
        try:
            status, reason = await work.through()
            answer = await work.final()
        except LimitReached as limit:
            return await self._after_limit(work, limit.message)
        return Ending(answer, status, reason, answer)

    async def _after_limit(self, work: _Work, reason: str) -> Ending:
        """A last call for the final answer, if one is left."""
        try:
            answer = await work.final()
        except (LimitReached, MemberFailed):
            return self.cut_short(work.stage, reason)
        return Ending(answer, "limited", reason, answer)


class _Work:
    """One invoke: the ledgers and the conversation since the last new plan."""

    def __init__(self, team: Magentic, stage: Stage) -> None:
        self.team, self.stage = team, stage
        self.facts = self.plan = ""
        self.since = len(stage.lines)  # where the conversation of this plan begins
        self.task = "\n\n".join(line.message.text for line in stage.lines if line.member == TASK)

    async def through(self) -> tuple[Status, str]:
        """The status and the reason it ended."""
        await self._plan(self.team.prompts.facts, self.team.prompts.plan)
        stalled = resets = 0
        came = True  # whether the last speaker brought anything
        while True:  # bounded: next_round raises at the limit
            self.stage.next_round()
            ledger = await self._judge()
            if ledger is not None and ledger.is_request_satisfied.answer:
                return "completed", ledger.is_request_satisfied.reason or "the request is satisfied"
            stalled = max(0, stalled - 1) if came and _moves(ledger) else stalled + 1
            if stalled > self.team.stalls:
                if resets >= self.team.resets:
                    return "limited", f"no progress, and {resets} new plans were made"
                resets, stalled = resets + 1, 0
                await self._plan(self.team.prompts.new_facts, self.team.prompts.new_plan)
                came = True
            elif ledger is not None:
                came = await self._act(ledger)

    async def _plan(self, facts: str, plan: str) -> None:
        """The task ledger: what is known, then the way. The conversation begins anew with it."""
        how, values = self.team.asking, self._values()
        said = self._conversation()
        asked = [*said, Message("user", fill(facts, **values))]
        self.facts = await ask_text(self.stage, asked, how)
        asked += [Message("assistant", self.facts), Message("user", fill(plan, **self._values()))]
        self.plan = await ask_text(self.stage, asked, how)
        self.since = len(self.stage.lines)
        self._say(fill(self.team.prompts.ledger, **self._values()))

    async def _judge(self) -> ProgressLedger | None:
        """The progress ledger; None, a round without progress, if the manager cannot fill it in."""

        def check(ledger: ProgressLedger) -> str | None:
            if ledger.is_request_satisfied.answer or self.team.named(ledger.next_speaker.answer):
                return None
            return f"next_speaker must be one of {', '.join(self.team.members)}"

        asked = [*self._conversation(), Message("user", fill(self.team.prompts.progress, **self._values()))]
        try:
            return await ask_typed(
                self.stage, asked, ProgressLedger, self.team.asking, check=check, house=self._house()
            )
        except MemberFailed as error:
            self.stage.problem(self.stage.at(MANAGER), error)
            return None

    def _house(self) -> ProgressLedger:
        """How the model called house fills it in: everybody speaks once, and that will do."""
        spoken = {line.member for line in self.stage.lines[self.since :]}
        silent = [name for name in self.team.members if name not in spoken]
        speaker = (silent or list(self.team.members))[0]
        return ProgressLedger(
            is_request_satisfied=Finding(not silent, "everybody has spoken" if not silent else ""),
            is_in_loop=Finding(False),
            is_progress_being_made=Finding(True),
            next_speaker=Words(speaker),
            instruction_or_question=Words("Say what you would do."),
        )

    async def _act(self, ledger: ProgressLedger) -> bool:
        """Let the next speaker do what it is told. One that fails costs a stall, not the team."""
        name = self.team.named(ledger.next_speaker.answer)
        assert name is not None
        self._say(f"{name}: {ledger.instruction_or_question.answer}")
        try:
            await self.stage.turn(self.team.members[name], self.stage.lines[self.since :])
        except (MemberFailed, Late) as error:
            self.stage.problem(self.stage.at(name), error)
            self._say(f"{name} gave no answer: {error.message}")
            return False
        return True

    async def final(self) -> str:
        asked = [*self._conversation(), Message("user", fill(self.team.prompts.final, **self._values()))]
        said = [line for line in self.stage.lines if line.member in self.team.members]
        house = said[-1].message.text if said else ""
        answer = await ask_text(self.stage, asked, self.team.asking, house=house)
        self.stage.add(MANAGER, Message("assistant", answer, name=MANAGER))
        return answer

    def _say(self, text: str) -> None:
        self.stage.add(MANAGER, Message("user", text, name=MANAGER))

    def _conversation(self) -> list[Message]:
        """What the manager sees: everything since the last plan, as told by somebody else."""
        lines = self.stage.lines[self.since :]
        return seen_by("", lines) if lines else []

    def _values(self) -> dict[str, str]:
        return {
            "task": self.task,
            "team": self.team.roster(),
            "names": ", ".join(self.team.members),
            "facts": self.facts,
            "plan": self.plan,
        }


def _moves(ledger: ProgressLedger | None) -> bool:
    return ledger is not None and ledger.is_progress_being_made.answer and not ledger.is_in_loop.answer
