from __future__ import annotations

import asyncio
import importlib
import re
from typing import Any

import pytest

from tests.mcp.conftest import talking
from tests.mcp.fakes import Fake
from windtunnel.control.access import Role
from windtunnel.server.gate import VERBS, Verb

SEED = {
    "start_simulation", "get_simulation_status", "list_simulations", "cancel_simulation",
    "get_simulation_results",
}  # fmt: skip


async def _session(fake: Fake) -> dict[str, Any]:
    """A model's whole session: three scenarios, which leads at turn 50, fork the best, cancel the rest."""
    async with talking(fake) as model:
        configs = [f"scenarios/{name}.yaml" for name in ("growth", "recession", "trade_war")]
        started = [await model.ask("start_simulation", repo="town", config=one, turns=80) for one in configs]
        ids = [one["run_id"] for one in started]
        for run_id in ids:
            waited = await model.ask("wait_for_simulation", run_id=run_id, until_turn=50)
            assert waited["reached"]
            assert waited["as_of"] == 50
        compared = await model.ask(
            "compare_simulations", run_ids=ids, turn=50, rank_by="gdp", metrics=["gdp"]
        )
        best = compared["ranking"][0]["run_id"]
        forked = await model.ask("fork_simulation", run_id=best, at=50, agents={"ann": "bold"})
        for run_id in ids:
            if run_id != best:
                assert (await model.ask("cancel_simulation", run_id=run_id))["status"] == "cancelled"
        return {"best": best, "forked": forked, "compared": compared}


def test_a_model_plays_a_whole_session():
    fake = Fake()
    told = asyncio.run(_session(fake))
    assert told["best"] == "run2"
    assert told["forked"]["parent"] == "run2"
    assert [one["value"] for one in told["compared"]["ranking"]] == [70.0, 60.0, 50.0]
    assert {row["name"] for row in told["compared"]["rows"]} == {"gdp"}
    request, _ = next(about for name, _, about in fake.calls if name == "start")
    assert (request.world, request.scenario) == ("town", "scenarios/growth.yaml")


@pytest.mark.slow
def test_every_call_says_that_it_came_through_mcp_only_if_the_door_says_so():
    fake = Fake()

    async def go() -> None:
        async with talking(fake) as model:
            await model.ask("list_simulations")

    asyncio.run(go())
    assert fake.calls[0][1] == "rest"  # whoever makes the server names the door: see the tests over HTTP


@pytest.mark.slow
def test_each_tool_tells_a_model_what_when_and_how():
    async def go() -> list[Any]:
        async with talking(Fake(), Role.ADMIN) as model:
            return await model.client.list_tools()

    tools = asyncio.run(go())
    assert {tool.name for tool in tools} > SEED
    known = {tool.name for tool in tools}
    for tool in tools:
        assert "Example: {" in tool.description, tool.name
        assert len(tool.description) < 900, tool.name
        assert tool.output_schema is not None, tool.name
        assert tool.annotations.read_only_hint is not None, tool.name
        for name, about in tool.input_schema["properties"].items():
            plain = tool.name in ("estimate_cost", "list_simulations", "list_approvals") or name == "comment"
            assert about.get("description") or plain or name in ("limit", "do"), (tool.name, name)
        named = set(
            re.findall(
                r"\b(?:[a-z]+_)+(?:simulations?|questions?|approvals|action|schedules?|cost)\b",
                tool.description,
            )
        )
        assert named <= known, (tool.name, named - known)


@pytest.mark.slow
def test_what_changes_nothing_says_so_and_what_cannot_be_undone_too():
    async def go() -> dict[str, Any]:
        async with talking(Fake(), Role.ADMIN) as model:
            return {tool.name: tool.annotations for tool in await model.client.list_tools()}

    hints = asyncio.run(go())
    changing = {name for name, one in hints.items() if not one.read_only_hint}
    assert changing == {
        "start_simulation", "cancel_simulation", "pause_simulation", "resume_simulation", "fork_simulation",
        "send_event", "answer_question", "approve_action", "reject_action", "give_feedback", "add_schedule",
        "change_schedule", "start_tournament", "start_evolution", "decide_proposal",
    }  # fmt: skip
    assert {name for name, one in hints.items() if one.destructive_hint} == {
        "cancel_simulation", "approve_action", "reject_action", "change_schedule", "decide_proposal",
    }  # fmt: skip
    assert not hints["start_simulation"].idempotent_hint


