"""What Prometheus asks: few series, of few labels, read when asked. No run has a series of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windtunnel.server.ground import Ground, aside

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.requests = Counter(
            "windtunnel_requests",
            "Requests by route and status",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.latency = Histogram(
            "windtunnel_request_seconds",
            "How long requests took",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )

    def collect(self) -> Iterable[Metric]:
        ground = self._ground
        runs = GaugeMetricFamily("windtunnel_runs", "Runs by status", labels=["status"])
        for status, number in ground.index.counts().items():
            runs.add_metric([status], number)
        yield runs
        waiting = GaugeMetricFamily("windtunnel_queue", "Runs in the queue", labels=["world", "state"])
        for world, depth in ground.queue.depth().items():
            waiting.add_metric([world, "ready"], depth.ready)
            waiting.add_metric([world, "playing"], depth.playing)
        yield waiting
        now = ground.database.now()
        workers = ground.manager.workers()
        by_world: dict[str, int] = {}
        for worker in workers:
            by_world[worker.world] = by_world.get(worker.world, 0) + 1
        crew = GaugeMetricFamily("windtunnel_workers", "Processes that play runs", labels=["world"])
        for world, number in by_world.items():
            crew.add_metric([world], number)
        yield crew
        oldest = max((now - worker.beat for worker in workers), default=0.0)
        yield _gauge(
            "windtunnel_worker_silence_seconds", "Since the quietest worker's last sign of life", oldest
        )
        turns, spend, calls = ground.index.totals()
        yield _gauge("windtunnel_turns_played", "Turns of all runs that are kept", turns)
        yield _gauge("windtunnel_spend_dollars", "What models cost in all runs that are kept", spend / 1e6)
        yield _gauge(
            "windtunnel_model_calls", "How often providers were asked in all runs that are kept", calls
        )

    async def text(self) -> tuple[bytes, str]:
        return await aside(generate_latest, self._registry), CONTENT_TYPE_LATEST


def _gauge(name: str, about: str, value: float) -> Metric:
    made = GaugeMetricFamily(name, about)
    made.add_metric([], value)
    return made


class Timed:
    """Counts requests by their route's pattern, never by what a client wrote."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.latency.labels(route).observe(time.perf_counter() - began)
