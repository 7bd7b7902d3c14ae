"""What an evolution is made of: everything here is plain, and stands in the first entry of its run."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field, structs

from windtunnel.strategies.model import Strategy, tidy
from windtunnel.tournaments.model import Entrant, Limits, Scoring
from windtunnel.tournaments.rating.correction import Trial

WORLD_NAME = "evolution"
START = "start"  # the strategy that all of it begins with, and is held against
TRACE = "trace"  # the kind of effect by which a match's journal is read

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Genome(Struct, frozen=True, omit_defaults=True):
    """What evolution may change of a strategy."""

    parameters: dict[str, Any] = field(default_factory=dict)
    instructions: str = ""
    model: str = ""


class Candidate(Struct, frozen=True, omit_defaults=True):
    """One that was made: by which operator, of whom, and why in words."""

    name: str
    generation: int
    operator: str
    parents: tuple[str, ...]
    genome: Genome
    why: str = ""


class Mutation(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How children differ. `rate` of the parameters change, by a bell curve whose deviation is `step` of
    their span; a share `crossover` of the children has two parents; a share `novelty` is of the parent that
    is least like the others; `rivals` compete to be a parent."""

    rate: Share = 0.5
    step: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.15
    crossover: Share = 0.5
    novelty: Share = 0.15
    rivals: Annotated[int, Meta(ge=1, le=100)] = 2


class Reflection(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """New instructions by a model that reads how the worst matches went. A share `share` of the children."""

    model: str = ""
    share: Share = 0.5
    matches: Annotated[int, Meta(ge=1, le=20)] = 2


class Ground(Struct, frozen=True, omit_defaults=True):
    """What candidates are tried on: whole scenarios, whom they meet there, and how many lucks."""

    stages: tuple[dict[str, Any], ...]
    opponents: tuple[Entrant, ...]
    seeds: int


class Plan(Struct, frozen=True, omit_defaults=True):
    """An evolution, pinned. `base` is the version in force that the winner would replace, where there is
    one; `seal` is the hash of the held-out luck, which nothing looks at before the search is over."""

    title: str
    start: Entrant
    world: str
    version: str
    seats: tuple[str, ...]
    training: Ground
    held_out: Ground
    population: int
    generations: int
    elites: int
    seed: int
    base: str = ""
    seal: str = ""
    alpha: float = 0.05
    mutation: Mutation = field(default_factory=Mutation)
    reflection: Reflection = field(default_factory=Reflection)
    models: tuple[str, ...] = ()
    scoring: Scoring = field(default_factory=Scoring)
    limits: Limits = field(default_factory=Limits)
    budget: float | None = None
    seconds: float | None = None
    description: str = ""

    @property
    def reflected(self) -> float:
        """Of those that have instructions, the share of children that get new ones: all, if nothing else can
        change."""
        return self.reflection.share if self.start.strategy.schema or self.models else 1.0

    @property
    def most(self) -> int:
        """How many candidates it can come to."""
        return self.population + (self.generations - 1) * (self.population - self.elites)


class Bout(Struct, frozen=True, omit_defaults=True):
    """One match, as the effect that it is asks for it: all that tells it from the others. `opponent` is
    empty where the candidate sits among those whom the scenario itself names."""

    number: int
    generation: int
    candidate: str
    genome: Genome
    stage: int
    seed: int
    seats: dict[str, str]  # seat -> candidate or opponent
    seat: str  # the candidate's
    opponent: str = ""
    held_out: bool = False


class Record(Struct):
    """How a candidate did: its gains over the start, one a luck; `worst` are its matches by
    their numbers, the worst first, each with its seat."""

    gains: list[float] = field(default_factory=list)
    matches: int = 0
    cost: int = 0
    refused: int = 0
    failed: str = ""
    worst: list[tuple[int, str]] = field(default_factory=list)


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What the gate said, of whom, by which numbers. `tried` counts every candidate that was made."""

    promoted: bool
    reason: str
    candidate: str = ""
    tried: int = 0
    alpha: float = 0.05
    trial: Trial | None = None
    gains: tuple[float, ...] = ()
    matches: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    seal: str = ""


def genome_of(strategy: Strategy) -> Genome:
    whole = tidy(strategy)
    return Genome(dict(whole.parameters), whole.instructions, whole.model)


def expressed(start: Strategy, genome: Genome) -> Strategy:
    """The strategy that a genome is."""
    return tidy(
        structs.replace(
            start, parameters=dict(genome.parameters), instructions=genome.instructions, model=genome.model
        )
    )
