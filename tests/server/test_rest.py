"""REST, as a client meets it: against a real server, with workers that play."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from tests.server.live import Live, live

pytestmark = pytest.mark.slow
QUICK = {"scenario": "economy/quick", "seed": 3}


@pytest.fixture(scope="module", params=["files", "postgres"])
def server(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Over runs in files, and in PostgreSQL: then no file of a run is ever made."""
    home = tmp_path_factory.mktemp("rest")
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database()
        (home / "windtunnel.toml").write_text(f'[store]\nurl = "{url}"\n')
    with live(home) as made:
        yield made
    assert bool(list(home.rglob("*.sqlite"))) == (request.param == "files")


def copy_of(server: Live, run_id: str, folder: Path) -> Path:
    """The run in a file of its own."""
    to = folder / "copy.sqlite"
    command = [sys.executable, "-P", "-m", "windtunnel", "backup", run_id, str(to)]
    subprocess.run(command, env=server.environ, check=True, capture_output=True, timeout=120)
    return to


@pytest.fixture(scope="module")
def done(server: Live) -> str:
    run_id = server.start_run(**QUICK)
    server.ended(run_id)
    return run_id


def test_a_run_is_started_played_and_told(server: Live, done: str) -> None:
    run = server.get(f"/api/simulations/{done}")
    assert (run["status"], run["turn"], run["max_turns"], run["world"]) == ("completed", 12, 12, "economy")
    results = server.get(f"/api/simulations/{done}/results")
    assert results["headline"] == ["gdp", "inflation", "unemployment"]
    best = max(results["metrics"], key=lambda agent: results["metrics"][agent].get("wealth", -1))
    assert results["standings"][0]["agent"] == best == run["leader"]


@pytest.mark.parametrize(
    "request_",
    [
        {"repo": "economy", "config": "scenarios/quick.yaml", "seed": 3},
        {"world": "economy", "scenario": "quick", "seed": 3},
        {"scenario": "economy/quick", "set": ["seed=3"]},
    ],
)
def test_all_ways_to_name_a_scenario_start_the_same_run(
    server: Live, done: str, request_: dict[str, object]
) -> None:
    other = server.ended(server.start_run(**request_))
    assert other["head"] == server.get(f"/api/simulations/{done}")["head"]


def test_a_past_turn_is_told_as_it_was(server: Live, done: str) -> None:
    early = server.get(f"/api/simulations/{done}?turn=4&state=true")
    curve = server.get(f"/api/simulations/{done}/metrics?agent=world&name=gdp")["curves"][0]
    assert early["as_of"] == 4
    assert early["metrics"]["world"]["gdp"] == curve["values"][curve["turns"].index(4)]
    assert early["state"]["turn"] == 4
    assert set(early["state"]["agents"]) == {"aldland", "borland"}
    assert early["state"]["global_state"] != server.get(f"/api/simulations/{done}/state")["global_state"]
    assert "has played 12 turns" in server.get(f"/api/simulations/{done}?turn=13", 404)["detail"]


