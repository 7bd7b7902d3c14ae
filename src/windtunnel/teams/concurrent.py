"""All at the same time: each member gets the same task, sees nobody else, and the answers become one.

Everyone is waited for, up to its deadline: who answered first decides nothing, since it would decide
otherwise in a replay. The results stand in the members' order. The policy says how many must have answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from windtunnel.errors import ScenarioError
from windtunnel.teams.aggregate import Aggregator, All
from windtunnel.teams.members import Member
from windtunnel.teams.runtime import Late, MemberFailed
from windtunnel.teams.stage import Ending, LimitReached, Spoken, Stage, Turn
from windtunnel.teams.team import Team
from windtunnel.words import suggest

Policy = Literal["all", "any"] | int


class Concurrent(Team):
    pattern = "concurrent"

    def __init__(
        self,
        members: Sequence[Member],
        *,
        aggregate: Aggregator | None = None,
        policy: Policy = "all",
        deadlines: float | Mapping[str, float] | None = None,
        width: int = 16,
        **shared: Any,
    ) -> None:
        """`policy`: all must answer, any one, or so many. `width`: how many work at the same time."""
        super().__init__(members, **shared)
        self.aggregate, self.width = aggregate or All(), width
        words = {"all": len(self.members), "any": 1}
        self.needed = words[policy] if isinstance(policy, str) else policy
        if not 1 <= self.needed <= len(self.members):
            raise ScenarioError(
                f"{self.needed} answers are needed of {len(self.members)} members",
                where=f"{self.name}.policy",
                remedy=f"all, any, or a number from 1 to {len(self.members)}",
            )
        given = deadlines if isinstance(deadlines, Mapping) else dict.fromkeys(self.members, deadlines)
        for name in given:
            if name not in self.members:
                raise ScenarioError(
                    f"there is no member {name!r} to have a deadline",
                    where=f"{self.name}.deadlines.{name}",
                    remedy=suggest(name, self.members),
                )
        self.deadlines = dict(given)

    async def play(self, stage: Stage) -> Ending:
        task = list(stage.lines)
        stage.next_round()
        # What brings the answers together may need a call, too: it has a share of its own.
        *shares, kept = stage.calls.shares(len(self.members) + 1)
        members = list(self.members.values())
        turns = [Turn(stage, member.name, task, share) for member, share in zip(members, shares, strict=True)]
        came = await self._gather(stage, turns, members)
        for turn in turns:
            stage.close(turn)
        stage.calls.give_back([*shares, kept])
        answers = [
            (turn.name, said) for turn, said in zip(turns, came, strict=True) if isinstance(said, Spoken)
        ]
        for turn, said in zip(turns, came, strict=True):
            if not isinstance(said, Spoken):
                stage.problem(turn.path, said)
        if len(answers) < self.needed:
            return Ending(
                None, "failed", f"{len(answers)} of {len(turns)} members answered, {self.needed} had to"
            )
        return await self.aggregate.bring_together(stage, answers, self.needed)

    async def _gather(
        self, stage: Stage, turns: Sequence[Turn], members: Sequence[Member]
    ) -> list[Spoken | Exception]:
        """Every member's answer or failure, when all have ended."""
        gate = asyncio.Semaphore(self.width)

        async def one(turn: Turn, member: Member) -> Spoken:
            async with gate:
                return await stage.take(turn, member, self.deadlines.get(member.name))

        tasks = [asyncio.ensure_future(one(turn, who)) for turn, who in zip(turns, members, strict=True)]
        try:
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return _outcomes(tasks)


def _outcomes(tasks: Sequence[asyncio.Future[Spoken]]) -> list[Spoken | Exception]:
    """What came of each. Raises what nobody here can help: errors before a wait for a person."""
    errors = [task.exception() for task in tasks]
    grave = [
        error for error in errors if not isinstance(error, (MemberFailed, Late, LimitReached, type(None)))
    ]
    for error in sorted(grave, key=lambda error: not isinstance(error, Exception)):
        raise error
    return [
        error if isinstance(error, Exception) else task.result()
        for task, error in zip(tasks, errors, strict=True)
    ]
