"""What a scenario file may hold: the keys, their types, bounds and help, said once for checks and editors.

It differs from `Scenario` in three things: agents may be counted, the name is the file's, and bounds stand
here (a scenario made in Python is checked when its run begins).
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from windtunnel.scenario.policy import PolicyFile
from windtunnel.world import Mode

KINDS = ("rule", "llm", "team", "human", "remote")
"""How an agent of a file may decide. One handed in from Python has no place in a file."""

MAX_COUNT = 10_000
ID_PATTERN = r"^[\w-]+$"

Seconds = Annotated[float, Meta(gt=0)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class AgentEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One agent, or `count` of them that are alike."""

    id: Annotated[
        str, Meta(min_length=1, max_length=64, pattern=ID_PATTERN, description="Its name in the run.")
    ]
    role: Annotated[str, Meta(description="The part it plays.")] = ""
    kind: Annotated[str, Meta(description="How it decides.")] = "rule"
    policy: Annotated[
        str, Meta(description="The role's rule policy it follows; its first one if unsaid.")
    ] = ""
    model: Annotated[str, Meta(description="The model it asks, such as house or ollama:NAME.")] = ""
    instructions: Annotated[str, Meta(description="What it is told besides its role's instructions.")] = ""
    size: Annotated[int, Meta(ge=1, description="More than 1: a crowd of so many alike, in arrays.")] = 1
    deadline: Annotated[Seconds | None, Meta(description="Seconds it has for each decision.")] = None
    settings: Annotated[dict[str, Any], Meta(description="What the agent itself reads.")] = field(
        default_factory=dict
    )
    count: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_COUNT)] | None,
        Meta(description="Makes so many agents: id-1, id-2, …"),
    ] = None


class EventEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """An event that reaches the world in the given turn."""

    turn: Annotated[int, Meta(ge=1, description="The turn it arrives in, counted from 1.")]
    kind: Annotated[str, Meta(min_length=1, description="What happens, by the world's own names.")]
    body: Annotated[Any, Meta(description="What the world reads of it.")] = None


class ToolServerEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A server of tools (MCP): its address, or the command that starts it."""

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern=ID_PATTERN, description="Its name here.")]
    url: Annotated[str, Meta(description="Where it listens.")] = ""
    command: Annotated[list[str], Meta(description="What starts it, if it talks over pipes.")] = field(
        default_factory=list
    )
    tools: Annotated[list[str], Meta(description="Which of its tools are offered; all if none is named.")] = (
        field(default_factory=list)
    )


class ScenarioFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario: a world, its parameters, who sits in it, for how long."""

    world: Annotated[str, Meta(description="The world it is played in.")]
    agents: Annotated[list[AgentEntry], Meta(min_length=1, description="Who plays.")]
    title: Annotated[str, Meta(description="One line for lists.")] = ""
    description: Annotated[str, Meta(description="What it is for.")] = ""
    turns: Annotated[int, Meta(ge=0, le=2**63 - 1, description="It ends after so many turns.")] = 100
    seed: Annotated[Whole, Meta(description="The root of all chance; the same seed, the same run.")] = 1
    mode: Annotated[Mode, Meta(description="Whether anything outside the run may be touched.")] = "simulated"
    parameters: Annotated[Any, Meta(description="The world's own parameters.")] = field(default_factory=dict)
    events: Annotated[list[EventEntry], Meta(description="Events from outside, by turn.")] = field(
        default_factory=list
    )
    attempts: Annotated[
        int, Meta(ge=1, le=1000, description="How often an agent is asked before its no-op is taken.")
    ] = 3
    deadline: Annotated[
        Seconds | None, Meta(description="Seconds for each decision, unless the agent says.")
    ] = None
    concurrency: Annotated[int, Meta(ge=1, le=100_000, description="How many decide at the same time.")] = 20
    model: Annotated[
        str, Meta(description="The model of all who ask one and name none, such as house or ollama:NAME.")
    ] = ""
    mcp: Annotated[
        list[ToolServerEntry], Meta(description="Servers of tools for agents that ask a model.")
    ] = field(default_factory=list)
    tags: Annotated[list[str], Meta(description="Words to find its runs by.")] = field(default_factory=list)
    approvals: Annotated[
        str | PolicyFile | None,
        Meta(description="Which actions wait for people: a profile's name, a file, or the rules themselves."),
    ] = None
