"""Strategies and tournaments, as the doors take and tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool

from windtunnel.server.types.base import Dollars, Name, Page, Status, Told, Written

STRATEGY = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
WHICH = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"  # a number, a tag, or how a hash begins
Which = Annotated[str, Field(pattern=WHICH, examples=["1.0.0"])]
Why = Annotated[str, Field(max_length=10_000, description="It is kept")]
Small = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Weight = Annotated[float, Field(strict=True, ge=-1e9, le=1e9)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=1 << 53)]


class StrategyRequest(Written):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategy": {
                        "strategy": "thrift",
                        "world": "economy",
                        "role": "government",
                        "policy": "austerity",
                    },
                    "why": "less debt",
                }
            ]
        }
    )

    strategy: dict[str, Any] = Field(description="What its file would hold: strategy, world, role, kind, …")
    why: Why = ""
    apply: StrictBool = Field(default=True, description="Put it in force; else it is only registered")


class TagRequest(Written):
    version: Which = Field(description="Of this name: a number, a tag, or how its hash begins")
    tag: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$", examples=["champion"])]
    why: Why = ""


class RollbackRequest(Written):
    to: Which | None = Field(default=None, description="This version; the one before, if unsaid")
    why: Why = ""


class StrategyInfo(Told):
    name: str
    number: str = Field(description="Of the version in force")
    hash: str
    world: str
    role: str
    kind: str
    description: str
    versions: int
    tags: dict[str, str] = Field(description="Each with the number it stands at")
    by: str
    at: datetime
    changeable: bool = Field(description="Whether an evolution can change it: it has bounds, or instructions")


class StrategyPage(Page):
    strategies: list[StrategyInfo]


class StrategyVersion(Told):
    """A version in the tree of its name: `depth` below its root, `under` the one it grew from."""

    number: str
    hash: str
    depth: int
    under: str | None
    others: list[str] = Field(description="Further parents, and those of other names")
    bump: str
    operator: str
    why: str
    by: str
    at: datetime
    in_force: bool
    tags: list[str]


class StrategyMove(Told):
    """The head of a name, or a tag of it, was moved."""

    name: str
    tag: str = Field(description="Empty for the head: the version in force")
    verb: str
    number: str
    before: str | None
    why: str
    by: str
    at: datetime


class Entered(Told):
    """A tournament that a strategy entered."""

    run_id: str
    title: str
    status: Status
    entrant: str
    version: str
    created: datetime


class StrategyDetail(Told):
    name: str
    number: str = Field(description="Of the version that is told")
    in_force: str
    tags: dict[str, str]
    content: dict[str, Any] = Field(description="As its file says it")
    hash: str
    versions: list[StrategyVersion] = Field(description="Of the name, each below the one it grew from")
    moves: list[StrategyMove] = Field(description="The latest, newest first")
    record: list[Entered] = Field(description="Of the latest tournaments, those that it entered")


class StrategyAdded(Told):
    name: str
    number: str
    hash: str
    bump: str
    fresh: bool = Field(description="False where the name had this very content already")
    in_force: bool


class StrategyChange(Told):
    field: str
    before: Any
    after: Any


class StrategyDiff(Told):
    a: str
    b: str
    bump: str = Field(description="What the change makes of the number: major, minor, patch or none")
    changes: list[StrategyChange]
    instructions: str = Field(description="A unified diff of the two texts")


# --- tournaments ---


class StageRequest(Written):
    scenario: Name
    set: dict[str, Any] = Field(default={}, description="Values of it that are others here")


class EntrantRequest(Written):
    """One strategy, or with `versions` every registered version of a name."""

    strategy: Name | None = None
    name: Annotated[str, Field(max_length=200)] = ""
    parameters: dict[str, Any] = {}
    versions: Name | None = Field(
        default=None, description="Of NAME all, of NAME@1 or NAME@1.2 those that begin so"
    )
    last: Small | None = Field(default=None, description="Of these versions the highest so many")


class FormatRequest(Written):
    kind: Name
    rounds: Small | None = None
    double: StrictBool = False
    third_place: StrictBool = False
    table: Annotated[int, Field(strict=True, ge=2, le=1000)] = 2
    tie_breaks: list[Name] = Field(default=[], max_length=20)


class MatchLimits(Written):
    seconds: Annotated[float, Field(strict=True, gt=0, le=1e6)] = 300.0
    decision: Annotated[float, Field(strict=True, gt=0, le=1e6)] | None = None


class MeasureRequest(Written):
    metric: Name
    of: Literal["final", "mean", "sum", "least", "most"] = "final"
    weight: Weight = 1.0
    better: Literal["higher", "lower"] = "higher"


class ScoringRequest(Written):
    metrics: list[MeasureRequest] = Field(default=[], max_length=100)
    roi: Weight = 0.6
    sharpe: Weight = 0.4
    draw: Annotated[float, Field(strict=True, ge=0, le=1e9)] = 0.0


class TournamentRequest(Written):
    """A tournament as its file says it. Strategies are NAME@VERSION of the registry, a rule of the role, or a
    file of the workspace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tournament": "Open or closed?",
                    "scenario": "economy/growth",
                    "entrants": ["balanced", "austerity"],
                    "format": "round-robin",
                    "turns": 12,
                    "seeds": 2,
                }
            ]
        }
    )

    tournament: Annotated[str, Field(min_length=1, max_length=120, description="Its title")]
    entrants: Annotated[
        list[Name | EntrantRequest],
        Field(min_length=1, max_length=1000, description="Who enters, the best first"),
    ]
    pool: list[Name | EntrantRequest] = Field(
        default=[],
        max_length=1000,
        description="Frozen: every entrant meets each of them, and they do not meet (a gauntlet)",
    )
    scenario: Name | None = None
    scenarios: list[Name | StageRequest] = Field(default=[], max_length=100)
    format: Name | FormatRequest = Field(default="round-robin", description="Who meets whom")
    seats: list[Name] = Field(default=[], max_length=1000)
    rotate: StrictBool = Field(default=True, description="Every seed again with the seats changed round")
    turns: Small | None = None
    seeds: Small | Annotated[list[Seed], Field(min_length=1, max_length=10_000)] = 3
    seed: Seed = 1
    scoring: ScoringRequest | None = None
    limits: MatchLimits | None = None
    budget: Dollars | None = Field(default=None, description="The most that all of it may spend, in dollars")
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default=[], max_length=50)

    def file(self) -> dict[str, Any]:
        """What its file would hold."""
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude={"tags"})


