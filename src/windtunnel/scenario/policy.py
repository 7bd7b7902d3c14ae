"""The words of a policy: which actions wait for people, as a file may say it. What they mean is said in
`approvals.py`, which reads them, and in `windtunnel.safety`, which judges by them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from msgspec import Meta, Struct

from windtunnel.world import Risk

MAX_RULES = 1000
GRAVE = ("high", "critical")  # risks that always need two people

Seconds = Annotated[float, Meta(gt=0, le=10 * 366 * 86_400)]
Turns = Annotated[int, Meta(ge=1, le=1_000_000)]
Words = Annotated[str, Meta(max_length=500)]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=100)]
Bound = Annotated[float, Meta(ge=0)]


class PolicyRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which actions it speaks of, and what becomes of them. What it does not name it does not ask about."""

    do: Annotated[
        Literal["allow", "hold", "refuse"], Meta(description="What becomes of an action that fits.")
    ]
    name: Annotated[Words, Meta(description="What it is called where it is told.")] = ""
    types: Annotated[Names, Meta(description="Types of action; * stands for any letters.")] = ()
    risk: Annotated[tuple[Risk, ...], Meta(description="Risks; all if none is named.")] = ()
    over: Annotated[Bound | None, Meta(description="Amounts above this.")] = None
    under: Annotated[Bound | None, Meta(description="Amounts below this.")] = None
    unit: Annotated[str, Meta(max_length=100, description="The unit of these amounts.")] = ""
    amount: Annotated[
        str, Meta(max_length=200, description="The action's field that is the amount, if not the world's.")
    ] = ""
    mode: Annotated[
        Literal["park", "defer"], Meta(description="The run waits (park), or goes on without (defer).")
    ] = "park"
    approvers: Annotated[
        Annotated[int, Meta(ge=1, le=2)] | None, Meta(description="How many people must say yes.")
    ] = None
    expires_seconds: Annotated[Seconds | None, Meta(description="After so long it counts as denied.")] = None
    expires_turns: Annotated[Turns | None, Meta(description="The same in turns, for what is deferred.")] = (
        None
    )
    tell: Annotated[Names, Meta(description="Who is told: names of webhooks; all if none is named.")] = ()
    reason: Annotated[Words, Meta(description="Why, for those who decide.")] = ""


class PolicyFile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which actions wait for people. The first rule that fits decides; what none speaks of is allowed, but
    for what is of high or critical risk, which always waits for two."""

    rules: Annotated[
        tuple[PolicyRule, ...], Meta(max_length=MAX_RULES, description="The first that fits.")
    ] = ()
    name: Annotated[str, Meta(max_length=200, description="What it is called.")] = ""
    extends: Annotated[
        str, Meta(max_length=1000, description="Another policy, whose rules come after these.")
    ] = ""
    expires_seconds: Annotated[
        Seconds | None, Meta(description="For every rule that holds and does not say.")
    ] = None
    expires_turns: Annotated[Turns | None, Meta(description="The same in turns, for what is deferred.")] = (
        None
    )
    tell: Annotated[Names, Meta(description="Who is told, where a rule does not say.")] = ()


def fits_type(rule: PolicyRule, name: str) -> bool:
    return not rule.types or any(fnmatchcase(name, glob) for glob in rule.types)
