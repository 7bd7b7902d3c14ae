"""A duel finds a planted better strategy, and says nothing of two that are the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec import structs

from tests.tournaments.field import coded, field, play, skilled, told
from windtunnel.config import Workspace
from windtunnel.control.catalog import opened
from windtunnel.tournaments.draw import Comparison
from windtunnel.tournaments.duel import Answer, Pair, answer, pairs_of
from windtunnel.tournaments.rating.sequential import Rules
from windtunnel.tournaments.running import field_of, outcomes_of


def duelled(workspace: Workspace, entrants: list[Any], rules: Rules, **more: Any) -> Answer:
    made = field(
        workspace, entrants, format={"kind": "ladder", "rounds": math.ceil(rules.limit / 8)}, seeds=8, **more
    )
    found, table, _ = play(workspace, structs.replace(made, stop=rules), processes=2)
    assert table.status == "completed"
    with opened(found, read_only=True) as store:
        said = answer(field_of(store, found.row.run_id), outcomes_of(store, found.row.run_id))
    assert table.reason == said.verdict
    return said


@pytest.mark.slow
def test_a_planted_better_strategy_is_found_whichever_comes_first(workspace: Workspace) -> None:
    worse, better = skilled(workspace.root, 0, 3)
    rules = Rules(limit=160)
    first = duelled(workspace, [better, worse], rules)
    assert first.verdict == "better"
    assert "s3 is better than s0" in first.sentence
    assert first.estimate.low > 0.5
    assert first.score is not None
    assert first.score.mean > 0
    assert first.pairs < 160
    again = duelled(workspace, [worse, better], rules)
    assert again.verdict == "worse"
    assert "s3 is better than s0" in again.sentence


@pytest.mark.slow
def test_a_strategy_against_itself_is_even(workspace: Workspace) -> None:
    (name,) = skilled(workspace.root, 1)
    same = [{"strategy": name, "name": "one"}, {"strategy": name, "name": "other"}]
    said = duelled(workspace, same, Rules(limit=24))
    assert said.verdict == "not known"
    assert said.estimate.share == 0.5  # each luck with the seats changed round


@pytest.mark.slow
def test_the_command_says_first_what_it_takes_and_answers_in_one_sentence(workspace: Workspace) -> None:
    worse, better = skilled(workspace.root, 0, 4)
    said = told(
        workspace.root, "duel", better, worse, "--scenario", "dice/bout", "--limit", "80", "--seed", "3"
    )
    assert said["verdict"] == "better"
    assert said["sentence"].startswith("s4 is better than s0 by ")
    assert said["estimate"]["low"] > 0.5


@pytest.mark.slow
def test_who_forfeits_every_match_is_worse(workspace: Workspace) -> None:
    (honest,) = skilled(workspace.root, 0)
    said = duelled(workspace, [coded(workspace.root, "crashes"), honest], Rules(limit=80))
    assert said.verdict == "worse"


def test_a_pair_is_all_that_one_luck_decides() -> None:
    compared = [
        Comparison("1.1.0.7", 1, (("dove", 1.0), ("hawk", 0.0)), (3.0, 1.0)),
        Comparison("1.1.0.8", 1, (("dove", 0.0), ("hawk", 1.0)), (1.0, 2.0)),
        Comparison("1.1.0.7", 1, (("hawk", 0.5), ("dove", 0.5)), (4.0, 4.0)),
    ]
    assert pairs_of("dove", compared) == [Pair(0.75, 1.0), Pair(0.0, -1.0)]
    assert pairs_of("hawk", compared) == [Pair(0.25, -1.0), Pair(1.0, 1.0)]
