"""At the same time: no cross-talk, results in order, and nobody's speed decides."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.teams.helpers import play, text_seen
from windtunnel.errors import BudgetReached, ModelError, ScenarioError
from windtunnel.models.talk import Ask, Reply
from windtunnel.teams import (
    Concurrent,
    FunctionMember,
    HumanMember,
    Limits,
    LocalRuntime,
    ModelMember,
    Sequential,
    Turn,
    aggregate,
)
from windtunnel.testing.scripted import Scripted, Waits, calls

NAMES = ("a", "b", "c")


def team(**settings: Any) -> Concurrent:
    return Concurrent([ModelMember(name) for name in NAMES], **settings)


def script(*answers: Any, **more: Any) -> Scripted:
    return Scripted({name: [answer] for name, answer in zip(NAMES, answers, strict=True)}, **more)


def test_nobody_sees_what_another_says() -> None:
    runtime = script("red", "green", "blue")
    result = play(team(), runtime)
    assert result.value == {"a": "red", "b": "green", "c": "blue"}
    assert [one.member for one in result.members] == list(NAMES)
    for name in NAMES:
        assert text_seen(runtime, name) == "the task"


@pytest.mark.parametrize(
    ("answers", "value", "reason"),
    [
        (["Buy", " buy ", "sell"], "Buy", "2 of 3 answers"),
        (["sell", "buy", "Buy"], "buy", "2 of 3 answers"),
        (["x", "y", "z"], "x", "1 of 3 answers, the earliest of a tie"),
    ],
)
def test_a_vote_goes_to_the_most_and_a_tie_to_the_earliest(answers: Any, value: str, reason: str) -> None:
    for shuffle in range(4):
        runtime = script(*answers, shuffle=shuffle)
        result = play(team(aggregate=aggregate.Vote()), runtime)
        assert (result.value, result.reason) == (value, reason)


def test_a_mean_takes_numbers_and_guesses_none_from_prose() -> None:
    mean = aggregate.Mean()
    assert play(team(aggregate=mean), script("1", " 2.5 ", "4")).value == 2.5
    result = play(team(aggregate=mean), script("1", "about 2", "nan"))
    assert result.status == "failed"
    assert [problem.member for problem in result.errors] == ["b", "c"]
    assert play(team(aggregate=mean, policy="any"), script("1", "about 2", "inf")).value == 1.0


def test_the_best_is_what_a_function_or_a_model_says() -> None:
    best = aggregate.Best(len)
    assert play(team(aggregate=best), script("aa", "bbb", "ccc")).value == "bbb"
    runtime = script("x", "y", "z")
    runtime.script["manager"] = [{"best": "d", "reason": "?"}, {"best": "c", "reason": "clear"}]
    result = play(team(aggregate=aggregate.Model(judge=True)), runtime)
    assert (result.value, result.reason) == ("z", "c is best: clear")


@pytest.mark.parametrize(
    ("policy", "broken", "status"),
    [
        ("all", 0, "completed"),
        ("all", 1, "failed"),
        (2, 1, "completed"),
        (2, 2, "failed"),
        ("any", 2, "completed"),
        ("any", 3, "failed"),
    ],
)
def test_the_policy_says_how_many_must_answer(policy: Any, broken: int, status: str) -> None:
    answers = [ModelError("503")] * broken + ["fine"] * (3 - broken)
    result = play(team(policy=policy), script(*answers))
    assert result.status == status
    assert len(result.errors) == broken
    assert [one.status for one in result.members].count("failed") == broken


def test_who_is_late_is_left_out_and_leaves_nothing_behind() -> None:
    def look() -> int:
        return 1

    members = [ModelMember("a"), ModelMember("b", tools=[look]), ModelMember("c")]
    runtime = Scripted({"a": ["1"], "b": [calls("look")] * 7 + ["never"] * 20, "c": ["3"]}, late={"b": [0]})
    result = play(Concurrent(members, policy=2, deadlines={"b": 2.0}), runtime)
    assert result.value == {"a": "1", "c": "3"}
    late = result.member("b")
    assert (late.status, late.calls, late.reason) == ("late", 0, "nothing came within 2 seconds")
    assert "b" not in {line.member for line in result.transcript}
    assert "b" not in {path for path, _ in runtime.notes}


def test_a_real_deadline_ends_a_member_that_hangs() -> None:
    async def answer(ask: Ask) -> Reply:
        if ask.model == "hangs":
            await asyncio.Event().wait()
        return Reply("fine")

    members = [ModelMember("a", model="hangs", deadline=0.05), ModelMember("b", model="ok")]
    result = play(Concurrent(members, policy="any"), LocalRuntime(answer))
    assert result.value == {"b": "fine"}
    assert result.member("a").status == "late"


def test_calls_are_shared_out_before_so_that_no_race_decides_who_has_none() -> None:
    def look(at: int) -> int:
        return at

    members = [ModelMember(name, tools=[look]) for name in NAMES]
    results = []
    for shuffle in range(6):
        runtime = Scripted(
            {name: lambda ask: calls("look", at=len(ask.messages)) for name in NAMES}, shuffle=shuffle
        )
        limits = Limits(calls=10, tool_rounds=50)
        results.append(play(Concurrent(members, limits=limits), runtime))
    assert all(result == results[0] for result in results)
    assert results[0].calls == 8
    assert "all calls of models" in results[0].errors[0].message


def test_a_limit_of_money_unwinds_the_team_when_all_have_ended() -> None:
    finished = []

    async def work(turn: Turn) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        finished.append(turn.name)
        return "done"

    def broke(turn: Turn) -> str:
        raise BudgetReached("nothing is left")

    members = [FunctionMember("a", broke), FunctionMember("b", work)]
    with pytest.raises(BudgetReached):
        play(Concurrent(members), Scripted())
    assert finished == ["b"]  # what was paid for is kept


def test_a_wait_for_a_person_lets_the_others_finish_first() -> None:
    members = [HumanMember("boss"), ModelMember("a")]
    runtime = Scripted({"a": ["mine"]}, shuffle=3)
    with pytest.raises(Waits):
        play(Concurrent(members), runtime)
    second = runtime.resumed(people={"boss": ["yes"]})
    assert play(Concurrent(members), second).value == {"boss": "yes", "a": "mine"}
    assert [place for _, place in second.performed] == [("boss", 0)]


def test_a_team_that_is_cancelled_leaves_nobody_working() -> None:
    ended = []

    async def forever(turn: Turn) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(turn.path)
        return ""

    inner = Concurrent([FunctionMember("x", forever), FunctionMember("y", forever)], name="inner")
    outer = Concurrent([inner, Sequential([FunctionMember("z", forever)], name="other")])

    async def cancel() -> int:
        task = asyncio.ensure_future(outer.invoke("task", Scripted()))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(cancel()) == 1
    assert sorted(ended) == ["inner/x", "inner/y", "other/z"]


def test_no_more_than_the_width_work_at_the_same_time() -> None:
    at_work, most = 0, 0

    async def work(turn: Turn) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return 1

    members = [FunctionMember(f"m{n}", work) for n in range(9)]
    assert play(Concurrent(members, width=4, aggregate=aggregate.Mean()), Scripted()).value == 1.0
    assert most == 4


def test_answers_that_are_needed_and_nobody_can_give_are_refused_at_once() -> None:
    with pytest.raises(ScenarioError, match="4 answers are needed of 3"):
        team(policy=4)
    with pytest.raises(ScenarioError, match="'d' to have a deadline"):
        team(deadlines={"d": 1.0})


def test_what_nobody_can_help_goes_before_a_wait_for_a_person() -> None:
    def broke(turn: Turn) -> str:
        raise BudgetReached("nothing is left")

    with pytest.raises(BudgetReached):
        play(Concurrent([HumanMember("boss"), FunctionMember("a", broke)]), Scripted())


def test_a_yes_is_no_number() -> None:
    members = [FunctionMember("a", lambda turn: True), FunctionMember("b", lambda turn: 3)]
    result = play(Concurrent(members, aggregate=aggregate.Mean(), policy="any"), Scripted())
    assert result.value == 3.0
