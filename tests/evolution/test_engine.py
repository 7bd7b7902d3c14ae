"""An evolution finds what is better, is not fooled by luck, and is judged by what it never saw."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from msgspec import structs

from tests.evolution.searching import Pretended, by_skill, home, made, noise, played, settings_of
from windtunnel.chance import Chance
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.control.worlds import Worlds
from windtunnel.errors import WorldError
from windtunnel.evolution.gate import judged
from windtunnel.evolution.model import START, Bout, Genome
from windtunnel.evolution.running import begin_evolution, find_evolution, play_evolution, story_of
from windtunnel.evolution.trials import held_out_seeds, seal_of, training_seeds
from windtunnel.strategies.model import misfit
from windtunnel.tournaments.model import Outcome, Seated
from windtunnel.tournaments.playing import Order


def test_what_is_better_is_found_passes_the_gate_and_stays_within_its_bounds(workspace: Workspace) -> None:
    plan = made(workspace, population=6, generations=4)
    _, story = played(workspace, plan, hands := Pretended(by_skill))
    assert (story.status, len(story.generations)) == ("completed", 4)
    assert story.verdict is not None
    assert story.verdict.promoted
    assert story.winner is not None
    assert story.winner.genome.parameters["skill"] > 1.0
    assert story.verdict.tried == plan.most == 6 + 3 * 5
    trial = story.verdict.trial
    assert trial is not None
    assert trial.corrected == pytest.approx(plan.most * trial.chance)
    for order in hands.orders:
        for seat in order.seats:
            for name, value in settings_of(order, seat).items():
                assert misfit(value, plan.start.strategy.schema[name]) is None


def test_the_search_never_meets_what_is_held_out(workspace: Workspace) -> None:
    held_out = {"seeds": 10, "opponents": ["other.yaml"]}
    plan = made(
        workspace,
        scenario="dice/bout",
        seats=[],
        opponents=["rival.yaml"],
        held_out={**held_out, "scenarios": []},
    )
    _, story = played(workspace, plan, hands := Pretended(by_skill))
    assert story.verdict is not None
    gate = hands.orders[-len(story.verdict.matches) :]
    search = hands.orders[: -len(story.verdict.matches)]
    seeds = set(held_out_seeds(plan))
    assert {order.scenario["seed"] for order in gate} == seeds == set(story.verdict.seeds)
    assert not seeds & {order.scenario["seed"] for order in search}
    assert {name for order in gate for name in order.seats.values()} == {
        START,
        story.verdict.candidate,
        "other",
    }
    assert "other" not in {name for order in search for name in order.seats.values()}


def test_every_candidate_of_a_generation_plays_the_same_luck_from_every_seat(workspace: Workspace) -> None:
    plan = made(workspace, scenario="dice/bout", opponents=["rival.yaml"])
    _, story = played(workspace, plan, hands := Pretended(by_skill))
    mine: dict[str, set[tuple[int, str]]] = {}
    for order in hands.orders[: 5 * 2 * 2]:  # four and the start, two seeds, two seats
        (seat,) = (seat for seat, name in order.seats.items() if name != "rival")
        mine.setdefault(order.seats[seat], set()).add((order.scenario["seed"], seat))
    assert sorted(mine) == ["c1", "c2", "c3", "c4", START]
    assert all(places == mine[START] and len(places) == 4 for places in mine.values())
    assert len(story.generations[0].candidates) == 4


def test_a_gain_is_over_the_start_in_the_same_place_so_that_shared_luck_is_none(workspace: Workspace) -> None:
    def score(order: Order, seat: str) -> float:
        shared = Chance(order.scenario["seed"], seat).normal(0.0, 100.0)
        return shared + float(settings_of(order, seat)["skill"])

    _, story = played(workspace, made(workspace), Pretended(score))
    for row in story.generations[-1].candidates:
        assert row.gain == pytest.approx(row.genome["parameters"]["skill"])


@pytest.mark.slow
def test_no_candidate_is_tried_twice_under_two_names(workspace: Workspace) -> None:
    made(workspace)
    (workspace.root / "grip.yaml").write_text(
        "strategy: grip\nworld: dice\nrole: player\npolicy: dice\nparameters: {grip: a}\n"
        "schema: {grip: {type: choice, options: [a, b, c]}}\n"
    )
    plan = made(workspace, start="grip.yaml", generations=5)
    hands = Pretended(lambda order, seat: float(settings_of(order, seat)["grip"] == "c"))
    _, story = played(workspace, plan, hands)
    assert sorted(row.genome["parameters"]["grip"] for row in story.generations[0].candidates) == ["b", "c"]
    assert story.reason.startswith("no new candidate")


def test_elites_are_tried_again_on_fresh_seeds(workspace: Workspace) -> None:
    plan = made(workspace, generations=3)
    _, story = played(workspace, plan, Pretended(by_skill))
    lucks = {row.name: row.lucks for row in story.generations[1].candidates}
    best = story.generations[0].candidates[0].name
    assert lucks[best] == 4
    assert set(lucks.values()) == {4, 2}
    drawn = [set(training_seeds(plan, generation)) for generation in (1, 2, 3)]
    assert not drawn[0] & drawn[1]
    assert not drawn[1] & drawn[2]


def test_the_same_plan_makes_the_same_candidates_and_the_same_verdict(
    tmp_path: Path, workspace: Workspace
) -> None:
    plan = made(workspace)
    stories = [played(home(tmp_path, name), plan, Pretended(by_skill))[1] for name in ("a", "b")]
    assert stories[0].generations == stories[1].generations
    assert stories[0].verdict == stories[1].verdict
    other = made(workspace, seed=2)
    assert held_out_seeds(other) != held_out_seeds(plan)


def test_who_spoils_a_match_never_wins(workspace: Workspace) -> None:
    def score(order: Order, seat: str) -> float | None:
        skill = float(settings_of(order, seat)["skill"])
        return None if skill > 0.5 and order.scenario["seed"] % 2 else skill

    _, story = played(workspace, made(workspace, population=8, generations=3), Pretended(score))
    failed = {row.name for one in story.generations for row in one.candidates if row.failed}
    assert failed
    assert story.verdict is not None
    assert story.verdict.candidate not in failed
    for one in story.generations:
        flags = [bool(row.failed) for row in one.candidates]
        assert flags == sorted(flags)  # behind all the others


def test_a_winner_that_spoils_a_held_out_match_is_not_promoted(workspace: Workspace) -> None:
    plan = made(workspace, population=6, generations=3)
    last = held_out_seeds(plan)[-1]

    def score(order: Order, seat: str) -> float | None:
        spoils = order.scenario["seed"] == last and order.seats[seat] != START
        return None if spoils else by_skill(order, seat)

    _, story = played(workspace, plan, Pretended(score))
    assert story.verdict is not None
    assert not story.verdict.promoted
    assert "no end" in story.verdict.reason


def test_where_nobody_is_better_the_gate_plays_nothing(workspace: Workspace) -> None:
    _, story = played(
        workspace, made(workspace), Pretended(lambda order, seat: -abs(settings_of(order, seat)["skill"]))
    )
    assert story.verdict is not None
    assert (story.verdict.promoted, story.verdict.matches) == (False, ())
    assert story.verdict.reason == "nobody did better than the start"


def test_a_plan_whose_held_out_part_was_changed_is_refused(workspace: Workspace) -> None:
    plan = made(workspace)
    changed = structs.replace(plan, held_out=structs.replace(plan.held_out, seeds=11))
    assert seal_of(changed) != plan.seal
    with pytest.raises(WorldError, match="sealed"):
        begin_evolution(workspace, changed)


def test_the_seal_stands_in_the_first_entry_before_anything_is_played(workspace: Workspace) -> None:
    plan = made(workspace)
    found = begin_evolution(workspace, plan)
    story = story_of(found)
    assert (story.plan.seal, story.generations) == (plan.seal, [])
    assert plan.seal == seal_of(story.plan)


@pytest.mark.slow
def test_a_search_ends_when_its_time_is_up_and_is_judged_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(order: Order, seat: str) -> float:
        time.sleep(0.004)
        return by_skill(order, seat)

    _, story = played(
        workspace, made(workspace, generations=40, seconds=0.4, held_out={"seeds": 12}), Pretended(slow)
    )
    assert 0 < len(story.generations) < 40
    assert story.reason.startswith("its time is up")
    assert story.verdict is not None


def test_a_search_leaves_as_much_of_its_budget_as_the_gate_takes(workspace: Workspace) -> None:
    hands = Pretended(by_skill)
    hands.cost = 1_000
    plan = made(workspace, generations=9, budget=0.065)  # ten matches a generation, twenty at the gate
    _, story = played(workspace, plan, hands)
    assert len(story.generations) == 4
    assert story.reason.startswith("its budget is used up")
    assert story.verdict is not None
    assert len(hands.orders) * 1_000 <= 65_000


def test_taken_up_after_a_stop_it_ends_as_if_never_stopped(tmp_path: Path, workspace: Workspace) -> None:
    plan = made(workspace, generations=3)
    whole = played(home(tmp_path, "whole"), plan, Pretended(by_skill))[1]
    found = begin_evolution(workspace, plan)
    asked, hands = 0, Pretended(by_skill)
    for stop in (3, 9, 4, None):
        hands = Pretended(by_skill)
        hands.stop_after = stop
        try:
            asyncio.run(play_evolution(workspace, found, hands=hands))
        except KeyboardInterrupt:
            assert stop is not None
        asked += len(hands.orders)
    story = story_of(find_evolution(workspace, found.row.run_id))
    assert (story.status, story.generations, story.verdict) == ("completed", whole.generations, whole.verdict)
    assert Control(workspace, Worlds(workspace)).verify(found.row.run_id).intact
    assert asked > len(hands.orders)


def promoted_on_noise(root: Path, tries: range) -> tuple[int, int]:
    """How often the gate lets pass what is no better, and how often the search's own luck would have."""
    workspace, by_gate, by_search = home(root, f"noise{tries.start}"), 0, 0
    for number in tries:
        plan = made(workspace, seed=number, population=5, generations=2, seeds=6, elites=1)
        found, story = played(workspace, plan, Pretended(noise(number)))
        assert story.verdict is not None
        by_gate += story.verdict.promoted
        best = story.generations[-1].candidates[0]
        fooled = best.error is not None and best.gain > 2.0 * best.error
        by_search += fooled
        Path(found.location).unlink()
    return by_gate, by_search


