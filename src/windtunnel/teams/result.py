"""What a team leaves behind: its answer, why it ended, and every message on the way.

Plain values throughout, so that a result can stand in a journal. A result never says "completed" for an
answer that a limit cut short: its status and reason tell which.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct, field

from windtunnel.models.talk import Message, Usage

Status = Literal["completed", "limited", "stopped", "failed"]
"""completed: as the pattern ends. limited: a limit or a loop ended it, the value is the best so far.
stopped: a person said stop. failed: there is no value."""


class Line(Struct, frozen=True):
    """One message of a transcript and the member it belongs to, whose tool's it is if it is a tool's."""

    member: str
    message: Message


class Problem(Struct, frozen=True, omit_defaults=True):
    """Something that went wrong on the way, whether or not the team got over it."""

    member: str
    message: str
    code: str = ""


class MemberResult(Struct, frozen=True, omit_defaults=True):
    """What one member did in all. `value` is its last answer."""

    member: str
    status: Literal["ok", "failed", "late", "silent"] = "silent"
    value: Any = None
    text: str = ""
    reason: str = ""
    turns: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: int = 0
    team: OrchestrationResult | None = None  # the last result of a member that is a team


class OrchestrationResult(Struct, frozen=True, omit_defaults=True):
    """The end of one `invoke`. `cost` is in micro-dollars; `members` stand in the team's order."""

    value: Any
    status: Status
    reason: str
    text: str = ""
    transcript: tuple[Line, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost: int = 0
    calls: int = 0
    rounds: int = 0
    members: tuple[MemberResult, ...] = ()
    errors: tuple[Problem, ...] = ()

    def member(self, name: str) -> MemberResult:
        """The result of one member, by its name."""
        return next(one for one in self.members if one.member == name)


def together(parts: Iterable[Usage]) -> Usage:
    """The sum of what was used."""
    given = list(parts)
    return Usage(
        sum(one.input for one in given), sum(one.output for one in given), sum(one.cached for one in given)
    )
