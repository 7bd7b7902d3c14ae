"""How a scenario describes a team: what stands under `settings.team` of an agent whose kind is `team`.

    settings:
      team:
        pattern: group_chat
        manager: {kind: model}
        members:
          - {name: analyst, instructions: You read figures., tools: [prices]}
          - {name: trader, instructions: You decide.}

Plain values only. Functions stand in it by name, and are found where the team is built.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from windtunnel.models.talk import Task
from windtunnel.teams.limits import Count, Limits, Some
from windtunnel.teams.prompts import AnswerPrompts, ChatPrompts, MagenticPrompts

Seconds = Annotated[float, Meta(gt=0)]


class MemberSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One member."""

    name: Annotated[str, Meta(description="Its name in the team.")]
    kind: Literal["model", "function", "human", "team"] = "model"
    description: Annotated[str, Meta(description="What it is good for, told to the others.")] = ""
    instructions: str = ""
    model: Annotated[str, Meta(description="The agent's model, if unsaid.")] = ""
    tools: Annotated[tuple[str, ...], Meta(description="Queries of the world, or tools handed in.")] = ()
    needs_approval: Annotated[tuple[str, ...], Meta(description="Which of its tools a person approves.")] = ()
    answer: Annotated[dict[str, Any] | None, Meta(description="A JSON schema that its answers fit.")] = None
    max_tokens: Count = 1024
    temperature: float | None = None
    task: Task = field(default_factory=Task)
    function: Annotated[str, Meta(description="The name of a function, if kind is function.")] = ""
    team: Annotated[dict[str, Any] | None, Meta(description="A team like this one, if kind is team.")] = None
    deadline: Annotated[Seconds | None, Meta(description="Seconds for one turn.")] = None


class LeaderSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The model of a manager."""

    model: str = ""
    max_tokens: Count = 1024
    temperature: float | None = None
    task: Task = field(default_factory=Task)


class ChatManagerSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who leads a group chat. `select`, `terminate`, `ask_user`, `results` are names of functions."""

    kind: Literal["round_robin", "model", "function"] = "round_robin"
    laps: Count = 1
    asks: LeaderSpec = field(default_factory=LeaderSpec)
    prompts: ChatPrompts = field(default_factory=ChatPrompts)
    select: str = ""
    terminate: str = ""
    ask_user: str = ""
    results: str = ""


class AggregateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How answers become one. `function` names what scores (best) or makes the value (function)."""

    kind: Literal["all", "vote", "mean", "best", "model", "judge", "function"] = "all"
    function: str = ""
    asks: LeaderSpec = field(default_factory=LeaderSpec)
    prompts: AnswerPrompts = field(default_factory=AnswerPrompts)


class Shared(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="pattern"):
    members: Annotated[tuple[MemberSpec, ...], Meta(min_length=1, description="Who is in it, in order.")]
    limits: Limits = field(default_factory=Limits)


class SequentialSpec(Shared, frozen=True, tag="sequential"):
    passes: Literal["conversation", "answers"] = "conversation"
    look_after: tuple[str, ...] = ()
    again: Some = 2


class ConcurrentSpec(Shared, frozen=True, tag="concurrent"):
    aggregate: AggregateSpec = field(default_factory=AggregateSpec)
    policy: Literal["all", "any"] | Count = "all"
    deadline: Annotated[Seconds | None, Meta(description="Seconds for each member.")] = None
    width: Count = 16


class GroupChatSpec(Shared, frozen=True, tag="group_chat"):
    manager: ChatManagerSpec = field(default_factory=ChatManagerSpec)


class HandoffSpec(Shared, frozen=True, tag="handoff"):
    start: str = ""
    routes: dict[str, dict[str, str]] | None = None
    loop_after: Some = 2


class MagenticSpec(Shared, frozen=True, tag="magentic"):
    manager: LeaderSpec = field(default_factory=LeaderSpec)
    prompts: MagenticPrompts = field(default_factory=MagenticPrompts)
    stalls: Some = 3
    resets: Some = 2


TeamSpec: TypeAlias = SequentialSpec | ConcurrentSpec | GroupChatSpec | HandoffSpec | MagenticSpec
