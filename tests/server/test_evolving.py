"""Evolutions over the network: begun once, played by a process that is not the server, and what they propose
decided by people, by name."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Client
from websockets.asyncio.client import connect

from tests.server.live import Live, live
from tests.server.tunnel import Tunnel, tunnel, until
from tests.server.wanting import kept, proposed
from tools.tour import BETTER, SPENDER
from windtunnel.control import history

pytestmark = pytest.mark.slow
WHERE = "/api/evolution/proposals"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    home = tmp_path_factory.mktemp("evolving")
    (home / "windtunnel.toml").write_text("[evolution]\nproposals_per_hour = 100\n")
    with live(home) as made:
        made.post("/api/strategies", {"strategy": SPENDER}, 201)
        yield made


@pytest.fixture(scope="module")
def found(server: Live) -> str:
    """An evolution that is over, and whose winner passed the gate."""
    run_id: str = server.post("/api/evolution", BETTER, 202)["run_id"]
    server.ended(run_id)
    return run_id


def named(name: str) -> dict[str, str]:
    return {"X-Windtunnel-As": name}


def decided(server: Live, key: int, word: str, by: str, status: int = 200, note: str = "") -> Any:
    return server.post(f"{WHERE}/{key}/{word}", {"note": note}, status, headers=named(by))


def in_force(server: Live, name: str) -> str:
    return str(server.get(f"/api/strategies/{name}")["in_force"])


# --- evolutions ---


def test_an_evolution_is_played_told_proposed_approved_and_taken_back(server: Live, found: str) -> None:
    run_id = found
    told = server.get(f"/api/evolution/{run_id}")
    assert (told["title"], told["base"]) == (BETTER["evolution"], "spender@1.0.0")
    assert [one["generation"] for one in told["generations"]] == [1, 2]
    last = told["generations"][-1]
    assert (told["shown"], last["tried"], last["candidates"]) == (2, 7, 4)
    assert last["best"] == told["candidates"][0]["name"]
    assert last["gain"] == told["candidates"][0]["gain"]
    assert last["mean"] == pytest.approx(sum(one["gain"] for one in told["candidates"]) / 4)
    assert told["verdict"]["promoted"]
    assert told["verdict"]["low"] > 0
    assert len(told["verdict"]["gains"]) == told["verdict"]["lucks"] == 9
    first = server.get(f"/api/evolution/{run_id}?generation=1")
    assert {one["generation"] for one in first["candidates"]} == {1}
    assert all(one["changes"] for one in first["candidates"])
    assert "has played 2" in server.get(f"/api/evolution/{run_id}?generation=9", 404)["remedy"]
    server.until(lambda: server.get(f"/api/evolution/{run_id}")["proposal"], "it is proposed")
    (listed,) = [one for one in server.get("/api/evolution")["evolutions"] if one["run_id"] == run_id]
    assert (listed["generations"], listed["of_generations"]) == (2, 2)
    key = listed["proposal"]["id"]
    asked = server.get(f"{WHERE}/{key}")
    assert (asked["status"], asked["approvals"], asked["approvers"]) == ("pending", 0, 1)
    assert asked["evidence"]["low"] == told["verdict"]["low"]
    assert {one["field"] for one in asked["changes"]} <= {"parameters.tax", "parameters.response"}
    for match in asked["evidence"]["matches"]:
        assert match.startswith(f"{run_id}.")
    assert server.get(f"/api/simulations/{asked['evidence']['matches'][0]}")["status"] == "completed"
    applied = decided(server, key, "approve", "kim", note="as it should be")
    assert (applied["status"], applied["version"], in_force(server, "spender")) == (
        "applied", applied["in_force"], applied["in_force"].partition("@")[2],
    )  # fmt: skip
    back = decided(server, key, "rollback", "lee", note="it was not")
    assert (back["status"], in_force(server, "spender")) == ("rolled_back", "1.0.0")
    assert [(vote["by"], vote["word"], vote["note"]) for vote in back["votes"]] == [
        ("kim", "approve", "as it should be"), ("lee", "rollback", "it was not"),
    ]  # fmt: skip
    audit = [
        (one["who"], one["verb"], one["target"])
        for one in server.get("/api/audit")["entries"]
        if one["outcome"] == "done" and one["verb"].endswith("_proposal")
    ]
    assert {("kim", "approve_proposal", str(key)), ("lee", "rollback_proposal", str(key))} <= set(audit)


def test_its_matches_come_in_pages_each_a_run_and_those_of_the_gate_are_marked(
    server: Live, found: str
) -> None:
    told: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": 0}
    while page["next"] is not None:
        page = server.get(f"/api/evolution/{found}/matches?after={page['next']}&limit=20")
        told += page["matches"]
    assert [one["number"] for one in told] == list(range(1, len(told) + 1))
    assert len(told) == page["total"] == server.get(f"/api/evolution/{found}")["matches"]
    searched = {one["candidate"] for one in told if not one["held_out"]}
    assert searched == {"start", *(f"c{number}" for number in range(1, 8))}
    assert len([one for one in told if one["held_out"]]) == 2 * 9
    run = server.get(f"/api/simulations/{told[-1]['run_id']}")
    assert (run["seed"], run["head"]) == (told[-1]["seed"], told[-1]["head"])


def test_what_it_comes_to_is_told_before_and_is_what_it_comes_to(server: Live, found: str) -> None:
    told = server.post("/api/evolution/estimate", BETTER)
    assert told["matches"] == server.get(f"/api/evolution/{found}/matches")["total"]
    assert (told["title"], told["rounds"]) == (BETTER["evolution"], BETTER["generations"])
    assert (told["models"], told["notes"]) == ([], [])
    assert told["seconds"] > 0


def test_asking_again_with_the_same_key_starts_nothing_twice(server: Live) -> None:
    key = {"Idempotency-Key": "one search"}
    small = {**BETTER, "generations": 1, "population": 2}
    first = server.post("/api/evolution", small, 202, headers=key)["run_id"]
    assert server.post("/api/evolution", small, 202, headers=key)["run_id"] == first
    assert "another request" in server.post("/api/evolution", BETTER, 422, headers=key)["detail"]
    server.call("DELETE", f"/api/simulations/{first}")


def test_an_evolution_is_paused_in_the_middle_of_a_generation_and_goes_on(server: Live) -> None:
    run_id = server.post("/api/evolution", {**BETTER, "seeds": 40, "generations": 5}, 202)["run_id"]
    until(lambda: server.get(f"/api/evolution/{run_id}")["matches"] > 2, "some matches are over")
    server.post(f"/api/simulations/{run_id}/pause")
    server.ended(run_id, "paused")
    played = server.get(f"/api/evolution/{run_id}")["matches"]
    refused = server.post(f"/api/simulations/{run_id}.1/resume", None, 409)
    assert f"/api/simulations/{run_id}/resume" in refused["remedy"]
    server.post(f"/api/simulations/{run_id}/resume", None, 202)
    until(lambda: server.get(f"/api/evolution/{run_id}")["matches"] > played, "it goes on")
    server.call("DELETE", f"/api/simulations/{run_id}")
    server.ended(run_id, "cancelled")
    assert server.get(f"/api/evolution/{run_id}")["verdict"] is None


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"start": "/etc/passwd"}, "start"),
        ({"opponents": ["../../x.yaml"]}, "opponents"),
        ({"scenario": "/etc/hosts"}, "scenario"),
        ({"held_out": {"seeds": 9, "opponents": [{"strategy": "windtunnel.toml"}]}}, "held_out.opponents"),
        ({"held_out": {"seeds": 9, "scenarios": [{"scenario": "../x.yaml"}]}}, "held_out.scenario"),
    ],
)
def test_what_lies_outside_of_the_workspace_or_is_no_strategy_is_not_opened(
    server: Live, changed: dict[str, Any], where: str
) -> None:
    for address in ("/api/evolution", "/api/evolution/estimate"):
        refused = server.post(address, {**BETTER, **changed}, 422)
        assert refused["where"] == where
        assert "root:" not in json.dumps(refused)


def test_too_little_held_out_luck_is_refused_before_anything_is_played(server: Live) -> None:
    refused = server.post("/api/evolution", {**BETTER, "held_out": {"seeds": 2}}, 422)
    assert "held_out.seeds" in refused["detail"]


def test_the_channel_of_an_evolution_tells_each_generation_and_its_proposal(server: Live) -> None:
    run_id = server.post("/api/evolution", {**BETTER, "seed": 3}, 202)["run_id"]

    async def follow() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        async with connect(f"{server.url.replace('http', 'ws')}/api/stream") as socket:
            await socket.send(json.dumps({"subscribe": f"evolution:{run_id}"}))
            async with asyncio.timeout(90):
                while not (told and told[-1]["type"] == "complete" and told[-1]["body"]["proposal"]):
                    message = json.loads(await socket.recv())
                    if message["type"] in ("progress", "complete"):
                        told.append(message)
        return told

    told = asyncio.run(follow())
    generations = [one["body"]["generation"] for one in told]
    assert generations == sorted(generations)
    assert generations[-1] == 2
    last, now = told[-1]["body"], server.get(f"/api/evolution/{run_id}")
    assert last["last"] == now["generations"][-1]
    assert last["verdict"] == {"promoted": True, "reason": now["verdict"]["reason"]}
    assert last["proposal"] == {"id": now["proposal"]["id"], "status": "pending"}


# --- what is killed ---


def slow_search(made: Tunnel) -> dict[str, Any]:
    """Matches that take their time, until the tunnel hurries."""
    start = {
        "strategy": "ann", "world": "napland", "role": "counter", "policy": "naps",
        "settings": {"pace": str(made.pace)}, "parameters": {"step": 1.0},
        "schema": {"step": {"type": "number", "minimum": 0, "maximum": 9}},
    }  # fmt: skip
    (made.home / "ann.yaml").write_text(json.dumps(start))
    seat = {"id": "seat", "policy": "naps"}
    (made.home / "nap.yaml").write_text(json.dumps({"world": "napland", "turns": 10, "agents": [seat]}))
    return {
        "evolution": "Slow", "start": "ann.yaml", "scenario": "nap.yaml", "population": 2, "generations": 2,
        "elites": 1, "seeds": 1, "held_out": {"seeds": 6},
    }  # fmt: skip


def test_an_evolution_outlives_its_server_and_its_worker_and_no_match_is_played_twice(tmp_path: Path) -> None:
    with tunnel(tmp_path) as made:
        first, second = made.serve(), made.serve()
        run_id = first.post("/api/evolution", slow_search(made), 202)["run_id"]
        until(lambda: second.get(f"/api/evolution/{run_id}")["matches"] > 0, "a match is over")
        leader = made.leader()
        (alone,) = [server for server in (first, second) if server.process and server.process.pid != leader]
        next(server for server in (first, second) if server is not alone).kill()
        (worker,) = [one for one in made.workers() if one.world == "evolution"]
        os.killpg(worker.pid, signal.SIGKILL)
        until(
            lambda: [one for one in made.workers() if one.world == "evolution" and one.pid != worker.pid],
            "another worker has it",
        )
        made.hurry()
        alone.ended(run_id)
        told = alone.get(f"/api/evolution/{run_id}/matches?limit=1000")["matches"]
        assert len(told) == len({one["number"] for one in told})
        for one in told:
            began = [each["kind"] for each in history.operations(made.control.find(one["run_id"]))]
            assert (began.count("started"), began.count("completed")) == (1, 1)
        made.check_sound(run_id)


# --- deciding ---


def test_nobody_without_a_name_decides_and_the_remedy_says_how_to_have_one(server: Live) -> None:
    key = proposed(server.home, "nameless", risk="low")
    for word in ("approve", "reject", "rollback"):
        refused = server.post(f"{WHERE}/{key}/{word}", {}, 409)
        assert refused["code"] == "vote_refused"
        assert "X-Windtunnel-As" in refused["remedy"]
    assert server.post(f"{WHERE}/{key}/approve", {"by": "kim"}, 422, headers=named("lee"))["code"] == "unfit"
    assert server.get(f"{WHERE}/{key}")["votes"] == []


def test_a_high_risk_needs_two_and_the_same_person_does_not_count_twice(server: Live) -> None:
    key = proposed(server.home, "risky", risk="high")
    assert decided(server, key, "approve", "Kim")["status"] == "pending"
    again = decided(server, key, "approve", "kim", 409)
    assert (again["code"], "already" in again["detail"]) == ("vote_refused", True)
    done = decided(server, key, "approve", "lee")
    assert (done["status"], done["approvals"], done["approvers"]) == ("applied", 2, 2)


def test_what_is_decided_already_is_a_conflict_that_says_so(server: Live) -> None:
    applied, rejected = proposed(server.home, "done", "run1"), proposed(server.home, "undone", "run2")
    decided(server, applied, "approve", "kim")
    decided(server, rejected, "reject", "kim", note="too bold")
    for key, word, said in (
        (applied, "approve", "applied already"), (applied, "reject", "applied already"),
        (rejected, "approve", "rejected already"), (rejected, "rollback", "nothing to roll back"),
    ):  # fmt: skip
        refused = decided(server, key, word, "lee", 409)
        assert (refused["code"], said in refused["detail"]) == ("wrong_state", True), (key, word, refused)
    decided(server, applied, "rollback", "lee")
    assert "rolled back" in decided(server, applied, "rollback", "kim", 409)["detail"]
    page = server.get(f"{WHERE}?status=rejected")
    assert [one["id"] for one in page["proposals"]] == [rejected]
    assert page["total"] == 1


def test_of_two_who_approve_at_once_one_does_and_the_other_is_told(server: Live) -> None:
    key = proposed(server.home, "race")

    def approve(name: str) -> int:
        return httpx.post(
            f"{server.url}{WHERE}/{key}/approve", json={}, headers=named(name), timeout=60
        ).status_code

    with ThreadPoolExecutor(4) as many:
        codes = sorted(many.map(approve, ["kim", "lee", "max", "nan"]))
    assert set(codes) <= {200, 409}
    told = server.get(f"{WHERE}/{key}")
    assert (told["status"], told["approvals"]) == ("applied", 1)
    assert len(server.get("/api/strategies/race")["versions"]) == 2


def test_where_another_version_is_in_force_by_then_nothing_is_applied_and_no_yes_counts(server: Live) -> None:
    key = proposed(server.home, "moved")
    other = {**SPENDER, "strategy": "moved", "parameters": {"tax": 0.11, "response": 0.7}}
    server.post("/api/strategies", {"strategy": other}, 201)
    refused = decided(server, key, "approve", "kim", 409)
    assert "in force now" in refused["detail"]
    assert f"reject {key}" in refused["remedy"]
    told = server.get(f"{WHERE}/{key}")
    assert (told["status"], told["votes"], told["in_force"]) == ("pending", [], "moved@1.0.1")
    assert decided(server, key, "reject", "kim")["status"] == "rejected"


def test_proposals_come_in_pages_and_their_channel_tells_what_is_decided_at_a_terminal(server: Live) -> None:
    keys = [proposed(server.home, "paged", f"page{number}") for number in range(3)]
    found, after = [], ""
    while after is not None:
        page = server.get(f"{WHERE}?strategy=paged&limit=2&after={after}")
        found += [one["id"] for one in page["proposals"]]
        after = page["next"]
    assert found == keys[::-1]

    async def hear() -> dict[str, Any]:
        async with connect(f"{server.url.replace('http', 'ws')}/api/stream") as socket:
            await socket.send(json.dumps({"subscribe": "proposals"}))
            await socket.recv()
            await asyncio.sleep(2.5)  # what stands already is no news
            await asyncio.to_thread(reject_beside, server, keys[0])
            async with asyncio.timeout(30):
                while (message := json.loads(await socket.recv()))["type"] != "complete":
                    assert message["type"] == "heartbeat", message
        return dict(message)

    message = asyncio.run(hear())
    assert (message["run_id"], message["body"]["id"], message["body"]["by"]) == ("page0", keys[0], "kim")
    assert message["body"]["status"] == "rejected"


def reject_beside(server: Live, key: int) -> None:
    with kept(server.home) as proposals:
        proposals.reject(key, by="kim")


# --- for models ---


def test_a_model_reads_a_proposal_and_decides_it_by_its_name(server: Live) -> None:
    key = proposed(server.home, "modelled")

    async def talk() -> tuple[Any, Any, Any]:
        async with Client(f"{server.url}/mcp") as client:
            listed = await client.call_tool("list_proposals", {"status": "pending", "limit": 100})
            one = await client.call_tool("get_proposal", {"proposal": key})
            asked = {"proposal": key, "decision": "reject"}
            wrong = await client.call_tool("decide_proposal", asked, raise_on_error=False)
            return listed.structured_content, one.structured_content, wrong

    listed, one, wrong = asyncio.run(talk())
    assert key in [each["id"] for each in listed["proposals"]]
    assert (one["id"], one["evidence"]["gain"]) == (key, 1.0)
    assert wrong.is_error
    assert "each by name" in wrong.content[0].text
    assert server.get(f"{WHERE}/{key}")["status"] == "pending"
