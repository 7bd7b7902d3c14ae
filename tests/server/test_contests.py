"""Tournaments and strategies over the network: begun once, played by a process that is not the server, and
taken up after anything."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from websockets.asyncio.client import connect

from tests.server.live import Live, live
from tests.server.tunnel import Tunnel, tunnel, until
from windtunnel.control import history

pytestmark = pytest.mark.slow
TERMS = {"scenario": "economy/quick", "turns": 4, "seeds": 1}
ENTRANTS = ["balanced", "austerity", "keynesian"]
CUP: dict[str, Any] = {"tournament": "A cup", "entrants": ENTRANTS, **TERMS}
THRIFT = {"strategy": "thrift", "world": "economy", "role": "government", "policy": "balanced"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("contests")) as made:
        yield made


# --- tournaments ---


def test_a_tournament_is_played_and_its_matches_come_in_pages_each_a_run(server: Live) -> None:
    run_id = server.post("/api/tournaments", CUP, 202)["run_id"]
    server.ended(run_id)
    told = server.get(f"/api/tournaments/{run_id}")
    assert (told["status"], told["matches"], told["rounds"], told["of_rounds"]) == ("completed", 6, 3, 3)
    assert sorted(line["entrant"] for line in told["lines"]) == sorted(ENTRANTS)
    assert {row["entrant"] for row in told["crosstable"]} == set(ENTRANTS)
    assert told["bracket"] == []
    numbers, after = [], 0
    while after is not None:
        page = server.get(f"/api/tournaments/{run_id}/matches?after={after}&limit=4")
        assert page["total"] == 6
        numbers += [one["number"] for one in page["matches"]]
        for one in page["matches"]:
            run = server.get(f"/api/simulations/{one['run_id']}")
            assert (run["seed"], run["head"], run["turn"]) == (one["seed"], one["head"], one["turns"])
        after = page["next"]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert server.post(f"/api/simulations/{run_id}/verify")["intact"]
    listed = server.get("/api/tournaments")["tournaments"]
    assert (run_id, "A cup", 3) in [(one["run_id"], one["title"], one["entrants"]) for one in listed]


def test_a_match_is_gone_on_with_by_its_tournament_alone(server: Live) -> None:
    run_id = server.post("/api/tournaments", CUP, 202)["run_id"]
    server.ended(run_id)
    refused = server.post(f"/api/simulations/{run_id}.1/resume", None, 409)
    assert f"/api/simulations/{run_id}/resume" in refused["remedy"]
    assert server.get("/api/simulations?text=economy/quick")["runs"] == []  # matches stand in no list
    assert server.get(f"/api/tournaments/{run_id}.1", 404)["remedy"].startswith("list_tournaments")


def test_asking_again_with_the_same_key_starts_nothing_twice(server: Live) -> None:
    key = {"Idempotency-Key": "one cup"}
    first = server.post("/api/tournaments", CUP, 202, headers=key)["run_id"]
    again = server.post("/api/tournaments", CUP, 202, headers=key)["run_id"]
    assert first == again
    other = {**CUP, "turns": 5}
    assert "another request" in server.post("/api/tournaments", other, 422, headers=key)["detail"]
    server.ended(first)


def test_a_tournament_is_paused_in_the_middle_of_a_round_and_goes_on(server: Live) -> None:
    run_id = server.post("/api/tournaments", {**CUP, "seeds": 20, "turns": 12}, 202)["run_id"]
    until(lambda: server.get(f"/api/tournaments/{run_id}")["matches"] > 2, "some matches are over")
    server.post(f"/api/simulations/{run_id}/pause")
    server.ended(run_id, "paused")
    played = server.get(f"/api/tournaments/{run_id}")["matches"]
    assert 2 < played < 120
    server.post(f"/api/simulations/{run_id}/resume", None, 202)
    until(lambda: server.get(f"/api/tournaments/{run_id}")["matches"] > played, "it goes on")
    server.call("DELETE", f"/api/simulations/{run_id}")
    server.ended(run_id, "cancelled")


def test_the_channel_of_a_tournament_tells_each_round_as_the_standings_have_it(server: Live) -> None:
    run_id = server.post("/api/tournaments", {**CUP, "seeds": 2}, 202)["run_id"]

    async def follow() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        async with connect(f"{server.url.replace('http', 'ws')}/api/stream") as socket:
            await socket.send(json.dumps({"subscribe": f"tournament:{run_id}"}))
            async with asyncio.timeout(90):
                while not told or told[-1]["type"] != "complete":
                    message = json.loads(await socket.recv())
                    if message["type"] in ("progress", "complete"):
                        told.append(message)
        return told

    told = asyncio.run(follow())
    rounds = [one["body"]["matches"] for one in told]
    assert rounds == sorted(set(rounds)), "each tells something new"
    assert {one["run_id"] for one in told} == {run_id}
    last, now = told[-1]["body"], server.get(f"/api/tournaments/{run_id}")
    assert (last["round"], last["matches"], last["status"]) == (3, 12, "completed")
    names = ("rank", "entrant", "points", "rating", "low", "high")
    assert [[line[name] for name in names] for line in last["lines"]] == [
        [line[name] for name in names] for line in now["lines"]
    ]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"entrants": ["../../../etc/passwd", "balanced"]}, "entrants"),
        ({"entrants": [{"strategy": "/etc/passwd"}, "balanced"]}, "entrants"),
        ({"entrants": [".env", "balanced"]}, "entrants"),
        ({"entrants": ["windtunnel.toml", "balanced"]}, "entrants"),
        ({"scenario": "/etc/hosts"}, "scenario"),
        ({"scenarios": [{"scenario": "../x.yaml"}]}, "scenario"),
    ],
)
def test_what_lies_outside_of_the_workspace_or_is_no_strategy_is_not_opened(
    server: Live, changed: dict[str, Any], where: str
) -> None:
    for name in (".env", "windtunnel.toml"):
        (server.home / name).touch()
    for address in ("/api/tournaments", "/api/tournaments/estimate"):
        refused = server.post(address, {**CUP, **changed}, 422)
        assert refused["where"] == where
        assert "root:" not in json.dumps(refused)


def test_what_a_tournament_comes_to_is_told_and_nothing_is_kept_of_it(server: Live) -> None:
    before = server.get("/api/tournaments")["total"]
    asking = {"strategy": {**THRIFT, "strategy": "asker", "kind": "llm", "model": "house"}}
    server.post("/api/strategies", asking, 201)
    told = server.post("/api/tournaments/estimate", {**CUP, "entrants": [*ENTRANTS, "asker"], "budget": 2.5})
    assert (told["title"], told["matches"], told["rounds"], told["budget"]) == ("A cup", 12, 3, 2.5)
    (house,) = told["models"]
    assert (house["model"], house["calls"], house["seen"], house["most"]) == ("house", 6 * 4, 0, 0)
    assert house["input"] > house["output"] > 0
    assert (told["notes"], told["rehearsed"]) == ([], 1)
    assert server.get("/api/tournaments")["total"] == before


def test_an_entrant_that_is_not_there_is_told_with_its_name(server: Live) -> None:
    refused = server.post("/api/tournaments", {**CUP, "entrants": ["balanced", "balancd"]}, 422)
    assert "balancd" in refused["detail"]


# --- what is killed ---


def slow_cup(made: Tunnel) -> dict[str, Any]:
    """Matches that take their time, until the tunnel hurries."""
    for name in ("ann", "bob", "cid"):
        strategy = {
            "strategy": name, "world": "napland", "role": "counter", "policy": "naps",
            "settings": {"pace": str(made.pace)}, "parameters": {},
        }  # fmt: skip
        (made.home / f"{name}.yaml").write_text(json.dumps(strategy))
    seat = {"id": "seat", "policy": "naps"}
    scenario = {"world": "napland", "turns": 10, "agents": [seat]}
    (made.home / "nap.yaml").write_text(json.dumps(scenario))
    return {
        "tournament": "Slow", "scenario": "nap.yaml", "entrants": ["ann.yaml", "bob.yaml", "cid.yaml"],
        "seeds": 2,
    }  # fmt: skip


def test_a_tournament_outlives_its_server_and_its_worker_and_no_match_is_played_twice(
    tmp_path: Path,
) -> None:
    with tunnel(tmp_path) as made:
        first, second = made.serve(), made.serve()
        run_id = first.post("/api/tournaments", slow_cup(made), 202)["run_id"]
        until(lambda: second.get(f"/api/tournaments/{run_id}")["matches"] > 0, "a match is over")
        leader = made.leader()
        (alone,) = [server for server in (first, second) if server.process and server.process.pid != leader]
        next(server for server in (first, second) if server is not alone).kill()
        (worker,) = [one for one in made.workers() if one.world == "tournament"]
        os.killpg(worker.pid, signal.SIGKILL)
        until(
            lambda: [one for one in made.workers() if one.world == "tournament" and one.pid != worker.pid],
            "another worker has it",
        )
        made.hurry()
        alone.ended(run_id)
        told = alone.get(f"/api/tournaments/{run_id}/matches")["matches"]
        assert (
            len(told)
            == len({one["number"] for one in told})
            == alone.get(f"/api/tournaments/{run_id}")["matches"]
        )
        kinds = [one["kind"] for one in history.operations(made.control.find(run_id))]
        assert (kinds.count("started"), kinds.count("completed")) == (1, 1)
        for one in told:
            began = [each["kind"] for each in history.operations(made.control.find(one["run_id"]))]
            assert (began.count("started"), began.count("completed")) == (1, 1)
        made.check_sound(run_id)


# --- strategies ---


def test_a_strategy_is_registered_tagged_put_back_and_told_with_what_changed(server: Live) -> None:
    first = server.post("/api/strategies", {"strategy": THRIFT}, 201)
    assert (first["number"], first["bump"], first["fresh"], first["in_force"]) == (
        "1.0.0",
        "first",
        True,
        True,
    )
    changed = {**THRIFT, "policy": "austerity", "description": "It saves."}
    second = server.post("/api/strategies", {"strategy": changed, "why": "less debt"}, 201)
    assert (second["number"], second["bump"]) == ("1.1.0", "minor")
    assert not server.post("/api/strategies", {"strategy": changed}, 201)["fresh"]
    moved = server.post("/api/strategies/thrift/tag", {"version": "1.0.0", "tag": "champion"})
    assert (moved["tag"], moved["number"]) == ("champion", "1.0.0")
    diff = server.get("/api/strategies/thrift/diff?a=champion&b=1.1.0")
    assert {"field": "policy", "before": "balanced", "after": "austerity"} in diff["changes"]
    told = server.get("/api/strategies/thrift")
    assert (told["number"], told["content"]["policy"]) == ("1.1.0", "austerity")
    assert [(one["number"], one["under"], one["depth"]) for one in told["versions"]] == [
        ("1.0.0", None, 0), ("1.1.0", "1.0.0", 1),
    ]  # fmt: skip
    back = server.post("/api/strategies/thrift/rollback", {"why": "it lost"})
    assert (back["verb"], back["number"], back["before"]) == ("rollback", "1.0.0", "1.1.0")
    (listed,) = [one for one in server.get("/api/strategies")["strategies"] if one["name"] == "thrift"]
    assert (listed["number"], listed["versions"], listed["tags"]) == ("1.0.0", 2, {"champion": "1.0.0"})
    old = server.get("/api/strategies/thrift?version=1.1.0")
    assert (old["number"], old["in_force"], old["content"]["policy"]) == ("1.1.0", "1.0.0", "austerity")
    assert server.get("/api/strategies/thrift/diff?a=1.0.0&b=9.0.0", 404)["code"] == "not_found"


def test_a_list_says_which_strategies_an_evolution_can_change(server: Live) -> None:
    bounded = {"parameters": {"tax": 0.3}, "schema": {"tax": {"type": "number", "minimum": 0, "maximum": 1}}}
    spoken = {"kind": "llm", "model": "house", "instructions": "Save."}
    for name, more in (("fixed", {}), ("bounded", bounded), ("spoken", spoken)):
        server.post("/api/strategies", {"strategy": {**THRIFT, **more, "strategy": name}}, 201)
    listed = server.get("/api/strategies?limit=100")["strategies"]
    changeable = {one["name"]: one["changeable"] for one in listed}
    assert (changeable["fixed"], changeable["bounded"], changeable["spoken"]) == (False, True, True)


def test_a_strategy_knows_the_tournaments_that_it_entered(server: Live) -> None:
    server.post("/api/strategies", {"strategy": {**THRIFT, "strategy": "fighter"}}, 201)
    asked = {**CUP, "entrants": [{"strategy": "fighter", "name": "mine"}, "keynesian"]}
    run_id = server.post("/api/tournaments", asked, 202)["run_id"]
    (entered,) = server.get("/api/strategies/fighter")["record"]
    assert (entered["run_id"], entered["entrant"], entered["version"]) == (run_id, "mine", "1.0.0")
    assert server.ended(run_id)["status"] == "completed"
    lines = server.get(f"/api/tournaments/{run_id}")["lines"]
    assert "fighter@1.0.0" in [line["strategy"] for line in lines]


def test_code_does_not_come_in_over_the_network_and_a_slip_is_told_with_its_field(server: Live) -> None:
    code = {**THRIFT, "kind": "python", "entry": "os:abort", "policy": ""}
    refused = server.post("/api/strategies", {"strategy": code}, 422)
    assert "windtunnel strategies add" in refused["remedy"]
    slip = server.post("/api/strategies", {"strategy": {**THRIFT, "policy": "balancd"}}, 422)
    assert "balanced" in slip["remedy"]
    assert server.post("/api/strategies", {"strategy": {"strategy": "x"}}, 422)["where"] == "strategy.world"


# --- for models ---


def test_a_model_plays_a_tournament_and_reads_who_is_better(server: Live) -> None:
    async def talk() -> tuple[Any, Any, Any]:
        async with Client(f"{server.url}/mcp") as client:
            asked = {"title": "By a model", "scenario": "economy/quick", "turns": 4, "seeds": 1}
            asked["entrants"] = ["balanced", {"strategy": "austerity", "name": "saver"}]
            started = (await client.call_tool("start_tournament", asked)).structured_content
            assert started is not None
            run_id = {"run_id": started["run_id"]}
            await asyncio.to_thread(server.ended, started["run_id"])
            told = await client.call_tool("get_tournament_standings", run_id)
            slip = {**asked, "entrants": ["balanced", "balancd"]}
            wrong = await client.call_tool("start_tournament", slip, raise_on_error=False)
            listed = await client.call_tool("list_strategies", {"world": "economy"})
            return told.structured_content, wrong, listed.structured_content

    told, wrong, listed = asyncio.run(talk())
    assert {line["entrant"] for line in told["lines"]} == {"balanced", "saver"}
    assert (told["status"], told["title"], told["reason"]) == ("completed", "By a model", "all rounds played")
    assert wrong.is_error
    assert "balancd" in wrong.content[0].text
    assert all(one["world"] == "economy" for one in listed["strategies"])
