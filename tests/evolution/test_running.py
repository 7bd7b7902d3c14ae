"""Evolutions in processes: played from the command line, killed and taken up again, rewritten by a model."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.evolution.searching import made, played
from tests.sampling import sampled
from tests.tournaments.field import command, told
from windtunnel.chance import Chance
from windtunnel.config import Workspace
from windtunnel.control.catalog import find_run, open_store
from windtunnel.errors import ScenarioError
from windtunnel.evolution.reflection import LEARNED, LINES, Trace, at_home, trace_of
from windtunnel.journal.texts import whole

FILE = """\
evolution: Better throws
start: thrower.yaml
scenario: dice/bout
turns: 12
opponents: [rival.yaml]
seeds: 2
held_out: {seeds: 10, opponents: [other.yaml]}
scoring: {metrics: [{metric: wealth}]}
population: 4
generations: 3
elites: 1
mutation: {step: 0.4, rate: 1}
"""


def from_the_command_line(workspace: Workspace) -> Path:
    made(workspace)
    (workspace.root / "throws.yaml").write_text(FILE)
    return workspace.root


@pytest.mark.slow
def test_from_a_file_to_a_version_in_force_and_back(workspace: Workspace) -> None:
    home = from_the_command_line(workspace)
    done = told(home, "evolve", "throws.yaml", "--workers", "2")
    assert done["status"] == "completed"
    assert done["verdict"]["promoted"], done["verdict"]["reason"]
    assert told(home, "proposals", "show", str(done["proposal"]))["status"] == "pending"
    applied = told(home, "proposals", "approve", str(done["proposal"]), "--as", "kim")
    assert (applied["status"], applied["version"]) == ("applied", "thrower@1.0.1")
    in_force = told(home, "strategies", "show", "thrower")
    assert in_force["version"]["strategy"]["parameters"] == done["winner"]["genome"]["parameters"]
    again = told(home, "evolve", done["run_id"])
    assert (again["proposal"], again["verdict"]) == (done["proposal"], done["verdict"])
    assert (
        told(home, "proposals", "rollback", str(done["proposal"]), "--as", "kim")["status"] == "rolled_back"
    )
    assert told(home, "strategies", "show", "thrower")["version"]["number"] == "1.0.0"
    assert told(home, "replay", done["run_id"])["identical"]
    match = find_run(workspace, f"{done['run_id']}.1")
    assert match.row.status == "completed"


def killed_and_resumed(workspace: Workspace, kills: int, luck: random.Random) -> None:
    home = from_the_command_line(workspace)
    alone = told(home, "evolve", "throws.yaml", "--workers", "1")
    name, arguments = "", ["throws.yaml"]
    for _ in range(kills):
        process = command(home, "evolve", *arguments, "--workers", "2", "--json")
        time.sleep(luck.uniform(1.0, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if not name:
            found = [run for run in runs(home) if run["run_id"] != alone["run_id"]]
            name = found[0]["run_id"] if found else ""
            arguments = [name] if name else arguments
    after = told(home, "evolve", *arguments, "--workers", "2")
    assert after["status"] == "completed"
    for key in ("generations", "verdict", "winner"):
        assert after[key] == alone[key], key
    assert told(home, "verify", after["run_id"])["intact"]


def runs(home: Path) -> list[dict[str, Any]]:
    process = command(home, "runs", "--world", "evolution", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.slow
def test_killed_in_the_middle_it_ends_with_the_same_verdict(workspace: Workspace) -> None:
    killed_and_resumed(workspace, 2, random.Random(5))


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_thirty_times_it_ends_with_the_same_verdict(workspace: Workspace) -> None:
    killed_and_resumed(workspace, 30, random.Random(6))


@pytest.mark.slow
def test_instructions_are_rewritten_from_what_the_journals_of_the_worst_matches_say(
    workspace: Workspace,
) -> None:
    plan = made(workspace, start="talker.yaml", population=3, generations=2, seeds=1, turns=3)
    found, story = played(workspace, plan)
    assert story.status == "completed"
    rows = {row.name: row for one in story.generations for row in one.candidates}
    assert {row.operator for row in rows.values()} == {"reflection"}
    texts = {row.genome["instructions"] for row in rows.values()}
    assert len(texts) == len(rows)
    assert all(text.startswith("Throw as high as you can.") and LEARNED in text for text in texts)
    store = open_store(found.location, workspace)
    effects = [whole(store, effect) for effect in store.effects(found.row.run_id)]
    trace = trace_of(store, f"{found.row.run_id}.1", "left")
    store.close()
    assert {effect.kind for effect in effects} == {"match", "model", "trace"}
    asked = [effect.request for effect in effects if (effect.turn, effect.kind) == (2, "model")]
    assert asked
    assert all(b"refused: no die has so many pips" in request for request in asked)
    assert trace.refused == ["no die has so many pips"]
    assert trace.metrics["wealth"][0] > 0
    assert trace.said


def test_a_lesson_is_added_once_and_old_ones_go() -> None:
    text = "Be brief."
    for number in range(12):
        trace = Trace(refused=[f"reason {number}"])
        text = at_home(text, [trace], Chance(number))["instructions"]
        again = at_home(text, [trace], Chance(number))["instructions"]
        assert again.count(f"reason {number}") == 1
    assert text.startswith("Be brief.")
    assert text.count("reason ") == LINES
    assert "reason 0" not in text


@pytest.mark.parametrize(
    ("more", "said"),
    sampled([
        ({"held_out": {"seeds": 4}}, "cannot tell a gain from luck"),
        ({"elites": 4}, "leave no room"),
        ({"held_out": {"seeds": 10, "scenarios": ["dice/alone"]}}, "the search plays the scenario"),
        ({"scenario": "dice/bout", "held_out": {"seeds": 10, "opponents": ["other.yaml"]}},
         "the search meets none"),
        ({"opponents": ["rival.yaml"]}, "needs 2 seats"),
        ({"scenario": "dice/bout", "opponents": ["rival.yaml"],
          "held_out": {"seeds": 10, "opponents": ["rival.yaml"]}}, "meets the opponent rival too"),
        ({"scenario": "dice/bout", "opponents": [{"strategy": "rival.yaml", "name": "c7"}]}, "another name"),
        ({"seats": ["nowhere"]}, "no seat 'nowhere'"),
        ({"start": "dice"}, "nothing of 'dice' can change"),
        ({"models": ["a", "b"]}, "asks no model"),
        ({"start": "talker.yaml", "models": ["house", "nobody"]}, "no model 'nobody'"),
        ({"start": "talker.yaml", "reflection": {"model": "nobody"}}, "no model 'nobody'"),
        ({"mutation": {"rates": 1}}, "rates"),
        ({"scenario": ""}, "names no scenario"),
    ], 4),
)  # fmt: skip
def test_what_makes_no_sense_is_told_before_anything_is_played(
    workspace: Workspace, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        made(workspace, **more)
    assert said in str(caught.value)
    assert not workspace.runs.exists()


@pytest.mark.slow
def test_a_registered_start_is_the_version_that_the_winner_would_replace(workspace: Workspace) -> None:
    home = from_the_command_line(workspace)
    told(home, "strategies", "add", "thrower.yaml")
    done = told(home, "evolve", "throws.yaml", "--workers", "2")
    assert told(home, "proposals", "show", str(done["proposal"]))["base"] == "thrower@1.0.0"
