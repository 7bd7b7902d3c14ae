"""What clients write. Strict: an unknown field is refused before anything is done."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool, model_validator

from windtunnel.server.types.base import (
    Dollars,
    Name,
    RunId,
    Text,
    Turn,
    Written,
)


class Limits(Written):
    """What one run may use. Past its seconds or its money it pauses; past its memory it is stopped."""

    seconds: Annotated[float, Field(strict=True, gt=0, le=1e7)] | None = Field(
        default=None, description="Seconds of play"
    )
    memory_mb: Annotated[int, Field(strict=True, ge=64, le=1 << 20)] | None = Field(
        default=None, description="Memory of its process, which is then its own"
    )
    isolate: StrictBool = Field(default=False, description="Play it in a process of its own")


class StartRequest(Written):
    """Which scenario to play, and what to change in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": "economy/growth", "seed": 7},
                {"world": "economy", "scenario": "trade_war", "turns": 50, "agents": {"aldland": "balanced"}},
                {"repo": "economy", "config": "scenarios/growth.yaml"},
            ]
        }
    )

    scenario: Name | None = Field(
        default=None,
        description="WORLD/NAME, a name in `world`, or the path of a scenario file in the workspace",
    )
    world: Name | None = Field(default=None, description="The world, where `scenario` does not name it")
    repo: Name | None = Field(default=None, description="Another word for `world`")
    config: Name | None = Field(default=None, description="Another word for `scenario`")
    text: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        default=None, description="A whole scenario as YAML, in place of a name; needs `world`"
    )
    seed: Annotated[int, Field(strict=True, ge=-(1 << 63), lt=1 << 63)] | None = None
    turns: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    set: dict[str, Any] | list[str] = Field(
        default={}, description="Changes by dotted key, or as KEY=VALUE", examples=[{"tax_rate": 0.3}]
    )
    agents: dict[str, str] = Field(
        default={},
        description="Who sits where: a policy, `human`, or a model",
        examples=[{"aldland": "house"}],
    )
    model: Name | None = Field(
        default=None, description="The model that every agent asks; `house` needs no key"
    )
    budget: Dollars | None = Field(default=None, description="The most that its models may cost, in dollars")
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default=[], max_length=50)
    limits: Limits | None = None

    @model_validator(mode="after")
    def _one_name_each(self) -> StartRequest:
        if self.repo and self.world and self.repo != self.world:
            raise ValueError("`repo` and `world` name two worlds; give one of them")
        if self.config and self.scenario and self.config != self.scenario:
            raise ValueError("`config` and `scenario` name two scenarios; give one of them")
        self.world, self.scenario = self.world or self.repo, self.scenario or self.config
        if (self.scenario is None) == (self.text is None):
            raise ValueError("give `scenario` (a name or a path) or `text` (the scenario itself)")
        if self.text is not None and self.world is None:
            raise ValueError("`text` needs the `world` it is a scenario of")
        return self


class ForkRequest(Written):
    at: Annotated[str, Field(max_length=300)] = Field(
        description="TURN, TURN.PHASE or TURN.PHASE.AGENT: after that turn, or before that decision",
        examples=["40", "40.plan.aldland"],
    )
    set: dict[str, Any] = {}
    agents: dict[str, str] = Field(default={}, examples=[{"aldland": "balanced"}])
    model: Name | None = None
    instructions: dict[str, Text] = Field(default={}, description="New instructions, by agent")
    event: dict[str, Any] | None = Field(
        default=None, description="An event for the first new turn: {kind, body}"
    )
    branches: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        default=1, description="Several come with as many unchanged controls, which share their luck"
    )
    play: StrictBool = Field(default=True, description="Play them at once")
    budget: Dollars | None = None


class ResumeRequest(Written):
    until: Turn | None = Field(default=None, description="Pause again after this turn")
    budget: Dollars | None = None
    limits: Limits | None = None


class EventRequest(Written):
    kind: Name = Field(description="What happened, as the world knows it", examples=["shock"])
    body: Any = None


class AnswerRequest(Written):
    effect: Annotated[str, Field(max_length=300)] = Field(
        default="", description="Which question, if several wait"
    )
    result: Any = Field(description="The answer: an action, or what the question's schema asks for")


class VoteRequest(Written):
    note: Text = ""
    digest: Annotated[str, Field(max_length=64)] = Field(
        default="",
        description="The hash of the action that is meant, as listed; a changed action needs new votes",
    )


class FeedbackRequest(Written):
    score: Annotated[float, Field(strict=True, ge=-1e6, le=1e6)] | None = None
    comment: Text = ""
    entry: Annotated[int, Field(strict=True, ge=0, lt=1 << 62)] | None = Field(
        default=None, description="The entry that is meant, by number"
    )


class CompareRequest(Written):
    runs: Annotated[list[RunId], Field(min_length=2, max_length=100)]
    turn: Turn | None = Field(
        default=None, description="As they stood after this turn; their last by default"
    )


# --- telling ---
