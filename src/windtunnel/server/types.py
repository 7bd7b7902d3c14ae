"""What the doors take and give, as types: one description for REST, its OpenAPI, and the tools of MCP.

What is written to us is strict: an unknown field is refused before anything is done. Money is in dollars,
times
are UTC. Bodies of history are JSON as the journal has them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

RUN_ID = r"^[0-9A-Za-z_-]{1,80}$"
KEY_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
SCHEDULE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

RunId = Annotated[
    str,
    Field(description="A run's id, or a unique beginning of it", pattern=RUN_ID, examples=["4k2v9h0a7c"]),
]
Turn = Annotated[
    int,
    Field(
        strict=True, ge=0, lt=1 << 62, description="A turn, counted from 1; 0 is the beginning", examples=[12]
    ),
]
Dollars = Annotated[float, Field(strict=True, ge=0, lt=1e9)]
Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Metrics = dict[str, dict[str, float]]


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    CANCELLED = "cancelled"


class Written(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Told(BaseModel):
    """What a client gets; more fields may come with later versions."""


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class Page(Told):
    next: str | None = Field(default=None, description="`after` of the next page; null on the last")


# --- starting ---


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
    turn: int
    asked: datetime | None
    request: Any
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


class Priced(Told):
    model: str
    calls: int
    input: int
    output: int
    seen: float | None = Field(description="Dollars, as rehearsed; null where nobody knows the price")
    most: float | None = Field(description="Dollars, at most, each call asked once")


class Estimate(Told):
    scenario: str
    turns: int
    rehearsed: int
    models: list[Priced]


class ScenarioInfo(Told):
    name: str
    title: str = ""
    description: str = ""
    turns: int | None = None
    agents: int | None = None
    error: str | None = None


class WorldInfo(Told):
    name: str
    version: str = ""
    description: str = ""
    roles: list[str] = []
    scenarios: list[ScenarioInfo] = []
    source: str = ""
    error: str | None = None
    remedy: str | None = None


class RoleInfo(Told):
    name: str
    policies: list[str] = Field(default=[], description="Those that play it without a model")
    actions: list[str] = []
    instructions: str = ""


class WorldDetail(Told):
    """A world as a form or a page of its own needs it."""

    name: str
    version: str = ""
    description: str = ""
    roles: list[RoleInfo]
    headline: list[str] = Field(default=[], description="The metrics to show first")
    queries: list[str] = Field(default=[], description="What may be asked of its state")
    panels: list[Any] = Field(default=[], description="How its own page is laid out")
    scenarios: list[str] = []
    json_schema: dict[str, Any] = Field(description="Of its scenarios")


class Deployment(Told):
    name: str
    model: str
    address: str
    where: str
    key: str = Field(default="", description="The variable that holds its key; never the key")
    key_set: bool
    price: dict[str, Any] | None = Field(default=None, description="Dollars for a million tokens")
    free: bool
    breaker: str
    concurrency: int
    problem: str | None = Field(default=None, description="What keeps it from being asked")


class Account(Told):
    """A lasting budget. In doubt: calls of which nobody knows how they ended."""

    account: str
    spent: float = Field(description="Dollars")
    reserved: float = Field(description="Dollars")
    tokens: int
    reserved_tokens: int
    in_doubt: int


class ModelRoute(Told):
    name: str
    choose: list[dict[str, Any]] = []
    chain: list[str] = []
    order: list[str] = []
    left_out: list[str] = Field(default=[], description="And why")


class Models(Told):
    deployments: list[Deployment]
    routes: list[ModelRoute]
    built_in: list[str]
    can_be_asked: list[str]
    budgets: dict[str, Any] = {}
    accounts: list[Account]
    offline: bool


class Worlds(Told):
    worlds: list[WorldInfo]


class Scenarios(Told):
    scenarios: list[ScenarioInfo]


class ScenarioDetail(Told):
    name: str
    world: str
    text: str = Field(description="The file, as it is written")
    json_schema: dict[str, Any]


class Imported(Told):
    copied: list[str]
    same: list[str] = []
    refused: dict[str, str] = {}


class Worker(Told):
    name: str
    world: str
    pid: int
    host: str
    state: str = Field(description="starting, ready or leaving")
    runs: list[str] = Field(description="Those in its hands")
    played: int = Field(description="Runs that left its hands")
    beat_seconds: float = Field(description="Since its last sign of life")
    lag: float = Field(description="Seconds by which it is late, on average: how busy it is")
    memory_mb: float


class System(Told):
    version: str
    ready: bool
    runs: dict[str, int]
    queue: int
    workers: list[Worker]
    store: str
    checks: list[str] = []


class AuditEntry(Told):
    seq: int
    at: datetime
    who: str
    via: str
    verb: str
    target: str
    outcome: str
    detail: dict[str, Any] = {}
    request_id: str = ""


class AuditPage(Page):
    entries: list[AuditEntry]


class ScheduleRequest(Written):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "nightly", "when": "daily at 03:00", "arguments": {"scenario": "economy/growth"}},
                {"name": "check", "when": "0 */6 * * *", "zone": "Europe/Berlin", "do": "health"},
            ]
        }
    )

    name: Annotated[str, Field(pattern=SCHEDULE_NAME)]
    when: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="hourly, every 6 hours, daily at 07:30, weekly, or five fields as cron has them"
    )
    zone: Annotated[str, Field(max_length=100)] = Field(
        default="", description="Such as Europe/Berlin; UTC by default"
    )
    do: Name = Field(
        default="run", description="run, health, prune; an unknown one is refused with those there are"
    )
    arguments: dict[str, Any] = Field(default={}, description="For `run`: what POST /simulations takes")
    first_now: StrictBool = Field(default=True, description="Fire once at once")
    overlap: StrictBool = Field(
        default=False, description="Fire although the firing before is still under way"
    )
    limit_seconds: Annotated[float, Field(strict=True, gt=0, le=1e7)] | None = Field(
        default=None, description="A firing may take so long"
    )


class Firing(Told):
    due: datetime
    started: datetime | None
    ended: datetime | None
    state: str
    outcome: Any = None
    reason: str | None = None


class Schedule(Told):
    name: str
    do: str
    arguments: dict[str, Any] = {}
    when: str
    zone: str = "UTC"
    enabled: bool
    disabled_because: str | None = None
    last_run: datetime | None = None
    last_state: str | None = None
    next_run: datetime | None = None
    upcoming: list[datetime] = []
    errors: int = Field(default=0, description="In a row; at five it is disabled")
    last_error: str | None = None
    created_by: str = ""
    firings: list[Firing] = []


class ScheduleList(Told):
    schedules: list[Schedule]


class KeyRequest(Written):
    name: Annotated[str, Field(pattern=KEY_NAME, examples=["kim"])]
    roles: Annotated[list[Literal["viewer", "operator", "approver", "admin"]], Field(min_length=1)]
    days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = Field(
        default=None, description="Until it expires; never by default"
    )


class Key(Told):
    id: str
    name: str
    roles: list[str]
    status: str = Field(default="valid", description="valid, replaced, expired or revoked")
    created: datetime | None
    expires: datetime | None = None
    used: datetime | None = None


class KeyList(Told):
    keys: list[Key]


class NewKey(Key):
    secret: str = Field(description="Told once. What is kept is its hash")


class Me(Told):
    name: str
    roles: list[str]
    via: str


class Health(Told):
    status: Literal["ok"] = "ok"


class Readiness(Told):
    ready: bool
    problems: list[str] = Field(default=[], description="What keeps it from working")


class Problem(Told):
    """What went wrong, where, and what to do next (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:windtunnel:problem:not_found",
                    "title": "There is no such thing",
                    "status": 404,
                    "detail": "no run '4k2'",
                    "code": "not_found",
                    "remedy": "GET /api/simulations lists them",
                    "request_id": "b0c1d2e3f4a59687",
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    where: str | None = None
    remedy: str | None = None
    request_id: str | None = None
    errors: list[Unfit] | None = Field(default=None, description="Each field that does not fit")


class Unfit(Told):
    field: str = Field(examples=["body.sed"])
    message: str