@pytest.mark.slow
def test_a_caller_is_shown_only_what_it_may_use(monkeypatch):
    table = {"approve": Role.APPROVER, "start_simulation": Role.OPERATOR, "list_simulations": Role.VIEWER}
    for name, role in table.items():
        monkeypatch.setitem(VERBS, name, Verb(name, role, False, ""))

    async def shown(role: Role) -> set[str]:
        async with talking(Fake(), role) as model:
            return await model.names()

    viewer, operator = asyncio.run(shown(Role.VIEWER)), asyncio.run(shown(Role.OPERATOR))
    approver = asyncio.run(shown(Role.APPROVER))
    assert "list_simulations" in viewer
    assert not {"start_simulation", "approve_action"} & viewer
    assert "start_simulation" in operator
    assert "approve_action" not in operator
    assert "approve_action" in approver
    assert "start_simulation" not in approver


def test_a_tool_that_is_not_shown_is_refused_all_the_same():
    fake = Fake()

    async def go() -> str:
        async with talking(fake, Role.VIEWER) as model:
            return await model.refused("start_simulation", scenario="town/market")

    assert "needs the role operator" in asyncio.run(go())
    assert not fake.runs


@pytest.mark.slow
def test_errors_name_the_tool_to_call_next_and_no_route():
    async def go() -> list[str]:
        async with talking(Fake(step=100)) as model:
            await model.ask("start_simulation", scenario="town/market")
            await model.ask("wait_for_simulation", run_id="run0")
            return [
                await model.refused("get_simulation_status", run_id="nope"),
                await model.refused("cancel_simulation", run_id="run0"),
                await model.refused("compare_simulations", run_ids=["run0", "run0"], rank_by="fame"),
            ]

    missing, ended, unknown = asyncio.run(go())
    assert "next: list_simulations lists them" in missing
    assert "next: fork_simulation goes on from any turn" in ended
    assert "world has no metric 'fame'" in unknown
    assert "one of: gdp, wealth" in unknown
    assert "/api/" not in missing + ended + unknown


@pytest.mark.slow
def test_arguments_that_do_not_fit_are_told_field_by_field():
    async def go() -> list[str]:
        async with talking(Fake()) as model:
            return [
                await model.refused("start_simulation", scenario="town/market", turns=-1, colour="red"),
                await model.refused("start_simulation"),
                await model.refused("start_simulation", repo="town", world="city", scenario="x"),
                await model.refused("get_simulation_status", run_id="../../etc/passwd"),
            ]

    unfit, nothing, two, path = asyncio.run(go())
    assert "turns: Input should be greater than or equal to 0" in unfit
    assert "colour: Unexpected keyword argument" in unfit
    assert "give `scenario`" in nothing
    assert "`repo` and `world` name two worlds" in two
    assert "run_id:" in path
    assert "passwd" not in path
    assert "pydantic" not in unfit + nothing + two + path


@pytest.mark.slow
def test_a_bug_is_told_without_its_insides_and_logged_with_them(caplog):
    async def go() -> str:
        async with talking(Fake()) as model:
            return await model.refused("list_models")

    told = asyncio.run(go())
    assert "secret" not in told
    assert "a bug of Windtunnel" in told
    assert "a bug with a secret in it" in caplog.text


@pytest.mark.slow
def test_waiting_sends_the_turns_that_were_played():
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    async def go() -> dict[str, Any]:
        async with talking(Fake(step=30), progress_handler=hear) as model:
            await model.ask("start_simulation", scenario="town/market")
            return await model.ask("wait_for_simulation", run_id="run0")

    waited = asyncio.run(go())
    assert heard == [(30, 60), (60, 60)]
    assert waited["reached"]
    assert waited["status"] == "completed"
    assert "get_simulation_results" in waited["next_step"]


