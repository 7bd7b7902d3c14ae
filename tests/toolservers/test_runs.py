"""Tools in a run: offered, called once, recorded, replayed with the server gone, killed half way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toolservers import child
from tests.toolservers.conftest import Served
from tests.toolservers.pot import TAKEN, Take, called, hub, over_pipes, pot, scenario
from windtunnel.agents.tools import CALL
from windtunnel.codec import decode_body
from windtunnel.config.tools import ToolServer as Known
from windtunnel.journal import Status
from windtunnel.models.hub import Hub
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Answer, Call, Provider, Request
from windtunnel.world import AgentSpec, Scenario, ToolServer

pytestmark = pytest.mark.slow


class Calling:
    """A model that makes these calls, one a round, and then takes as many coins as it has had answers."""

    def __init__(self, *calls: Call) -> None:
        self._calls = calls
        self.heard: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.heard.append(request)
        answers = len(self.told())
        if answers < len(self._calls) and request.tools:
            return Answer(calls=(self._calls[answers],))
        return Answer(TAKEN % max(answers, 1))

    def told(self) -> list[str]:
        """What came of its calls, as the last request says."""
        said = self.heard[-1].messages
        return [one.text for one in said if one.role == "tool" or one.text.startswith("error: ")]


def test_a_model_calls_tools_once_and_the_run_replays_with_the_server_gone(served: Served, tmp_path):
    script = Calling(
        Call("bench__weigh", {"what": "gold"}), Call("bench__fail", {"why": "no"}), Call("bench__steal", {})
    )
    with (
        Provider(script) as provider,
        Lab(pot, folder=tmp_path, hub=hub(served.server, provider.openai)) as lab,
    ):
        row = lab.play(scenario(served.server, turns=2))
        assert row.status is Status.COMPLETED, row.reason
        assert {tool.name for tool in script.heard[0].tools} >= {"bench__weigh", "bench__look"}
        weight, failure, unknown = script.told()
        assert "kilos: 4" in weight
        assert "Error executing tool fail" in failure
        assert "there is no tool 'bench__steal' for you" in unknown
        assert called(served.log) == ["weigh gold", "fail no"] * 2
        served.stop()
        assert lab.replay().identical
        assert called(served.log) == ["weigh gold", "fail no"] * 2


def test_the_budget_of_rounds_ends_what_a_model_calls(served: Served, tmp_path):
    script = Calling(*(Call("bench__look", {"where": str(n)}) for n in range(50)))
    with (
        Provider(script) as provider,
        Lab(pot, folder=tmp_path, hub=hub(served.server, provider.openai)) as lab,
    ):
        row = lab.play(scenario(served.server, tool_rounds=3))
        assert row.status is Status.COMPLETED, row.reason
        assert called(served.log) == ["look 0", "look 1", "look 2"]
        assert lab.at().frame.state.wealth == {"ann": 3}


def test_a_dead_server_is_told_to_the_model_and_the_run_goes_on(served: Served, tmp_path):
    script = Calling(Call("bench__die", {}), Call("bench__weigh", {"what": "tin"}))
    with (
        Provider(script) as provider,
        Lab(pot, folder=tmp_path, hub=hub(served.server, provider.openai)) as lab,
    ):
        row = lab.play(scenario(served.server))
        assert row.status is Status.COMPLETED, row.reason
        assert all("error: " in told and "bench" in told for told in script.told())
        assert called(served.log) == ["die"]
        assert lab.replay().identical


def test_a_server_that_cannot_be_reached_pauses_the_run_until_it_can(served: Served, tmp_path):
    nowhere = ToolServer("bench", url="http://127.0.0.1:9/mcp")
    with Provider(Calling()) as provider, Lab(pot, folder=tmp_path, hub=hub(nowhere, provider.openai)) as lab:
        row = lab.play(scenario(nowhere))
        assert row.status is Status.PAUSED
        (halted,) = lab.operations("halted")
        assert "resume" in halted["remedy"]
        assert len(provider.log) == 0
        assert lab.go().status is Status.PAUSED  # it may be asked again, as often as one likes


def test_a_command_that_this_machine_does_not_allow_is_not_started(tmp_path):
    server = over_pipes(tmp_path / "calls.log")
    with Provider(Calling()) as provider:
        bare = Hub(environ=hub(server, provider.openai).environ)
        with Lab(pot, folder=tmp_path, hub=bare) as lab:
            row = lab.play(scenario(server))
            assert row.status is Status.PAUSED
            assert "does not allow it" in (row.reason or "")
    assert not (tmp_path / "calls.log").exists()


def test_a_run_taken_elsewhere_pauses_before_a_call_that_is_not_allowed_there(tmp_path):
    log = tmp_path / "calls.log"
    server = over_pipes(log)

    async def weigh(seen, context):
        request = {"server": "bench", "tool": "weigh", "arguments": {"what": "tin"}}
        return Take((await context.effect(CALL, request))["kilos"])

    ann = AgentSpec("ann", kind="python")
    with Lab(pot, folder=tmp_path, players={"ann": weigh}, hub=Hub(environ={})) as lab:
        lab.begin(Scenario("pot", turns=1, agents=(ann,), mcp=(server,)))
        assert lab.go().status is Status.PAUSED
        lab.hub = hub(server)
        assert lab.go().status is Status.COMPLETED  # it was never under way, so it is not in doubt
        assert lab.at().frame.state.wealth == {"ann": 3}
        assert called(log) == ["weigh tin"]


def test_no_key_of_a_server_stands_in_the_journal(tmp_path):
    log = tmp_path / "calls.log"
    server = over_pipes(log)
    script = Calling(Call("bench__tell", {"variable": "BENCH_KEY"}))
    with Provider(script) as provider:
        machine = Hub(
            environ={**hub(server, provider.openai).environ, "BENCH_KEY": "sesame-street"},
            tools=lambda: {"bench": Known(command=server.command, env=("BENCH_KEY",))},
        )
        with Lab(pot, folder=tmp_path, hub=machine) as lab:
            assert lab.play(scenario(server)).status is Status.COMPLETED
            told = [
                decode_body(one.result or b"") for one in lab.store.effects("run", 1) if one.kind == "tool"
            ]
            assert told == [{"ok": {"result": "•••"}}]
    assert all(b"sesame-street" not in file.read_bytes() for file in tmp_path.glob("lab.*"))


# --- killed on the way ---


def killed(folder: Path, log: Path, tool: str) -> None:
    done = subprocess.run(
        [sys.executable, child.__file__, str(folder), str(log), tool],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        capture_output=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert called(log) == [tool if tool != "weigh" else "weigh gold"]


def test_a_kill_between_the_answer_and_its_use_calls_nothing_again(tmp_path):
    log = tmp_path / "calls.log"
    killed(tmp_path, log, "weigh")
    with child.lab(tmp_path, log, "weigh") as lab:
        assert lab.go().status is Status.COMPLETED
        assert called(log) == ["weigh gold"]
        assert log.read_text().count("began") == 1  # not even started: its list and answer are in the record


def test_a_call_that_a_kill_left_in_doubt_is_held_until_a_person_says_what_came_of_it(tmp_path):
    log = tmp_path / "calls.log"
    killed(tmp_path, log, "strike")
    with child.lab(tmp_path, log, "strike") as lab:
        assert lab.go().status is Status.WAITING
        (waits,) = lab.waiting()
        assert waits.kind == "tool"
        lab.answer(waits.name, "yes")
        assert lab.go().status is Status.COMPLETED
        assert lab.at().frame.state.wealth == {"ann": len("yes")}
        assert called(log) == ["strike"]
        assert lab.replay().identical


def test_a_tool_that_may_be_called_twice_is_called_again(tmp_path):
    log = tmp_path / "calls.log"
    killed(tmp_path, log, "strike_once")
    with child.lab(tmp_path, log, "strike_once") as lab:
        assert lab.go().status is Status.COMPLETED
        assert called(log) == ["strike_once", "strike_once"]
        assert lab.replay().identical