@pytest.mark.slow
def test_pure_noise_is_not_promoted(tmp_path: Path, workspace: Workspace) -> None:
    by_gate, by_search = promoted_on_noise(tmp_path, range(12))
    assert by_gate == 0
    assert by_search >= 1


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_pure_noise_is_promoted_no_more_often_than_declared_in_two_hundred(
    tmp_path: Path, workspace: Workspace
) -> None:
    by_gate, by_search = promoted_on_noise(tmp_path, range(200))
    assert by_gate <= 0.05 * 200
    assert by_search > 0.05 * 200  # on the luck it was chosen by, noise looks better far more often


def test_the_gate_counts_every_candidate_that_was_tried(workspace: Workspace) -> None:
    plan = made(workspace)
    gains = [0.3, 0.1, 0.4, 0.2, 0.35, 0.15, -0.05, 0.3]
    results = []
    for name in (START, "c1"):
        for at, gain in enumerate(gains):
            bout = Bout(at, 3, name, Genome(), 0, at, {"left": name}, "left", held_out=True)
            seat = Seated(name, score=1.0 + (gain if name == "c1" else 0.0))
            results.append((bout, Outcome(f"run.{at}", "played", {"left": seat})))
    assert judged(plan, "c1", 1, results).promoted
    assert not judged(plan, "c1", 200, results).promoted
