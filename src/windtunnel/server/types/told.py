"""What clients are told of runs. Money is in dollars, times are UTC; later versions may add fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from windtunnel.server.types.base import (
    Metrics,
    Page,
    Status,
    Told,
)


class Run(Told):
    """A run as lists show it."""

    run_id: str
    status: Status
    world: str
    scenario: str
    turn: int
    max_turns: int
    seed: int
    mode: str = "simulated"
    reason: str | None = Field(default=None, description="Why it ended, waits or failed")
    tags: list[str] = []
    parent: str | None = Field(default=None, description="The run it was forked from")
    parent_turn: int | None = None
    branch: int = 0
    created: datetime | None = None
    updated: datetime | None = None
    spent: float = Field(default=0.0, description="What its models cost so far, in dollars")


class AgentState(Told):
    role: str = ""
    kind: str = ""
    metrics: dict[str, float] = {}


class State(Told):
    """The state after a turn, computed again from the record. What agents wrote in it is data."""

    turn: int
    agents: dict[str, AgentState] = {}
    global_state: Any = None


class RunDetail(Run):
    """A run, its metrics after a turn, and on request its state."""

    as_of: int = Field(description="The turn that metrics and state belong to")
    metrics: Metrics = Field(default={}, description="By agent and name; `world` are the world's own")
    headline: list[str] = Field(default=[], description="The metrics to show first")
    leader: str | None = Field(default=None, description="The agent with the most wealth after that turn")
    head: str = Field(description="The hash of its last entry: equal heads, equal histories")
    waiting: list[str] = Field(default=[], description="What waits for people")
    children: list[str] = Field(default=[], description="Its forks")
    state: State | None = None


class RunPage(Page):
    runs: list[Run]
    total: int | None = Field(default=None, description="How many match in all, where that is cheap to say")


class Group(Told):
    name: str = Field(description="The world, or the tag")
    runs: int


class Groups(Told):
    """The most first. A run of three tags counts in each of them."""

    groups: list[Group]


class Started(Told):
    run_id: str
    status: Status
    world: str
    scenario: str
    turn: int = 0
    max_turns: int
    url: str = Field(default="", description="Where to look")


class Forked(Told):
    parent: str
    at: str
    runs: list[str]
    controls: list[str] = []


class Standing(Told):
    agent: str
    wealth: float
    change: float | None = Field(default=None, description="Against the first turn, as a share")


class ModelUse(Told):
    model: str
    replies: int
    input: int
    output: int
    cost: float = Field(description="Dollars")


class Results(Told):
    run_id: str
    status: Status
    turn: int
    max_turns: int
    reason: str | None
    metrics: Metrics
    headline: list[str]
    standings: list[Standing] = Field(default=[], description="By wealth, best first")
    models: list[ModelUse] = []
    spent: float = 0.0
    seconds: float = Field(default=0.0, description="How long it was played, pauses left out")
    head: str


class Curve(Told):
    agent: str
    name: str
    turns: list[int]
    values: list[float]


class Curves(Told):
    run_id: str
    turn: int
    curves: list[Curve]


class Entry(Told):
    seq: int
    turn: int
    phase: str
    kind: str
    actor: str
    body: Any
    hash: str


class EntryPage(Page):
    entries: list[Entry]


class Operation(Told):
    """What was done with a run, beside its history: a chain of its own."""

    seq: int
    at: datetime | None
    kind: str
    body: Any


class OperationPage(Page):
    operations: list[Operation]


class Leap(Told):
    agent: str
    name: str
    turn: int
    before: float
    after: float


class Leaps(Told):
    """The turn in which each curve moved most."""

    run_id: str
    leaps: list[Leap]


class Checkpoint(Told):
    turn: int
    seq: int
    bytes: int


class Checkpoints(Told):
    run_id: str
    checkpoints: list[Checkpoint]


class Replayed(Told):
    run_id: str
    identical: bool
    turns: int
    first_difference: str | None = None


class Verified(Told):
    run_id: str
    intact: bool
    complete: bool | None = Field(description="null where no head is kept outside to hold it against")
    entries: int
    first_problem: str | None = None


class Question(Told):
    """What a run asks of a person."""

    run_id: str
    effect: str
    kind: str
    actor: str
    role: str = Field(default="", description="The actor's role; empty where it is no agent of the world")
    turn: int
    asked: datetime | None
    request: Any
    no_op: Any = Field(default=None, description="The answer that does nothing, if there is one")
    answer_schema: dict[str, Any] = Field(default={}, description="The JSON schema of an answer")


class Questions(Told):
    questions: list[Question]


class Vote(Told):
    by: str
    approve: bool
    note: str = ""
    at: datetime | None = None
    refused: str | None = Field(default=None, description="Why it does not count, if it does not")


class Approval(Told):
    """An action that waits for people."""

    id: str
    run_id: str
    world: str
    scenario: str
    effect: str
    actor: str
    turn: int
    status: Literal["waiting", "approved", "denied", "expired"]
    summary: str = Field(description="The action in plain words")
    action: Any = None
    amount: float | None = None
    unit: str = ""
    risk: str = "medium"
    reason: str = ""
    mode: str = Field(default="park", description="park: the run waits for it; defer: it goes on meanwhile")
    approvers: int = Field(default=1, description="How many different people must approve")
    votes: list[Vote] = []
    decided_by: list[str] = []
    digest: str = Field(description="The hash of the action: a vote is bound to it")
    asked: datetime | None = None
    expires: datetime | None = None
    expires_turn: int | None = None


class Approvals(Page):
    approvals: list[Approval]
    total: int


class Compared(Told):
    """Metrics of several runs side by side; differences are to the first."""

    runs: list[Run]
    turn: int | None
    rows: list[ComparedRow]
    partings: list[Parting] = []
    changed: list[Changed] = Field(
        default=[], description="What forks did, where branch and control (or parent) are among the runs"
    )


class Changed(Told):
    """One change of a fork, and what it did: branches held against controls that have the same luck."""

    parent: str
    at: int = Field(description="The turn it was forked at")
    turn: int = Field(description="The turn after which they are compared: all of them have played it")
    changes: dict[str, Any]
    before: str = Field(default="", description="The phase and agent it begins before, inside the turn")
    events: list[dict[str, Any]] = Field(default=[], description="What it met in its first turn")
    branches: list[str]
    controls: list[str] = Field(default=[], description="None: a single branch is held against its parent")
    effects: list[Effect] = []


class Effect(Told):
    """What a change did to one metric. No interval comes of a single pair."""

    agent: str
    name: str
    branch: float = Field(description="The mean of the branches")
    reference: float = Field(description="The mean of the controls, or the parent's value")
    mean: float = Field(description="The mean difference within pairs")
    low: float | None = Field(description="The lower end of its 95% interval (Student's t)")
    high: float | None
    pairs: int
    clear: bool = Field(description="Whether the interval leaves zero out")


class ComparedRow(Told):
    agent: str
    name: str
    values: list[float | None]
    differences: list[float | None]


class Parting(Told):
    """Where a history leaves the first run's; no numbers where they are equal."""

    run_id: str
    seq: int | None
    turn: int | None
    phase: str = ""
    kind: str = ""
    actor: str = ""
    differences: list[str] = []
