"""`estimate`: a rehearsal that costs nothing, leaves nothing, and comes near what is then asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from windtunnel.testing.provider import Provider

ROOT = Path(__file__).parents[2]
ANSWER = '{"why": "so be it", "action": {"type": "KeepCourse"}}'


def settle(workspace: Path, url: str, price: str = "") -> None:
    text = f'[models.deployments.home]\nmodel = "openai-chat:m"\nurl = "{url}"\n'
    (workspace / "windtunnel.toml").write_text(text + price)


@pytest.mark.slow
def test_what_is_estimated_is_near_what_is_then_asked(wt: Any, workspace: Path) -> None:
    with Provider(lambda _: ANSWER) as provider:
        settle(workspace, provider.openai, '[models.prices."openai-chat:m"]\ninput = 1\noutput = 1\n')
        words = ("economy/growth", "--turns", "20", "--model", "home")
        told = wt("estimate", *words, "--json").rows[0]
        assert provider.log.totals.asked == 0
        assert not list((workspace / ".windtunnel").rglob("*.sqlite"))  # nothing is kept
        budget = told["most"] / 1e6
        done = wt("run", *words, "--budget", str(budget), "--json").rows[0]
        assert done["status"] == "completed"
        asked = provider.log.totals
    (one,) = told["models"]
    assert (one["model"], told["calls"]) == ("home", asked.asked)
    assert asked.input * 0.7 < one["input"] < asked.input * 1.4
    spent = asked.input + asked.output  # a micro-dollar each
    assert told["seen"] * 0.7 < spent < told["most"]
    (used,) = wt("show", done["run_id"], "--json").rows[0]["models"]
    assert used == {
        "model": "openai-chat:m",
        "replies": asked.asked,
        "input": asked.input,
        "output": asked.output,
        "cost": spent,
    }
    assert f"{asked.asked} replies" in wt("show", done["run_id"]).out


def test_a_model_without_a_price_is_said_to_have_none(wt: Any, workspace: Path) -> None:
    settle(workspace, "http://127.0.0.1:9/v1")
    told = wt("estimate", "economy/growth", "--turns", "3", "--model", "home")
    assert "no price" in told.out
    assert "--budget" not in told.out.splitlines()[-1]
    both = wt("estimate", "economy/growth", "--turns", "3", "--agent", "aldland=home:x", "--json")
    assert both.rows[0]["most"] is None


def test_a_scenario_of_rules_has_nothing_to_estimate(wt: Any, workspace: Path) -> None:
    said = wt("estimate", "economy/growth")
    assert said.code == 2
    assert "--model MODEL" in said.err


def test_a_tournament_is_estimated_from_its_file_and_so_is_an_evolution(wt: Any, workspace: Path) -> None:
    cup = workspace / "cup.yaml"
    cup.write_text(
        "tournament: Cup\nscenario: economy/quick\nturns: 2\nseeds: 1\nbudget: 0.5\n"
        "entrants: [balanced, {strategy: austerity, name: thrifty}, steady]\n"
    )
    (told,) = wt("estimate", str(cup), "--json").rows
    assert (told["matches"], told["rounds"], told["calls"], told["budget"]) == (3 * 2, 3, 0, 0.5)
    said = wt("estimate", str(cup)).out
    assert "6 matches in 3 rounds, 1 rehearsed" in said
    assert said.endswith(f"windtunnel tournament {cup}\n")
    up = ROOT / "examples" / "evolve_economy.yaml"
    (told,) = wt("estimate", str(up), "--json").rows
    trying, judging = 7 * 3 * 2 * 5, 2 * 12 * 2  # candidates and the start, lucks, seats, generations
    assert (told["matches"], told["rounds"]) == (trying + judging, 5)
    assert f"windtunnel evolve {up}\n" in wt("estimate", str(up)).out
    refused = wt("estimate", str(cup), "--turns", "3")
    assert refused.code == 2
    assert "this is a tournament" in refused.err
    assert not (workspace / ".windtunnel" / "runs").exists()
