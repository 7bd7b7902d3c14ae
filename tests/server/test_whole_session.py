"""What the server is for, from beginning to end: a model's whole session, and two worlds side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.mcp.conftest import Talk
from tests.server.live import live

pytestmark = pytest.mark.slow
CLIMATE = Path(__file__).parents[2] / "examples" / "climate-world"
NAMES = ("growth", "trade_war", "recession")


async def session(url: str) -> None:
    async with Client(StreamableHttpTransport(f"{url}/mcp"), init_timeout=60) as client:
        model = Talk(client)
        runs = {}
        for name in NAMES:
            asked = {"scenario": f"economy/{name}", "turns": 100_000, "seed": 7, "request_key": name}
            runs[name] = (await model.ask("start_simulation", **asked))["run_id"]
        for run in runs.values():
            waited = await model.ask("wait_for_simulation", run_id=run, until_turn=50, seconds=120)
            assert (waited["reached"], waited["as_of"]) == (True, 50)
        compared = await model.ask(
            "compare_simulations", run_ids=list(runs.values()), turn=50, metrics=["gdp"], rank_by="gdp"
        )
        best = compared["ranking"][0]["run_id"]
        said = {
            run: (await model.ask("get_simulation_status", run_id=run, turn=50))["metrics"]["world"]["gdp"]
            for run in runs.values()
        }
        assert best == max(said, key=lambda run: said[run])
        fork = await model.ask("fork_simulation", run_id=best, at="50", agents={"aldland": "austerity"})
        (forked,) = fork["runs"]
        for run in runs.values():
            await model.ask("cancel_simulation", run_id=run)
        for run in runs.values():
            ended = await model.ask("wait_for_simulation", run_id=run, seconds=60)
            assert (ended["status"], ended["turn"] < 100_000) == ("cancelled", True)
        await model.ask("wait_for_simulation", run_id=forked, until_turn=60, seconds=120)
        await model.ask("pause_simulation", run_id=forked)
        await model.ask("wait_for_simulation", run_id=forked, seconds=60)
        explained = await model.ask("compare_simulations", run_ids=[best, forked], turn=55)
        assert explained["partings"][0]["kind"] == "forked"
        replayed = await model.ask("replay_simulation", run_id=forked)
        assert replayed["identical"] is True
        left = await model.ask("list_simulations", status="running")
        assert left["runs"] == []
        prompt = await client.get_prompt("explain_run", {"run_id": forked})
        assert forked in str(prompt.messages)


def test_a_model_starts_three_forks_the_best_cancels_the_rest_and_explains(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        asyncio.run(session(server.url))
        assert {one["status"] for one in server.get("/api/simulations")["runs"]} == {"cancelled", "paused"}
        assert server.get("/api/system")["queue"] == 0


def test_economy_and_climate_are_played_side_by_side_and_a_broken_world_hurts_nobody(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("import a_module_that_nobody_has\nworld = None\n")
    worlds = "".join(
        f'[[worlds]]\nname = "{name}"\npath = "{path}"\n'
        for name, path in (("climate", CLIMATE), ("broken", broken))
    )
    (tmp_path / "windtunnel.toml").write_text(f"{worlds}[runs]\nworkers = 2\nconcurrency = 4\n")
    with live(tmp_path) as server:
        here = server.start_run(scenario="economy/growth", turns=800)
        there = server.start_run(scenario="climate/paris", turns=30)
        told = server.post("/api/simulations", {"world": "broken", "text": "world: broken\nturns: 3\n"}, 422)
        assert "a_module_that_nobody_has" in told["detail"]
        assert "remedy" in told
        assert server.ended(there)["turn"] == 30
        assert server.get(f"/api/simulations/{here}")["status"] in ("running", "completed")
        assert {one["world"] for one in server.get("/api/system")["workers"]} == {"economy", "climate"}
        known = {one["name"]: one for one in server.get("/api/worlds")["worlds"]}
        assert "a_module_that_nobody_has" in known["broken"]["error"]
        assert known["climate"]["error"] is None
        assert "climate/paris" in [one["name"] for one in server.get("/api/scenarios")["scenarios"]]
        fork = server.post(
            f"/api/simulations/{there}/fork", {"at": "3", "agents": {"china": "free_rider"}}, 202
        )
        assert server.ended(fork["runs"][0])["turn"] == 30
        assert server.post(f"/api/simulations/{there}/replay")["identical"] is True
        assert server.ended(here)["turn"] == 800
        assert len(server.get("/api/simulations")["runs"]) == 3
