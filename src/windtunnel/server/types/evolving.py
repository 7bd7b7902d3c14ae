"""Evolutions and their proposals, as the doors take and tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from windtunnel.server.types.base import Dollars, Name, Page, Status, Told, Written
from windtunnel.server.types.contests import (
    EntrantRequest,
    MatchLimits,
    PlayedMatch,
    ScoringRequest,
    Seed,
    StageRequest,
    StrategyChange,
)

ProposalStanding = Literal["pending", "approved", "rejected", "expired", "applied", "rolled_back"]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=1e9)]
Opponents = Annotated[list[Name | EntrantRequest], Field(max_length=1000)]
Stages = Annotated[list[Name | StageRequest], Field(max_length=100)]


def _count(low: int, high: int) -> Any:
    return Field(strict=True, ge=low, le=high)


class HeldOutRequest(Written):
    seeds: Annotated[int, _count(2, 10_000)] = 24
    scenarios: Stages = []
    opponents: Opponents = []


class MutationRequest(Written):
    rate: Share = 0.5
    step: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.15
    crossover: Share = 0.5
    novelty: Share = 0.15
    rivals: Annotated[int, _count(1, 100)] = 2


class ReflectionRequest(Written):
    model: Annotated[str, Field(max_length=200)] = ""
    share: Share = 0.5
    matches: Annotated[int, _count(1, 20)] = 2


class EvolutionRequest(Written):
    """An evolution as its file says it. Strategies are NAME@VERSION of the registry, or a file of the
    workspace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "evolution": "Less tax, as much work",
                    "start": "thrift",
                    "scenario": "economy/quick",
                    "seeds": 2,
                    "population": 4,
                    "generations": 2,
                    "held_out": {"seeds": 9},
                }
            ]
        }
    )

    evolution: Annotated[str, Field(min_length=1, max_length=120, description="Its title")]
    start: Name = Field(description="What is to become better: NAME, NAME@VERSION, or a path")
    scenario: Name | None = None
    scenarios: Stages = []
    turns: Annotated[int, _count(1, 1_000_000)] | None = None
    seats: list[Name] = Field(default=[], max_length=1000)
    opponents: Opponents = []
    seeds: Annotated[int, _count(1, 1000)] = 4
    held_out: HeldOutRequest | None = Field(default=None, description="What the winner is judged by")
    population: Annotated[int, _count(2, 1000)] = 8
    generations: Annotated[int, _count(1, 10_000)] = 6
    elites: Annotated[int, _count(1, 1000)] = 2
    mutation: MutationRequest | None = None
    reflection: ReflectionRequest | None = None
    models: list[Name] = Field(default=[], max_length=100)
    scoring: ScoringRequest | None = None
    limits: MatchLimits | None = None
    budget: Dollars | None = Field(default=None, description="The most that all of it may spend, in dollars")
    seconds: Seconds | None = Field(default=None, description="The search ends within so many")
    alpha: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.05
    seed: Seed = 1
    description: Annotated[str, Field(max_length=10_000)] = ""
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default=[], max_length=50)

    def file(self) -> dict[str, Any]:
        """What its file would hold."""
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude={"tags"})


class EvolutionProposal(Told):
    """What an evolution proposed, and how that stands."""

    id: int
    status: ProposalStanding


class EvolutionInfo(Told):
    run_id: str
    title: str
    status: Status
    strategy: str = Field(description="What is to become better")
    world: str
    generations: int = Field(description="That are over")
    of_generations: int
    population: int
    proposal: EvolutionProposal | None = None
    created: datetime
    updated: datetime
    reason: str | None = None


class EvolutionPage(Page):
    evolutions: list[EvolutionInfo]
    total: int


class EvolutionGround(Told):
    """What candidates are tried on; `seeds` is how many lucks of each scenario."""

    scenarios: list[str]
    opponents: list[str]
    seeds: int


class EvolutionGeneration(Told):
    """`gain` and `error` are of the candidate that the search puts first, `mean` is of all of them."""

    generation: int
    best: str
    gain: float
    error: float | None
    mean: float
    candidates: int
    tried: int = Field(description="Candidates that were made until then")
    cost: float = Field(description="Dollars, until then")


