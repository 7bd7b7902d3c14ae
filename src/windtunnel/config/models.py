"""What `[models]` of windtunnel.toml may say: deployments, routes, prices, budgets, manners.

Only the words and their defaults; what they mean is the business of `windtunnel.models`. A key is never
written here: `key` names the variable of the environment that holds it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Dollars = Annotated[float, Meta(ge=0)]
Risk = Literal["low", "medium", "high", "critical"]
HighStakes = Literal["mark", "refuse"]
Output = Literal["auto", "native", "tool", "prompt"]
# Why the next deployment of a chain is tried. `denied` (a wrong key, an unknown model) is none of the default
# ones: it is a mistake to be seen, not one to be routed around in silence.
Trigger = Literal["connection", "busy", "server", "quota", "context", "refusal", "output", "denied"]
ON: tuple[Trigger, ...] = ("connection", "busy", "server", "quota", "context", "refusal", "output")


class Deployment(Struct, frozen=True):
    """One model at one address."""

    model: Annotated[str, Meta(min_length=1)]
    url: str | None = None
    key: str | None = None
    local: bool | None = None
    output: Output = "auto"
    concurrency: Count = 20
    most: Count = 1000
    timeout: Seconds = 120.0


class Choice(Struct, frozen=True):
    """The first choice of a route whose conditions all hold is taken; one without conditions always is."""

    use: tuple[str, ...]
    types: tuple[str, ...] = ()
    risk: tuple[Risk, ...] = ()
    accuracy: bool | None = None
    tokens_from: int | None = None
    tokens_to: int | None = None
    priority_from: int | None = None


class Route(Struct, frozen=True):
    """After what was chosen comes the chain, each deployment once. Both may name other routes."""

    choose: tuple[Choice, ...] = ()
    chain: tuple[str, ...] = ()
    on: tuple[Trigger, ...] = ON
    high_stakes: HighStakes | None = None


class Price(Struct, frozen=True):
    """Dollars for a million tokens."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None


class Limit(Struct, frozen=True):
    """Dollars and tokens; what is not named is not limited."""

    money: Dollars | None = None
    tokens: Annotated[int, Meta(ge=0)] | None = None


class Budgets(Struct, frozen=True):
    call: Limit = field(default_factory=Limit)
    run: Limit = field(default_factory=Limit)
    tournament: Limit = field(default_factory=Limit)
    evolution: Limit = field(default_factory=Limit)
    workspace: Limit = field(default_factory=Limit)


class Retry(Struct, frozen=True):
    """A call that failed is made again at once, then after pauses, each twice as long as the one before,
    unless the provider says how long. `patience`: a deployment that asks for a longer one is left for the
    next one in the chain."""

    attempts: Count = 6
    deadline: Seconds = 600.0
    first_wait: Seconds = 0.1
    longest_wait: Seconds = 30.0
    patience: Seconds = 10.0


class Breaker(Struct, frozen=True):
    """So many failures in so many seconds, and a deployment rests; then one call probes it."""

    failures: Count = 5
    window: Seconds = 60.0
    rest: Seconds = 30.0


class Models(Struct, frozen=True):
    deployments: dict[str, Deployment] = {}
    routes: dict[str, Route] = {}
    prices: dict[str, Price] = {}
    budgets: Budgets = field(default_factory=Budgets)
    retry: Retry = field(default_factory=Retry)
    breaker: Breaker = field(default_factory=Breaker)
    high_stakes: HighStakes = "mark"
    cache: bool = False
