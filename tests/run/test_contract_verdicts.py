"""What the loop promises about judged actions: asked again, amended, held, deferred, expired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.run.toy import Give, Rest, always, make, python, scene
from windtunnel.journal import Status
from windtunnel.run.voting import action_digest
from windtunnel.testing.lab import Lab
from windtunnel.world import ACCEPT, Action, amend, hold, reject


class Stubborn:
    """Offers what the list says, one for each attempt, and remembers what it was told."""

    def __init__(self, *offers: Any) -> None:
        self.offers = offers
        self.told: list[tuple[int, int, str | None]] = []

    def decide(self, seen: Any, context: Any) -> Any:
        self.told.append((context.turn, context.attempt, context.rejection))
        return self.offers[min(context.attempt, len(self.offers)) - 1]


def test_a_rejected_action_is_asked_again_with_the_reason_and_the_attempt(tmp_path: Path) -> None:
    agent = Stubborn(Give(1), Give(2), Give(3))
    world = make(lambda s, who, action, c: reject("too much") if action == Give(1) else ACCEPT)
    with Lab(world, folder=tmp_path, players={"a": agent}) as lab:
        lab.play(scene(python("a"), turns=2))
        assert agent.told == [
            (1, 1, None), (1, 2, "too much"),
            (2, 1, None), (2, 2, "too much"),
        ]  # fmt: skip
        first, second = lab.bodies("judged", 1)
        assert first["verdicts"]["a"] == {"kind": "reject", "reason": "too much"}
        assert second == {"verdicts": {"a": "accept"}, "attempt": 2}
        assert [body["actions"]["a"]["amount"] for body in lab.bodies("decided", 1)] == [1, 2]
        assert lab.replay().identical


def test_when_the_attempts_are_used_up_a_no_op_is_recorded_and_applied(tmp_path: Path) -> None:
    agent = Stubborn(Give(50))
    with Lab(make(always(reject("never"), turn=1)), folder=tmp_path, players={"a": agent}) as lab:
        lab.play(scene(python("a"), turns=1, attempts=4))
        assert [told[1] for told in agent.told] == [1, 2, 3, 4]
        assert lab.bodies("judged", 1)[-1]["verdicts"]["a"] == {"kind": "no_op", "reason": "never"}
        assert lab.at().frame.state.coins == {"a": 100}
        assert lab.replay().identical


def test_only_the_one_rejected_is_asked_again(tmp_path: Path) -> None:
    calm, stubborn = Stubborn(Give(1)), Stubborn(Give(9), Rest())
    world = make(always(reject("no"), turn=1, actor="b", attempt=1))
    with Lab(world, folder=tmp_path, players={"a": calm, "b": stubborn}) as lab:
        lab.play(scene(python("a"), python("b"), turns=1))
        assert len(calm.told) == 1
        assert len(stubborn.told) == 2


def test_an_amended_action_is_what_is_applied(tmp_path: Path) -> None:
    with Lab(make(always(amend(Give(7), "less"), turn=1)), folder=tmp_path) as lab:
        lab.play(scene("a", turns=1))
        verdict = lab.bodies("judged", 1)[0]["verdicts"]["a"]
        assert verdict == {"kind": "amend", "reason": "less", "action": {"type": "Give", "amount": 7}}
        assert lab.at().frame.state.coins["a"] in (107, 108, 109)
        assert lab.replay().identical


class Steal(Action, frozen=True):
    pass


@pytest.mark.parametrize("bad", [Steal(), Give(10**6)], ids=["no action of the role", "out of its bounds"])
def test_an_amendment_that_no_agent_could_have_made_fails_the_run_in_words(tmp_path: Path, bad: Any) -> None:
    with Lab(make(always(amend(bad, "oops"), turn=2)), folder=tmp_path) as lab:
        from windtunnel.errors import RunError

        with pytest.raises(RunError, match=r"Steal|Give|amount|<=") as caught:
            lab.play(scene("a"))
        assert "turn 2" in (caught.value.where or "")
        assert lab.row().status is Status.FAILED


# --- held: park ---------------------------------------------------------------------------------------


def parked(tmp_path: Path, **terms: Any) -> Lab:
    lab = Lab(make(always(hold("big", **terms), turn=2)), folder=tmp_path)
    lab.begin(scene("a", "b", turns=4))
    assert lab.go().status is Status.WAITING
    return lab


def the_one(lab: Lab) -> Any:
    (effect,) = lab.waiting()
    return effect


def refused(lab: Lab) -> list[str]:
    return [operation["why"] for operation in lab.operations("mail_refused")]


def test_a_parked_run_waits_without_a_process_and_goes_on_with_the_vote(tmp_path: Path) -> None:
    with parked(tmp_path) as lab:
        assert lab.row().turn == 1
        lease = lab.store.lease("run")
        assert lease is not None
        assert lease.owner is None
        assert "approval" in (lab.row().reason or "")
        assert lab.go().status is Status.WAITING  # nobody voted meanwhile
        lab.vote(the_one(lab).name)
        assert lab.go().status is Status.COMPLETED
        verdict = lab.bodies("judged", 2)[0]["verdicts"]["a"]
        assert verdict["kind"] == "accept"
        assert verdict["votes"]["by"] == ["boss"]
        assert lab.replay().identical


def test_two_approvers_are_needed_when_the_terms_say_so(tmp_path: Path) -> None:
    with parked(tmp_path, approvers=2) as lab:
        name = the_one(lab).name
        lab.vote(name, sender="x")
        assert lab.go().status is Status.WAITING
        lab.vote(name, sender="y")
        assert lab.go().status is Status.COMPLETED
        assert lab.bodies("judged", 2)[0]["verdicts"]["a"]["votes"]["by"] == ["x", "y"]


def test_the_first_denial_wins_and_the_action_is_not_done(tmp_path: Path) -> None:
    with parked(tmp_path, approvers=2) as lab:
        name = the_one(lab).name
        lab.vote(name, sender="x")
        lab.vote(name, sender="y", approve=False)
        lab.vote(name, sender="z")
        assert lab.go().status is Status.COMPLETED
        verdict = lab.bodies("judged", 2)[0]["verdicts"]["a"]
        assert verdict["kind"] == "denied"
        assert verdict["votes"] == {"outcome": "denied", "by": ["y"], "note": ""}
        two = lab.at(2).frame.state.coins["a"]
        assert two == lab.at(1).frame.state.coins["a"]
        assert lab.replay().identical


@pytest.mark.parametrize(
    ("sender", "more", "why"),
    [
        ("a", {}, "own"),
        ("x", {"digest": "0" * 16}, "another action"),
        ("x", {"effect": "9.validate.a.0"}, "waits for votes"),
    ],
    ids=["self", "another digest", "unknown effect"],
)
def test_a_vote_that_may_not_count_is_refused_and_says_why(
    tmp_path: Path, sender: str, more: dict[str, str], why: str
) -> None:
    with parked(tmp_path) as lab:
        body = {"effect": the_one(lab).name, "approve": True, **more}
        lab.post("vote", body, sender=sender)
        assert lab.go().status is Status.WAITING
        assert why in refused(lab)[0]


def test_one_person_does_not_count_twice(tmp_path: Path) -> None:
    with parked(tmp_path, approvers=2) as lab:
        for _ in range(3):
            lab.vote(the_one(lab).name, sender="x")
        assert lab.go().status is Status.WAITING
        assert all("voted already" in why for why in refused(lab))
        assert lab.go().status is Status.WAITING
        lab.vote(the_one(lab).name, sender="x")
        assert lab.go().status is Status.WAITING


def test_a_vote_bound_to_the_action_that_waits_counts(tmp_path: Path) -> None:
    with parked(tmp_path) as lab:
        effect = the_one(lab)
        lab.vote(effect.name, digest=action_digest(effect.request))
        assert lab.go().status is Status.COMPLETED


def test_an_answer_is_no_vote(tmp_path: Path) -> None:
    with parked(tmp_path) as lab:
        lab.answer(the_one(lab).name, {"outcome": "approved", "by": ["me"]})
        assert lab.go().status is Status.WAITING
        assert "votes" in refused(lab)[0]


def test_several_parked_at_once_are_all_asked_about_before_the_run_waits(tmp_path: Path) -> None:
    with Lab(make(lambda s, w, a, c: hold("big") if c.turn == 1 else ACCEPT), folder=tmp_path) as lab:
        lab.begin(scene("a", "b", "c"))
        lab.go()
        assert [effect.actor for effect in lab.waiting()] == ["a", "b", "c"]
        lab.satisfy()
        assert lab.go().status is Status.COMPLETED
        assert lab.replay().identical


def test_a_park_expires_after_its_seconds(tmp_path: Path) -> None:
    from tests.run.clocks import HandClock

    clock = HandClock()
    with Lab(make(always(hold("big", expires_seconds=60.0), turn=2)), folder=tmp_path, clock=clock) as lab:
        lab.begin(scene("a"))
        lab.go()
        clock.now += 59
        assert lab.go().status is Status.WAITING
        clock.now += 2
        assert lab.go().status is Status.COMPLETED
        assert lab.bodies("judged", 2)[0]["verdicts"]["a"]["votes"]["outcome"] == "expired"
        assert lab.replay().identical


# --- held: defer --------------------------------------------------------------------------------------


def deferring(tmp_path: Path, rule: Any = None, **terms: Any) -> Lab:
    lab = Lab(make(rule or always(hold("big", "defer", **terms), turn=2)), folder=tmp_path)
    lab.begin(scene("a", "b", turns=8))
    return lab


def test_a_deferred_action_lets_the_run_go_on_and_comes_back_as_an_event(tmp_path: Path) -> None:
    with deferring(tmp_path) as lab:
        assert lab.go(stop_after=4).turn == 4
        lab.vote("2.validate.a.0")
        assert lab.go().status is Status.COMPLETED
        assert lab.at().frame.state.heard == ["approved a"]
        assert lab.at().frame.state.coins["a"] > 1000
        assert lab.bodies("judged", 5)[0]["deferred"] == [
            {"effect": "2.validate.a.0", "actor": "a", "outcome": "approved"}
        ]
        assert lab.replay().identical


def test_a_deferred_action_is_checked_again_when_it_is_approved(tmp_path: Path) -> None:
    def rule(state: Any, actor: Any, action: Any, context: Any) -> Any:
        if context.turn == 2 and actor.id == "a":
            return hold("big", "defer")
        return reject("the market is closed") if context.turn == 5 and actor.id == "a" else ACCEPT

    with deferring(tmp_path, rule) as lab:
        lab.go(stop_after=4)
        lab.vote("2.validate.a.0")
        lab.go()
        assert lab.at().frame.state.heard == ["refused a"]
        assert lab.replay().identical


def test_a_deferred_action_expires_after_its_turns(tmp_path: Path) -> None:
    with deferring(tmp_path, expires_turns=3) as lab:
        lab.go()
        assert lab.at(4).frame.state.heard == []
        assert lab.at(5).frame.state.heard == ["expired a"]
        assert lab.waiting() == []
        assert lab.replay().identical


def test_a_denied_deferral_comes_back_as_denied(tmp_path: Path) -> None:
    with deferring(tmp_path) as lab:
        lab.go(stop_after=3)
        lab.vote("2.validate.a.0", approve=False)
        lab.go()
        assert lab.at().frame.state.heard == ["denied a"]
        assert lab.replay().identical


@pytest.mark.parametrize("stop", range(2, 8))
def test_a_stop_at_any_turn_of_a_deferral_changes_nothing(tmp_path: Path, stop: int) -> None:
    with deferring(tmp_path, expires_turns=3) as lab:
        lab.go()
        lab.begin(scene("a", "b", turns=8), "stopped")
        lab.go("stopped", stop_after=stop)
        lab.go("stopped")
        assert lab.head("stopped") == lab.head()


def test_a_fork_asks_for_its_own_votes_on_what_was_held_in_the_shared_past(tmp_path: Path) -> None:
    with deferring(tmp_path) as lab:
        lab.go(stop_after=4)
        lab.fork("3")
        lab.vote("2.validate.a.0", run_id="fork")
        lab.go("fork")
        lab.go()
        assert lab.at(run_id="fork").frame.state.heard == ["approved a"]
        assert lab.at().frame.state.heard == []
        assert lab.replay("fork").identical
