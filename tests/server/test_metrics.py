"""What Prometheus reads: through its own parser, after requests that were really made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from tests.server.assembled import Assembled, assembled
from tests.server.live import live
from windtunnel.control.crew import Crew, WorkerInfo
from windtunnel.models.hub import Asked
from windtunnel.server.counting import Counted, Patterns
from windtunnel.server.metrics import Tally
from windtunnel.testing.provider import Provider, failing

Labels = tuple[tuple[str, str], ...]


def parsed(text: str) -> dict[str, dict[Labels, float]]:
    """Each sample by its name and its labels."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, {})[tuple(sorted(one.labels.items()))] = one.value
    return found


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Assembled]:
    with assembled(tmp_path, monkeypatch) as made:
        yield made


def ask(whole: Assembled, method: str, path: str, **headers: str) -> int:
    return asyncio.run(whole.ask(None, method, path, **headers)).status_code


def read(whole: Assembled) -> dict[str, dict[Labels, float]]:
    answer = asyncio.run(whole.ask(None, "GET", "/metrics"))
    assert answer.status_code == 200
    return parsed(answer.text)


def requests(whole: Assembled) -> dict[tuple[str, str, str], float]:
    told = read(whole)["windtunnel_requests_total"]
    return {(dict(one)["method"], dict(one)["route"], dict(one)["status"]): n for one, n in told.items()}


def test_requests_are_counted_by_the_pattern_of_their_route(whole: Assembled) -> None:
    for run_id in ("one", "two", "three"):
        assert ask(whole, "GET", f"/api/simulations/{run_id}") == 404
    assert ask(whole, "GET", "/api/simulations") == 200
    assert ask(whole, "GET", "/auth/me") == 200
    assert ask(whole, "GET", "/docs/assets/swagger-ui.css") == 200
    assert requests(whole) == {
        ("GET", "/api/simulations/{run_id}", "4xx"): 3,
        ("GET", "/api/simulations", "2xx"): 1,
        ("GET", "/auth/me", "2xx"): 1,
        ("GET", "/docs/assets", "2xx"): 1,
    }
    told = read(whole)["windtunnel_request_seconds_count"]
    assert told[("route", "/api/simulations/{run_id}"),] == 3
    assert told[("route", "/metrics"),] == 1


@pytest.mark.slow
def test_nothing_that_a_client_writes_becomes_a_label(whole: Assembled) -> None:
    for number in range(5):
        ask(whole, "GET", f"/nowhere/{number}")
        ask(whole, "GET", f"/api/nowhere/{number}")
        ask(whole, "GET", f"/runs/{number}", accept="text/html")
        ask(whole, f"BREW{number}", "/health")
    assert requests(whole) == {
        ("GET", "unknown", "4xx"): 10,
        ("GET", "page", "2xx"): 5,
        ("other", "/health", "4xx"): 5,
    }


def test_what_the_guard_refuses_counts_too(whole: Assembled) -> None:
    assert ask(whole, "GET", "/api/simulations", host="evil.example") == 421
    assert ask(whole, "POST", "/mcp", authorization="Bearer wt_nobody") == 401
    assert ask(whole, "POST", "/api/simulations", origin="http://evil.example") == 403
    assert requests(whole) == {
        ("GET", "/api/simulations", "4xx"): 1,
        ("POST", "/mcp", "4xx"): 1,
        ("POST", "/api/simulations", "4xx"): 1,
    }


class Book:
    def __init__(self) -> None:
        self.counted: list[tuple[str, str, str]] = []
        self.timed: list[str] = []

    def count(self, method: str, route: str, status: str) -> None:
        self.counted.append((method, route, status))

    def took(self, route: str, seconds: float) -> None:
        self.timed.append(route)


def through(
    whole: Assembled, book: Book, kind: str, path: str, said: list[Message], *, ends: Any = None
) -> None:
    """One request, answered by what is said; `ends`: what then becomes of it."""

    async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in said:
            await send(message)
        if ends is not None:
            raise ends

    async def heard(_: Message) -> None:
        return

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {"type": kind, "path": path, "method": "GET", "headers": []}
    if kind == "websocket":
        del scope["method"]
    asyncio.run(Counted(answers, book, Patterns(whole.app))(scope, nothing, heard))


def test_a_stream_is_timed_until_it_begins_and_a_socket_not_at_all(whole: Assembled) -> None:
    book, run = Book(), "/api/simulations/r1/stream"
    begun: Message = {"type": "http.response.start", "status": 200, "headers": []}
    with pytest.raises(asyncio.CancelledError):
        through(whole, book, "http", run, [begun], ends=asyncio.CancelledError())
    assert (book.counted, book.timed) == (
        [("GET", "/api/simulations/{run_id}/stream", "2xx")],
        ["/api/simulations/{run_id}/stream"],
    )
    through(whole, book, "websocket", run, [{"type": "websocket.accept"}, {"type": "websocket.close"}])
    through(whole, book, "websocket", "/api/stream", [{"type": "websocket.close"}])
    assert book.counted[1:] == [
        ("WEBSOCKET", "/api/simulations/{run_id}/stream", "1xx"),
        ("WEBSOCKET", "/api/stream", "4xx"),
    ]
    assert len(book.timed) == 1


