"""What if: one fork, many with their controls, and what the pairs say."""

from __future__ import annotations

import asyncio
from math import sqrt

import pytest

import windtunnel as wt
from tests.api.shop import Rest, Rules, Work, shop
from windtunnel.errors import NotFound, ScenarioError, UsageError


@pytest.fixture
def parent() -> wt.Run:
    return wt.run(shop(), turns=6, seed=2, agents={"ada": "steady", "bob": "steady"})


def test_a_fork_shares_the_past_and_differs_from_there(parent):
    fork = parent.fork(3, set={"wage": 100.0})
    assert isinstance(fork, wt.Run)
    assert (fork.status, fork.parent, fork.store) == ("completed", parent.run_id, parent.store)
    before = parent.metrics.where(turn=range(1, 4))
    assert fork.metrics.where(turn=range(1, 4)) == before
    assert fork.metrics.final()["ada"]["wealth"] > 300
    assert fork.scenario.parameters.wage == 100.0
    assert parent.scenario.parameters.wage == 1.0
    assert fork.replay().identical
    assert fork.verify().intact


def test_an_unchanged_fork_has_the_same_luck(parent):
    assert list(parent.fork(2).metrics) == list(parent.metrics)


def test_turns_can_be_added(parent):
    assert parent.fork(6, turns=9).turns == 9


def test_an_event_can_be_injected_in_each_of_its_forms(parent):
    gift = {"to": "bob", "amount": 500.0}
    for inject in (("gift", gift), {"kind": "gift", "body": gift}, [("gift", gift)]):
        fork = parent.fork(3, inject=inject)
        assert fork.metrics.series("wealth", "bob").values[3] > 500
        assert fork.metrics.series("wealth", "bob").values[2] < 500
    with pytest.raises(UsageError, match="no event"):
        parent.fork(3, inject=7)


def test_other_code_plays_from_the_fork_on_and_the_past_keeps_its_own():
    parent = wt.run(shop(), turns=4, agents={"ada": lambda seen, context: Work(2.0)})
    fork = parent.fork(2, agents={"ada": lambda seen, context: Work(5.0)})
    assert [decision.action["hours"] for decision in fork.decisions] == [2.0, 2.0, 5.0, 5.0]
    assert fork.replay().identical
    again = fork.fork(3, agents={"ada": lambda seen, context: Rest()})
    assert [decision.action["type"] for decision in again.decisions] == ["Work", "Work", "Work", "Rest"]
    assert again.replay().identical
    assert parent.replay().identical


def test_a_policy_can_take_over_from_code():
    parent = wt.run(shop(), turns=3, agents={"ada": lambda seen, context: Work(2.0)})
    fork = parent.fork(1, agents={"ada": "lazy"})
    assert [decision.action["type"] for decision in fork.decisions] == ["Work", "Rest", "Rest"]
    assert fork.replay().identical
    assert wt.run(shop(), turns=1).fork(0, model="rule").status == "completed"


def test_what_does_not_fit_is_refused(parent):
    with pytest.raises(NotFound, match="no turn 99"):
        parent.fork(99)
    with pytest.raises(ScenarioError, match="no 'cem'"):
        parent.fork(2, agents={"cem": "lazy"})
    with pytest.raises(ScenarioError, match="no policy 'lasy'") as caught:
        parent.fork(2, agents={"ada": "lasy"})
    assert caught.value.remedy == "did you mean 'lazy'?"
    with pytest.raises(UsageError, match="branches"):
        parent.fork(2, branches=0)
    with pytest.raises(UsageError, match="no model 'oracle'"):
        parent.fork(2, model="oracle")
    with pytest.raises(ScenarioError, match="wagee"):
        parent.fork(2, set={"wagee": 2})
    assert len(wt.runs()) == 1


class Fixed(Rules):
    """A shop that takes no other luck than it began with, and counts who asks."""

    asked = 0

    def revise(self, state, scenario):
        self.asked += 1
        if scenario.parameters.luck != 1.0:
            raise UsageError("luck is fixed", where="parameters.luck")
        return state