class EvolutionCandidate(Told):
    """As it stood after the generation that is shown, the best first."""

    name: str
    generation: int = Field(description="In which it was made")
    operator: str
    parents: list[str]
    gain: float
    error: float | None
    lucks: int
    matches: int
    refused: int
    failed: str
    why: str
    changes: list[StrategyChange] = Field(description="Against the start")
    instructions: str = Field(description="A unified diff against those of the start")


class EvolutionVerdict(Told):
    """What the gate said. `low` is where the one-sided interval of the gain begins; `chance` is that of so
    much gain by luck, `corrected` the same for so many tried."""

    promoted: bool
    reason: str
    candidate: str
    tried: int
    alpha: float
    lucks: int
    gain: float | None = None
    low: float | None = None
    chance: float | None = None
    corrected: float | None = None
    gains: list[float] = Field(description="One for each held-out luck")


class Evolution(Told):
    run_id: str
    title: str
    description: str
    status: Status
    reason: str
    strategy: str
    base: str = Field(
        description="The version that the winner would replace; empty where it is not registered"
    )
    kind: str
    world: str
    version: str
    seats: list[str]
    searched_on: EvolutionGround
    held_out: EvolutionGround
    seal: str = Field(description="The hash of the held-out luck, written down before the first match")
    of_generations: int
    population: int
    alpha: float
    generations: list[EvolutionGeneration]
    shown: int | None = Field(description="The generation of which `candidates` are")
    candidates: list[EvolutionCandidate]
    verdict: EvolutionVerdict | None = None
    proposal: EvolutionProposal | None = None
    not_proposed: str | None = Field(default=None, description="Why what passed the gate is not proposed")
    marks: list[str] = Field(description="Where another model answered than the one named, and how often")
    matches: int
    cost: float = Field(description="Dollars")


class EvolutionMatch(PlayedMatch):
    generation: int
    held_out: bool = Field(description="Of the gate")
    candidate: str


class EvolutionMatchPage(Page):
    matches: list[EvolutionMatch]
    total: int


# --- proposals ---


class DecisionRequest(Written):
    note: Annotated[str, Field(max_length=10_000, description="It is kept")] = ""


class ProposalVote(Told):
    by: str
    word: Literal["approve", "reject", "rollback"]
    note: str
    at: datetime


class ProposalInfo(Told):
    """A change that something found out. `approvals` of `approvers` have said yes; `version` is what was
    applied, `base` what it replaces."""

    id: int
    run_id: str = Field(description="The evolution that found it")
    strategy: str
    type: Literal["parameter", "prompt", "model"]
    title: str
    confidence: float
    risk: Literal["low", "medium", "high", "critical"]
    status: ProposalStanding
    approvals: int
    approvers: int
    base: str
    version: str
    made: datetime
    changed: datetime = Field(description="When its status last was another")
    expires: datetime | None = None


class ProposalPage(Page):
    proposals: list[ProposalInfo]
    total: int


class ProposalEvidence(Told):
    """What speaks for it. `low` is where the one-sided interval of the gain begins; `corrected` is the
    chance of so much gain by luck where so many were tried."""

    candidate: str = ""
    gain: float | None = None
    low: float | None = None
    chance: float | None = None
    corrected: float | None = None
    alpha: float | None = None
    tried: int = 0
    lucks: int = 0
    gains: list[float] = Field(default=[], description="One for each held-out luck")
    scenarios: list[str] = []
    opponents: list[str] = []
    matches: list[str] = Field(default=[], description="The runs that these numbers are from")
    seal: str = ""


class Proposal(ProposalInfo):
    description: str
    world: str
    role: str
    operator: str
    evidence: ProposalEvidence
    changes: list[StrategyChange]
    instructions: str = Field(description="A unified diff of the two texts")
    votes: list[ProposalVote] = Field(description="Who said what, the oldest first")
    in_force: str | None = Field(description="The version of the strategy that is in force now")