def test_history_comes_in_pages_and_whole(server: Live, done: str, tmp_path: Path) -> None:
    after, seqs, pages = -1, [], 0
    while True:
        page = server.get(f"/api/simulations/{done}/entries?after={after}&limit=20")
        seqs += [entry["seq"] for entry in page["entries"]]
        pages += 1
        if page["next"] is None:
            break
        after = page["next"]
    with sqlite3.connect(copy_of(server, done, tmp_path)) as store:
        ((count,),) = store.execute("SELECT count(*) FROM entry")
    assert seqs == list(range(count))
    assert pages == -(-count // 20)
    turn = server.get(f"/api/simulations/{done}/entries?turn=7")["entries"]
    assert {entry["turn"] for entry in turn} == {7}
    assert turn == [
        e for e in server.get(f"/api/simulations/{done}/entries?limit=1000")["entries"] if e["turn"] == 7
    ]


def test_a_key_for_idempotency_starts_one_run_however_often_it_is_sent(server: Live) -> None:
    headers = {"Idempotency-Key": "the-same"}
    first, second = (server.post("/api/simulations", QUICK, 202, headers=headers) for _ in range(2))
    assert first["run_id"] == second["run_id"]
    wrong = server.post("/api/simulations", {**QUICK, "seed": 4}, 422, headers=headers)
    assert "another request" in wrong["detail"]


def test_a_fork_shares_the_past_and_takes_another_course(server: Live, done: str) -> None:
    told = server.post(f"/api/simulations/{done}/fork", {"at": "6", "agents": {"aldland": "austerity"}}, 202)
    (fork,) = told["runs"]
    run = server.ended(fork)
    assert (run["parent"], run["parent_turn"]) == (done, 6)
    compared = server.post("/api/compare", {"runs": [done, fork]})
    assert compared["partings"][0]["kind"] == "forked"
    early = server.post("/api/compare", {"runs": [done, fork], "turn": 6})
    assert all(row["differences"] == [0, 0] for row in early["rows"] if None not in row["values"])
    assert fork in server.get(f"/api/simulations/{done}")["children"]
    assert [one["run_id"] for one in server.get(f"/api/simulations?parent={done}")["runs"]] == [fork]


def test_a_fork_that_is_asked_for_again_with_its_key_is_made_once(server: Live, done: str) -> None:
    fork, headers = f"/api/simulations/{done}/fork", {"Idempotency-Key": "fork-once"}
    asked = {"at": "6", "agents": {"aldland": "austerity"}, "branches": 2}
    children = len(server.get(f"/api/simulations/{done}")["children"])
    told = [server.post(fork, asked, 202, headers=headers) for _ in range(2)]
    assert told[0] == told[1]
    names = [*told[0]["runs"], *told[0]["controls"]]
    assert len(set(names)) == 4
    for name in names:
        assert server.ended(name)["status"] == "completed"
    assert server.post(fork, asked, 202, headers=headers) == told[0]  # they have been played, and stay so
    assert len(server.get(f"/api/simulations/{done}")["children"]) == children + 4
    wrong = server.post(fork, {**asked, "at": "7"}, 422, headers=headers)
    assert "another request" in wrong["detail"]


def test_branches_are_held_against_the_controls_that_have_their_luck(server: Live, done: str) -> None:
    asked = {"at": "4", "agents": {"aldland": "austerity"}, "branches": 3}
    told = server.post(f"/api/simulations/{done}/fork", asked, 202)
    branches, controls = told["runs"], told["controls"]
    for run_id in (*branches, *controls):
        server.ended(run_id)
    given = [*reversed(controls), *branches, done]  # in whatever order they are named
    (changed,) = server.post("/api/compare", {"runs": given})["changed"]
    assert (changed["parent"], changed["at"], changed["turn"]) == (done, 4, 12)
    assert (changed["branches"], changed["controls"]) == (branches, controls)
    assert "aldland" in str(changed["changes"])
    effect = next(one for one in changed["effects"] if (one["agent"], one["name"]) == ("aldland", "gdp"))
    values = {
        name: server.get(f"/api/simulations/{name}")["metrics"]["aldland"]["gdp"]
        for name in (*branches, *controls)
    }
    apart = [values[a] - values[b] for a, b in zip(branches, controls, strict=True)]
    assert effect["mean"] == pytest.approx(fmean(apart))
    assert effect["high"] - effect["mean"] == pytest.approx(4.303 * stdev(apart) / sqrt(3))
    assert effect["pairs"] == 3
    # Without its control a branch says nothing, and before the change there is nothing to say.
    assert server.post("/api/compare", {"runs": [*branches, done]})["changed"] == []
    assert server.post("/api/compare", {"runs": given, "turn": 4})["changed"] == []
    (early,) = server.post("/api/compare", {"runs": given[:4], "turn": 6})["changed"]
    assert (early["turn"], early["branches"], early["controls"]) == (6, branches[:1], controls[:1])
    assert early["effects"][0]["low"] is None


def test_a_single_branch_is_held_against_its_parent(server: Live, done: str) -> None:
    told = server.post(f"/api/simulations/{done}/fork", {"at": "8", "agents": {"aldland": "balanced"}}, 202)
    (fork,) = told["runs"]
    server.ended(fork)
    (changed,) = server.post("/api/compare", {"runs": [fork, done]})["changed"]
    assert (changed["branches"], changed["controls"], changed["at"]) == ([fork], [], 8)
    gdp = next(one for one in changed["effects"] if (one["agent"], one["name"]) == ("aldland", "gdp"))
    mine, its = (server.get(f"/api/simulations/{name}")["metrics"]["aldland"]["gdp"] for name in (fork, done))
    assert (gdp["branch"], gdp["reference"], gdp["pairs"]) == (mine, its, 1)


def test_an_estimate_tells_the_time_where_nothing_is_asked_of_a_model(server: Live) -> None:
    short, long = (
        server.post("/api/estimate", {"scenario": "economy/quick", "turns": turns}) for turns in (12, 100_000)
    )
    assert short["models"] == []
    assert (short["rehearsed"], long["rehearsed"]) == (12, 24)
    assert 0 < short["seconds"] < long["seconds"]


def test_a_run_is_proved(server: Live, done: str) -> None:
    assert server.post(f"/api/simulations/{done}/replay")["identical"] is True
    verdict = server.post(f"/api/simulations/{done}/verify")
    assert (verdict["intact"], verdict["complete"]) == (True, True)


def test_a_run_is_cancelled_and_then_removed(server: Live) -> None:
    run_id = server.start_run(scenario="economy/growth", turns=100_000)
    server.until(lambda: server.get(f"/api/simulations/{run_id}")["turn"] > 0, "it plays")
    assert (
        "only what has ended" in server.call("DELETE", f"/api/simulations/{run_id}?purge=true", 409)["detail"]
    )
    server.call("DELETE", f"/api/simulations/{run_id}")
    server.ended(run_id, "cancelled")
    server.call("DELETE", f"/api/simulations/{run_id}?purge=true")
    assert server.get(f"/api/simulations/{run_id}")["metrics"] == {}


def test_a_run_is_paused_and_goes_on(server: Live) -> None:
    run_id = server.start_run(scenario="economy/growth", turns=100_000)
    server.until(lambda: server.get(f"/api/simulations/{run_id}")["turn"] > 0, "it plays")
    server.post(f"/api/simulations/{run_id}/pause")
    turn = server.ended(run_id, "paused")["turn"]
    server.post(f"/api/simulations/{run_id}/resume", {"until": turn + 3}, 202)
    server.until(
        lambda: server.get(f"/api/simulations/{run_id}")["turn"] == turn + 3, "it went on three turns"
    )
    server.ended(run_id, "paused")
    server.call("DELETE", f"/api/simulations/{run_id}")


def test_it_is_exported_and_brought_in_elsewhere(server: Live, done: str, tmp_path: Path) -> None:
    lines = server.get(f"/api/simulations/{done}/export?to=csv").splitlines()
    assert lines[0].startswith("turn,agent")
    assert "<html" in server.get(f"/api/simulations/{done}/export?to=html")
    store = copy_of(server, done, tmp_path)
    with live(tmp_path) as other:
        told = other.call("POST", "/api/import", content=store.read_bytes())
        assert done in told["copied"]
        assert other.post(f"/api/simulations/{done}/replay")["identical"] is True
        assert "no SQLite database" in other.call("POST", "/api/import", 422, content=b"x" * 9000)["detail"]


def test_what_is_wrong_is_said_with_its_remedy(server: Live, done: str) -> None:
    wrong = server.post("/api/simulations", {"scenario": "economy/quick", "sed": 3}, 422)
    assert (wrong["where"], wrong["detail"]) == (
        "body.sed",
        "body.sed: there is no such field; did you mean 'seed'?",
    )
    unknown = server.post("/api/simulations", {"scenario": "economy/quik"}, 404)
    assert unknown["remedy"] == "did you mean 'quick'?"
    assert server.get("/api/simulations/none", 404)["code"] == "not_found"
    assert server.post(f"/api/simulations/{done}/pause", status=409)["code"] == "wrong_state"
    assert server.post(f"/api/simulations/{done}/fork", {"at": "99"}, 404)["detail"]
    outside = server.post("/api/simulations", {"scenario": "../../etc/passwd"}, 422)
    assert "outside the workspace" in outside["detail"]


def test_lists_are_filtered_by_the_server(server: Live, done: str) -> None:
    tagged = server.start_run(**QUICK, tags=["blue", "night"])
    server.ended(tagged)
    assert [one["run_id"] for one in server.get("/api/simulations?tag=blue")["runs"]] == [tagged]
    assert server.get("/api/simulations?world=climate")["runs"] == []
    assert tagged in [one["run_id"] for one in server.get("/api/simulations?text=night")["runs"]]
    assert server.get("/api/simulations?status=completed&limit=1")["next"] is not None
    assert server.get("/api/simulations?status=sleeping", 422)["where"] == "query.status"


def test_what_there_is_to_play_and_how_it_stands(server: Live) -> None:
    names = [world["name"] for world in server.get("/api/worlds")["worlds"]]
    assert "economy" in names
    assert "economy/quick" in [one["name"] for one in server.get("/api/scenarios?world=economy")["scenarios"]]
    detail = server.get("/api/scenarios/economy/quick")
    assert "world: economy" in detail["text"]
    assert "turns" in detail["json_schema"]["properties"]
    system = server.get("/api/system")
    assert system["runs"]["completed"] >= 1
    assert server.get("/ready") == {"ready": True, "problems": []}
    assert 'windtunnel_runs{status="completed"}' in server.get("/metrics")
    assert server.get("/api/me") == {
        "name": "local",
        "roles": ["admin", "approver", "operator", "viewer"],
        "via": "rest",
    }


def test_what_was_done_is_in_the_audit_log(server: Live, done: str) -> None:
    server.post(f"/api/simulations/{done}/pause", status=409, headers={"X-Windtunnel-As": "kim"})
    last = server.get("/api/audit?limit=1")["entries"][0]
    assert (last["who"], last["verb"], last["target"], last["outcome"]) == (
        "kim",
        "pause_simulation",
        done,
        "failed",
    )
    assert "start_simulation" in [
        e["verb"] for e in server.get("/api/audit?verb=start_simulation")["entries"]
    ]


def test_a_schedule_fires_at_once_and_is_removed(server: Live) -> None:
    request = {
        "name": "nightly",
        "when": "daily at 03:00",
        "arguments": {"scenario": "economy/quick", "turns": 2},
    }
    server.post("/api/schedules", request, 201)
    fired = server.until(
        lambda: [f for f in server.get("/api/schedules/nightly")["firings"] if f["state"] == "done"],
        "it fires",
    )
    run = server.get(f"/api/simulations/{fired[0]['outcome']['run_id']}")
    assert (run["status"], run["turn"]) == ("completed", 2)
    assert server.post("/api/schedules/nightly/disable")["enabled"] is False
    server.call("DELETE", "/api/schedules/nightly", 204)
    assert server.get("/api/schedules")["schedules"] == []
    wrong = server.post("/api/schedules", {"name": "x", "when": "sometimes"}, 422)
    assert wrong["remedy"]


def test_its_documentation_works_without_the_network(server: Live) -> None:
    page = server.get("/docs")
    assert "docs/start.js" in page
    assert "//" not in page.replace("<!doctype", "")
    assert len(server.get("/docs/assets/swagger-ui-bundle.js")) > 100_000
    api = server.get("/openapi.json")
    names = [how["operationId"] for path in api["paths"].values() for how in path.values()]
    assert len(names) == len(set(names))
    assert {"start_simulation", "list_simulations", "fork_simulation", "approve"} <= set(names)
