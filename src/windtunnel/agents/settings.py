"""What `settings.llm` of an agent may say: how its model is asked, and what it keeps in mind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from windtunnel.models.talk import Task
from windtunnel.scenario.checking import check
from windtunnel.scenario.reading import Place, node_of

KEY = "llm"
Count = Annotated[int, Meta(ge=0, le=1000)]
Tokens = Annotated[int, Meta(ge=16, le=1_000_000)]


class Mindful(Struct, frozen=True, forbid_unknown_fields=True):
    """`recent`: turns kept word for word. `summary`: tokens of the summary of those before them, written by
    the model each time as many have passed; 0 forgets them. `reflect`: every so many turns the model says
    what it learned; `lessons`: how many of these it keeps."""

    recent: Count = 8
    summary: Annotated[int, Meta(ge=0, le=100_000)] = 400
    reflect: Count = 0
    lessons: Annotated[int, Meta(ge=1, le=100)] = 5


class LlmSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`tools`: which queries and tools it is offered; all of them if unsaid. `tool_rounds`: how often it may
    call some before it must answer. `observation`: the most characters of it that are shown."""

    max_tokens: Tokens = 1024
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tools: tuple[str, ...] | None = None
    tool_rounds: Annotated[int, Meta(ge=0, le=50)] = 4
    observation: Annotated[int, Meta(ge=200, le=1_000_000)] = 24_000
    memory: Mindful = field(default_factory=Mindful)
    task: Task = field(default_factory=Task)


def read_settings(settings: Mapping[str, Any], where: str) -> LlmSettings:
    """The settings, typed; ScenarioError with the place of the first thing that does not fit."""
    given = settings.get(KEY, {})
    check(node_of(given, Place(where)), LlmSettings, where)
    typed: LlmSettings = msgspec.convert(given, LlmSettings, str_keys=True)
    return typed