def test_an_answer_that_never_came_is_told_as_such(whole: Assembled) -> None:
    book = Book()
    through(whole, book, "http", "/health", [])
    with pytest.raises(KeyError):
        through(whole, book, "http", "/health", [], ends=KeyError("oops"))
    assert book.counted == [("GET", "/health", "none"), ("GET", "/health", "5xx")]
    assert book.timed == ["/health"]


# --- models ---


def worker(name: str, *models: Asked, since: float = 2e9) -> WorkerInfo:
    return WorkerInfo(name, "pond", "here", "b", 1, "1", since, models=list(models))


def test_breakers_and_requests_are_told_as_the_workers_know_them(whole: Assembled) -> None:
    crew = Crew(whole.assembly.database)
    crew.beat(worker("w1", Asked("fast", "open", 7, 5, 2.5), Asked("dear", "closed", 1, 0, 4.0)))
    crew.beat(worker("w2", Asked("fast", "closed", 3, 0, 0.5)))
    told = read(whole)
    stands = {
        (dict(one)["deployment"], dict(one)["state"]): n
        for one, n in told["windtunnel_model_breaker"].items()
    }
    assert stands == {
        ("fast", "open"): 1, ("fast", "closed"): 1, ("fast", "half-open"): 0,
        ("dear", "open"): 0, ("dear", "closed"): 1, ("dear", "half-open"): 0,
    }  # fmt: skip
    fast = (("deployment", "fast"),)
    assert told["windtunnel_model_request_seconds_count"][fast] == 10
    assert told["windtunnel_model_request_seconds_sum"][fast] == 3.0
    assert told["windtunnel_model_request_errors_total"][fast] == 5
    crew.dismiss("w1")
    told = read(whole)
    assert told["windtunnel_model_request_seconds_count"][fast] == 10  # it never goes back
    assert told["windtunnel_model_breaker"][("deployment", "fast"), ("state", "open")] == 0


def test_counts_of_workers_that_come_and_go_only_grow() -> None:
    tally = Tally(began=100.0)

    def calls(*workers: WorkerInfo) -> float:
        return sum(one.calls for one in tally.of(workers))

    assert calls(worker("old", Asked("fast", "closed", 50), since=10.0), worker("idle", since=10.0)) == 0
    assert calls(worker("old", Asked("fast", "closed", 53), since=10.0)) == 3
    assert calls(worker("new", Asked("fast", "closed", 4), since=200.0)) == 7
    assert calls(worker("new", Asked("fast", "closed", 2), since=200.0)) == 7  # between two hubs
    assert calls(worker("new", Asked("fast", "closed", 5), since=200.0)) == 8


def test_there_are_never_more_names_of_models_than_a_few() -> None:
    tally, found = Tally(began=0.0), list[Asked]()
    for number in range(100):
        found = tally.of([worker(f"w{number}", Asked(f"openai:{number}", "closed", 1))])
    assert len(found) <= 31
    assert sum(one.calls for one in found) == 100


SETTINGS = """
[models.deployments.flaky]
model = "openai-chat:flaky"
url = "{url}"
local = true

[models.breaker]
failures = 2
rest = 120.0

[models.retry]
first_wait = 0.01
deadline = 300.0
"""


@pytest.mark.slow
def test_a_model_that_keeps_failing_shows_as_an_open_breaker(tmp_path: Path) -> None:
    """A real server, a worker and a provider that answers with errors; the run waits until it has rested."""
    with Provider([failing(500)] * 50) as provider:
        (tmp_path / "windtunnel.toml").write_text(SETTINGS.format(url=provider.openai))
        with live(tmp_path) as server:
            run_id = server.start_run(scenario="economy/quick", model="flaky")
            flaky, stands = ("deployment", "flaky"), "windtunnel_model_breaker"

            def told() -> dict[str, dict[Labels, float]] | None:
                found = parsed(server.get("/metrics"))
                return found if found.get(stands, {}).get((flaky, ("state", "open"))) else None

            found = server.until(told, "its breaker is open")
            assert found[stands][flaky, ("state", "closed")] == 0
            assert found["windtunnel_model_request_errors_total"][flaky,] >= 2
            assert found["windtunnel_model_request_seconds_count"][flaky,] >= 2
            deployments = {one["name"]: one for one in server.get("/api/models")["deployments"]}
            assert deployments["flaky"]["breaker"] == "open"
            counted = server.until(
                lambda: parsed(server.get("/metrics"))["windtunnel_model_calls"][()],
                "the index has the calls",
            )
            assert counted >= 2
            with server.client() as client, client.stream("GET", "/api/stream?channel=runs") as answer:
                assert answer.status_code == 200
                assert parsed(server.get("/metrics"))["windtunnel_stream_clients"][()] == 1
            server.call("DELETE", f"/api/simulations/{run_id}")
