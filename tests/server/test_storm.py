"""kill -9 on everything in turn, at random moments, while a client goes on with its work: what it was told is
true afterwards, and nothing was done twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.live import Live
from tests.server.tunnel import HELD, Tunnel, free_port, listed, pids, tunnel, until

TURNS = 1500
VICTIMS = {
    "server": "serve",
    "worker": "windtunnel.control.worker",
    "desk": "windtunnel.control.desk",
    "errand": "verify",
}


class Client:
    """Asks until it is answered, as a client does whose server comes back."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self.end = url, time.monotonic() + seconds
        self.asked_again: Counter[str] = Counter()

    def ask(
        self, method: str, path: str, body: Any = None, done: tuple[int, ...] = (), **headers: str
    ) -> Any:
        """`done`: answers that say, to whoever asks again, that it was done already."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        times = 0
        while time.monotonic() < self.end:
            times += 1
            with suppress(httpx.TransportError):
                answer = httpx.request(method, self.url + path, json=body, headers=named, timeout=60)
                if answer.status_code < 300 or (times > 1 and answer.status_code in done):
                    return answer.json() if "json" in answer.headers.get("content-type", "") else None
                assert answer.status_code >= 500, f"{method} {path}: {answer.status_code} {answer.text}"
            self.asked_again[path] += 1
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} was never answered")

    def until(self, path: str, holds: Any) -> Any:
        while time.monotonic() < self.end:
            if holds(found := self.ask("GET", path)):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{path}: it never came to pass")


class Script(threading.Thread):
    """One client's work. What it was told is kept."""

    def __init__(self, made: Tunnel, client: Client, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.made, self.client, self.number = made, client, number
        self.runs: dict[str, str] = {}
        self.forks: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.error = error

    def start_run(self, name: str, **settings: Any) -> str:
        request = self.made.request(TURNS, self.number, **settings)
        told = [
            self.client.ask("POST", "/api/simulations", request, Idempotency_Key=f"{self.number} {name}")[
                "run_id"
            ]
            for _ in range(2)
        ]
        assert told[0] == told[1]
        self.runs[name] = told[0]
        return self.runs[name]

    def work(self) -> None:
        ask, number = self.client.ask, self.number
        plain, held = self.start_run("plain"), self.start_run("held", big=5, approvals=HELD)
        schedule = {"name": f"s{number}", "when": "every 6 hours", "arguments": self.made.request(3, number)}
        ask("POST", "/api/schedules", schedule, done=(409, 422))
        self.client.until(f"/api/simulations/{plain}", lambda run: run["turn"] > 5)
        told = ask("POST", f"/api/simulations/{plain}/fork", {"at": "3", "set": {"tags": ["other"]}})
        self.forks += told["runs"]
        ask("POST", f"/api/simulations/{plain}/pause", done=(409,))
        paused = self.client.until(f"/api/simulations/{plain}", lambda run: run["status"] == "paused")
        (asked,) = self.client.until(f"/api/approvals?run_id={held}", lambda told: told["approvals"])[
            "approvals"
        ]
        for voter in ("ana", "ben"):
            path = f"/api/approvals/{asked['id']}/approve"
            ask("POST", path, {}, done=(409, 422), X_Windtunnel_As=voter)
        self.client.until(f"/api/simulations/{held}", lambda run: run["turn"] >= 5)
        assert ask("POST", f"/api/simulations/{plain}/verify")["intact"] is True
        assert ask("GET", f"/api/simulations/{plain}")["turn"] == paused["turn"]
        ask("POST", f"/api/simulations/{plain}/resume")
        self.client.until(f"/api/simulations/{plain}", lambda run: run["turn"] > paused["turn"])


class Killer:
    """Kills one of each kind in turn. A server comes back on its port."""

    def __init__(self, made: Tunnel, seed: int) -> None:
        self.made, self.chance, self.port = made, random.Random(seed), free_port()
        self.killed: Counter[str] = Counter()
        self.server: Live = made.serve("--port", str(self.port))

    def strike(self, kind: str, seconds: float) -> None:
        """Wait for one of a kind to be there, and for a random moment more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.chance.random() * 0.3)
            found = pids(self.made.home, VICTIMS[kind])
            if kind == "server":
                self.server.kill()
                self.killed[kind] += 1
                time.sleep(self.chance.random())
                self.server = self.made.serve("--port", str(self.port))
                return
            if found:
                with suppress(ProcessLookupError):
                    os.kill(self.chance.choice(found), signal.SIGKILL)
                    self.killed[kind] += 1
                    return


def storm(home: Path, *, clients: int, kinds: list[str], seconds: float) -> None:
    with tunnel(home, concurrency=4 * clients) as made:
        killer = Killer(made, 1)
        scripts = [
            Script(made, Client(killer.server.url, seconds), number) for number in range(1, clients + 1)
        ]
        for script in scripts:
            script.start()
        for kind in kinds:
            if any(script.is_alive() for script in scripts):
                killer.strike(kind, 5.0)
        for script in scripts:
            script.join(seconds)
            assert script.error is None, (script.error, killer.killed, killer.server.log())
            assert not script.is_alive()
        made.hurry()
        check(made, killer.server, scripts)
        print(dict(killer.killed), [dict(script.client.asked_again) for script in scripts])
        assert killer.killed["server"] > 0
        assert killer.killed["worker"] > 0


def check(made: Tunnel, server: Live, scripts: list[Script]) -> None:
    def all_ended() -> bool:
        return {one["status"] for one in listed(server).values()} == {"completed"}

    until(all_ended, f"every run ends: {[(k, v['status']) for k, v in listed(server).items()]}")
    runs = listed(server)
    keyed = {run for script in scripts for run in script.runs.values()}
    fired = [firings(server, script.number) for script in scripts]
    scheduled = {f["outcome"]["run_id"] for many in fired for f in many if f["outcome"]}
    others = {run for run, one in runs.items() if one["parent"] is None} - keyed
    assert scheduled <= others
    assert len(others) <= len(scripts), "a schedule has fired twice"
    assert {fork for script in scripts for fork in script.forks} <= runs.keys()
    made.check_sound(*runs)
    for script in scripts:
        (asked,) = server.get(f"/api/approvals?run_id={script.runs['held']}&status=approved")["approvals"]
        counted = [vote["by"] for vote in asked["votes"] if vote["refused"] is None]
        assert counted == ["ana", "ben"]
    plains = [made.plain(TURNS, script.number) for script in scripts]
    assert made.heads([script.runs["plain"] for script in scripts]) == made.undisturbed(plains)


def firings(server: Live, number: int) -> list[dict[str, Any]]:
    """Those of a schedule: one that is done, and before it the attempts that a server's death cut off."""

    def over() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = server.get(f"/api/schedules/s{number}")["firings"]
        return found if any(one["state"] == "done" for one in found) else []

    told: list[dict[str, Any]] = server.until(over, "the schedule has fired")
    assert {one["state"] for one in told} <= {"done", "interrupted"}
    assert [one["state"] for one in told].count("done") == 1
    assert len({one["due"] for one in told}) == 1
    assert len({one["outcome"]["run_id"] for one in told if one["outcome"]}) == 1, "each attempt made a run"
    return told


@pytest.mark.slow
def test_everything_is_killed_once_and_what_was_answered_is_true(tmp_path: Path) -> None:
    storm(tmp_path, clients=1, kinds=["desk", "server", "worker", "errand"], seconds=120)


@pytest.mark.soak
@pytest.mark.timeout(1000)
def test_everything_is_killed_in_turn_for_minutes_and_what_was_answered_is_true(tmp_path: Path) -> None:
    storm(tmp_path, clients=6, kinds=["desk", "worker", "server", "errand"] * 6, seconds=700)
