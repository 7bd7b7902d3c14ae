"""What the loop promises about effects: paid for once, in doubt as declared, failures kept, forks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.run.toy import Asker, Give, Outside, Rest, make, python, scene
from windtunnel.errors import AgentError, Divergence, EffectFailed, WorldError
from windtunnel.journal import Status
from windtunnel.testing.lab import Lab
from windtunnel.world import Call, EffectKind


def quoting(
    outside: Outside, in_doubt: Literal["retry", "reconcile", "hold"] = "retry", **more: Any
) -> dict[str, EffectKind]:
    return {"quote": EffectKind(outside.quote, in_doubt=in_doubt, **more)}


def lab_with(tmp_path: Path, outside: Outside, agent: Any = None, **more: Any) -> Lab:
    players = {"a": agent or Asker()}
    return Lab(make(effects=quoting(outside, **more)), folder=tmp_path, players=players)


def test_an_answer_once_durable_is_never_asked_for_again(tmp_path: Path) -> None:
    outside = Outside()
    with lab_with(tmp_path, outside) as lab:
        lab.begin(scene(python("a"), turns=6))
        for stop in range(1, 6):
            lab.go(stop_after=stop)
        lab.go()
        assert len(outside.calls) == 6
        assert len(set(outside.keys)) == 6
        assert lab.replay().identical
        assert len(outside.calls) == 6


def test_members_of_a_team_have_effects_of_their_own_in_an_order_that_arrival_does_not_change(
    tmp_path: Path,
) -> None:
    class Team:
        def __init__(self, delays: dict[str, float]) -> None:
            self.delays = delays

        async def decide(self, seen: Any, context: Any) -> Any:
            async def one(name: str) -> int:
                await asyncio.sleep(self.delays[name])
                said: int = await context.member(name).effect("say", {"name": name})
                return said

            return Give(sum(await asyncio.gather(*(one(name) for name in self.delays))))

    async def say(request: Any, call: Call) -> int:
        return len(request["name"])

    heads = []
    for number, delays in enumerate(({"ann": 0.0, "bo": 0.01}, {"bo": 0.0, "ann": 0.01})):
        world = make(effects={"say": EffectKind(say)})
        folder = tmp_path / str(number)
        folder.mkdir()
        with Lab(world, folder=folder, players={"a": Team(delays)}) as lab:
            lab.play(scene(python("a"), turns=2))
            assert [e.actor for e in lab.history(kind="effect", turn=1)] == ["a/ann", "a/bo"]
            assert lab.replay().identical
            heads.append(lab.head())
    assert heads[0] == heads[1]


# --- in doubt -----------------------------------------------------------------------------------------


def crashed_in_turn_1(lab: Lab, outside: Outside) -> None:
    outside.crashes = 1
    lab.begin(scene(python("a"), turns=3))
    with pytest.raises(KeyboardInterrupt):
        lab.go()
    assert [effect.result for effect in lab.waiting()] == [None]


def test_one_in_doubt_is_retried_with_the_same_key(tmp_path: Path) -> None:
    outside = Outside()
    with lab_with(tmp_path, outside) as lab:
        crashed_in_turn_1(lab, outside)
        assert lab.go().status is Status.COMPLETED
        assert outside.keys[0] == outside.keys[1]
        assert len(outside.calls) == 4
        assert lab.operations("effect_in_doubt")[0]["way"] == "retry"
        assert lab.replay().identical


@pytest.mark.parametrize(("found", "calls"), [(7, 3), (None, 4)], ids=["it had arrived", "it had not"])
def test_one_in_doubt_is_reconciled_with_the_other_side(
    tmp_path: Path, found: int | None, calls: int
) -> None:
    outside, asked = Outside(), []

    async def reconcile(request: Any, call: Call) -> int | None:
        asked.append(call.key)
        return found

    with lab_with(tmp_path, outside, in_doubt="reconcile", reconcile=reconcile) as lab:
        crashed_in_turn_1(lab, outside)
        assert lab.go().status is Status.COMPLETED
        assert asked == outside.keys[:1]
        assert len(outside.calls) == calls
        assert lab.replay().identical


def test_one_in_doubt_is_held_for_a_person_who_says_what_came_of_it(tmp_path: Path) -> None:
    outside = Outside()
    with lab_with(tmp_path, outside, in_doubt="hold") as lab:
        crashed_in_turn_1(lab, outside)
        assert lab.go().status is Status.WAITING
        assert len(outside.calls) == 1
        (effect,) = lab.waiting()
        lab.answer(effect.name, 9)
        assert lab.go().status is Status.COMPLETED
        assert lab.bodies("decided", 1)[0]["actions"]["a"]["amount"] == 9
        assert lab.replay().identical


# --- failures -----------------------------------------------------------------------------------------


class Careful(Asker):
    async def decide(self, seen: Any, context: Any) -> Any:
        try:
            return await super().decide(seen, context)
        except EffectFailed as error:
            return Give(len(error.message))


def test_a_failure_is_recorded_and_raised_again_on_replay(tmp_path: Path) -> None:
    outside = Outside()
    outside.fails = "four"
    with lab_with(tmp_path, outside, Careful()) as lab:
        lab.play(scene(python("a"), turns=2))
        assert lab.bodies("decided", 1)[0]["actions"]["a"]["amount"] == 4
        outside.fails = None
        assert lab.replay().identical
        assert len(outside.calls) == 2


def test_a_failure_nobody_caught_fails_the_run(tmp_path: Path) -> None:
    outside = Outside()
    outside.fails = "no credit"
    with lab_with(tmp_path, outside) as lab:
        with pytest.raises(EffectFailed, match="no credit"):
            lab.play(scene(python("a")))
        assert lab.row().status is Status.FAILED


def test_a_performer_that_breaks_is_an_agents_error_and_the_effect_stays_in_doubt(tmp_path: Path) -> None:
    async def broken(request: Any, call: Call) -> Any:
        raise ZeroDivisionError("inside the performer")

    with Lab(make(effects={"quote": EffectKind(broken)}), folder=tmp_path, players={"a": Asker()}) as lab:
        with pytest.raises(AgentError, match="inside the performer"):
            lab.play(scene(python("a")))
        assert lab.row().status is Status.FAILED


def test_a_kind_to_be_reconciled_must_say_how_before_anything_is_sent(tmp_path: Path) -> None:
    outside = Outside()
    with lab_with(tmp_path, outside, in_doubt="reconcile") as lab:
        lab.begin(scene(python("a"), turns=2))
        with pytest.raises(WorldError, match="nothing says how"):
            lab.go()
        assert outside.calls == []


def test_an_unknown_kind_fails_the_run_and_names_the_known_ones(tmp_path: Path) -> None:
    with Lab(make(), folder=tmp_path, players={"a": Asker()}) as lab:
        with pytest.raises(WorldError, match="quote") as caught:
            lab.play(scene(python("a")))
        assert "ask" in (caught.value.remedy or "")
        assert lab.row().status is Status.FAILED


# --- asked otherwise ----------------------------------------------------------------------------------


class Chatty:
    """Asks for what `topic` says, which a test changes under its feet."""

    topic = "bread"
    asks = 1

    async def decide(self, seen: Any, context: Any) -> Any:
        for _ in range(self.asks):
            await context.effect("quote", {"topic": self.topic})
        return Rest()


def test_a_replay_that_asks_otherwise_names_the_effect(tmp_path: Path) -> None:
    agent = Chatty()
    with lab_with(tmp_path, Outside(), agent) as lab:
        lab.play(scene(python("a"), turns=3))
        agent.topic = "wine"
        seen = lab.replay()
        assert not seen.identical
        assert seen.first_difference is not None
        assert seen.first_difference["where"] == "1.plan.a.0"
        assert (seen.first_difference["turn"], seen.first_difference["phase"]) == (1, "plan")
        assert "wine" in seen.first_difference["played"]


def test_a_replay_that_asks_for_more_names_what_was_never_recorded(tmp_path: Path) -> None:
    agent, outside = Chatty(), Outside()
    with lab_with(tmp_path, outside, agent) as lab:
        lab.play(scene(python("a"), turns=3))
        agent.asks = 2
        seen = lab.replay()
        assert seen.first_difference is not None
        assert "1.plan.a.1" in seen.first_difference["message"]
        assert "not in the record" in seen.first_difference["message"]
        assert len(outside.calls) == 3


def test_a_resume_that_asks_otherwise_is_a_divergence_that_names_the_effect(tmp_path: Path) -> None:
    agent, outside = Chatty(), Outside()
    with lab_with(tmp_path, outside, agent) as lab:
        crashed_in_turn_1(lab, outside)
        agent.topic = "wine"
        with pytest.raises(Divergence, match=r"1\.plan\.a\.0"):
            lab.go()
        assert lab.row().status is Status.FAILED
        agent.topic = "bread"
        assert lab.go().status is Status.COMPLETED


# --- forks --------------------------------------------------------------------------------------------


def two_askers(tmp_path: Path, outside: Outside) -> Lab:
    lab = Lab(make(effects=quoting(outside)), folder=tmp_path, players={"a": Asker(), "b": Asker()})
    lab.play(scene(python("a"), python("b"), turns=4))
    assert len(outside.calls) == 8
    return lab


@pytest.mark.parametrize(
    ("at", "asked_again"),
    [("2", 4), ("3.plan", 4), ("3.validate", 2), ("3.plan.b", 3), ("3.plan.a", 4), ("4", 0)],
)
def test_a_fork_pays_only_for_what_comes_after_its_point(tmp_path: Path, at: str, asked_again: int) -> None:
    outside = Outside()
    with two_askers(tmp_path, outside) as lab:
        before = len(outside.calls)
        lab.fork(at)
        assert lab.go("fork").status is Status.COMPLETED
        assert len(outside.calls) - before == asked_again
        assert lab.replay("fork").identical
        assert len(outside.calls) - before == asked_again


@pytest.mark.parametrize(
    ("text", "words"), [("2.lunch", "no phase"), ("x", "no turn"), ("9", "no turn 9"), ("2.plan.zoe", "zoe")]
)
def test_a_fork_at_no_place_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    from windtunnel.errors import UsageError

    with two_askers(tmp_path, Outside()) as lab, pytest.raises(UsageError, match=words):
        lab.fork(text)


# --- late ---------------------------------------------------------------------------------------------


class Slow:
    """Too slow in the turns it is told."""

    def __init__(self, late: Callable[[int], bool]) -> None:
        self.late = late

    async def decide(self, seen: Any, context: Any) -> Any:
        context.memory.thoughts += 1
        if self.late(context.turn):
            await asyncio.sleep(30)
        return Give(1)


def test_a_decision_that_came_too_late_is_a_recorded_no_op_and_stays_one(tmp_path: Path) -> None:
    from tests.run.toy import Memory

    agent = Slow(lambda turn: turn == 2)
    world = make(memory=Memory)
    with Lab(world, folder=tmp_path, players={"a": agent}) as lab:
        lab.play(scene(python("a", deadline=0.05), turns=3))
        decided = lab.bodies("decided", 2)[0]
        assert decided["refused"]["a"]["label"] == "late"
        assert lab.bodies("judged", 2)[0]["verdicts"]["a"]["kind"] == "no_op"
        assert lab.at().frame.memories["a"].thoughts == 2  # what came too late does not count
        agent.late = lambda turn: False
        assert lab.replay().identical
