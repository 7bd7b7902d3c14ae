"""Votes: every order of them, from whomever, before and after a stop; and what each of them leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.run.clocks import HandClock
from tests.run.toy import Give, Rest, always, make, python, scene
from windtunnel.codec import encode_body
from windtunnel.config import Workspace
from windtunnel.control import Control
from windtunnel.errors import NotFound, UsageError, VoteRefused, WrongState
from windtunnel.journal import Effect, Status
from windtunnel.run.fork import Change
from windtunnel.run.voting import Cast, Tally, Vote, action_digest, tally
from windtunnel.scenario import override_scenario
from windtunnel.testing.lab import Lab
from windtunnel.world import Stakes, hold

WHO = ("x", "y", "a")  # a is whose action it is
WORDS = [(who, yes, right) for who in WHO for yes in (True, False) for right in (True, False)]


def effect_of(approvers: int, seconds: float | None = None) -> Effect:
    terms: dict[str, Any] = {"reason": "big", "approvers": approvers}
    terms |= {} if seconds is None else {"expires_seconds": seconds}
    request = encode_body({"actor": "a", "action": {"type": "Give", "amount": 1}, "hold": terms})
    return Effect(2, "validate", "a", 0, "approval", "key", request, asked=100.0)


def counted(effect: Effect, words: Any, at: float = 101.0) -> Tally:
    digest = action_digest(effect.request)
    cast = [
        Cast(number, who, at, Vote(effect.name, yes, "", digest if right else "0" * 16))
        for number, (who, yes, right) in enumerate(words)
    ]
    return tally(effect, cast)


def as_it_should_be(words: Any, approvers: int) -> str:
    """The same rules once more, said another way: what the first valid word of each person comes to."""
    first: dict[str, bool] = {}
    for who, yes, right in words:
        if who == "a" or not right or who in first:
            continue
        first[who] = yes
        if not yes:
            return "denied"
        if len(first) == approvers:
            return "approved"
    return "waiting"


@pytest.mark.parametrize("approvers", [1, 2])
def test_every_order_of_votes_comes_to_what_it_should(approvers: int) -> None:
    effect = effect_of(approvers)
    outcomes = set()
    for length in range(5):
        for words in product(WORDS, repeat=length) if length < 4 else some(WORDS):
            found = counted(effect, words)
            assert found.outcome == as_it_should_be(words, approvers), words
            outcomes.add(found.outcome)
            valid = [vote for vote in found.votes if vote.refused is None]
            assert len({vote.sender for vote in valid}) == len(valid)
            assert len(found.votes) == len(words)
            if found.outcome == "approved":
                assert len(found.by) == approvers
    assert outcomes == {"waiting", "approved", "denied"}


def some(words: Any) -> Iterator[Any]:
    """Every fiftieth of the sequences of four."""
    for number, sequence in enumerate(product(words, repeat=4)):
        if number % 50 == 0:
            yield sequence


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ([("a", True, True)], "self"),
        ([("A ", True, True)], "self"),
        ([("a", False, True)], "self"),
        ([(" ", True, True)], "unnamed"),
        ([("x", True, False)], "changed"),
        ([("x", True, True), ("X", True, True)], "duplicate"),
        ([("x", True, True), ("ｘ", False, True)], "duplicate"),
        ([("x", False, True), ("y", True, True)], "decided"),
    ],
)
def test_a_vote_that_does_not_count_says_why(words: Any, refused: str) -> None:
    found = counted(effect_of(2), words)
    assert found.votes[-1].refused == refused
    assert found.votes[-1].why
    assert all(vote.refused is None for vote in found.votes[:-1])


def test_a_vote_after_the_expiry_is_late_and_one_before_counts() -> None:
    effect = effect_of(1, 60.0)
    assert counted(effect, [("x", True, True)], at=159.9).outcome == "approved"
    late = counted(effect, [("x", True, True)], at=160.0)
    assert (late.outcome, late.votes[0].refused) == ("waiting", "late")


# --- in a run -----------------------------------------------------------------------------------------


class Desk:
    """A parked run in a workspace of its own, and the verbs over it, on a clock that is moved by hand."""

    def __init__(self, tmp_path: Path, rule: Any = None, **terms: Any) -> None:
        self.clock = HandClock()
        rule = rule or always(hold("big", **terms), turn=2)
        folder = tmp_path / ".windtunnel" / "runs"
        folder.mkdir(parents=True)
        self.world = make(rule)
        self.lab = Lab(self.world, folder=folder, clock=self.clock, players={"a": lambda *_: Give(5)})
        self.control = Control(Workspace(tmp_path), lambda _: self.world, clock=self.clock)
        self.lab.begin(scene(python("a"), "b", turns=4))
        self.lab.go(stop_after=3 if terms.get("mode") == "defer" else None)

    def vote(self, sender: str, approve: bool = True, **more: Any) -> Any:
        return self.control.vote("run", more.pop("effect", ""), approve, sender=sender, **more)

    def refused(self, sender: str, approve: bool = True, **more: Any) -> str:
        with pytest.raises(VoteRefused) as caught:
            self.vote(sender, approve, effect=more.pop("effect", "2.validate.a.0"), **more)
        return str(caught.value.data["refused"])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, approvers=2, expires_seconds=60.0)
    yield made
    made.lab.close()


@pytest.mark.parametrize("stops", [False, True], ids=["at once", "a restart between each"])
@pytest.mark.parametrize(
    "words",
    [
        [("x", True), ("y", True)],
        [("x", True), ("y", False)],
        [("x", False), ("y", True)],
        [("x", True), ("x", True), ("a", True), ("y", True)],
        [("x", True), ("x", False), ("a", False)],
        [("x", True)],
    ],
    ids=str,
)
def test_a_run_and_a_door_count_the_same_whether_or_not_it_is_restarted(
    tmp_path: Path, words: Any, stops: bool
) -> None:
    desk = Desk(tmp_path, approvers=2)
    said, posted = "waiting", 0
    for who, yes in words:
        if desk.lab.row().status is Status.COMPLETED:
            break
        try:
            said = desk.vote(who, yes, effect="2.validate.a.0").approval.status
        except VoteRefused as refused:
            said = refused.data["status"]
        posted += 1
        if stops:
            desk.lab.go()
    if desk.lab.row().status is Status.WAITING:
        desk.lab.go()
    expected = as_it_should_be([(who, yes, True) for who, yes in words], 2)
    assert said == expected
    if expected == "waiting":
        assert desk.lab.row().status is Status.WAITING
    else:
        votes = desk.lab.bodies("judged", 2)[0]["verdicts"]["a"]["votes"]
        assert votes["outcome"] == expected
        assert desk.lab.replay().identical
    marks = [op for op in desk.lab.operations() if op.get("kind") == "vote"]
    assert [(op["sender"], op["approve"]) for op in marks] == words[:posted]
    desk.lab.close()


def test_who_votes_learns_at_once_how_it_stands(desk: Desk) -> None:
    first = desk.vote("x", note="looks fine")
    assert (first.approval.status, first.approval.word, first.resume) == ("waiting", "1 of 2", None)
    assert first.others == ["2.validate.a.0"]
    assert desk.refused("x") == "duplicate"
    assert desk.refused("a") == "self"
    assert desk.refused("y", digest="0" * 16) == "changed"
    second = desk.vote("y")
    assert (second.approval.status, second.approval.by, second.resume) == ("approved", ["x", "y"], "run")
    assert desk.refused("z", False) == "decided"
    assert desk.lab.go().status is Status.COMPLETED
    with pytest.raises(WrongState):
        desk.vote("z", effect="2.validate.a.0")


def test_every_vote_leaves_its_mark_in_the_journal(desk: Desk) -> None:
    digest = desk.control.approval("run").digest
    desk.vote("x", note="fine", via="rest")
    desk.refused("x", False)
    desk.refused("a")
    desk.refused("z", digest="f" * 16)
    desk.vote("y", False, note="no")
    desk.refused("z")
    desk.lab.go()
    marks = [op for op in desk.lab.operations() if op.get("kind") == "vote"]
    assert [(op["sender"], op["approve"], op["outcome"], op.get("refused")) for op in marks] == [
        ("x", True, "1 of 2", None),
        ("x", False, "refused", "duplicate"),
        ("a", True, "refused", "self"),
        ("z", True, "refused", "changed"),
        ("y", False, "denied", None),
        ("z", True, "refused", "decided"),
    ]
    assert (marks[0]["note"], marks[0]["via"], marks[0]["digest"], marks[0]["meant"]) == (
        "fine", "rest", digest, digest,
    )  # fmt: skip
    assert (marks[3]["digest"], marks[3]["meant"]) == (digest, "f" * 16)
    assert all(op["at"] == desk.clock.now and op["effect"] == "2.validate.a.0" for op in marks)
    assert desk.control.verify("run").intact


def test_an_expiry_across_a_restart_is_recorded_and_later_votes_are_late(desk: Desk) -> None:
    desk.vote("x")
    desk.lab.go()
    desk.clock.now += 61
    assert desk.control.approval("run").status == "expired"
    assert desk.refused("y") == "late"
    assert desk.lab.go().status is Status.COMPLETED
    verdict = desk.lab.bodies("judged", 2)[0]["verdicts"]["a"]
    assert (verdict["kind"], verdict["votes"]["outcome"]) == ("denied", "expired")
    assert [op["effect"] for op in desk.lab.operations("expired")] == ["2.validate.a.0"]
    (late,) = desk.lab.operations("mail_refused")
    assert late["refused"] == "late"
    assert desk.lab.replay().identical


def test_a_vote_in_time_counts_though_nobody_played_until_the_expiry(desk: Desk) -> None:
    desk.vote("x")
    desk.vote("y")
    desk.clock.now += 3600
    desk.lab.go()
    assert desk.lab.bodies("judged", 2)[0]["verdicts"]["a"]["votes"]["outcome"] == "approved"


def test_a_vote_meant_for_the_parents_action_is_refused_by_a_fork_that_changed_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, approvers=1)
    saw = desk.control.approval("run")
    change = Change(lambda scenario: override_scenario(scenario, ["agents.a.kind=rule"], desk.world))
    desk.lab.fork("1", change=change)
    assert desk.lab.go("fork").status is Status.WAITING
    store = f"{desk.lab.path}:fork"
    now = desk.control.approval(store)
    assert now.action != saw.action
    with pytest.raises(VoteRefused) as caught:
        desk.control.vote(store, saw.effect, True, sender="x", digest=saw.digest)
    assert caught.value.data["refused"] == "changed"
    assert desk.lab.go("fork").status is Status.WAITING
    assert desk.control.vote(store, saw.effect, True, sender="x", digest=now.digest).resume == "fork"
    assert desk.lab.go("fork").status is Status.COMPLETED
    assert desk.lab.row().status is Status.WAITING
    desk.lab.close()


def test_two_that_are_parked_together_go_on_with_the_last_of_their_votes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rule=lambda s, who, a, c: hold("big") if c.turn == 2 else hold("x", "defer"))
    desk.lab.go()
    names = [one.effect for one in desk.control.pending() if one.turn == 2]
    assert names == ["2.validate.a.0", "2.validate.b.0"]
    with pytest.raises(NotFound, match="several"):
        desk.vote("x")
    assert desk.vote("x", effect=names[0]).resume is None
    assert desk.vote("x", effect=names[1]).resume == "run"
    desk.lab.close()


def test_a_deferred_action_needs_nobody_to_resume(tmp_path: Path) -> None:
    desk = Desk(tmp_path, mode="defer", expires_turns=9)
    one = desk.control.approval("run")
    assert (one.mode, one.expires, one.expires_turn) == ("defer", None, 11)
    assert desk.vote("x").resume is None
    desk.lab.go()
    assert "approved a" in desk.lab.at().frame.state.heard
    (every,) = desk.control.pending(every=True)
    assert (every.status, every.by) == ("approved", ["x"])
    assert desk.control.pending() == []
    desk.lab.close()


def test_a_vote_needs_a_name(desk: Desk) -> None:
    for name in ("", "  ", "x" * 1000):
        with pytest.raises(UsageError, match="name"):
            desk.vote(name)


def test_what_waits_is_told_in_words(tmp_path: Path) -> None:
    world = msgspec.structs.replace(
        make(), stakes=lambda state, actor, action: Stakes(5.0, "high", "gives 5 coins away", "coins")
    )
    with Lab(world, folder=tmp_path, players={"a": lambda *_: Give(5), "b": lambda *_: Rest()}) as lab:
        lab.begin(scene(python("a"), python("b"), approvals="moderate"))
        lab.go()
        (one,) = Control(Workspace(tmp_path), lambda _: world).pending([found(lab)])
    assert (one.summary, one.amount, one.unit, one.risk, one.needed) == (
        "gives 5 coins away", 5.0, "coins", "high", 2,
    )  # fmt: skip
    assert (one.rule, one.action) == ("moderate: grave", {"type": "Give", "amount": 5})
    assert one.expires == pytest.approx(one.asked + 86_400)


def found(lab: Lab) -> Any:
    from windtunnel.control import Found

    return Found(str(lab.path), lab.row())
