"""What clients are told of the rest: worlds, models, schedules, keys, the installation, problems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool

from windtunnel.server.types.base import (
    KEY_NAME,
    SCHEDULE_NAME,
    Name,
    Page,
    Told,
    Written,
)


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
    rehearsed: int = Field(description="Turns that were rehearsed for it")
    models: list[Priced] = Field(description="None, where nothing asks a model")
    seconds: float = Field(
        default=0.0, description="What the run's own work takes here; how long models think is not in it"
    )


class Forecast(Told):
    """What a tournament or an evolution comes to."""

    title: str
    matches: int
    rounds: int = Field(description="Of an evolution: generations")
    rehearsed: int = Field(description="Matches that were rehearsed for it")
    models: list[Priced] = Field(description="None, where nobody asks a model")
    seconds: float = Field(description="What its matches take here; how long models think is not in it")
    processes: int = Field(description="Which play at the same time")
    budget: float | None = Field(default=None, description="Dollars, as the file says")
    notes: list[str] = Field(default=[], description="What it leaves out")


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
    panels: list[dict[str, Any]] = Field(default=[], description="How its own page is laid out")
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
