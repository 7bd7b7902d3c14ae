"""What is known of one deployment while a process lives: its breaker, its lane, its price, its adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from windtunnel.models.breaker import Breaker
from windtunnel.models.lanes import Lane
from windtunnel.models.prices import Prices, Rate
from windtunnel.models.providers import Adapter, PydanticAdapter, check_reachable
from windtunnel.models.settings import Deployment, Setup
from windtunnel.models.timing import Clock

MakeAdapter = Callable[[Deployment], Adapter]


class Health(Struct, frozen=True):
    """One line of what is configured: for people, and for metrics."""

    name: str
    model: str
    url: str
    local: bool
    key: str
    missing: str | None
    priced: bool
    breaker: str
    opens_in: float
    width: int
    busy: int
    waiting: int


class Station:
    def __init__(self, deployment: Deployment, setup: Setup, prices: Prices, clock: Clock) -> None:
        self.deployment = deployment
        self.rate: Rate | None = prices.rate(deployment)
        self.breaker = Breaker(setup.settings.breaker, clock)
        self.lane = Lane(deployment.manners.concurrency, deployment.manners.most, clock)
        self.calls, self.errors, self.seconds = 0, 0, 0.0  # requests that ended, and how long they took
        self.answered = False
        self.nobody_there = False  # it never answered, and cannot be connected to: not worth waiting for
        self._setup = setup
        self._adapter: Adapter | None = None

    def adapter(self, make: MakeAdapter | None) -> Adapter:
        """Made when first asked: before that no package of a provider is loaded."""
        if self._adapter is None:
            check_reachable(self.deployment, offline=self._setup.offline)
            self._adapter = (make or self._make)(self.deployment)
        return self._adapter

    def _make(self, deployment: Deployment) -> Adapter:
        secrets: Sequence[str] = self._setup.secrets()
        return PydanticAdapter(
            deployment, self._setup.secret(deployment), secrets, offline=self._setup.offline
        )

    def health(self) -> Health:
        one = self.deployment
        return Health(
            name=one.name,
            model=one.full_name,
            url=one.url,
            local=one.local,
            key=one.key,
            missing=self._setup.missing(one),
            priced=self.rate is not None,
            breaker=self.breaker.state,
            opens_in=round(self.breaker.opens_in, 3),
            width=self.lane.width,
            busy=self.lane.busy,
            waiting=self.lane.waiting,
        )

    async def aclose(self) -> None:
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            await adapter.aclose()
