"""What a tournament is made of: everything here is plain, and stands in the first entry of its run."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from windtunnel.strategies.model import Strategy
from windtunnel.tournaments.formats import Plan
from windtunnel.tournaments.rating.sequential import Rules

WORLD_NAME = "tournament"
MATCH = "match"  # the kind of effect that a match is

Of: TypeAlias = Literal["final", "mean", "sum", "least", "most"]
Ending: TypeAlias = Literal["played", "forfeited", "void"]


class Entrant(Struct, frozen=True, omit_defaults=True):
    """Who enters, as it will play to the end: what it is called here, and its strategy whole. `version` and
    `hash` are those of the registry, if it came from there; the hash is of what plays."""

    name: str
    strategy: Strategy
    hash: str
    version: str = ""
    origin: str = ""


class Measure(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A metric of the world that counts: its last value, or what it was over the match."""

    metric: str
    of: Of = "final"
    weight: float = 1.0
    better: Literal["higher", "lower"] = "higher"


class Scoring(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a seat's match becomes a number. Without metrics: 0.6 of the return on its wealth and 0.4 of how
    sure that return is. Scores nearer than `draw` to each other are a draw."""

    metrics: tuple[Measure, ...] = ()
    roi: float = 0.6
    sharpe: float = 0.4
    draw: float = 0.0


class Limits(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a match may take: seconds in all, and seconds for one decision."""

    seconds: float = 300.0
    decision: float | None = None


class Field(Struct, frozen=True, omit_defaults=True):
    """A tournament, pinned: who plays what, under which format, with which luck, scored how. `stages` are
    whole scenarios; every meeting plays each of them with each seed and each rotation of the seats."""

    title: str
    plan: Plan
    entrants: tuple[Entrant, ...]
    world: str
    version: str  # of the world
    stages: tuple[dict[str, Any], ...]
    seats: tuple[str, ...]  # one alone: each entrant plays by itself, and what they reach is compared
    seeds: tuple[int, ...] = ()
    lucks: int = 0  # seeds drawn anew for every round, where none are named
    rotate: bool = True
    scoring: Scoring = field(default_factory=Scoring)
    limits: Limits = field(default_factory=Limits)
    budget: float | None = None
    stop: Rules | None = None  # a duel: it is over when it knows
    description: str = ""


class Match(Struct, frozen=True, omit_defaults=True):
    """One match, as the effect that it is asks for it: who sits where, with which luck, in which stage. The
    first three say where it belongs: round and meeting count from 1."""

    number: int
    round: int
    meeting: int
    stage: int
    seed: int
    seats: dict[str, str]  # seat -> entrant


class Seated(Struct, frozen=True, omit_defaults=True):
    """How a seat came out: its score, and what it was made of. `roi` and `sharpe` are raw; `sure` is the
    probability that the true Sharpe ratio is above nothing."""

    entrant: str
    score: float | None = None
    points: float = 0.5
    roi: float | None = None
    sharpe: float | None = None
    sure: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    refused: int = 0  # turns in which it did nothing, since what it decided was not allowed


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What came of a match. `void` counts for nobody; `why` says it in words, `fault` whose it was."""

    run_id: str
    ending: Ending
    seats: dict[str, Seated]
    turns: int = 0
    why: str = ""
    fault: str = ""  # the entrant who forfeited
    cost: int = 0  # micro-dollars
    marks: tuple[str, ...] = ()  # what a statistician should know: a model that stood in for another
    head: str = ""