class TournamentInfo(Told):
    run_id: str
    title: str
    status: Status
    format: str
    world: str = Field(description="In which its matches are played")
    entrants: int
    rounds: int = Field(description="That are over")
    of_rounds: int | None = None
    created: datetime
    updated: datetime
    reason: str | None = None


class TournamentPage(Page):
    tournaments: list[TournamentInfo]
    total: int


class TournamentLine(Told):
    """One entrant. `rank` is its place by the format, `best` to `worst` the ranks that the matches leave
    open, `low` to `high` the 95% interval of its rating."""

    rank: int
    entrant: str
    strategy: str
    hash: str
    points: float
    matches: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0
    forfeits: int = 0
    void: int = 0
    refused: int = 0
    elo: float | None = None
    rating: float | None = None
    low: float | None = None
    high: float | None = None
    best: int | None = None
    worst: int | None = None
    skill: float | None = None
    skill_error: float | None = None
    score: float | None = None
    roi: float | None = None
    sharpe: float | None = None
    composite: float | None = None
    literal: float | None = None
    cost: float = Field(default=0.0, description="Dollars")
    tie_breaks: dict[str, float] = {}
    pool: bool = Field(default=False, description="Of the frozen pool: it met challengers only")


class PastVersion(Told):
    """The newest against one of its past: its share of the points, with an interval that holds for all pairs
    of versions together. `by` are versions between the two that are surely better than the older one."""

    version: str
    pairs: int
    share: float
    low: float
    high: float
    verdict: Literal["better", "worse", "no difference", "not known"]
    by: list[str] = []


class Selfplay(Told):
    """A strategy of which several versions entered: the newest, and what it holds against its past."""

    strategy: str
    newest: str
    past: list[PastVersion]
    looked: int = Field(description="Pairs of versions that met")
    sentence: str
    alpha: float


class FirstSeat(Told):
    """What the first seat is worth, in points of rating, with its 95% interval."""

    points: float
    low: float
    high: float


class CrossSums(Told):
    points: float
    meetings: float


class CrossRow(Told):
    entrant: str
    against: dict[str, CrossSums]


class BracketSide(Told):
    entrant: str | None
    points: float | None
    through: bool


class BracketMatch(Told):
    label: str
    sides: list[BracketSide]


class BracketRound(Told):
    label: str
    matches: list[BracketMatch]


class TournamentStandings(Told):
    run_id: str
    title: str
    status: Status
    format: str
    rules: str
    world: str
    version: str
    rounds: int
    of_rounds: int | None = None
    matches: int
    lines: list[TournamentLine]
    crosstable: list[CrossRow] = Field(default=[], description="Who met whom; none for an elimination")
    bracket: list[BracketRound] = Field(default=[], description="Round by round; only of an elimination")
    notes: list[str] = Field(default=[], description="What to know before believing it")
    seat: FirstSeat | None = None
    to_come: int | None = Field(default=None, description="Meetings")
    cost: float = Field(default=0.0, description="Dollars")
    reason: str = ""
    selfplay: list[Selfplay] = Field(default=[], description="Strategies of which several versions entered")


class MatchSeat(Told):
    seat: str
    entrant: str
    score: float | None = None
    points: float = 0.5
    roi: float | None = None
    sharpe: float | None = None
    metrics: dict[str, float] = {}
    refused: int = 0


class PlayedMatch(Told):
    """What came of a match, whatever it was played for."""

    number: int
    run_id: str = Field(description="The run that it is", examples=["4k2v9h0a7c.12"])
    stage: str = Field(description="The scenario")
    seed: int
    ending: Literal["played", "forfeited", "void"]
    seats: list[MatchSeat]
    turns: int = 0
    why: str = ""
    fault: str = Field(default="", description="Who forfeited")
    cost: float = Field(default=0.0, description="Dollars")
    marks: list[str] = []
    head: str = ""


class TournamentMatch(PlayedMatch):
    round: int
    meeting: int


class MatchPage(Page):
    matches: list[TournamentMatch]
    total: int
