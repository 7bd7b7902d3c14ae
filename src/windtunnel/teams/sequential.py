"""One after the other: each member works on what those before it have made.

Between two steps a person may look: let it pass, put other words in its place, have it done again, or stop.
A member that fails ends the team: nobody is given a hole to work on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from windtunnel.errors import ScenarioError
from windtunnel.models.talk import Message
from windtunnel.teams.conversation import answers_only, as_text
from windtunnel.teams.members import Member
from windtunnel.teams.runtime import MemberFailed
from windtunnel.teams.stage import Ending, Spoken, Stage
from windtunnel.teams.team import MANAGER, Team
from windtunnel.words import suggest

HOW_TO_LOOK = {
    "pass": "let it pass",
    "text": "put this in its place",
    "again": "have it done again, for this reason",
    "stop": "end here, for this reason",
}


class Sequential(Team):
    pattern = "sequential"

    def __init__(
        self,
        members: Sequence[Member],
        *,
        passes: Literal["conversation", "answers"] = "conversation",
        look_after: Sequence[str] = (),
        again: int = 2,
        **shared: Any,
    ) -> None:
        """`passes`: the whole conversation with its calls of tools, or the task and the answers only.
        `look_after`: after whose steps a person looks; `again`: how often it may ask for a step anew."""
        super().__init__(members, **shared)
        self.passes, self.look_after, self.again = passes, tuple(look_after), again
        for position, name in enumerate(self.look_after):
            if name not in self.members:
                raise ScenarioError(
                    f"there is no member {name!r} to look after",
                    where=f"{self.name}.look_after.{position}",
                    remedy=suggest(name, self.members),
                )

    async def play(self, stage: Stage) -> Ending:
        spoken = Spoken("")
        for member in self.members.values():
            spoken, stopped = await self._step(stage, member)
            if stopped is not None:
                return Ending(spoken.value, "stopped", stopped, spoken.text)
        return Ending(spoken.value, "completed", "every member has had its turn", spoken.text)

    async def _step(self, stage: Stage, member: Member) -> tuple[Spoken, str | None]:
        """One member's step, as often as a person asks for it; and why a person said stop."""
        for _ in range(self.again + 1):
            stage.next_round()
            seen = stage.lines if self.passes == "conversation" else answers_only(stage.lines)
            spoken = await stage.turn(member, list(seen))
            if member.name not in self.look_after:
                return spoken, None
            decision, words = await self._look(stage, member.name, spoken)
            if decision == "pass":
                return spoken, None
            if decision == "stop":
                return spoken, words or "a person said stop"
            if decision == "text":
                text = as_text(words)
                stage.add(MANAGER, Message("assistant", text, name=MANAGER))
                return Spoken(text, words), None
            stage.add(MANAGER, Message("user", f"{member.name}, do this again: {words}", name=MANAGER))
        raise MemberFailed(
            f"{member.name} was asked {self.again + 1} times, and the person was not content",
            where=stage.at(member.name),
        )

    async def _look(self, stage: Stage, name: str, spoken: Spoken) -> tuple[str, Any]:
        """What a person decides. One that is not understood is asked again, and at last lets nothing pass."""
        question: dict[str, Any] = {"step": name, "answer": spoken.text, "decide": HOW_TO_LOOK}
        for _ in range(stage.limits.attempts):
            answer = await stage.runtime.human(stage.at(MANAGER), question)
            if answer is True or answer in ("pass", "ok", "yes"):
                return "pass", None
            if isinstance(answer, dict) and len(answer) == 1:
                ((key, words),) = answer.items()
                if key in HOW_TO_LOOK:
                    return key, words
            question = {**question, "not_understood": answer}
        raise MemberFailed(f"the person's answers about {name} were not understood", where=stage.at(MANAGER))
