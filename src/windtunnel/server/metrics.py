"""What Prometheus asks: few series, of few labels, read when asked. No run has a series of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from windtunnel.control.crew import BREAKERS, WorkerInfo, joined
from windtunnel.models.hub import Asked
from windtunnel.server.ground import Ground, aside

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    def __init__(self, ground: Ground, following: Callable[[], int]) -> None:
        """`following`: how many clients follow streams."""
        self._ground, self._following = ground, following
        self._asked = Tally(time.time())  # ambient: to know the workers that were there before
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.requests = Counter(
            "windtunnel_requests",
            "Requests by method, route and kind of answer",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.latency = Histogram(
            "windtunnel_request_seconds",
            "Until an answer began",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: str) -> None:
        self.requests.labels(method, route, status).inc()

    def took(self, route: str, seconds: float) -> None:
        self.latency.labels(route).observe(seconds)

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

        yield _gauge("windtunnel_stream_clients", "Who follows streams of this server", self._following())
        yield from _models(workers, self._asked.of(workers))

    async def text(self) -> tuple[bytes, str]:
        return await aside(generate_latest, self._registry), CONTENT_TYPE_LATEST


def _gauge(name: str, about: str, value: float) -> Metric:
    made = GaugeMetricFamily(name, about)
    made.add_metric([], value)
    return made


def _models(workers: Sequence[WorkerInfo], asked: Sequence[Asked]) -> Iterable[Metric]:
    """How the workers get on with their models."""
    stands = GaugeMetricFamily(
        "windtunnel_model_breaker",
        "Workers in which the breaker of a deployment stands so",
        labels=["deployment", "state"],
    )
    told = [one for worker in workers for one in worker.models]
    for known in joined(told):
        own = [one.breaker for one in told if one.deployment == known.deployment] or [known.breaker]
        for state in BREAKERS:
            stands.add_metric([known.deployment, state], own.count(state))
    yield stands
    took = SummaryMetricFamily(
        "windtunnel_model_request_seconds", "How long requests to models took", labels=["deployment"]
    )
    errors = CounterMetricFamily(
        "windtunnel_model_request_errors", "Requests to models without a reply", labels=["deployment"]
    )
    for one in asked:
        took.add_metric([one.deployment], one.calls, one.seconds)
        errors.add_metric([one.deployment], one.errors)
    yield took
    yield errors


class Tally:
    """What workers count, who come and go, as counts that only grow: what was added since the last look."""

    def __init__(self, began: float) -> None:
        self._began, self._lock = began, threading.Lock()
        self._seen: dict[tuple[str, str], Asked] = {}
        self._known: set[str] = set()
        self._total: list[Asked] = []

    def of(self, workers: Sequence[WorkerInfo]) -> list[Asked]:
        with self._lock:
            seen: dict[tuple[str, str], Asked] = {}
            for worker in workers:
                # Of a worker that was there before this server, only what comes from now on.
                earlier = worker.since < self._began and worker.name not in self._known
                for one in worker.models:
                    place = worker.name, one.deployment
                    before = self._seen.get(place, one if earlier else _none(one))
                    grown = one.calls >= before.calls
                    seen[place] = one if grown else before
                    self._total = joined([*self._total, _less(one, before) if grown else _none(one)])
            self._seen, self._known = seen, {worker.name for worker in workers}
            return self._total


def _none(one: Asked) -> Asked:
    return Asked(one.deployment, BREAKERS[0])


def _less(one: Asked, before: Asked) -> Asked:
    return Asked(
        one.deployment,
        BREAKERS[0],
        one.calls - before.calls,
        max(0, one.errors - before.errors),
        max(0.0, one.seconds - before.seconds),
    )