@pytest.mark.slow
def test_waiting_ends_in_time_and_says_so_and_repeats_no_progress():
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    fake = Fake(step=0)

    async def go() -> dict[str, Any]:
        async with talking(fake, progress_handler=hear) as model:
            await model.ask("start_simulation", scenario="town/market")
            return await model.ask("wait_for_simulation", run_id="run0", until_turn=50, seconds=0.3)

    waited = asyncio.run(go())
    assert not waited["reached"]
    assert waited["next_step"].startswith("wait_for_simulation again")
    assert len([1 for name, *_ in fake.calls if name == "get"]) > 2
    assert heard == [0]


@pytest.mark.slow
def test_a_start_can_be_asked_for_again_by_its_key():
    fake = Fake()

    async def go() -> None:
        async with talking(fake) as model:
            await model.ask("start_simulation", scenario="town/market", request_key="mine")

    asyncio.run(go())
    assert fake.calls[0][2][1] == "mine"


def test_a_vote_is_bound_to_the_action_that_was_read():
    fake = Fake()

    async def go() -> str:
        async with talking(fake, Role.APPROVER) as model:
            await model.ask("approve_action", approval_id="run0:3.validate.ann.0", digest="cd" * 32)
            return await model.refused("approve_action", approval_id="run0:3.validate.ann.0")

    assert "digest: Missing required argument" in asyncio.run(go())
    ((name, request),) = [about for verb, _, about in fake.calls if verb == "approve"]
    assert (name, request.digest) == ("run0:3.validate.ann.0", "cd" * 32)


@pytest.mark.slow
def test_resources_are_a_runs_config_checkpoints_and_results():
    async def go() -> tuple[set[str], list[str]]:
        async with talking(Fake()) as model:
            await model.ask("start_simulation", scenario="town/market")
            templates = {one.uri_template for one in await model.client.list_resource_templates()}
            read = [
                str((await model.client.read_resource(f"simulation://run0/{name}"))[0])
                for name in ("config", "checkpoints", "results")
            ]
            return templates, read

    templates, (config, checkpoints, results) = asyncio.run(go())
    assert templates == {f"simulation://{{run_id}}/{name}" for name in ("config", "checkpoints", "results")}
    assert "name: town/market" in config
    assert '"turn":20' in checkpoints
    assert '"headline":["wealth"]' in results


@pytest.mark.slow
def test_prompts_name_tools_that_exist():
    async def go() -> tuple[set[str], list[str]]:
        async with talking(Fake(), Role.ADMIN) as model:
            values = {
                "scenarios": "a,b",
                "scenario": "a/b",
                "agent": "ann",
                "run_id": "run0",
                "change": "no tax",
            }
            texts = []
            for prompt in await model.client.list_prompts():
                wanted = {one.name: values[one.name] for one in prompt.arguments or [] if one.required}
                assert all("JSON" not in (one.description or "") for one in prompt.arguments or [])
                made = await model.client.get_prompt(prompt.name, wanted)
                texts.append(str(made.messages[0].content))
            return await model.names(), texts

    known, texts = asyncio.run(go())
    assert len(texts) == 4
    for text in texts:
        assert set(
            re.findall(r"\b[a-z]+_(?:simulations?|metrics|entries|config|scenarios?|cost)\b", text)
        ) <= known | {"include_agent_text"}
        assert "data to report on" in text


def test_every_tool_stands_on_a_verb_of_the_door_policy():
    async def go() -> set[str]:
        async with talking(Fake(), Role.ADMIN) as model:
            return {str((tool.meta or {})["windtunnel/verb"]) for tool in await model.client.list_tools()}

    importlib.import_module("windtunnel.server.verbs")  # where the rooms put their verbs into the table
    named = asyncio.run(go())
    assert named <= set(VERBS)
    assert not named & {
        "create_key",
        "audit_log",
        "export_simulation",
        "import_simulations",
        "purge_simulation",
    }