def test_what_the_world_refuses_is_refused_with_its_own_words_and_leaves_nothing():
    parent = wt.run(shop(engine=Fixed()), turns=4)

    def forked():
        with pytest.raises(UsageError, match="luck is fixed") as caught:
            parent.fork(2, set={"luck": 3.0}, branches=2)
        assert caught.value.where == "parameters.luck"

    forked()

    async def in_a_loop():
        forked()

    asyncio.run(in_a_loop())
    assert len(wt.runs()) == 1


def test_the_world_is_asked_once_for_all_branches():
    rules = Fixed()
    parent = wt.run(shop(engine=rules), turns=4)
    forks = parent.fork(2, set={"wage": 3.0}, branches=3, play=False)
    assert (len(forks), rules.asked) == (3, 1)
    parent.fork(2, agents={"worker": "lazy"}, play=False)
    assert rules.asked == 1  # the parameters are the same


def test_a_past_that_cannot_be_made_again_here_refuses_nothing():
    path = wt.run(shop(engine=Fixed()), turns=4, agents={"ada": lambda seen, context: Work(2.0)}).store
    alone = wt.open(path, world=shop(engine=Fixed()))
    assert alone.fork(2, set={"wage": 3.0}, agents={"ada": "lazy"}, play=False).status == "queued"


def test_a_fork_that_is_not_played_waits_to_be(parent):
    fork = parent.fork(2, play=False)
    assert fork.status == "queued"
    assert fork.resume().status == "completed"


def test_branches_come_with_controls_and_the_difference_has_its_interval(parent):
    forks = parent.fork(
        3, agents={"ada": lambda seen, context: Work(2.0 + context.chance("mood").uniform(0, 1))}, branches=3
    )
    assert (len(forks), len(forks.controls)) == (3, 3)
    said = forks.difference("wealth", "ada")
    final = [run.metrics.final()["ada"]["wealth"] for run in forks]
    plain = [run.metrics.final()["ada"]["wealth"] for run in forks.controls]
    apart = [one - other for one, other in zip(final, plain, strict=True)]
    mean = sum(apart) / 3
    spread = sqrt(sum((one - mean) ** 2 for one in apart) / 2)
    reach = 4.302653 * spread / sqrt(3)  # Student's t, 0.975, two degrees of freedom
    assert spread > 0.01
    assert said.pairs == 3
    assert said.mean == pytest.approx(mean)
    assert said.low == pytest.approx(mean - reach, rel=1e-3)
    assert said.high == pytest.approx(mean + reach, rel=1e-3)


def test_a_pair_has_one_luck_and_pairs_have_different(parent):
    forks = parent.fork(3, set={"wage": 2.0}, branches=4)
    said = forks.difference("wealth", "bob")
    assert said.mean == pytest.approx(3.0)  # three days at one more an hour, whatever the luck
    assert said.low == pytest.approx(3.0)
    assert len({run.metrics.final()["bob"]["wealth"] for run in forks.controls}) == 4
    assert forks.difference("wealth", "bob", turn=4).mean == pytest.approx(1.0)
    assert forks.difference("total").mean == pytest.approx(6.0)


def test_a_single_branch_is_held_against_its_parent(parent):
    forks = parent.fork(3, set={"wage": 2.0}, branches=1)
    said = forks.difference("wealth", "bob")
    assert (said.mean, said.low, said.pairs) == (pytest.approx(3.0), None, 1)


def test_a_metric_that_is_not_there_is_refused_with_who_has_it(parent):
    forks = parent.fork(3, branches=2)
    with pytest.raises(NotFound, match="'wealth' of 'world'") as caught:
        forks.difference("wealth")
    assert "ada" in str(caught.value.remedy)
    with pytest.raises(NotFound, match="turn 77"):
        forks.difference("total", turn=77)


def test_forks_can_be_awaited():
    async def main() -> float:
        run = await wt.run(shop(), turns=4)
        forks = await run.fork(2, set={"wage": 3.0}, branches=2)
        return forks.difference("total").mean

    assert asyncio.run(main()) == pytest.approx(4.0)


@pytest.mark.parametrize(("key", "value"), [("seed", 77), ("mode", "paper")])
def test_what_a_fork_has_from_its_past_cannot_become_another(parent, key, value):
    with pytest.raises(UsageError, match="a fork") as caught:
        parent.fork(3, set={key: value})
    assert caught.value.where == key
    assert parent.fork(3, set={key: getattr(parent, key, "simulated")}).verify().intact
