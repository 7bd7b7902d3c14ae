"""Proposals are made seldom, decided by people, applied once, and taken back with one word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from tests.evolution.searching import Pretended, by_skill, made, noise, played
from windtunnel.config import Workspace
from windtunnel.control.proposals import Proposals
from windtunnel.control.proposing import Wanted
from windtunnel.control.worlds import Worlds
from windtunnel.errors import Forbidden, VoteRefused, WindtunnelError, WrongState
from windtunnel.evolution.model import Genome
from windtunnel.evolution.proposing import propose, wanted_of
from windtunnel.journal.database import SqliteDatabase
from windtunnel.strategies.model import Strategy, with_parameters
from windtunnel.strategies.reading import read_strategy
from windtunnel.strategies.versions import compared


@pytest.fixture
def proposals(workspace: Workspace, tmp_path: Path) -> Iterator[Proposals]:
    made(workspace)  # which writes the strategies
    database = SqliteDatabase(tmp_path / "catalog.sqlite")
    yield Proposals(workspace, Worlds(workspace), database)
    database.close()


def thrower(proposals: Proposals) -> Strategy:
    return read_strategy(proposals._workspace.root / "thrower.yaml")


def wanted(proposals: Proposals, run_id: str = "run1", skill: float = 2.0, **more: object) -> Wanted:
    start = thrower(proposals)
    candidate = with_parameters(start, {"skill": skill})
    plain = Wanted(
        run_id, "parameter", "thrower: more skill", "it throws higher", 0.99, "low", {"gain": 1.0},
        compared(start, candidate), start, candidate,
    )  # fmt: skip
    return structs.replace(plain, **more)


def test_an_approved_one_becomes_a_version_in_force_and_rollback_restores_the_former(proposals):
    before = proposals.registry.add(thrower(proposals))
    one = proposals.propose(wanted(proposals, base=before.label))
    assert (one.status, one.needed) == ("pending", 1)
    assert proposals.registry.find("thrower") == before
    done = proposals.approve(one.id, by="kim", note="good")
    assert (done.status, done.version, done.base) == ("applied", "thrower@1.0.1", "thrower@1.0.0")
    head = proposals.registry.find("thrower")
    assert (head.strategy.parameters["skill"], head.parents, head.operator) == (
        2.0,
        ("thrower@1.0.0",),
        "mutation",
    )
    back = proposals.rollback(one.id, by="lee")
    assert back.status == "rolled_back"
    assert proposals.registry.find("thrower") == before
    assert [(vote.who, vote.word) for vote in back.votes] == [("kim", "approve"), ("lee", "rollback")]
    with pytest.raises(WrongState, match="nothing to roll back"):
        proposals.rollback(one.id, by="lee")


@pytest.mark.slow
def test_one_that_is_not_registered_yet_is_registered_with_its_start(proposals):
    one = proposals.approve(proposals.propose(wanted(proposals)).id, by="kim")
    assert (one.base, one.version) == ("thrower@1.0.0", "thrower@1.0.1")
    proposals.rollback(one.id, by="kim")
    assert proposals.registry.find("thrower").strategy == thrower(proposals)


def test_what_is_of_high_risk_waits_for_two_people_and_nobody_counts_twice(proposals):
    one = proposals.propose(wanted(proposals, type="model", risk="high"))
    assert one.needed == 2
    assert proposals.approve(one.id, by="Kim").status == "pending"
    with pytest.raises(VoteRefused, match="already"):
        proposals.approve(one.id, by=" KIM ")
    for nobody in ("", "local", "schedule"):
        with pytest.raises(VoteRefused, match="nobody"):
            proposals.approve(one.id, by=nobody)
    assert proposals.approve(one.id, by="lee").status == "applied"


def test_one_no_is_the_end_of_it(proposals):
    one = proposals.propose(wanted(proposals))
    assert proposals.reject(one.id, by="kim", note="too bold").status == "rejected"
    with pytest.raises(WrongState, match="rejected"):
        proposals.approve(one.id, by="lee")


def test_nothing_is_applied_over_another_version_than_the_one_it_was_measured_against(proposals):
    before = proposals.registry.add(thrower(proposals))
    one = proposals.propose(wanted(proposals, base=before.label))
    other = proposals.registry.add(with_parameters(thrower(proposals), {"skill": -1.0}))
    proposals.registry.apply(other.label)
    with pytest.raises(WrongState, match="in force now"):
        proposals.approve(one.id, by="kim")
    assert proposals.find(one.id).votes == []
    assert proposals.registry.find("thrower") == other


def test_where_another_version_comes_in_force_between_the_last_yes_and_its_application_nothing_is_half_done(
    proposals, monkeypatch
):
    before = proposals.registry.add(thrower(proposals))
    one = proposals.propose(wanted(proposals, base=before.label, risk="high"))
    proposals.approve(one.id, by="kim")
    true = proposals._applied

    def late(found, by):
        other = proposals.registry.add(with_parameters(thrower(proposals), {"skill": -1.0}))
        proposals.registry.apply(other.label)
        return true(found, by)

    monkeypatch.setattr(proposals, "_applied", late)
    with pytest.raises(WrongState, match="in force now"):
        proposals.approve(one.id, by="lee")
    monkeypatch.undo()
    after = proposals.find(one.id)
    assert (after.status, after.approvals, after.version) == ("pending", ["kim"], "")
    assert proposals.reject(one.id, by="lee").status == "rejected"


def test_what_its_world_would_not_play_gets_no_yes(proposals):
    start = thrower(proposals)
    candidate = structs.replace(with_parameters(start, {"skill": 2.0}), policy="gone")
    one = proposals.propose(wanted(proposals, candidate=candidate))
    with pytest.raises(WindtunnelError, match="gone"):
        proposals.approve(one.id, by="kim")
    assert (proposals.find(one.id).status, proposals.find(one.id).votes) == ("pending", [])


def test_those_whose_time_is_up_expire_unasked_and_others_stay(proposals, monkeypatch):
    one, other = (proposals.propose(wanted(proposals, f"run{number}")) for number in range(2))
    proposals._database.rows("UPDATE proposal SET expires=? WHERE id=?", [one.made + 1, one.id])
    proposals.expire()
    assert proposals.count(status="pending") == 2
    monkeypatch.setattr(proposals._database, "now", lambda: one.made + 2)
    proposals.expire()
    assert [each.status for each in proposals.list()] == ["pending", "expired"]
    assert proposals.of_run("run1") == proposals.find(other.id)
    assert proposals.of_run("run9") is None


def test_a_rollback_does_not_take_back_what_came_after_it(proposals):
    one = proposals.approve(proposals.propose(wanted(proposals)).id, by="kim")
    later = proposals.registry.add(with_parameters(thrower(proposals), {"skill": 3.0}))
    proposals.registry.apply(later.label)
    with pytest.raises(WrongState, match="not what proposal"):
        proposals.rollback(one.id, by="kim")
    assert proposals.registry.find("thrower") == later


def test_at_most_five_an_hour_and_a_run_proposes_once(proposals, monkeypatch):
    for number in range(5):
        proposals.propose(wanted(proposals, f"run{number}"))
    assert proposals.propose(wanted(proposals, "run2")).id == 3
    with pytest.raises(WrongState, match="5 proposals within the last hour"):
        proposals.propose(wanted(proposals, "run6"))
    later = proposals._database.now() + 3601
    monkeypatch.setattr(proposals._database, "now", lambda: later)
    assert proposals.propose(wanted(proposals, "run6")).id == 6
    assert [one.id for one in proposals.list(limit=2)] == [6, 5]


def test_one_that_is_not_sure_enough_is_not_proposed(proposals):
    with pytest.raises(WrongState, match="too little"):
        proposals.propose(wanted(proposals, confidence=0.79))
    assert proposals.propose(wanted(proposals, confidence=0.8)).status == "pending"


def test_an_approval_policy_may_ask_for_more_people_or_refuse_never_for_none(proposals):
    root = proposals._workspace.root
    (root / "policy.yaml").write_text(
        "rules:\n  - {do: refuse, types: [ChangePrompt], reason: not by machines}\n"
        "  - {do: hold, risk: [medium], approvers: 2, expires_seconds: 60}\n  - {do: allow, risk: [low]}\n"
    )
    with (root / "windtunnel.toml").open("a") as file:
        file.write('[evolution]\npolicy = "policy.yaml"\n')
    proposals._workspace = Workspace(root)
    with pytest.raises(Forbidden, match="not by machines"):
        proposals.propose(wanted(proposals, type="prompt", risk="medium"))
    medium = proposals.propose(wanted(proposals, "run2", risk="medium"))
    assert (medium.needed, medium.expires) == (2, pytest.approx(medium.made + 60))
    assert proposals.propose(wanted(proposals, "run3")).needed == 1


def test_late_votes_do_not_count(proposals, monkeypatch):
    one = proposals.propose(wanted(proposals))
    proposals._database.rows("UPDATE proposal SET expires=? WHERE id=?", [one.made + 1, one.id])
    monkeypatch.setattr(proposals._database, "now", lambda: one.made + 2)
    with pytest.raises(VoteRefused, match="expired"):
        proposals.approve(one.id, by="kim")
    assert proposals.find(one.id).status == "expired"


@pytest.mark.parametrize("step", ["register", "apply"])
@pytest.mark.slow
def test_killed_while_it_is_applied_it_is_ended_by_the_next_word(proposals, monkeypatch, step):
    one = proposals.propose(wanted(proposals))
    true = getattr(proposals.registry, step)

    def dies(*given, **more):
        if step == "apply" or given[0].parameters["skill"] == 2.0:
            true(*given, **more)
            raise KeyboardInterrupt
        return true(*given, **more)

    monkeypatch.setattr(proposals.registry, step, dies)
    with pytest.raises(KeyboardInterrupt):
        proposals.approve(one.id, by="kim")
    monkeypatch.undo()
    assert proposals.find(one.id).status == "approved"
    done = proposals.approve(one.id, by="kim")
    assert (done.status, done.base, done.version) == ("applied", "thrower@1.0.0", "thrower@1.0.1")
    assert len(proposals.registry.versions("thrower")) == 2
    assert proposals.rollback(one.id, by="kim").status == "rolled_back"
    assert proposals.registry.find("thrower").strategy == thrower(proposals)


def test_what_passed_the_gate_is_proposed_with_its_evidence_and_noise_is_not(workspace, proposals):
    _, story = played(workspace, made(workspace, population=6, generations=3), Pretended(by_skill))
    one = propose(story, proposals)
    assert one is not None
    assert one.wanted.type == "parameter"
    assert one.wanted.confidence >= 0.95
    evidence = one.wanted.evidence
    assert (evidence["tried"], evidence["lucks"], evidence["seal"]) == (16, 10, story.plan.seal)
    assert evidence["low"] > 0
    assert {change.field for change in one.wanted.diff.changes} >= {"parameters.skill"}
    assert propose(story, proposals) == one
    _, nothing = played(workspace, made(workspace), Pretended(noise(1)))
    assert wanted_of(nothing) is None


@pytest.mark.slow
def test_another_model_is_of_high_risk_and_other_words_of_medium(workspace, proposals):
    _, story = played(workspace, made(workspace, population=6, generations=3), Pretended(by_skill))
    assert story.winner is not None
    for genome, expected in (
        (Genome(story.winner.genome.parameters, "Other words.", ""), ("prompt", "medium")),
        (Genome(story.winner.genome.parameters, "Other words.", "ollama:b"), ("model", "high")),
    ):
        changed = structs.replace(story, winner=structs.replace(story.winner, genome=genome))
        found = wanted_of(changed)
        assert found is not None
        assert (found.type, found.risk) == expected
