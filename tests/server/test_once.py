"""A start that is asked for again: at once by many, and after the server was killed in the middle of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.live import Live, live

pytestmark = pytest.mark.slow
QUICK: dict[str, Any] = {"scenario": "economy/quick", "seed": 3, "turns": 1}
MANY = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("once")) as made:
        yield made


def stores(server: Live) -> set[str]:
    return {path.stem for path in (server.home / ".windtunnel" / "runs").glob("*.sqlite")}


def test_many_at_once_with_one_key_start_one_run(server: Live) -> None:
    before = stores(server)

    def ask(_: int) -> str:
        told = server.post("/api/simulations", QUICK, 202, headers={"Idempotency-Key": "together"})
        return str(told["run_id"])

    with ThreadPoolExecutor(MANY) as crowd:
        told = list(crowd.map(ask, range(MANY)))
    assert len(told) == MANY
    assert len(set(told)) == 1
    assert stores(server) - before == {told[0]}
    server.ended(told[0])
    assert stores(server) - before == {told[0]}


def test_the_same_key_of_somebody_else_starts_another(server: Live) -> None:
    told = [
        server.post(
            "/api/simulations", QUICK, 202, headers={"Idempotency-Key": "shared", "X-Windtunnel-As": who}
        )
        for who in ("ann", "bob", "ann")
    ]
    assert told[0]["run_id"] == told[2]["run_id"] != told[1]["run_id"]


@pytest.mark.parametrize(
    "delay",
    [0.02, pytest.param(0.06, marks=pytest.mark.soak), 0.1, pytest.param(0.2, marks=pytest.mark.soak)],
)
def test_a_key_that_was_used_before_a_kill_names_the_same_run(tmp_path: Path, delay: float) -> None:
    """Killed while it answers: whatever was done by then, one run comes of asking again, and it is played."""
    headers = {"Idempotency-Key": "again"}
    with live(tmp_path) as server:
        server.get("/api/worlds/economy")  # the helper is warm: it is the start that is cut off
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(_asked, server.url, headers)
            time.sleep(delay)
            server.kill()
            heard = asked.result(60)
        server.start()
        told = {server.post("/api/simulations", QUICK, 202, headers=headers)["run_id"] for _ in range(3)}
        (run_id,) = told
        assert heard in (None, run_id)
        assert server.ended(run_id)["turn"] == 1
        assert [one["run_id"] for one in server.get("/api/simulations")["runs"]] == [run_id]
        assert stores(server) == {run_id}


def _asked(url: str, headers: dict[str, str]) -> str | None:
    with suppress(httpx.TransportError):
        answer = httpx.post(f"{url}/api/simulations", json=QUICK, headers=headers, timeout=50)
        return str(answer.json()["run_id"])
    return None


def test_pages_miss_nothing_and_double_nothing_while_runs_are_added(server: Live) -> None:
    """Each run that was there when the first page was asked for stands on exactly one page."""
    there = {server.start_run(**QUICK) for _ in range(9)} | {
        one["run_id"] for one in server.get("/api/simulations?limit=1000")["runs"]
    }
    seen: list[str] = []
    after = ""
    while True:
        page = server.get(f"/api/simulations?limit=2{after}")
        seen += [one["run_id"] for one in page["runs"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
        server.start_run(**QUICK)  # newer than all that is still to come
        assert len(seen) < 200
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_a_cursor_of_another_order_is_refused(server: Live) -> None:
    server.start_run(**QUICK)
    server.start_run(**QUICK)
    after = server.get("/api/simulations?limit=1")["next"]
    wrong = server.get(f"/api/simulations?limit=1&order=updated&after={after}", 422)
    assert "cursor" in wrong["detail"]
